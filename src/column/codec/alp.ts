/**
 * Doubles that are decimals in disguise, as whole numbers:
 *
 *     byte e | byte f | integer.ts over the digits d | varint exceptions | gaps, varint | 8 bytes each;   v = d · 10^f · 10^−e
 *
 * ALP (Afroozeh, Kuffo, Boncz: "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2023, §3.1): both products
 * are rounded, and just so come back the values that software made by multiplying with 0.1 or 0.001, beside proper
 * decimals and large numbers that end in zeros. The encoder decodes each value; one that does not come back bit for bit
 * (NaN, −0, infinities, real doubles) is an exception, its place holding the digits before.
 *
 * The pair (e, f) is the one with the smallest estimate over a sample, among all with f ≤ e or e = 0.
 */
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import { bitLength } from "./bit_packing.ts";
import { readExactDoubles } from "./exact_doubles.ts";
import * as integer from "./integer.ts";

/** The powers as the nearest doubles, which parsing promises and `**` does not. */
const MAX_EXPONENT = 18;
const POWERS = Float64Array.from({ length: MAX_EXPONENT + 1 }, (_, i) => Number(`1e${i}`));
const INVERSES = Float64Array.from({ length: MAX_EXPONENT + 1 }, (_, i) => Number(`1e-${i}`));
/** Digits beyond this are not exact in a double together with their neighbours' differences. */
const MAX_DIGITS = 2 ** 50;
const SAMPLES = 32;
/** A place and the bits themselves. */
const EXCEPTION_BITS = 76;
const PLAIN_BITS = 64;

/** The powers of ten that digits are scaled by. */
export interface Scale {
  /** v is divided by 10^exponent … */
  readonly exponent: number;
  /** … and multiplied by 10^factor. */
  readonly factor: number;
}

/** The best scale for a sample of `doubles[0, count)`, and about the bits that a value then takes. */
function sampledScale(doubles: Float64Array, count: number): Scale & { bits: number } {
  const step = Math.max(1, Math.floor(count / SAMPLES));
  const sample = Float64Array.from({ length: Math.ceil(count / step) }, (_, i) => doubles[i * step]!);
  let best = { exponent: 0, factor: 0, bits: PLAIN_BITS };
  let bestBits = sample.length * PLAIN_BITS;
  for (let exponent = MAX_EXPONENT; exponent >= 0; exponent--) {
    for (let factor = exponent === 0 ? MAX_EXPONENT : exponent; factor >= 0; factor--) {
      const bits = estimatedBits(sample, exponent, factor, bestBits);
      if (bits >= bestBits) continue;
      bestBits = bits;
      best = { exponent, factor, bits: bits / sample.length };
    }
  }
  return best;
}

/** Whether a sample of the doubles `words[0, 2 · count)` has fewer bits as digits. */
export function suits(words: Int32Array, count: number): boolean {
  return sampledScale(new Float64Array(words.buffer, words.byteOffset, count), count).bits < PLAIN_BITS;
}

/** Writes the doubles `words[0, 2 · count)`; without a scale, at the best one for a sample. */
export function encode(words: Int32Array, count: number, out: ByteWriter, scale?: Scale): void {
  const doubles = new Float64Array(words.buffer, words.byteOffset, count);
  const { exponent, factor } = scale ?? sampledScale(doubles, count);
  const digits = new Float64Array(count);
  const places = new Int32Array(count);
  const exceptions = digitsOf(doubles, count, exponent, factor, digits, places);
  out.byte(exponent);
  out.byte(factor);
  integer.encode(digits, count, out);
  out.varint(exceptions);
  for (let i = 0, last = 0; i < exceptions; last = places[i++]!) out.varint(places[i]! - last);
  for (let i = 0; i < exceptions; i++) {
    out.uint32(words[2 * places[i]!]!);
    out.uint32(words[2 * places[i]! + 1]!);
  }
}

/** Reads doubles of `count` into their places in `words`, which start at a multiple of eight bytes: as `integer.decode` does. */
export function decode(reader: ByteReader, count: number, words: Int32Array, from = 0, to = count): void {
  const doubles = new Float64Array(words.buffer, words.byteOffset, count);
  const down = INVERSES[reader.byte()]!;
  const up = POWERS[reader.byte()]!;
  const read = integer.decode(reader, count, doubles, from, to);
  for (let i = read.from; i < read.to; i++) doubles[i] = doubles[i]! * up * down;
  readExactDoubles(reader, words, read);
}

/** Fills in the digits and the places of exceptions, and returns how many exceptions there are. */
function digitsOf(
  doubles: Float64Array,
  count: number,
  exponent: number,
  factor: number,
  digits: Float64Array,
  places: Int32Array,
): number {
  const power = POWERS[exponent]!;
  const inverse = INVERSES[factor]!;
  const up = POWERS[factor]!;
  const down = INVERSES[exponent]!;
  let exceptions = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const value = doubles[i]!;
    // Adding zero makes −0 to 0, which then differs from the value in its bits.
    const rounded = Math.round(value * power * inverse) + 0;
    const isExact = rounded * up * down === value && rounded <= MAX_DIGITS && rounded >= -MAX_DIGITS &&
      (value !== 0 || 1 / value > 0);
    if (isExact) last = rounded;
    else places[exceptions++] = i;
    digits[i] = last;
  }
  return exceptions;
}

/** About the bits that a sample takes at a scale: those of its range, and exceptions. Stops beyond `limit`. */
function estimatedBits(sample: Float64Array, exponent: number, factor: number, limit: number): number {
  const power = POWERS[exponent]!;
  const inverse = INVERSES[factor]!;
  const up = POWERS[factor]!;
  const down = INVERSES[exponent]!;
  let min = Infinity;
  let max = -Infinity;
  let exceptionBits = 0;
  for (let i = 0; i < sample.length; i++) {
    const value = sample[i]!;
    const rounded = Math.round(value * power * inverse);
    if (rounded * up * down === value && rounded <= MAX_DIGITS && rounded >= -MAX_DIGITS) {
      if (rounded < min) min = rounded;
      if (rounded > max) max = rounded;
    } else {
      exceptionBits += EXCEPTION_BITS;
      if (exceptionBits >= limit) return exceptionBits;
    }
  }
  return exceptionBits + (max > min ? bitLength(max - min) : 0) * sample.length;
}
