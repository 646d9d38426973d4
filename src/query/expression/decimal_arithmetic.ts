/**
 * Arithmetic of Decimal128 (IEEE 754-2008): 34 digits, rounded half to even, the exponent of a result as near as it can
 * be to the one the standard prefers, so that 1.10 + 2.20 is 3.30. Computed exactly in BigInt, then rounded once.
 */
import { Decimal128, doubleParts } from "../../bson/mod.ts";

/** ±coefficient · 10^exponent; zero has a sign too. */
export interface Finite {
  readonly kind: "finite";
  readonly negative: boolean;
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** A decimal taken apart. */
export type Decimal = Finite | { readonly kind: "infinity"; readonly negative: boolean } | {
  readonly kind: "nan";
};

const DIGITS = 34;
const COEFFICIENT_LIMIT = 10n ** 34n;
const LEAST_EXPONENT = -6176;
const MOST_EXPONENT = 6111;
const EXPONENT_BIAS = 6176;

export const DECIMAL_NAN: Decimal = { kind: "nan" };

export function infinity(negative: boolean): Decimal {
  return { kind: "infinity", negative };
}

export function finite(negative: boolean, coefficient: bigint, exponent: number): Finite {
  return { kind: "finite", negative, coefficient, exponent };
}

/** Takes a decimal apart, exactly. */
export function takeApart(value: Decimal128): Decimal {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16);
  const high = view.getBigUint64(8, true);
  const low = view.getBigUint64(0, true);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 31n);
  if (combination === 31) return DECIMAL_NAN;
  if (combination === 30) return infinity(negative);
  // Two set bits first encode coefficients above 2^113: not canonical, and read as zero.
  if (combination >> 3 === 3) return finite(negative, 0n, Number((high >> 47n) & 0x3fffn) - EXPONENT_BIAS);
  const exponent = Number((high >> 49n) & 0x3fffn) - EXPONENT_BIAS;
  const coefficient = ((high & 0x1ffffffffffffn) << 64n) | low;
  return finite(negative, coefficient < COEFFICIENT_LIMIT ? coefficient : 0n, exponent);
}

/** Builds the value; what does not fit in 34 digits is rounded half to even, beyond the range it is infinite. */
export function putTogether(decimal: Decimal): Decimal128 {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const rounded = roundToFit(decimal);
  let high: bigint;
  if (rounded.kind === "nan") high = 0x7cn << 56n;
  else if (rounded.kind === "infinity") high = 0x78n << 56n;
  else {
    high = (BigInt(rounded.exponent + EXPONENT_BIAS) << 49n) | (rounded.coefficient >> 64n);
    view.setBigUint64(0, rounded.coefficient & 0xffffffffffffffffn, true);
  }
  if (rounded.kind !== "nan" && rounded.negative) high |= 1n << 63n;
  view.setBigUint64(8, high, true);
  return new Decimal128(bytes);
}

/** The nearest decimal that 34 digits and the range of exponents can hold. */
export function roundToFit(decimal: Decimal): Decimal {
  if (decimal.kind !== "finite") return decimal;
  let { coefficient, exponent } = decimal;
  const excess = Math.max(digitCount(coefficient) - DIGITS, LEAST_EXPONENT - exponent);
  if (excess > 0) {
    coefficient = divideHalfEven(coefficient, powerOfTen(excess));
    exponent += excess;
    if (coefficient === COEFFICIENT_LIMIT) {
      coefficient /= 10n;
      exponent++;
    }
  }
  if (exponent > MOST_EXPONENT) {
    const pad = exponent - MOST_EXPONENT;
    if (coefficient === 0n) return finite(decimal.negative, 0n, MOST_EXPONENT);
    if (digitCount(coefficient) + pad > DIGITS) return infinity(decimal.negative);
    return finite(decimal.negative, coefficient * 10n ** BigInt(pad), MOST_EXPONENT);
  }
  return finite(decimal.negative, coefficient, exponent);
}

/** Decimal digits of a coefficient; none for zero. */
export function digitCount(coefficient: bigint): number {
  if (coefficient === 0n) return 0;
  const digits = Math.floor(Math.log10(Number(coefficient))) + 1;
  if (digits >= POWERS.length) return coefficient.toString().length;
  // The logarithm is rounded, as is the number: near a power of ten it may be one off.
  if (coefficient >= POWERS[digits]!) return digits + 1;
  return coefficient < POWERS[digits - 1]! ? digits - 1 : digits;
}

/** Powers of ten, by their exponent: products of two coefficients have no more digits. */
const POWERS: readonly bigint[] = Array.from({ length: 80 }, (_, exponent) => 10n ** BigInt(exponent));

function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend - quotient * divisor) * 2n;
  if (twice < divisor || (twice === divisor && (quotient & 1n) === 0n)) return quotient;
  return quotient + 1n;
}

export function fromInteger(value: bigint): Decimal {
  return finite(value < 0n, value < 0n ? -value : value, 0);
}

/** All 34 digits of a double. */
export function fromDouble(value: number): Decimal {
  const parts = doubleParts(value);
  if (parts.kind === "nan") return DECIMAL_NAN;
  if (parts.kind !== "finite") return infinity(value < 0);
  const negative = value < 0 || Object.is(value, -0);
  const coefficient = parts.coefficient < 0n ? -parts.coefficient : parts.coefficient;
  return roundToFit(finite(negative, coefficient, parts.exponent));
}

/** A double's first 15 digits, exactly that many: how MongoDB takes a double into arithmetic with decimals. */
export function fromDouble15(value: number): Decimal {
  return fromShortDouble(value) ?? fromAnyDouble15(value);
}

/** The largest power of ten that is a double, and so many of the powers before it. */
const MOST_PLACES = 22;
const PLACES = Array.from({ length: MOST_PLACES + 1 }, (_, places) => Number(`1e${places}`));
/** Places after the point that are tried: more are rare in what is measured. */
const TRIED_PLACES = 6;
const DIGITS_15 = 1e15;

/**
 * As `fromDouble15`, of a double that a decimal of at most 15 digits and few places names: no other such decimal is nearer.
 */
function fromShortDouble(value: number): Decimal | undefined {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || !(magnitude < DIGITS_15)) return undefined;
  for (let places = 0; places <= TRIED_PLACES; places++) {
    const coefficient = Math.round(magnitude * PLACES[places]!);
    if (coefficient >= DIGITS_15) return undefined;
    if (coefficient === 0 || coefficient / PLACES[places]! !== magnitude) continue;
    let digits = 1;
    while (coefficient >= PLACES[digits]!) digits++;
    const pad = 15 - digits;
    // A product below 10¹⁵ of whole numbers is exact.
    return finite(value < 0, BigInt(coefficient * PLACES[pad]!), -places - pad);
  }
  return undefined;
}

function fromAnyDouble15(value: number): Decimal {
  const exact = fromDouble(value);
  return exact.kind !== "finite" || exact.coefficient === 0n ? exact : roundToDigits(exact, 15);
}

function roundToDigits(decimal: Finite, digits: number): Decimal {
  const { negative, coefficient, exponent } = decimal;
  const excess = digitCount(coefficient) - digits;
  if (excess <= 0) return finite(negative, coefficient * 10n ** BigInt(-excess), exponent + excess);
  const rounded = divideHalfEven(coefficient, 10n ** BigInt(excess));
  return digitCount(rounded) > digits
    ? finite(negative, rounded / 10n, exponent + excess + 1)
    : finite(negative, rounded, exponent + excess);
}

/** The nearest double. */
export function toDouble(decimal: Decimal): number {
  if (decimal.kind === "nan") return NaN;
  const sign = decimal.negative ? -1 : 1;
  if (decimal.kind === "infinity") return sign * Infinity;
  return sign * (quotientByPower(decimal) ?? Number(`${decimal.coefficient}e${decimal.exponent}`));
}

/** 2^27 + 1: takes the upper half of a double's digits (T. J. Dekker, 1971). */
const SPLITTER = 134217729;
/** A quotient's error is less than this part of it, many times over. */
const QUOTIENT_ERROR = 2 ** -90;

/**
 * The nearest double of a coefficient of at most 34 digits over a power of ten: coefficient and power are two doubles each, the
 * quotient is one and a rest. Undefined where the rest leaves open which double is the nearest.
 */
function quotientByPower({ coefficient, exponent }: Finite): number | undefined {
  if (exponent > 0 || exponent < -POWER_HIGHS.length + 1 || coefficient >= COEFFICIENT_LIMIT) {
    return undefined;
  }
  const high = Number(coefficient);
  if (exponent === 0) return high;
  const low = Number(coefficient - BigInt(high));
  const powerHigh = POWER_HIGHS[-exponent]!;
  const quotient = high / powerHigh;
  const product = quotient * powerHigh;
  const error = productError(quotient, powerHigh, product);
  const rest = ((high - product) - error + low - quotient * POWER_LOWS[-exponent]!) / powerHigh;
  const slack = quotient * QUOTIENT_ERROR;
  const nearest = quotient + (rest + slack);
  return nearest === quotient + (rest - slack) ? nearest : undefined;
}

/** Powers of ten as the sum of two doubles. */
const POWER_HIGHS = POWERS.slice(0, 70).map(Number);
const POWER_LOWS = POWER_HIGHS.map((high, i) => Number(POWERS[i]! - BigInt(high)));

/** What the rounded product of two doubles leaves out, exactly. */
function productError(a: number, b: number, product: number): number {
  const aSplit = SPLITTER * a;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = SPLITTER * b;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return ((aHigh * bHigh - product) + aHigh * bLow + aLow * bHigh) + aLow * bLow;
}

export function negate(decimal: Decimal): Decimal {
  return decimal.kind === "nan" ? decimal : { ...decimal, negative: !decimal.negative };
}

export function absolute(decimal: Decimal): Decimal {
  return decimal.kind === "nan" ? decimal : { ...decimal, negative: false };
}

export function isZero(decimal: Decimal): boolean {
  return decimal.kind === "finite" && decimal.coefficient === 0n;
}

/** The signed coefficient of a finite decimal at a smaller exponent. */
function scaled(decimal: Finite, exponent: number): bigint {
  const shift = decimal.exponent - exponent;
  const magnitude = shift === 0 ? decimal.coefficient : decimal.coefficient * powerOfTen(shift);
  return decimal.negative ? -magnitude : magnitude;
}

export function add(a: Decimal, b: Decimal): Decimal {
  if (a.kind === "nan" || b.kind === "nan") return DECIMAL_NAN;
  if (a.kind === "infinity") return b.kind === "infinity" && a.negative !== b.negative ? DECIMAL_NAN : a;
  if (b.kind === "infinity") return b;
  const far = addFarApart(a, b) ?? addFarApart(b, a);
  if (far !== undefined) return far;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = scaled(a, exponent) + scaled(b, exponent);
  const negative = sum === 0n ? a.negative && b.negative : sum < 0n;
  return roundToFit(finite(negative, sum < 0n ? -sum : sum, exponent));
}

/** Where `small` lies far below the last digit of `large` a stand-in of one unit there rounds the same. */
function addFarApart(
  large: Finite,
  small: Finite,
): Decimal | undefined {
  if (large.coefficient === 0n || small.coefficient === 0n) {
    return large.coefficient === 0n || large.exponent - small.exponent <= DIGITS * 2
      ? undefined
      : padTo(large, small.exponent);
  }
  const lowest = large.exponent - DIGITS - 2;
  if (small.exponent + digitCount(small.coefficient) >= lowest) return undefined;
  const sum = scaled(large, lowest) + (small.negative ? -1n : 1n);
  return roundToFit(finite(sum < 0n, sum < 0n ? -sum : sum, lowest));
}

/** A number with as many trailing zeros as 34 digits allow, down to `exponent`. */
function padTo(decimal: Finite, exponent: number): Decimal {
  const shift = Math.min(decimal.exponent - exponent, DIGITS - digitCount(decimal.coefficient));
  return finite(decimal.negative, decimal.coefficient * 10n ** BigInt(shift), decimal.exponent - shift);
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b));
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  if (a.kind === "nan" || b.kind === "nan") return DECIMAL_NAN;
  const negative = a.negative !== b.negative;
  if (a.kind === "infinity" || b.kind === "infinity") {
    return isZero(a) || isZero(b) ? DECIMAL_NAN : infinity(negative);
  }
  return roundToFit(finite(negative, a.coefficient * b.coefficient, a.exponent + b.exponent));
}

export function divide(a: Decimal, b: Decimal): Decimal {
  if (a.kind === "nan" || b.kind === "nan") return DECIMAL_NAN;
  const negative = a.negative !== b.negative;
  if (a.kind === "infinity") return b.kind === "infinity" ? DECIMAL_NAN : infinity(negative);
  if (b.kind === "infinity") return finite(negative, 0n, LEAST_EXPONENT);
  if (b.coefficient === 0n) return a.coefficient === 0n ? DECIMAL_NAN : infinity(negative);
  const preferred = a.exponent - b.exponent;
  if (a.coefficient === 0n) return roundToFit(finite(negative, 0n, preferred));
  const shift = Math.max(0, DIGITS + 2 + digitCount(b.coefficient) - digitCount(a.coefficient));
  const dividend = a.coefficient * 10n ** BigInt(shift);
  const quotient = dividend / b.coefficient;
  const exponent = preferred - shift;
  if (quotient * b.coefficient === dividend) {
    return roundToFit(strip(negative, quotient, exponent, preferred));
  }
  // One more digit, never zero, stands for all that follows: the rounding sees that the quotient is not exact.
  return roundToFit(finite(negative, quotient * 10n + 1n, exponent - 1));
}

/** Drops trailing zeros until the exponent is the preferred one. */
export function strip(negative: boolean, coefficient: bigint, exponent: number, preferred: number): Decimal {
  while (exponent < preferred && coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  return finite(negative, coefficient, exponent);
}

function absoluteOf(value: Finite): Finite {
  return finite(false, value.coefficient, value.exponent);
}

/** What is left of `a` after as many whole `b` as fit, with the sign of `a`, as C's fmod. */
export function remainder(a: Decimal, b: Decimal): Decimal {
  if (a.kind === "nan" || b.kind === "nan" || a.kind === "infinity" || isZero(b)) return DECIMAL_NAN;
  if (b.kind === "infinity") return a;
  const exponent = Math.min(a.exponent, b.exponent);
  const left = scaled(absoluteOf(a), exponent) % scaled(absoluteOf(b), exponent);
  return roundToFit(finite(a.negative, left, exponent));
}

/** How a number between two steps is moved to one of them. */
export type Rounding = "halfEven" | "halfAway" | "down" | "ceiling" | "floor";

/** Brings a number to the exponent given, exactly that; NaN when it does not fit in 34 digits. */
export function quantize(decimal: Decimal, exponent: number, rounding: Rounding): Decimal {
  if (decimal.kind !== "finite") return decimal;
  const { negative, coefficient } = decimal;
  const shift = exponent - decimal.exponent;
  const moved = shift <= 0
    ? -shift > DIGITS * 2 && coefficient !== 0n ? COEFFICIENT_LIMIT : coefficient * 10n ** BigInt(-shift)
    : dropDigits(coefficient, shift, negative, rounding);
  return moved >= COEFFICIENT_LIMIT ? DECIMAL_NAN : finite(negative, moved, exponent);
}

function dropDigits(coefficient: bigint, count: number, negative: boolean, rounding: Rounding): bigint {
  if (count > DIGITS * 2) return away(negative, rounding) && coefficient !== 0n ? 1n : 0n;
  const divisor = 10n ** BigInt(count);
  if (rounding === "halfEven") return divideHalfEven(coefficient, divisor);
  if (rounding === "halfAway") return (coefficient + divisor / 2n) / divisor;
  const quotient = coefficient / divisor;
  return away(negative, rounding) && quotient * divisor !== coefficient ? quotient + 1n : quotient;
}

function away(negative: boolean, rounding: Rounding): boolean {
  return rounding === (negative ? "floor" : "ceiling");
}

/** The whole number, cut toward zero; undefined for NaN and infinities. */
export function toInteger(decimal: Decimal, rounding: Rounding = "down"): bigint | undefined {
  if (decimal.kind !== "finite") return undefined;
  const { negative, coefficient, exponent } = decimal;
  const magnitude = exponent >= 0
    ? coefficient * 10n ** BigInt(exponent)
    : dropDigits(coefficient, -exponent, negative, rounding);
  return negative ? -magnitude : magnitude;
}
