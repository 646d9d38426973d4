/**
 * Doubles, bit for bit, given as words (the low one first):
 *
 *     mode 0  decimal  byte places | integer.ts over the digits | varint exceptions | gaps, varint | 8 bytes each
 *     mode 1  planes   byte xor (0 or 1) | compression.ts over the 8 byte planes, the lowest first
 *
 * Decimal mode is the idea of ALP (Afroozeh, Kuffo, Boncz, SIGMOD 2023): measured doubles are decimals with few places,
 * so v · 10^places is a whole number d with d / 10^places = v exactly, which the encoder checks for each. NaN, −0,
 * infinities and longer fractions are exceptions, their place holding the digits before. Real doubles go as planes:
 * byte k of every value together, of the values or of each value XOR the one before, as the smaller is.
 */
import { assert } from "../../base/mod.ts";
import { ByteReader, ByteWriter } from "../byte_buffer.ts";
import * as compression from "./compression.ts";
import * as integer from "./integer.ts";

const DECIMAL = 0;
const PLANES = 1;
const MAX_PLACES = 14;
const POWERS = Array.from({ length: MAX_PLACES + 1 }, (_, places) => 10 ** places);
/** Digits beyond this are not exact in a double together with their neighbours' differences. */
const MAX_DIGITS = 2 ** 50;
const SAMPLES = 32;
/** Beyond this share of exceptions decimal mode is not tried. */
const MAX_EXCEPTIONS = 1 / 8;

/** Writes the doubles `words[0, 2 · count)`. */
export function encode(words: Int32Array, count: number, out: ByteWriter): void {
  const doubles = new Float64Array(words.buffer, words.byteOffset, count);
  const places = sampledPlaces(doubles, count);
  if (places >= 0 && encodeDecimal(words, doubles, count, places, out)) return;
  encodePlanes(words, count, out);
}

/** Reads `count` doubles into `words`, which start at a multiple of eight bytes. */
export function decode(reader: ByteReader, count: number, words: Int32Array): void {
  const mode = reader.byte();
  if (mode === DECIMAL) return decodeDecimal(reader, count, words);
  assert(mode === PLANES, `double mode ${mode} is known`);
  decodePlanes(reader, count, words);
}

function isDecimal(value: number, places: number): boolean {
  const digits = Math.round(value * POWERS[places]!);
  return digits / POWERS[places]! === value && digits <= MAX_DIGITS && digits >= -MAX_DIGITS &&
    !Object.is(value, -0);
}

/** The fewest places that suit most of a sample; -1 when none do. */
function sampledPlaces(doubles: Float64Array, count: number): number {
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

function encodeDecimal(
  words: Int32Array,
  doubles: Float64Array,
  count: number,
  places: number,
  out: ByteWriter,
): boolean {
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
  out.byte(DECIMAL);
  out.byte(places);
  integer.encode(digits, count, out);
  out.varint(exceptions.length);
  for (let i = 0, last = 0; i < exceptions.length; last = exceptions[i++]!) out.varint(exceptions[i]! - last);
  for (const index of exceptions) {
    out.uint32(words[2 * index]!);
    out.uint32(words[2 * index + 1]!);
  }
  return true;
}

function decodeDecimal(reader: ByteReader, count: number, words: Int32Array): void {
  const doubles = new Float64Array(words.buffer, words.byteOffset, count);
  const power = POWERS[reader.byte()]!;
  integer.decode(reader, count, doubles);
  if (power !== 1) { for (let i = 0; i < count; i++) doubles[i] = doubles[i]! / power; }
  const exceptions = reader.varint();
  const indexes = new Int32Array(exceptions);
  for (let i = 0, last = 0; i < exceptions; i++) indexes[i] = last += reader.varint();
  for (const index of indexes) {
    words[2 * index] = reader.uint32();
    words[2 * index + 1] = reader.uint32();
  }
}

function encodePlanes(words: Int32Array, count: number, out: ByteWriter): void {
  const plain = new ByteWriter(count * 8);
  compression.encode(planesOf(words, count, 0), plain);
  const xored = new ByteWriter(count * 8);
  compression.encode(planesOf(words, count, 1), xored);
  out.byte(PLANES);
  out.byte(xored.length < plain.length ? 1 : 0);
  out.bytes((xored.length < plain.length ? xored : plain).written());
}

function planesOf(words: Int32Array, count: number, xor: 0 | 1): Uint8Array {
  const planes = new Uint8Array(count * 8);
  for (let half = 0; half < 2; half++) {
    let last = 0;
    for (let i = 0; i < count; i++) {
      const word = words[2 * i + half]!;
      const value = xor === 1 ? word ^ last : word;
      last = word;
      for (let k = 0; k < 4; k++) planes[(half * 4 + k) * count + i] = value >>> (k * 8);
    }
  }
  return planes;
}

function decodePlanes(reader: ByteReader, count: number, words: Int32Array): void {
  const xor = reader.byte();
  const planes = compression.decode(reader);
  assert(planes.length === count * 8, "planes hold eight bytes a double");
  for (let half = 0; half < 2; half++) {
    let last = 0;
    const first = half * 4 * count;
    for (let i = 0; i < count; i++) {
      const at = first + i;
      const value = planes[at]! | (planes[at + count]! << 8) | (planes[at + 2 * count]! << 16) |
        (planes[at + 3 * count]! << 24);
      last = xor === 1 ? value ^ last : value;
      words[2 * i + half] = last;
    }
  }
}
