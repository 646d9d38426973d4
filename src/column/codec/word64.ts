/**
 * 64-bit integers (int64, dates, timestamps), given as pairs of words, the low one first:
 *
 *     mode 0   all within ±2⁵⁰: integer.ts over the values
 *     mode 1   integer.ts over the high words as signed numbers | integer.ts over the low words as unsigned ones
 */
import { assert } from "../../base/mod.ts";
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import type { Effort } from "./effort.ts";
import * as integer from "./integer.ts";

const WHOLE = 0;
const HALVES = 1;
const TWO_32 = 4294967296;
/** High words of the numbers within ±2⁵⁰. */
const HIGH_LIMIT = 2 ** 18;

/** Writes the pairs `words[0, 2 · count)`. */
export function encode(words: Int32Array, count: number, out: ByteWriter, effort: Effort = "small"): void {
  const values = new Float64Array(count);
  if (isNarrow(words, count)) {
    for (let i = 0; i < count; i++) values[i] = words[2 * i + 1]! * TWO_32 + (words[2 * i]! >>> 0);
    out.byte(WHOLE);
    integer.encode(values, count, out, effort);
    return;
  }
  out.byte(HALVES);
  for (let i = 0; i < count; i++) values[i] = words[2 * i + 1]!;
  integer.encode(values, count, out, effort);
  for (let i = 0; i < count; i++) values[i] = words[2 * i]! >>> 0;
  integer.encode(values, count, out, effort);
}

/** Reads `count` pairs into `words`. */
export function decode(reader: ByteReader, count: number, words: Int32Array): void {
  const mode = reader.byte();
  const values = new Float64Array(count);
  if (mode === WHOLE) {
    integer.decode(reader, count, values);
    for (let i = 0; i < count; i++) {
      const high = Math.floor(values[i]! / TWO_32);
      words[2 * i + 1] = high;
      words[2 * i] = values[i]! - high * TWO_32;
    }
    return;
  }
  assert(mode === HALVES, `64-bit mode ${mode} is known`);
  integer.decode(reader, count, values);
  for (let i = 0; i < count; i++) words[2 * i + 1] = values[i]!;
  integer.decode(reader, count, values);
  for (let i = 0; i < count; i++) words[2 * i] = values[i]!;
}

function isNarrow(words: Int32Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const high = words[2 * i + 1]!;
    if (high < -HIGH_LIMIT || high >= HIGH_LIMIT) return false;
  }
  return true;
}
