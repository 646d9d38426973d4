/** Positions in a text, in UTF-16 units. */
import { contains } from "./character_set.ts";
import { withOtherCases } from "./letter_case.ts";

const clusters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The position of the character before. */
export function stepBack(text: string, at: number): number {
  return at > 1 && (text.charCodeAt(at - 1) & 0xfc00) === 0xdc00 ? at - 2 : at - 1;
}

/** UTF-16 units of the grapheme cluster at a position. */
export function clusterLength(text: string, at: number): number {
  for (let window = 64;; window *= 4) {
    const part = text.slice(at, at + window);
    const [first] = clusters.segment(part);
    const { length } = first!.segment;
    if (length < part.length || at + window >= text.length) return length;
  }
}

/** Where the part of the text from `start` to `end` ends when it is found again at `at`; -1 where it is not there. */
export function endOfSame(text: string, start: number, end: number, at: number, ignoreCase: boolean): number {
  if (!ignoreCase) return text.startsWith(text.slice(start, end), at) ? at + end - start : -1;
  let here = at;
  for (let there = start; there < end;) {
    if (here >= text.length) return -1;
    const wanted = text.codePointAt(there)!;
    const code = text.codePointAt(here)!;
    if (code !== wanted && !contains(withOtherCases([wanted, wanted]), code)) return -1;
    there += wanted > 0xffff ? 2 : 1;
    here += code > 0xffff ? 2 : 1;
  }
  return here;
}
