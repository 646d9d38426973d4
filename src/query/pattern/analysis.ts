/** What can be said of a tree before it meets a text. */
import {
  ANYTHING,
  areDisjoint,
  type CharacterSet,
  NOTHING,
  onlyCharacterOf,
  union,
} from "./character_set.ts";
import { LINE_FEED } from "./named_sets.ts";
import type { Node } from "./syntax.ts";

/** Where a node can go on from a position. */
export interface Start {
  /** All characters that may come next. */
  readonly set: CharacterSet;
  /** It may match without asking for a character. */
  readonly nullable: boolean;
  /** It may match at the end of the text, though not `nullable`. */
  readonly atEnd: boolean;
}

/** Nothing is known. */
export const ANYWHERE: Start = { set: ANYTHING, nullable: true, atEnd: true };
const HERE: Start = { set: NOTHING, nullable: true, atEnd: false };

const starts = new WeakMap<Node, Start>();

export function startOf(node: Node): Start {
  let start = starts.get(node);
  if (start === undefined) {
    start = computeStart(node);
    starts.set(node, start);
  }
  return start;
}

function computeStart(node: Node): Start {
  switch (node.kind) {
    case "set":
      return { set: node.set, nullable: false, atEnd: false };
    case "sequence":
      return node.items.reduceRight((rest, item) => followedBy(startOf(item), rest), HERE);
    case "choice":
      return either(node.items.map(startOf));
    case "repeat":
      if (node.max === 0) return HERE;
      return node.min > 0 ? startOf(node.item) : either([startOf(node.item), HERE]);
    case "group":
    case "atomic":
      return startOf(node.item);
    case "assertion":
      if (node.at === "textEnd") return { set: NOTHING, nullable: false, atEnd: true };
      if (node.at === "lastLineEnd" || node.at === "lineEnd") {
        return { set: LINE_FEED, nullable: false, atEnd: true };
      }
      return HERE;
    case "condition":
      return node.test.kind === "define" ? HERE : either([startOf(node.yes), startOf(node.no)]);
    case "cluster":
      return { set: ANYTHING, nullable: false, atEnd: false };
    case "fail":
      return { set: NOTHING, nullable: false, atEnd: false };
    case "reference":
    case "call":
    case "accept":
      return ANYWHERE;
    default:
      return HERE;
  }
}

/** The start of one node and another behind it. */
export function followedBy(first: Start, rest: Start): Start {
  if (!first.nullable) return first;
  return {
    set: union(first.set, rest.set),
    nullable: rest.nullable,
    atEnd: first.atEnd || rest.atEnd,
  };
}

function either(all: readonly Start[]): Start {
  return {
    set: union(...all.map(({ set }) => set)),
    nullable: all.some(({ nullable }) => nullable),
    atEnd: all.some(({ atEnd }) => atEnd),
  };
}

/** What may come behind the body of a loop: the body once more, or what follows the loop. */
export function loopFollow(body: Node, follow: Start): Start {
  return either([startOf(body), follow]);
}

/** Whether what follows can only begin where a run of the set has ended. */
export function endsRun(set: CharacterSet, follow: Start): boolean {
  return !follow.nullable && areDisjoint(set, follow.set);
}

/** The follow of each item of a sequence. */
export function followsOf(items: readonly Node[], follow: Start): readonly Start[] {
  const follows: Start[] = [];
  let next = follow;
  for (let at = items.length - 1; at >= 0; at--) {
    follows[at] = next;
    next = followedBy(startOf(items[at]!), next);
  }
  return follows;
}

/** Characters that every match of the node has; undefined where their number is not fixed. */
export function fixedLength(node: Node, groups: ReadonlyMap<number, Node>): number | undefined {
  const lengthOf = (child: Node) => fixedLength(child, groups);
  switch (node.kind) {
    case "set":
      return 1;
    case "sequence":
      return sumOf(node.items.map(lengthOf));
    case "choice":
      return sameOf(node.items.map(lengthOf));
    case "repeat":
      return node.min === node.max ? multiply(lengthOf(node.item), node.min) : undefined;
    case "group":
    case "atomic":
      return lengthOf(node.item);
    case "condition":
      return node.test.kind === "define" ? 0 : sameOf([lengthOf(node.yes), lengthOf(node.no)]);
    case "call":
      return fixedLengthOfCall(node.number, groups);
    case "reference":
    case "cluster":
    case "accept":
      return undefined;
    default:
      return 0;
  }
}

/** A group that calls itself has no fixed length. */
function fixedLengthOfCall(number: number, groups: ReadonlyMap<number, Node>): number | undefined {
  const called = groups.get(number);
  if (called === undefined) return undefined;
  const others = new Map(groups);
  others.delete(number);
  return fixedLength(called, others);
}

function sumOf(lengths: readonly (number | undefined)[]): number | undefined {
  return lengths.reduce(
    (sum, length) => sum === undefined || length === undefined ? undefined : sum + length,
    0,
  );
}

function sameOf(lengths: readonly (number | undefined)[]): number | undefined {
  return lengths.every((length) => length === lengths[0]) ? lengths[0] : undefined;
}

function multiply(length: number | undefined, times: number): number | undefined {
  return length === undefined ? undefined : length * times;
}

/** Whether a match can begin only where the search does: at the start of the text, or where `\G` is. */
export function anchorOf(node: Node): "textStart" | "searchStart" | undefined {
  switch (node.kind) {
    case "assertion":
      return node.at === "textStart" || node.at === "searchStart" ? node.at : undefined;
    case "sequence":
      return anchorOf(node.items[0]!);
    case "choice": {
      const anchors = node.items.map(anchorOf);
      return anchors.every((anchor) => anchor === anchors[0]) ? anchors[0] : undefined;
    }
    case "group":
    case "atomic":
      return anchorOf(node.item);
    default:
      return undefined;
  }
}

const TAKES_NOTHING: ReadonlySet<Node["kind"]> = new Set(["empty", "assertion", "keep", "look"]);

interface Text {
  readonly text: string;
  /** The node is this text and nothing else. */
  readonly whole: boolean;
}

/** The text that every match begins with. */
export function leadingText(node: Node): Text {
  switch (node.kind) {
    case "set": {
      const code = onlyCharacterOf(node.set);
      return code < 0 ? { text: "", whole: false } : { text: String.fromCodePoint(code), whole: true };
    }
    case "group":
    case "atomic":
      return leadingText(node.item);
    case "sequence": {
      let text = "";
      for (const item of node.items) {
        const leading = leadingText(item);
        text += leading.text;
        if (!leading.whole) return { text, whole: false };
      }
      return { text, whole: true };
    }
    default:
      return { text: "", whole: TAKES_NOTHING.has(node.kind) };
  }
}

/** The longest text that is known to be in every match. */
export function requiredText(node: Node): string {
  switch (node.kind) {
    case "set":
      return leadingText(node).text;
    case "group":
    case "atomic":
      return requiredText(node.item);
    case "repeat":
      return node.min > 0 ? requiredText(node.item) : "";
    case "sequence":
      return longest(textsOf(node.items));
    default:
      return "";
  }
}

function* textsOf(items: readonly Node[]): Generator<string> {
  let run = "";
  for (const item of items) {
    const { text, whole } = leadingText(item);
    run += text;
    if (whole) continue;
    yield run;
    yield requiredText(item);
    run = "";
  }
  yield run;
}

function longest(texts: Iterable<string>): string {
  let best = "";
  for (const text of texts) if (text.length > best.length) best = text;
  return best;
}
