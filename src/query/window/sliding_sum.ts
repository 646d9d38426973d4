/** The sum of a window that slides over values: numbers go in at one end and out at the other. */
import type { Value } from "../../bson/mod.ts";
import { RemovableSum } from "./removable_sum.ts";

export class SlidingSum extends RemovableSum {
  private from = 0;
  private to = 0;

  constructor(private readonly values: readonly Value[]) {
    super();
  }

  /** Moves to the window of the values `from` to `to`, the latter left out. Neither may decrease. */
  moveTo(from: number, to: number): this {
    for (; this.to < to; this.to++) this.add(this.values[this.to]);
    for (; this.from < from; this.from++) this.remove(this.values[this.from]);
    if (this.isEmpty) this.clear();
    return this;
  }
}
