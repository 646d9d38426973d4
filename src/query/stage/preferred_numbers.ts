/**
 * Series of preferred numbers, by which `$bucketAuto` rounds its boundaries: Renard series (ISO 3), E series (IEC 60063),
 * 1-2-5 and powers of two. A series repeats in every power of ten.
 */
import { Decimal128, Int32 } from "../../bson/mod.ts";
import * as decimals from "../expression/decimal_arithmetic.ts";
import { power } from "../expression/decimal_functions.ts";
import { asBigInt, asDouble, intOrLong, type NumberValue } from "../expression/number.ts";

/** `n` steps to a power of ten, as IEC 60063 rounds them to three digits; the one exception is of E192. */
function steps(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => {
    const step = Math.round(100 * 10 ** (i / n));
    return step === 919 ? 920 : step;
  });
}

/** As MongoDB has them: R40 without 335, R80 only with what R40 lacks. */
const R40 = [
  ...[100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280, 300],
  ...[315, 355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850, 900, 950],
];
const R80 = [
  ...[103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290, 307],
  ...[325, 345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875, 925, 975],
];
const R20 = [
  ...[100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900],
];

function everyNth(series: readonly number[], n: number): readonly number[] {
  return series.filter((_, i) => i % n === 0);
}

const E24 = [10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91];

const SERIES: ReadonlyMap<string, readonly number[]> = new Map([
  ["1-2-5", [10, 20, 50]],
  ["E12", everyNth(E24, 2)],
  ["E192", steps(192)],
  ["E24", E24],
  ["E48", steps(48)],
  ["E6", everyNth(E24, 4)],
  ["E96", steps(96)],
  ["R10", everyNth(R20, 2)],
  ["R20", R20],
  ["R40", R40],
  ["R5", [10, 16, 25, 40, 63]],
  ["R80", R80],
]);

const POWERS_OF_TWO = "POWERSOF2";

export interface Rounder {
  /** The next number of the series above; 0 for 0. */
  up(value: NumberValue): NumberValue;
  /** The next one below. */
  down(value: NumberValue): NumberValue;
}

/** The rounder of a granularity; undefined when there is none of that name. */
export function rounderOf(granularity: string): Rounder | undefined {
  if (granularity === POWERS_OF_TWO) {
    return {
      up: unlessZero((value) => powerOfTwo(value, exponentAbove(value))),
      down: unlessZero((value) => powerOfTwo(value, exponentBelow(value))),
    };
  }
  const series = SERIES.get(granularity);
  if (series === undefined) return undefined;
  return {
    up: unlessZero((value) => numberOf(value, roundUp(series, asDouble(value)))),
    down: unlessZero((value) => numberOf(value, roundDown(series, asDouble(value)))),
  };
}

function unlessZero(round: (value: NumberValue) => NumberValue): (value: NumberValue) => NumberValue {
  return (value) => asDouble(value) === 0 ? value : round(value);
}

/** Of the least power of two above `value`. */
function exponentAbove(value: NumberValue): number {
  if (isWhole(value)) return bitCount(asBigInt(value));
  return Math.floor(Math.log2(asDouble(value))) + 1;
}

/** Of the greatest power of two below `value`. */
function exponentBelow(value: NumberValue): number {
  if (isWhole(value)) return bitCount(asBigInt(value) - 1n) - 1;
  return Math.ceil(Math.log2(asDouble(value))) - 1;
}

function isWhole(value: NumberValue): value is Int32 | bigint {
  return value instanceof Int32 || typeof value === "bigint";
}

function bitCount(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** As $pow gives it: a decimal for a decimal, else the narrowest of int32, int64 and double. */
function powerOfTwo(value: NumberValue, exponent: number): NumberValue {
  if (value instanceof Decimal128) {
    return decimals.putTogether(power(decimals.fromInteger(2n), decimals.fromInteger(BigInt(exponent))));
  }
  return exponent < 0 || exponent > 62 ? 2 ** exponent : intOrLong(2n ** BigInt(exponent));
}

/** A step of a series, `step` · 10^`tens`. */
interface Step {
  readonly step: number;
  readonly tens: number;
}

/** A decimal gives a decimal, any other number a double. */
function numberOf(value: NumberValue, { step, tens }: Step): NumberValue {
  if (!(value instanceof Decimal128)) return step * tenTo(tens);
  const factor = tens < 0 ? decimals.finite(false, 1n, tens) : decimals.fromInteger(10n ** BigInt(tens));
  return decimals.putTogether(decimals.multiply(decimals.fromDouble15(step), factor));
}

/** As it comes out of multiplying or dividing by ten again and again. */
function tenTo(tens: number): number {
  let power = 1;
  for (let i = 0; i < tens; i++) power *= 10;
  for (let i = 0; i > tens; i--) power /= 10;
  return power;
}

function roundUp(series: readonly number[], x: number): Step {
  const first = series[0]!;
  const last = series.at(-1)!;
  let tens = 0;
  while (x >= last * tenTo(tens)) tens++;
  while (x < first * tenTo(tens)) {
    tens--;
    if (x >= last * tenTo(tens)) return { step: first, tens: tens + 1 };
  }
  return { step: series.find((step) => step * tenTo(tens) > x)!, tens };
}

function roundDown(series: readonly number[], x: number): Step {
  const first = series[0]!;
  const last = series.at(-1)!;
  let tens = 0;
  while (x <= first * tenTo(tens)) tens--;
  while (x > last * tenTo(tens)) {
    tens++;
    if (x <= first * tenTo(tens)) return { step: last, tens: tens - 1 };
  }
  return { step: series.findLast((step) => step * tenTo(tens) < x)!, tens };
}
