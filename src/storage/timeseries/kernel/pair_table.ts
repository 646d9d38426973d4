/**
 * Numbers by pairs of numbers from 0 on. Where both are small, as most are, they stand in an array; the others in a map.
 *
 *     pair f, s      dense[f × DENSE + s] for f < MAX_DENSE_FIRST and s < DENSE, others[f × FACTOR + s] elsewhere
 */
import { grownInt32 } from "../../../column/mod.ts";

export const NOT_THERE = -1;
const DENSE = 16;
const MAX_DENSE_FIRST = 2 ** 16;
/** Above all second numbers. */
const FACTOR = 2 ** 26;

export class PairTable {
  /** Pairs so far. */
  size = 0;
  private dense: Int32Array = new Int32Array(DENSE).fill(NOT_THERE);
  private readonly others = new Map<number, number>();

  /** What is known of a pair, or NOT_THERE. */
  get(first: number, second: number): number {
    if (second >= DENSE || first >= MAX_DENSE_FIRST) {
      return this.others.get(first * FACTOR + second) ?? NOT_THERE;
    }
    const at = first * DENSE + second;
    return at < this.dense.length ? this.dense[at]! : NOT_THERE;
  }

  /** @param second below 2²⁶ */
  add(first: number, second: number, value: number): void {
    this.size++;
    if (second >= DENSE || first >= MAX_DENSE_FIRST) {
      this.others.set(first * FACTOR + second, value);
      return;
    }
    const at = first * DENSE + second;
    const before = this.dense.length;
    if (at >= before) {
      this.dense = grownInt32(this.dense, Math.max(2 * before, at + 1)).fill(NOT_THERE, before);
    }
    this.dense[at] = value;
  }

  clear(): void {
    this.size = 0;
    this.dense.fill(NOT_THERE);
    this.others.clear();
  }
}
