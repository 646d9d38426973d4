/** A set of characters, ready to be asked for each character of a text. */
import { type CharacterSet, contains } from "./character_set.ts";

const TABLE = 256;

export class SetTable {
  private readonly low = new Uint8Array(TABLE);

  constructor(private readonly set: CharacterSet) {
    for (let at = 0; at < set.length && set[at]! < TABLE; at += 2) {
      this.low.fill(1, set[at]!, Math.min(TABLE, set[at + 1]! + 1));
    }
  }

  /** The position behind the character at `at` (before the end of the text) where it is in the set; -1 otherwise. */
  step(text: string, at: number): number {
    const unit = text.charCodeAt(at);
    if (unit < TABLE) return this.low[unit] === 1 ? at + 1 : -1;
    if (!isHighSurrogate(unit)) return contains(this.set, unit) ? at + 1 : -1;
    return contains(this.set, text.codePointAt(at)!) ? at + 2 : -1;
  }

  /** The end of a run of at most `max` (-1: any number) characters; -1 where there are fewer than `min`. */
  run(text: string, from: number, min: number, max: number): number {
    const { low } = this;
    const { length } = text;
    let at = from;
    let count = 0;
    while (count !== max && at < length) {
      const unit = text.charCodeAt(at);
      const next = unit < TABLE ? (low[unit] === 1 ? at + 1 : -1) : this.step(text, at);
      if (next < 0) break;
      at = next;
      count++;
    }
    return count < min ? -1 : at;
  }

  /** The first position from `from` on whose character is in the set; the end of the text where none is. */
  find(text: string, from: number): number {
    let at = from;
    while (at < text.length && this.step(text, at) < 0) at += isHighSurrogate(text.charCodeAt(at)) ? 2 : 1;
    return at;
  }
}

/** Whether the UTF-16 unit is the first of the two of a character. */
export function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}
