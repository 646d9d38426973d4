/**
 * A sum from which numbers can be taken away again. Infinities and NaN are counted, not added, so that they leave nothing behind.
 * The result has the widest type that is in the sum, and int64 only where int32 is too small. As in MongoDB a number of another type
 * may be taken away than was added: then that type counts as being in the sum.
 */
import { Decimal128, Int32, isNumber, type Value } from "../../bson/mod.ts";
import * as decimals from "../expression/decimal_arithmetic.ts";
import { divide } from "../expression/arithmetic.ts";
import { asDouble, intOrLong, type NumberValue } from "../expression/number.ts";
import { Summation } from "../expression/summation.ts";

export class RemovableSum {
  private readonly sum = new Summation();
  private numbers = 0;
  private doubles = 0;
  private decimals = 0;
  private nans = 0;
  private infinities = 0;
  private negativeInfinities = 0;

  /** What is no number counts for nothing. */
  add(value: Value): void {
    this.count(value, 1);
  }

  /** Takes away a value that was added. */
  remove(value: Value): void {
    this.count(value, -1);
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
    else this.sum.add(sign === 1 ? value : negated(value));
  }

  result(): Value {
    const special = this.special();
    if (special !== undefined) {
      return this.decimals > 0 ? decimals.putTogether(decimals.fromDouble(special)) : special;
    }
    if (this.decimals !== 0) return decimals.putTogether(this.sum.toDecimal());
    // So MongoDB asks: what was taken away without having been added tells in the one case and not in the other.
    if (this.sum.isDecimal) return this.doubles > 0 ? asDouble(this.decimalSum()) : this.wholeSum();
    return this.doubles !== 0 ? this.sum.toDouble() : this.wholeSum();
  }

  average(): Value {
    if (this.numbers === 0) return null;
    return divide(this.result(), Int32.of(this.numbers));
  }

  private decimalSum(): Decimal128 {
    return decimals.putTogether(this.sum.toDecimal());
  }

  /** Whole numbers only are left in the window; others that were there have widened the sum. */
  private wholeSum(): Value {
    const total = this.sum.result();
    // Doubles that are gone have left a double, which is rounded.
    const whole = typeof total === "number" ? decimals.fromDouble(total) : this.sum.toDecimal();
    const exact = decimals.toInteger(whole, typeof total === "number" ? "halfAway" : "halfEven");
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
