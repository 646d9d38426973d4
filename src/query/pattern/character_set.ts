/**
 * Sets of code points: flat lists of inclusive ranges, `[from, to, from, to, …]`, ascending, with a gap between any two.
 */
export type CharacterSet = readonly number[];

export const LAST_CODE_POINT = 0x10ffff;
export const NOTHING: CharacterSet = [];
export const ANYTHING: CharacterSet = [0, LAST_CODE_POINT];

/** The set of some ranges in any order, which may overlap. */
export function setOf(ranges: readonly number[]): CharacterSet {
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2) pairs.push([ranges[at]!, ranges[at + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  const set: number[] = [];
  for (const [from, to] of pairs) {
    const last = set.length - 1;
    if (last > 0 && from <= set[last]! + 1) set[last] = Math.max(set[last]!, to);
    else set.push(from, to);
  }
  return set;
}

/** The set of the characters of a text. */
export function charactersOf(text: string): CharacterSet {
  return setOf([...text].flatMap((char) => [char.codePointAt(0)!, char.codePointAt(0)!]));
}

export function union(...sets: readonly CharacterSet[]): CharacterSet {
  return setOf(sets.flat());
}

export function complementOf(set: CharacterSet): CharacterSet {
  const rest: number[] = [];
  let next = 0;
  for (let at = 0; at < set.length; at += 2) {
    if (set[at]! > next) rest.push(next, set[at]! - 1);
    next = set[at + 1]! + 1;
  }
  if (next <= LAST_CODE_POINT) rest.push(next, LAST_CODE_POINT);
  return rest;
}

export function contains(set: CharacterSet, code: number): boolean {
  let low = 0;
  let high = set.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (set[2 * middle + 1]! < code) low = middle + 1;
    else high = middle;
  }
  return 2 * low < set.length && set[2 * low]! <= code;
}

/** Whether no character is in both. */
export function areDisjoint(a: CharacterSet, b: CharacterSet): boolean {
  let at = 0;
  let other = 0;
  while (at < a.length && other < b.length) {
    if (a[at + 1]! < b[other]!) at += 2;
    else if (b[other + 1]! < a[at]!) other += 2;
    else return false;
  }
  return true;
}

/** The one character of a set that has one only; -1 otherwise. */
export function onlyCharacterOf(set: CharacterSet): number {
  return set.length === 2 && set[0] === set[1] ? set[0]! : -1;
}
