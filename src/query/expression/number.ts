/** The four numeric types: which is the widest, and how a value moves from one to another. */
import { CommandError } from "../../base/mod.ts";
import { Decimal128, Int32, isNumber, type Value } from "../../bson/mod.ts";
import * as decimals from "./decimal_arithmetic.ts";
import { formatDouble } from "./number_text.ts";

export type NumberValue = number | bigint | Int32 | Decimal128;

export const INT = 0;
export const LONG = 1;
export const DOUBLE = 2;
export const DECIMAL = 3;

export const INT_MIN = -2147483648;
export const INT_MAX = 2147483647;
export const LONG_MIN = -(2n ** 63n);
export const LONG_MAX = 2n ** 63n - 1n;

/** How wide a number's type is: INT, LONG, DOUBLE or DECIMAL. */
export function rankOf(value: NumberValue): number {
  if (typeof value === "number") return DOUBLE;
  if (typeof value === "bigint") return LONG;
  return value instanceof Int32 ? INT : DECIMAL;
}

/** The nearest double. */
export function asDouble(value: NumberValue): number {
  if (typeof value === "number") return value;
  if (value instanceof Int32) return value.value;
  if (typeof value === "bigint") return Number(value);
  return decimals.toDouble(decimals.takeApart(value));
}

/** The decimal that arithmetic takes a number for: a double gives its first 15 digits. */
export function asDecimal(value: NumberValue): decimals.Decimal {
  if (typeof value === "number") return decimals.fromDouble15(value);
  if (value instanceof Int32) return decimals.fromInteger(BigInt(value.value));
  if (typeof value === "bigint") return decimals.fromInteger(value);
  return decimals.takeApart(value);
}

/** An integer of either type as a BigInt. */
export function asBigInt(value: Int32 | bigint): bigint {
  return typeof value === "bigint" ? value : BigInt(value.value);
}

export function isInt32Range(value: number): boolean {
  return value >= INT_MIN && value <= INT_MAX;
}

export function isLongRange(value: bigint): boolean {
  return value >= LONG_MIN && value <= LONG_MAX;
}

/** int32 where it fits, int64 elsewhere. */
export function intOrLong(value: bigint): Int32 | bigint {
  return value >= BigInt(INT_MIN) && value <= BigInt(INT_MAX) ? Int32.of(Number(value)) : value;
}

/** int32 where it fits, int64 elsewhere; `value` is a whole number within ±2⁵³. */
export function numberToIntOrLong(value: number): Int32 | bigint {
  return isInt32Range(value) ? Int32.of(value) : BigInt(value);
}

/** Whether a value is a whole number that int32 holds, in any numeric type: `as int` or undefined. */
export function asInt32(value: Value): number | undefined {
  if (value instanceof Int32) return value.value;
  if (!isNumber(value)) return undefined;
  if (typeof value === "number") return Number.isInteger(value) && isInt32Range(value) ? value : undefined;
  if (typeof value === "bigint") return intOrLong(value) instanceof Int32 ? Number(value) : undefined;
  const decimal = decimals.takeApart(value);
  const whole = decimals.toInteger(decimals.roundToFit(decimal));
  if (whole === undefined || !(intOrLong(whole) instanceof Int32)) return undefined;
  return decimals.isZero(decimals.subtract(decimal, decimals.fromInteger(whole))) ? Number(whole) : undefined;
}

/** Whether a value is a whole number that int64 holds, in any numeric type: it, or undefined. */
export function asInt64(value: Value): bigint | undefined {
  const small = asInt32(value);
  if (small !== undefined) return BigInt(small);
  if (typeof value === "bigint") return value;
  if (typeof value === "number") {
    return Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value) : undefined;
  }
  if (!(value instanceof Decimal128)) return undefined;
  const decimal = decimals.takeApart(value);
  const whole = decimals.toInteger(decimal);
  if (whole === undefined || !isLongRange(whole)) return undefined;
  return decimals.isZero(decimals.subtract(decimal, decimals.fromInteger(whole))) ? whole : undefined;
}

/** −1, 0 or 1; NaN for NaN. Exact for decimals too small for a double. */
export function signOf(value: NumberValue): number {
  if (!(value instanceof Decimal128)) return Math.sign(asDouble(value));
  const decimal = decimals.takeApart(value);
  if (decimal.kind === "nan") return NaN;
  return decimals.isZero(decimal) ? 0 : decimal.negative ? -1 : 1;
}

const LONG_LIMIT = 2 ** 63;

/**
 * A number as an int64, as MongoDB takes arguments of that type: a double is cut toward zero, a decimal rounded half to
 * even, and the least int64 where it does not fit.
 *
 * @throws CommandError 31109 for a double that lies beyond
 */
export function coerceToLong(value: NumberValue): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Int32) return BigInt(value.value);
  if (value instanceof Decimal128) return longOfDecimal(decimals.takeApart(value));
  const double = value;
  if (!(double >= -LONG_LIMIT && double < LONG_LIMIT)) {
    throw new CommandError(31109, `Can't coerce out of range value ${formatDouble(double)} to long`);
  }
  return BigInt(Math.trunc(double));
}

/** The nearest whole number, the even one of two; the least long where none is so great, as MongoDB's library of decimals has it. */
export function longOfDecimal(value: decimals.Decimal): bigint {
  const whole = decimals.toInteger(value, "halfEven");
  return whole === undefined || !isLongRange(whole) ? LONG_MIN : whole;
}
