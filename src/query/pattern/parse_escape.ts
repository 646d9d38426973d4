/** Escapes outside of classes: `\d`, `\bx`, `\1`, `\k<n>`, `\g<1>`. */
import { ANYTHING, type CharacterSet } from "./character_set.ts";
import type { GroupTable } from "./group_table.ts";
import { escapedSet, WORD } from "./named_sets.ts";
import { readName } from "./names.ts";
import { lineBreak, linePosition, withinLine } from "./newline.ts";
import { escapedCharacter, escapedProperty } from "./parse_character.ts";
import { isQuantifierNext } from "./quantifier.ts";
import { PatternError, type PatternReader } from "./reader.ts";
import { literal, type Node, positionAt } from "./syntax.ts";
import type { WholeOptions } from "./whole_options.ts";

/** Where an escape stands. */
export interface EscapeContext {
  readonly reader: PatternReader;
  readonly table: GroupTable;
  readonly ignoreCase: boolean;
  readonly whole: WholeOptions;
}

const NAME_OPENING = /[{<']/y;
const SUBROUTINE_OPENING = /[<']/y;
const CLOSING: Readonly<Record<string, string>> = { "{": "}", "<": ">", "'": "'" };
const RELATIVE_NUMBER = /[+-]?\d+/y;
const GROUP_NUMBER = /(-?\d+)|\{(-?\d+)\}/y;
const BRACED_NAME = /\{[A-Za-z_]/y;
const DIGITS = /\d*/y;
const BAD_GROUP_ESCAPE =
  "\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number";

/** What an escape outside of a class stands for; the reader stands at its `\\`. */
export function parseEscape(context: EscapeContext): Node {
  const { reader } = context;
  reader.at++;
  if (reader.ended) throw new PatternError("\\ at end of pattern");
  const letter = String.fromCodePoint(reader.character());
  const set = escapedSet(letter, context.whole.unicode);
  if (set !== undefined) return { kind: "set", set };
  switch (letter) {
    case "A":
      return positionAt("textStart");
    case "z":
      return positionAt("textEnd");
    case "Z":
      return linePosition("lastLineEnd", context.whole.newline);
    case "G":
      return positionAt("searchStart");
    case "b":
      return { kind: "assertion", at: "wordBorder", word: wordOf(context.whole) };
    case "B":
      return { kind: "assertion", at: "noWordBorder", word: wordOf(context.whole) };
    case "C":
      return { kind: "set", set: ANYTHING };
    case "K":
      return { kind: "keep" };
    case "N":
      if (reader.next === "{" && !isQuantifierNext(reader)) break;
      return withinLine(context.whole.newline);
    case "R":
      return lineBreak(context.whole.fewNewlines);
    case "X":
      return { kind: "cluster" };
    case "p":
    case "P":
      return { kind: "set", set: escapedProperty(reader, letter) };
    case "k":
      return namedEscape(context);
    case "g":
      return groupEscape(context);
  }
  return numberOrCharacter(context, letter);
}

function namedEscape(context: EscapeContext): Node {
  const opening = context.reader.take(NAME_OPENING);
  if (opening === null) {
    throw new PatternError("\\k is not followed by a braced, angle-bracketed, or quoted name");
  }
  return namedReference(context, CLOSING[opening[0]]!);
}

function groupEscape(context: EscapeContext): Node {
  const { reader } = context;
  const subroutine = reader.take(SUBROUTINE_OPENING);
  if (subroutine !== null) {
    const closing = CLOSING[subroutine[0]]!;
    const number = reader.take(RELATIVE_NUMBER);
    if (number === null) return namedCall(context, closing);
    if (!reader.skip(closing)) throw new PatternError(BAD_GROUP_ESCAPE);
    return context.table.callNumbered(number[0]);
  }
  const number = reader.take(GROUP_NUMBER);
  if (number !== null) return reference(context, context.table.numbered((number[1] ?? number[2])!));
  if (reader.find(BRACED_NAME) !== null) {
    reader.at++;
    return namedReference(context, "}");
  }
  throw new PatternError(
    reader.next === "{" ? BAD_GROUP_ESCAPE : "a numbered reference must not be zero",
  );
}

function numberOrCharacter(context: EscapeContext, letter: string): Node {
  const { reader, table, ignoreCase } = context;
  if (letter >= "1" && letter <= "9") {
    const digits = letter + reader.find(DIGITS)![0];
    const number = Number(digits);
    if (number < 8 || number <= table.count) {
      reader.at += digits.length - 1;
      return reference(context, table.numbered(digits));
    }
  }
  return literal(escapedCharacter(reader, letter), ignoreCase);
}

function reference({ ignoreCase }: EscapeContext, numbers: readonly number[]): Node {
  return { kind: "reference", numbers, ignoreCase };
}

/** A back reference by name, up to the sign that closes it. */
export function namedReference(context: EscapeContext, closing: string): Node {
  return reference(context, context.table.named(readName(context.reader, closing, "")));
}

/** A subroutine by name, up to the sign that closes it. */
export function namedCall({ reader, table }: EscapeContext, closing: string): Node {
  return table.callNamed(readName(reader, closing, ""));
}

/** The characters of words. */
export function wordOf({ unicode }: WholeOptions): CharacterSet {
  return escapedSet("w", unicode) ?? WORD;
}
