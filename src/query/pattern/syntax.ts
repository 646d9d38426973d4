/** A pattern as a tree, what PCRE reads it as; see `parse.ts` for the grammar. */
import type { CharacterSet } from "./character_set.ts";
import { withOtherCases } from "./letter_case.ts";

export type Node =
  /** Matches the empty text. */
  | { readonly kind: "empty" }
  /** One character of the set. */
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | Choice
  | Repeat
  /** Captures what `item` matches. */
  | { readonly kind: "group"; readonly number: number; readonly item: Node }
  /** The first match of `item` is the only one that is tried. */
  | { readonly kind: "atomic"; readonly item: Node }
  | Look
  | Assertion
  /** What the first of these groups that is set captured, once more. */
  | { readonly kind: "reference"; readonly numbers: readonly number[]; readonly ignoreCase: boolean }
  /** The group with the number as a subroutine; 0 is the whole pattern. */
  | { readonly kind: "call"; readonly number: number }
  | Condition
  /** `\X`: one extended grapheme cluster. */
  | { readonly kind: "cluster" }
  /** `\K`: the match begins here. */
  | { readonly kind: "keep" }
  | { readonly kind: "fail" }
  /** `(*ACCEPT)`; the groups are those that are open where it stands. */
  | { readonly kind: "accept"; readonly openGroups: readonly number[] }
  /** `(*COMMIT)`, `(*PRUNE)`, `(*SKIP)`, `(*THEN)`: what backtracking onto them gives up. */
  | { readonly kind: "cut"; readonly cut: Cut }
  /** `(*MARK:name)`, and `(*SKIP:name)`: backtracking onto it goes on behind the last such mark, if there is one. */
  | { readonly kind: "mark" | "skipTo"; readonly name: string };

export interface Choice {
  readonly kind: "choice";
  readonly items: readonly Node[];
}

/** `max` may be Infinity. */
export interface Repeat {
  readonly kind: "repeat";
  readonly item: Node;
  readonly min: number;
  readonly max: number;
  readonly lazy: boolean;
}

/** Look-ahead; or look-behind, where each of `alternatives` matches a fixed number of characters. */
export interface Look {
  readonly kind: "look";
  readonly behind: boolean;
  readonly negated: boolean;
  readonly item: Node;
}

export interface Assertion {
  readonly kind: "assertion";
  readonly at: Position;
  /** For the borders of words: the characters that are in words. */
  readonly word?: CharacterSet;
}

/** `lastLineEnd` is the end of the text, or a line feed that ends it; `searchStart` is `\G`. */
export type Position =
  | "textStart"
  | "textEnd"
  | "lastLineEnd"
  | "lineStart"
  | "lineEnd"
  | "searchStart"
  | "wordBorder"
  | "noWordBorder";

export interface Condition {
  readonly kind: "condition";
  readonly test: ConditionTest;
  readonly yes: Node;
  readonly no: Node;
}

/** `recursion` asks whether a call of the group is running; -1 asks for any call. `define` is never true. */
export type ConditionTest =
  | { readonly kind: "groups"; readonly numbers: readonly number[] }
  | { readonly kind: "recursion"; readonly numbers: readonly number[] }
  | { readonly kind: "define" }
  | Look;

export type Cut = "commit" | "prune" | "skip" | "then";

/** A pattern read whole. */
export interface PatternTree {
  readonly root: Node;
  readonly groupCount: number;
}

export const EMPTY: Node = { kind: "empty" };

export function sequenceOf(items: readonly Node[]): Node {
  return items.length === 1 ? items[0]! : items.length === 0 ? EMPTY : { kind: "sequence", items };
}

export function choiceOf(items: readonly Node[]): Node {
  return items.length === 1 ? items[0]! : { kind: "choice", items };
}

export function positionAt(at: Position): Node {
  return { kind: "assertion", at };
}

/** One character, or with its like in other cases. */
export function literal(code: number, ignoreCase: boolean): Node {
  const set = [code, code];
  return { kind: "set", set: ignoreCase ? withOtherCases(set) : set };
}

/** The nodes directly below one. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "sequence":
    case "choice":
      return node.items;
    case "repeat":
    case "group":
    case "atomic":
    case "look":
      return [node.item];
    case "condition":
      return node.test.kind === "look" ? [node.test.item, node.yes, node.no] : [node.yes, node.no];
    default:
      return [];
  }
}

/** Whether the predicate holds for the node or one below it. */
export function someNode(node: Node, predicate: (node: Node) => boolean): boolean {
  return predicate(node) || childrenOf(node).some((child) => someNode(child, predicate));
}
