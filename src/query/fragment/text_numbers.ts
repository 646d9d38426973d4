/**
 * Numbers of texts, given in the order in which they come: open addressing, at most half full. For many texts of which most
 * are new it takes half the time of a `Map`. Texts that find no place near theirs, however they were made to, are in one.
 *
 *     slot s     slots[s] is the number of a text + 1, or 0; it begins at the text's hash
 */
import { newInt32s } from "../../column/mod.ts";

const INITIAL_SLOTS = 64;
const MAX_STEPS = 32;

export class TextNumbers {
  private readonly texts: string[] = [];
  private readonly hashes: number[] = [];
  private slots = newInt32s(INITIAL_SLOTS);
  private readonly others = new Map<string, number>();

  constructor(private readonly hashOf: (text: string) => number = mixedHash) {}

  /** How many texts there are. */
  get size(): number {
    return this.texts.length;
  }

  /** The number of a text, which is `size` before the call where it is new. */
  numberOf(text: string): number {
    const hash = this.hashOf(text);
    const { texts, hashes, slots } = this;
    const mask = slots.length - 1;
    for (let step = 0; step < MAX_STEPS; step++) {
      const slot = (hash + step) & mask;
      const number = slots[slot]! - 1;
      if (number < 0) {
        slots[slot] = texts.length + 1;
        return this.add(text, hash);
      }
      if (hashes[number] === hash && texts[number] === text) return number;
    }
    const known = this.others.get(text);
    if (known !== undefined) return known;
    this.others.set(text, texts.length);
    return this.add(text, hash);
  }

  private add(text: string, hash: number): number {
    this.hashes.push(hash);
    const size = this.texts.push(text);
    if (2 * size > this.slots.length) this.grow();
    return size - 1;
  }

  private grow(): void {
    const slots = this.slots = newInt32s(this.slots.length * 2);
    const mask = slots.length - 1;
    this.others.clear();
    this.texts.forEach((text, number) => {
      for (let step = 0; step < MAX_STEPS; step++) {
        const slot = (this.hashes[number]! + step) & mask;
        if (slots[slot] !== 0) continue;
        slots[slot] = number + 1;
        return;
      }
      this.others.set(text, number);
    });
  }
}

function mixedHash(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}
