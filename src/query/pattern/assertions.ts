/** What may be asserted of a position. */
import { Op } from "./program.ts";
import type { SetTable } from "./set_table.ts";
import { stepBack } from "./text_position.ts";

const LINE_FEED = 10;

/** @param op one that asserts, without operands */
export function holdsAt(op: number, text: string, at: number, searchStart: number): boolean {
  const { length } = text;
  switch (op) {
    case Op.TextStart:
      return at === 0;
    case Op.TextEnd:
      return at === length;
    case Op.LastLineEnd:
      return at === length || (at === length - 1 && text.charCodeAt(at) === LINE_FEED);
    case Op.LineStart:
      return at === 0 || (at !== length && text.charCodeAt(at - 1) === LINE_FEED);
    case Op.LineEnd:
      return at === length || text.charCodeAt(at) === LINE_FEED;
    default:
      return at === searchStart;
  }
}

/** @param word the characters of words */
export function isWordBorder(word: SetTable, text: string, at: number): boolean {
  const before = at > 0 && word.step(text, stepBack(text, at)) >= 0;
  const behind = at < text.length && word.step(text, at) >= 0;
  return before !== behind;
}
