/** The sum of a window that slides over values: numbers go in at one end and out at the other. */
import { RemovableSum } from "./removable_sum.ts";
import { SlidingRows } from "./sliding_rows.ts";
import type { Column } from "./partition.ts";

export class SlidingSum extends RemovableSum {
  private readonly rows: SlidingRows;

  constructor(values: Column) {
    super();
    this.rows = new SlidingRows((row) => this.add(values.at(row)), (row) => this.remove(values.at(row)));
  }

  /** Moves to the window of the values `from` to `to`, the latter left out. Neither may decrease. */
  moveTo(from: number, to: number): this {
    this.rows.moveTo(from, to);
    return this;
  }
}
