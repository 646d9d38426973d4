/**
 * The same pattern for the engine of the platform, which is several times faster than our own, and has no limit: only for patterns
 * that mean the same in both, and only for texts that are short enough for the bound of their steps (`cost.ts`).
 */
import { anchorOf, ANYWHERE, startOf } from "./analysis.ts";
import { type Bound, LENGTH, longestWithin, ONE, product, sum, UNBOUNDED } from "./bound.ts";
import { type CharacterSet, LAST_CODE_POINT, onlyCharacterOf } from "./character_set.ts";
import { stepsOf } from "./cost.ts";
import { type Assertion, childrenOf, type Node, type PatternTree, someNode } from "./syntax.ts";

/** Steps that a search may take there; some milliseconds. */
const STEPS = 4_000_000;
/** The same where they grow with the length of the text only. */
const LINEAR_STEPS = 64_000_000;

/** Steps that may take some tenths of a millisecond. */
export const LONG_NATIVE_STEPS = 200_000;

export interface NativePattern {
  /** For the flag `u`. */
  readonly source: string;
  /** Steps for one start. */
  readonly stepsOfStart: Bound;
  /** UTF-16 units of the longest text that may be searched from all starts at once. */
  readonly longestText: number;
  /** UTF-16 units of the longest text whose search is surely short. */
  readonly longestShortText: number;
  /** Whether its groups capture what PCRE's do. */
  readonly captures: boolean;
}

/** Stands for the engine of the platform where it is not used. */
export const NO_NATIVE: NativePattern = {
  source: "",
  stepsOfStart: UNBOUNDED,
  longestText: -1,
  longestShortText: -1,
  captures: false,
};

/** Undefined where the pattern has no form there that is harmless. */
export function nativeForm(tree: PatternTree): NativePattern | undefined {
  const { root } = tree;
  if (someNode(root, isForeign)) return undefined;
  const anchored = anchorOf(root) === "textStart";
  // V8 finds empty matches between the two units of a character.
  if (startOf(root).nullable && !anchored) return undefined;
  const steps = stepsOf(root, ANYWHERE);
  if (steps === undefined) return undefined;
  const starts = anchored ? ONE : sum(LENGTH, ONE);
  const all = product(steps, starts);
  return {
    source: sourceOf(root),
    longestText: longestWithin(all, all.length > 2 ? STEPS : LINEAR_STEPS),
    stepsOfStart: steps,
    longestShortText: longestWithin(all, LONG_NATIVE_STEPS),
    captures: capturesAlike(root) && groupsOf(root) === tree.groupCount,
  };
}

const NATIVE_KINDS: ReadonlySet<Node["kind"]> = new Set([
  "empty",
  "set",
  "sequence",
  "choice",
  "repeat",
  "group",
  "look",
  "assertion",
]);

/** Whether the node is not there, or means something else: JavaScript refuses iterations that match nothing. */
function isForeign(node: Node): boolean {
  if (node.kind === "repeat" && node.max > 1) return startOf(node.item).nullable || startOf(node.item).atEnd;
  return !NATIVE_KINDS.has(node.kind) || node.kind === "assertion" && node.at === "searchStart";
}

/** Capturing groups, one by one: more than the pattern numbers where branches share numbers. */
function groupsOf(node: Node): number {
  return childrenOf(node).reduce((sum, child) => sum + groupsOf(child), node.kind === "group" ? 1 : 0);
}

/** JavaScript forgets at each iteration what the one before captured, and reads look-behind from its end. */
function capturesAlike(node: Node): boolean {
  if (node.kind === "look") return !someNode(node.item, ({ kind }) => kind === "group");
  if (node.kind === "repeat" && node.max > 1) return setsAllGroups(node.item);
  return childrenOf(node).every(capturesAlike);
}

/** Whether every match of the node sets all of its groups. */
function setsAllGroups(node: Node): boolean {
  switch (node.kind) {
    case "choice":
    case "look":
      return !someNode(node, ({ kind }) => kind === "group");
    case "repeat":
      return node.min === 1 && node.max === 1 || !someNode(node, ({ kind }) => kind === "group");
    default:
      return childrenOf(node).every(setsAllGroups);
  }
}

function sourceOf(node: Node): string {
  switch (node.kind) {
    case "set":
      return classOf(node.set);
    case "sequence":
      return node.items.map((item) => item.kind === "choice" ? `(?:${sourceOf(item)})` : sourceOf(item)).join(
        "",
      );
    case "choice":
      return node.items.map(sourceOf).join("|");
    case "repeat": {
      const item = node.item.kind === "set" || node.item.kind === "group"
        ? sourceOf(node.item)
        : `(?:${sourceOf(node.item)})`;
      const max = node.max === Infinity ? "" : node.max;
      return `${item}{${node.min},${max}}${node.lazy ? "?" : ""}`;
    }
    case "group":
      return `(${sourceOf(node.item)})`;
    case "look":
      return `(?${node.behind ? "<" : ""}${node.negated ? "!" : "="}${sourceOf(node.item)})`;
    case "assertion":
      return assertionSource(node);
    default:
      return "";
  }
}

function assertionSource({ at, word }: Assertion): string {
  const letter = word === undefined ? "" : classOf(word);
  switch (at) {
    case "textStart":
      return "^";
    case "textEnd":
      return "$";
    case "lastLineEnd":
      return "(?=\\n?$)";
    case "lineStart":
      return "(?:^|(?<=\\n)(?=[^]))";
    case "lineEnd":
      return "(?=\\n|$)";
    case "wordBorder":
      return `(?:(?<=${letter})(?!${letter})|(?<!${letter})(?=${letter}))`;
    default:
      return `(?:(?<=${letter})(?=${letter})|(?<!${letter})(?!${letter}))`;
  }
}

function classOf(set: CharacterSet): string {
  const only = onlyCharacterOf(set);
  if (only >= 0) return characterOf(only);
  if (set.length === 0) return "[]";
  if (set.length === 2 && set[0] === 0 && set[1] === LAST_CODE_POINT) return "[^]";
  // A set that reaches to the end is shorter said by what it leaves out.
  const negated = set[0] === 0 && set.at(-1) === LAST_CODE_POINT;
  const ranges = negated ? gapsOf(set) : set;
  let source = "";
  for (let at = 0; at < ranges.length; at += 2) {
    source += characterOf(ranges[at]!);
    if (ranges[at + 1]! > ranges[at]!) source += `-${characterOf(ranges[at + 1]!)}`;
  }
  return `[${negated ? "^" : ""}${source}]`;
}

function gapsOf(set: CharacterSet): CharacterSet {
  const gaps: number[] = [];
  for (let at = 1; at + 1 < set.length; at += 2) gaps.push(set[at]! + 1, set[at + 1]! - 1);
  return gaps;
}

function characterOf(code: number): string {
  const char = String.fromCodePoint(code);
  return /^[A-Za-z0-9 ]$/.test(char) ? char : `\\u{${code.toString(16)}}`;
}
