/**
 * The standard deviation of a window that slides over values: numbers go in at one end and out at the other, and the sum of
 * squared differences takes up what each changes (Youngs and Cramer, "Some Results Relevant to Choice of Sum and
 * Sum-of-Product Algorithms", 1971; to take one out is its reverse), both sums compensated. So does MongoDB, and last digits
 * agree; in its bare ends it differs from the deviation of groups.
 */
import { Int32, isNumber, type Value } from "../../bson/mod.ts";
import { asDouble } from "../expression/number.ts";
import { Summation } from "../expression/summation.ts";
import { SlidingRows } from "./sliding_rows.ts";
import type { Column } from "./partition.ts";

export class SlidingDeviation {
  private sum = new Summation();
  private squares = new Summation();
  private count = 0;
  private nonFinite = 0;
  private readonly rows: SlidingRows;

  /** @param lost degrees of freedom lost: 1 for a sample, 0 for the population */
  constructor(values: Column, private readonly lost: 0 | 1) {
    this.rows = new SlidingRows(
      (row) => this.take(values.at(row), 1),
      (row) => this.take(values.at(row), -1),
    );
  }

  /** Moves to the window of the values `from` to `to`, the latter left out. Neither may decrease. */
  moveTo(from: number, to: number): this {
    this.rows.moveTo(from, to);
    return this;
  }

  private take(value: Value, sign: 1 | -1): void {
    if (!isNumber(value)) return;
    const x = asDouble(value);
    if (!Number.isFinite(x)) {
      this.nonFinite += sign;
      this.count += sign;
      return;
    }
    if (this.count === 0) {
      this.count = 1;
      // The first goes in as it is, the others as doubles.
      this.sum.add(value);
      return;
    }
    if (this.count + sign === 0) {
      this.count = 0;
      this.sum = new Summation();
      this.squares = new Summation();
      return;
    }
    const difference = this.count * x - asDouble(this.sum.result());
    this.count += sign;
    this.sum.add(x * sign);
    this.squares.add(sign * difference * difference / (this.count * (this.count - sign)));
  }

  /**
   * @returns null for a window with an infinity or NaN; the int32 0 for the population of one number and where rounding left
   *   less than nothing, −0 for a sample of none
   */
  result(): Value {
    if (this.nonFinite > 0) return null;
    const freedom = this.count - this.lost;
    if (freedom === 0) return null;
    const squares = this.squares.toDouble();
    if (squares < 0 || (this.lost === 0 && this.count === 1)) {
      // What rounding left of those before goes.
      this.squares = new Summation();
      return Int32.of(0);
    }
    return Math.sqrt(squares / freedom);
  }
}
