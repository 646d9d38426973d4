/**
 * Numbers by pairs of numbers from 0 on. Where both are small, as most are, they stand in an array; the others in a hashed
 * one with open addressing, at most half full.
 *
 *     pair f, s      dense[f × DENSE + s] for f < MAX_DENSE_FIRST and s < DENSE; elsewhere in a slot:
 *     slot i         slots[3i] = f, slots[3i + 1] = s, slots[3i + 2] = value + 1, or 0 for an empty one
 */
import { grownInt32s, newInt32s } from "../../../column/mod.ts";

export const NOT_THERE = -1;
const DENSE = 16;
const MAX_DENSE_FIRST = 2 ** 16;
const SLOT_WORDS = 3;
const INITIAL_SLOTS = 256;
/** One that is empty, and never filled. */
const NO_SLOTS = new Int32Array(SLOT_WORDS);

export class PairTable {
  /** Pairs so far. */
  size = 0;
  private dense: Int32Array = newInt32s(DENSE).fill(NOT_THERE);
  private slots = NO_SLOTS;
  /** Slots, a power of two, less one. */
  private mask = 0;
  private usedSlots = 0;

  /** What is known of a pair, or NOT_THERE. */
  get(first: number, second: number): number {
    if (second >= DENSE || first >= MAX_DENSE_FIRST) return this.slots[this.slotOf(first, second) + 2]! - 1;
    const at = first * DENSE + second;
    return at < this.dense.length ? this.dense[at]! : NOT_THERE;
  }

  /** Adds a pair that is not there. @param value not below 0 */
  add(first: number, second: number, value: number): void {
    this.size++;
    if (second >= DENSE || first >= MAX_DENSE_FIRST) {
      if (2 * ++this.usedSlots > this.mask) this.growSlots();
      this.put(first, second, value);
      return;
    }
    const at = first * DENSE + second;
    const before = this.dense.length;
    if (at >= before) {
      this.dense = grownInt32s(this.dense, Math.max(2 * before, at + 1)).fill(NOT_THERE, before);
    }
    this.dense[at] = value;
  }

  clear(): void {
    this.size = 0;
    this.usedSlots = 0;
    this.dense.fill(NOT_THERE);
    this.slots = NO_SLOTS;
    this.mask = 0;
  }

  private put(first: number, second: number, value: number): void {
    const at = this.slotOf(first, second);
    this.slots[at] = first;
    this.slots[at + 1] = second;
    this.slots[at + 2] = value + 1;
  }

  /** The words of the pair's slot, or of the one that it would have. */
  private slotOf(first: number, second: number): number {
    const { slots, mask } = this;
    const mixed = Math.imul(Math.imul(first, 0x9e3779b1) ^ second, 0x85ebca6b);
    for (let slot = (mixed ^ (mixed >>> 15)) & mask;; slot = (slot + 1) & mask) {
      const at = slot * SLOT_WORDS;
      if (slots[at + 2] === 0 || (slots[at] === first && slots[at + 1] === second)) return at;
    }
  }

  private growSlots(): void {
    const before = this.slots;
    const count = before === NO_SLOTS ? INITIAL_SLOTS : 2 * (this.mask + 1);
    this.slots = new Int32Array(count * SLOT_WORDS);
    this.mask = count - 1;
    for (let at = 0; at < before.length; at += SLOT_WORDS) {
      if (before[at + 2] !== 0) this.put(before[at]!, before[at + 1]!, before[at + 2]! - 1);
    }
  }
}
