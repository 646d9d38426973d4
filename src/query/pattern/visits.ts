/** At which positions a search has been at which places of its program, one bit each: the second visit would fail as the first did. */
import type { SetTable } from "./set_table.ts";

const MOST_BITS = 2 ** 28;

/** Bits that are needed; undefined where that is too much. */
export function visitBits(places: number, text: string): number | undefined {
  const bits = places * (text.length + 1);
  return bits > MOST_BITS ? undefined : bits;
}

export class Visits {
  private readonly words: Uint32Array;

  /** @param bits see `visitBits` */
  constructor(private readonly text: string, bits: number) {
    this.words = new Uint32Array((bits >> 5) + 1);
  }

  /** Whether this place was visited at this position, which it is from now on. Places below 0 are not remembered. */
  visit(place: number, at: number): boolean {
    if (place < 0) return false;
    const bit = place * (this.text.length + 1) + at;
    const word = Math.floor(bit / 32);
    const mask = 1 << (bit & 31);
    const { words } = this;
    if ((words[word]! & mask) !== 0) return true;
    words[word] = words[word]! | mask;
    return false;
  }

  /** A greedy run up to a position from which the place was visited; -1 where that is the first. */
  run(set: SetTable, place: number, from: number): number {
    const { text } = this;
    if (this.visit(place, from)) return -1;
    let at = from;
    while (at < text.length) {
      const next = set.step(text, at);
      if (next < 0 || this.visit(place, next)) break;
      at = next;
    }
    return at;
  }
}
