/**
 * The sum of a window that slides over values. Numbers go in at one end and out at the other; infinities and NaN are
 * counted, not added, so that they leave nothing behind. The result has the widest type that is in the window, and int64
 * only where int32 is too small.
 */
import { Decimal128, isNumber, type Value } from "../../bson/mod.ts";
import * as decimals from "../expression/decimal_arithmetic.ts";
import { asDouble, intOrLong, type NumberValue } from "../expression/number.ts";
import { Summation } from "../expression/summation.ts";

export class SlidingSum {
  private sum = new Summation();
  private from = 0;
  private to = 0;
  private numbers = 0;
  private doubles = 0;
  private decimals = 0;
  private nans = 0;
  private infinities = 0;
  private negativeInfinities = 0;

  constructor(private readonly values: readonly Value[]) {}

  /** Moves to the window of the values `from` to `to`, the latter left out. Neither may decrease. */
  moveTo(from: number, to: number): this {
    for (; this.to < to; this.to++) this.count(this.values[this.to], 1);
    for (; this.from < from; this.from++) this.count(this.values[this.from], -1);
    return this;
  }

  private count(value: Value, sign: 1 | -1): void {
    if (!isNumber(value)) return;
    this.numbers += sign;
    if (typeof value === "number") this.doubles += sign;
    if (value instanceof Decimal128) this.decimals += sign;
    const double = asDouble(value);
    if (Number.isNaN(double)) this.nans += sign;
    else if (double === Infinity) this.infinities += sign;
    else if (double === -Infinity) this.negativeInfinities += sign;
    else if (this.numbers === 0) this.sum = new Summation();
    else this.sum.add(sign === 1 ? value : negated(value));
  }

  result(): Value {
    const special = this.special();
    if (special !== undefined) {
      return this.decimals > 0 ? decimals.putTogether(decimals.fromDouble(special)) : special;
    }
    if (this.decimals > 0) return decimals.putTogether(this.sum.toDecimal());
    if (this.doubles > 0) return this.sum.isDecimal ? asDouble(this.decimalSum()) : this.sum.toDouble();
    return this.wholeSum();
  }

  average(): Value {
    if (this.numbers === 0) return null;
    const special = this.special();
    if (this.decimals === 0) {
      const sum = special ?? (this.sum.isDecimal ? asDouble(this.decimalSum()) : this.sum.toDouble());
      return sum / this.numbers;
    }
    const sum = special === undefined ? this.sum.toDecimal() : decimals.fromDouble(special);
    return decimals.putTogether(decimals.divide(sum, decimals.fromInteger(BigInt(this.numbers))));
  }

  private decimalSum(): Decimal128 {
    return decimals.putTogether(this.sum.toDecimal());
  }

  /** Whole numbers only are left in the window; others that were there have widened the sum. */
  private wholeSum(): Value {
    const exact = decimals.toInteger(this.sum.toDecimal(), "halfEven");
    const limit = 2n ** 63n;
    return exact === undefined || exact >= limit || exact < -limit ? this.sum.toDouble() : intOrLong(exact);
  }

  private special(): number | undefined {
    const { nans, infinities, negativeInfinities } = this;
    if (nans > 0 || (infinities > 0 && negativeInfinities > 0)) return NaN;
    if (infinities > 0) return Infinity;
    return negativeInfinities > 0 ? -Infinity : undefined;
  }
}

function negated(value: NumberValue): NumberValue {
  if (typeof value === "number") return -value;
  if (typeof value === "bigint") return -value;
  if (value instanceof Decimal128) {
    return decimals.putTogether(decimals.negate(decimals.takeApart(value)));
  }
  return -value.value;
}
