/**
 * What ends a line. A line feed, unless a pattern begins with `(*CR)`, `(*CRLF)`, `(*ANYCRLF)` or `(*ANY)`; then `.`, `^` and
 * `$` are written with what there is for all patterns.
 */
import { ANYTHING, type CharacterSet, complementOf } from "./character_set.ts";
import { CARRIAGE_RETURN, LINE_FEED, NOT_LINE_FEED, VERTICAL_SPACE } from "./named_sets.ts";
import { choiceOf, type Node, positionAt, sequenceOf, someNode } from "./syntax.ts";

export type Newline = "LF" | "CR" | "CRLF" | "ANYCRLF" | "ANY";

const PAIR: Node = sequenceOf([setNode(CARRIAGE_RETURN), setNode(LINE_FEED)]);
/** The first branch of what `^` stands for. */
const TEXT_START = positionAt("textStart");
const EITHER: CharacterSet = [...LINE_FEED, ...CARRIAGE_RETURN];

/** What `\R` stands for. */
export function lineBreak(few: boolean): Node {
  return { kind: "atomic", item: choiceOf([PAIR, setNode(few ? EITHER : VERTICAL_SPACE)]) };
}

/** What `.` stands for without `s`, and `\N`. */
export function withinLine(newline: Newline): Node {
  const characters = charactersOf(newline);
  if (characters === undefined) return sequenceOf([look(false, true, PAIR), setNode(ANYTHING)]);
  return setNode(newline === "LF" ? NOT_LINE_FEED : complementOf(characters));
}

/** What `^` and `$` stand for. */
export function linePosition(at: "lineStart" | "lineEnd" | "lastLineEnd", newline: Newline): Node {
  if (newline === "LF") return positionAt(at);
  const characters = charactersOf(newline);
  const end = characters === undefined ? PAIR : setNode(characters);
  switch (at) {
    case "lineStart":
      return choiceOf([
        TEXT_START,
        sequenceOf([look(true, false, end), look(false, false, setNode(ANYTHING))]),
      ]);
    case "lineEnd":
      return choiceOf([positionAt("textEnd"), look(false, false, end)]);
    case "lastLineEnd": {
      const last = isPairOneEnd(newline) ? choiceOf([PAIR, end]) : end;
      return choiceOf([
        positionAt("textEnd"),
        look(false, false, sequenceOf([last, positionAt("textEnd")])),
      ]);
    }
  }
}

/** A pattern that names neither sign, or begins with `^`, is not looked for between the two of a pair that ends a line. */
export function neverWithinPair(root: Node, newline: Newline): Node {
  if (!isPairOneEnd(newline)) return root;
  if (someNode(root, namesLineEnd) && (newline === "CRLF" || !beginsLine(root))) return root;
  const outside = choiceOf([
    positionAt("searchStart"),
    look(true, true, setNode(CARRIAGE_RETURN)),
    look(false, true, setNode(LINE_FEED)),
  ]);
  return sequenceOf([outside, root]);
}

const COMMENTS: Readonly<Record<Newline, RegExp>> = {
  LF: /#[^\n]*\n?/y,
  CR: /#[^\r]*\r?/y,
  CRLF: /#(?:(?!\r\n)[^])*(?:\r\n)?/y,
  ANYCRLF: /#[^\r\n]*(?:\r\n?|\n)?/y,
  ANY: /#[^\n\v\f\r\x85\u2028\u2029]*(?:\r\n|[\n\v\f\r\x85\u2028\u2029])?/y,
};

/** A comment of the extended syntax, up to the end of its line. */
export function commentOf(newline: Newline): RegExp {
  return COMMENTS[newline];
}

/** The characters of which each ends a line; undefined where it takes two. */
function charactersOf(newline: Newline): CharacterSet | undefined {
  switch (newline) {
    case "LF":
      return LINE_FEED;
    case "CR":
      return CARRIAGE_RETURN;
    case "CRLF":
      return undefined;
    case "ANYCRLF":
      return EITHER;
    case "ANY":
      return VERTICAL_SPACE;
  }
}

function isPairOneEnd(newline: Newline): boolean {
  return newline !== "LF" && newline !== "CR";
}

/** Whether every match begins with `^`. */
function beginsLine(node: Node): boolean {
  switch (node.kind) {
    case "sequence":
      return beginsLine(node.items[0]!);
    case "group":
      return beginsLine(node.item);
    case "choice":
      return node.items[0] === TEXT_START || node.items.every(beginsLine);
    default:
      return false;
  }
}

/** Whether a sign that ends lines is written there: the sets of this file are other ones. */
function namesLineEnd(node: Node): boolean {
  if (node.kind !== "set" || node.set.length !== 2 || node.set[0] !== node.set[1]) return false;
  return (node.set[0] === 10 || node.set[0] === 13) && node.set !== LINE_FEED && node.set !== CARRIAGE_RETURN;
}

function setNode(set: CharacterSet): Node {
  return { kind: "set", set };
}

function look(behind: boolean, negated: boolean, item: Node): Node {
  return { kind: "look", behind, negated, item };
}
