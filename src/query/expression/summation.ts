/**
 * Sums of doubles with compensation: a running sum and the error it has so far, each a double, together some 106 bits
 * (T. J. Dekker, "A Floating-Point Technique for Extending the Available Precision", 1971; D. Knuth's TwoSum). Ten
 * times 0.1 is 1. Each number first takes up the error so far (exact where that is the smaller one, Dekker), then is added; the result is the running sum alone. So does
 * MongoDB's DoubleDoubleSummation, and last bits agree.
 */
import { Decimal128, Int32, type Value } from "../../bson/mod.ts";
import * as decimals from "./decimal_arithmetic.ts";
import {
  DOUBLE,
  INT,
  INT_MAX,
  INT_MIN,
  intOrLong,
  LONG,
  LONG_MAX,
  LONG_MIN,
  type NumberValue,
  rankOf,
} from "./number.ts";

const TWO_32 = 4294967296;

/** What the rounded sum of two doubles leaves out, exactly (Knuth, TAOCP 2, 4.2.2, theorem B). */
function twoSumError(a: number, b: number, sum: number): number {
  const roundedB = sum - a;
  return (a - (sum - roundedB)) + (b - roundedB);
}

function roundHalfAway(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) < 0.5 ? whole : whole + Math.sign(x);
}

const ZERO: decimals.Decimal = decimals.finite(false, 0n, 0);

/** A sum over numbers of all four types; the result has the widest type seen. */
export class Summation {
  /** Rank of the widest type seen (`rankOf`). */
  private rank = INT;
  private sum = 0;
  private addend = 0;
  /** The plain sum: right where infinities or NaN are in it. */
  private special = 0;
  private decimal = ZERO;

  add(value: NumberValue): void {
    if (typeof value === "number") {
      if (this.rank < DOUBLE) this.rank = DOUBLE;
      this.addDouble(value);
    } else if (value instanceof Int32) {
      this.addDouble(value.value);
    } else {
      this.addWide(value);
    }
  }

  private addWide(value: bigint | Decimal128): void {
    this.rank = Math.max(this.rank, rankOf(value));
    if (typeof value === "bigint") this.addLong(value);
    else this.decimal = decimals.add(this.decimal, decimals.takeApart(value));
  }

  /** Adds to the running sum without widening the type of the result. */
  addDouble(x: number): void {
    this.special += x;
    const { sum, addend } = this;
    const corrected = x + addend;
    const lost = addend - (corrected - x);
    const total = sum + corrected;
    this.addend = lost + twoSumError(sum, corrected, total);
    this.sum = total;
  }

  /** Two halves, each exact as a double, the low one first. */
  private addLong(value: bigint): void {
    const high = value / BigInt(TWO_32);
    this.addDouble(Number(value - high * BigInt(TWO_32)));
    this.addDouble(Number(high) * TWO_32);
  }

  /** The sum in the widest type seen; integers too large for their type become int64, then double. */
  result(): NumberValue {
    if (this.rank === DOUBLE) return this.toDouble();
    if (this.rank > DOUBLE) return decimals.putTogether(this.toDecimal());
    if (this.addend === 0 && this.sum >= INT_MIN && this.sum <= INT_MAX) {
      return this.rank === INT ? Int32.of(this.sum) : BigInt(this.sum);
    }
    const exact = this.toLong();
    if (exact === undefined) return this.toDouble();
    return this.rank === LONG ? exact : intOrLong(exact);
  }

  /** The rounded sum. */
  toDouble(): number {
    return Number.isNaN(this.sum) ? this.special : this.sum;
  }

  /** The sum as a decimal, all parts of it. */
  toDecimal(): decimals.Decimal {
    const doubles = Number.isFinite(this.sum)
      ? decimals.add(decimals.fromDouble(this.sum), decimals.fromDouble(this.addend))
      : decimals.fromDouble(this.toDouble());
    return decimals.add(this.decimal, doubles);
  }

  /** The sum of integers, exact; undefined where int64 cannot hold it. */
  private toLong(): bigint | undefined {
    if (!Number.isFinite(this.sum)) return undefined;
    const exact = BigInt(this.sum) + BigInt(Math.trunc(this.addend));
    return exact >= LONG_MIN && exact <= LONG_MAX ? exact : undefined;
  }

  /**
   * The whole number nearest to the sum, halves away from the running sum's: how MongoDB makes a date of one; undefined
   * where int64 cannot hold it.
   */
  nearestLong(): bigint | undefined {
    if (!Number.isFinite(this.sum)) return undefined;
    const whole = roundHalfAway(this.sum);
    const exact = BigInt(whole) + BigInt(roundHalfAway(this.sum - whole + this.addend));
    return exact >= LONG_MIN && exact <= LONG_MAX ? exact : undefined;
  }

  /** Whether a decimal is in the sum: the result is one. */
  get isDecimal(): boolean {
    return this.rank > DOUBLE;
  }

  /** All of it as a value that travels between nodes. */
  partial(): readonly Value[] {
    const state: Value[] = [Int32.of(this.rank), this.sum, this.addend, this.special];
    if (this.isDecimal) state.push(decimals.putTogether(this.decimal));
    return state;
  }

  /** Adds another sum's `partial()`; a sum of nothing goes on as that one would have. */
  merge(partial: readonly Value[]): void {
    const [rank, sum, addend, special, decimal] = partial as [Int32, number, number, number, Decimal128?];
    this.rank = Math.max(this.rank, rank.value);
    const specialBefore = this.special;
    if (this.sum === 0 && this.addend === 0) {
      this.sum = sum;
      this.addend = addend;
    } else {
      this.addDouble(sum);
      this.addDouble(addend);
    }
    this.special = specialBefore + special;
    if (decimal !== undefined) this.decimal = decimals.add(this.decimal, decimals.takeApart(decimal));
  }
}

/** The partial of a sum over int32 alone that is exact as a double. */
export function sumOfInt32s(sum: number): readonly Value[] {
  return [Int32.of(INT), sum, 0, sum];
}
