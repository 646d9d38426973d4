/**
 * Doubles as the eight planes of their bytes, byte k of every value together, the lowest first:
 *
 *     byte 0   compression.ts over the planes
 *     byte 1   compression.ts over the planes of each value XOR the one before
 *     byte 2   compression.ts over the values as they stand
 *
 * In planes noise and what repeats come apart; as they stand, values that return are found whole. The smallest of
 * those that the caller allows is written.
 */
import { assert } from "../../base/mod.ts";
import { type ByteReader, ByteWriter } from "../byte_buffer.ts";
import * as compression from "./compression.ts";

const PLANES = 0;
const XORED_PLANES = 1;
export const PLAIN = 2;

/** Writes the doubles `words[0, 2 · count)` in the smallest of the `layouts`. */
export function encode(
  words: Int32Array,
  count: number,
  out: ByteWriter,
  layouts: readonly number[] = [PLAIN, PLANES, XORED_PLANES],
): void {
  let best: ByteWriter | undefined;
  for (const layout of layouts) {
    const bytes = layout === PLAIN ? bytesOf(words, count) : planesOf(words, count, layout);
    const other = compressed(layout, bytes);
    if (best === undefined || other.length < best.length) best = other;
  }
  assert(best !== undefined, "doubles are written in one layout at least");
  out.bytes(best.written());
}

function compressed(layout: number, bytes: Uint8Array): ByteWriter {
  const out = new ByteWriter(bytes.length);
  out.byte(layout);
  compression.encode(bytes, out);
  return out;
}

function bytesOf(words: Int32Array, count: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, count * 8);
}

function planesOf(words: Int32Array, count: number, layout: number): Uint8Array {
  const planes = new Uint8Array(count * 8);
  for (let half = 0; half < 2; half++) {
    let last = 0;
    for (let i = 0; i < count; i++) {
      const word = words[2 * i + half]!;
      const value = layout === XORED_PLANES ? word ^ last : word;
      last = word;
      for (let k = 0; k < 4; k++) planes[(half * 4 + k) * count + i] = value >>> (k * 8);
    }
  }
  return planes;
}

/** Reads `count` doubles into `words`. */
export function decode(reader: ByteReader, count: number, words: Int32Array): void {
  const layout = reader.byte();
  const bytes = compression.decode(reader);
  assert(layout <= PLAIN, `layout ${layout} of bytes is known`);
  assert(bytes.length === count * 8, "planes hold eight bytes a double");
  if (layout === PLAIN) bytesOf(words, count).set(bytes);
  else joinPlanes(bytes, count, layout, words);
}

function joinPlanes(planes: Uint8Array, count: number, layout: number, words: Int32Array): void {
  for (let half = 0; half < 2; half++) {
    let last = 0;
    const first = half * 4 * count;
    for (let i = 0; i < count; i++) {
      const at = first + i;
      const value = planes[at]! | (planes[at + count]! << 8) | (planes[at + 2 * count]! << 16) |
        (planes[at + 3 * count]! << 24);
      last = layout === XORED_PLANES ? value ^ last : value;
      words[2 * i + half] = last;
    }
  }
}
