/**
 * Doubles that are decimals with few places, as whole numbers:
 *
 *     byte places p | integer.ts over the digits d | varint exceptions | gaps, varint | 8 bytes each;   v = d / 10^p
 *
 * The idea of ALP (alp.ts), by division: the quotient of two whole numbers is rounded once, so every decimal that is
 * exact to fifteen digits comes back as parsing gave it. The encoder checks each value; NaN, −0, infinities and longer
 * fractions are exceptions, their place holding the digits before.
 */
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import type { Effort } from "./effort.ts";
import { readExactDoubles } from "./exact_doubles.ts";
import * as integer from "./integer.ts";

const MAX_PLACES = 14;
const POWERS = Array.from({ length: MAX_PLACES + 1 }, (_, places) => 10 ** places);
/** Digits beyond this are not exact in a double together with their neighbours' differences. */
const MAX_DIGITS = 2 ** 50;
const SAMPLES = 32;
/** Beyond this share of exceptions decimals are not tried. */
const MAX_EXCEPTIONS = 1 / 8;

function isDecimal(value: number, places: number): boolean {
  const digits = Math.round(value * POWERS[places]!);
  return digits / POWERS[places]! === value && digits <= MAX_DIGITS && digits >= -MAX_DIGITS &&
    !Object.is(value, -0);
}

/** The fewest places that suit most of a sample; -1 when none do. */
export function sampledPlaces(doubles: Float64Array, count: number): number {
  const step = Math.max(1, Math.floor(count / SAMPLES));
  const needed = new Int32Array(MAX_PLACES + 2);
  let samples = 0;
  for (let i = 0; i < count; i += step) {
    let places = 0;
    while (places <= MAX_PLACES && !isDecimal(doubles[i]!, places)) places++;
    needed[places]!++;
    samples++;
  }
  const tolerated = samples * MAX_EXCEPTIONS;
  let beyond = 0;
  for (let places = MAX_PLACES + 1; places >= 0; places--) {
    beyond += needed[places]!;
    if (beyond > tolerated) return places > MAX_PLACES ? -1 : places;
  }
  return 0;
}

/** Writes the doubles `words[0, 2 · count)`, unless too many of them are exceptions: then it writes nothing. */
export function encode(
  words: Int32Array,
  count: number,
  places: number,
  out: ByteWriter,
  effort: Effort = "small",
): boolean {
  const doubles = new Float64Array(words.buffer, words.byteOffset, count);
  const power = POWERS[places]!;
  const digits = new Float64Array(count);
  const exceptions: number[] = [];
  for (let i = 0, last = 0; i < count; i++) {
    const value = doubles[i]!;
    if (isDecimal(value, places)) last = Math.round(value * power) + 0;
    else exceptions.push(i);
    digits[i] = last;
  }
  if (exceptions.length > count * 2 * MAX_EXCEPTIONS) return false;
  out.byte(places);
  integer.encode(digits, count, out, effort);
  out.varint(exceptions.length);
  for (let i = 0, last = 0; i < exceptions.length; last = exceptions[i++]!) out.varint(exceptions[i]! - last);
  for (const index of exceptions) {
    out.uint32(words[2 * index]!);
    out.uint32(words[2 * index + 1]!);
  }
  return true;
}

/** Reads doubles of `count` into their places in `words`, which start at a multiple of eight bytes: as `integer.decode` does. */
export function decode(reader: ByteReader, count: number, words: Int32Array, from = 0, to = count): void {
  const doubles = new Float64Array(words.buffer, words.byteOffset, count);
  const power = POWERS[reader.byte()]!;
  const read = integer.decode(reader, count, doubles, from, to);
  if (power !== 1) { for (let i = read.from; i < read.to; i++) doubles[i] = doubles[i]! / power; }
  readExactDoubles(reader, words, read);
}
