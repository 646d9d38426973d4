/** Letters that are the same but for their case, one to one (`ß` and `ss` are not): Unicode's simple case folding. */
import { type CharacterSet, setOf } from "./character_set.ts";

/** These have a capital or small letter, but fold to themselves. */
const APART = new Set([0x130, 0x131]);
const ASCII_LIMIT = 0x80;
/** What lies beyond ASCII and folds to a letter of it. */
const ASCII_COUSINS: Readonly<Record<string, number>> = { k: 0x212a, s: 0x17f };

let classes: ReadonlyMap<number, readonly number[]> | undefined;

/** A set with, for every letter in it, the same letter in the other cases. */
export function withOtherCases(set: CharacterSet): CharacterSet {
  const ranges = [...set];
  for (let at = 0; at < set.length; at += 2) addOtherCases(ranges, set[at]!, set[at + 1]!);
  return setOf(ranges);
}

function addOtherCases(ranges: number[], from: number, to: number): void {
  for (let code = from; code <= to && code < ASCII_LIMIT; code++) addAsciiCases(ranges, code);
  if (to < ASCII_LIMIT) return;
  classes ??= letterClasses();
  // A long range is asked which letters lie in it, a short one its letters.
  if (to - from > classes.size) {
    for (const [code, same] of classes) if (code >= from && code <= to) addAll(ranges, same);
  } else {
    for (let code = from; code <= to; code++) addAll(ranges, classes.get(code) ?? []);
  }
}

function addAsciiCases(ranges: number[], code: number): void {
  const letter = String.fromCharCode(code).toLowerCase();
  if (letter < "a" || letter > "z") return;
  addAll(ranges, [letter.charCodeAt(0), letter.toUpperCase().charCodeAt(0)]);
  const cousin = ASCII_COUSINS[letter];
  if (cousin !== undefined) ranges.push(cousin, cousin);
}

function addAll(ranges: number[], codes: readonly number[]): void {
  for (const code of codes) ranges.push(code, code);
}

/** Every letter that has others of its kind, with all of them. */
function letterClasses(): ReadonlyMap<number, readonly number[]> {
  const groups = new Map<number, number[]>();
  for (const [letter] of everyCodePoint().matchAll(/\p{Changes_When_Casemapped}/gu)) {
    const code = letter.codePointAt(0)!;
    if (APART.has(code)) continue;
    for (const other of [letter.toLowerCase(), letter.toUpperCase()]) join(groups, code, other);
  }
  return groups;
}

function join(groups: Map<number, number[]>, code: number, other: string): void {
  const otherCode = other.codePointAt(0)!;
  if (other.length !== String.fromCodePoint(otherCode).length) return;
  const mine = groups.get(code) ?? [code];
  const theirs = groups.get(otherCode) ?? [otherCode];
  if (mine === theirs) return;
  const all = [...new Set([...mine, ...theirs])];
  for (const each of all) groups.set(each, all);
}

/** All code points but the surrogates, in order. */
export function everyCodePoint(): string {
  const parts: string[] = [];
  for (let from = 0; from <= 0x10ffff; from += 0x800) {
    if (from === 0xd800) continue;
    parts.push(String.fromCodePoint(...Array.from({ length: 0x800 }, (_, at) => from + at)));
  }
  return parts.join("");
}
