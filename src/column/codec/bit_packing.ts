/**
 * Whole numbers from 0 below 2⁵³ in a fixed number of bits each.
 *
 *     width ≤ 32   one stream, the first value in the lowest bits of the first byte
 *     width > 32   a stream of the low 32 bits, then one of the others
 *
 * Each stream is padded to whole bytes.
 */
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";

const TWO_32 = 4294967296;

/** Bits that a whole number from 0 below 2⁵³ takes. */
export function bitLength(value: number): number {
  return value < TWO_32 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / TWO_32);
}

/** Bytes that `count` values of `width` bits take. */
export function packedBytes(count: number, width: number): number {
  if (width <= 32) return Math.ceil(count * width / 8);
  return count * 4 + packedBytes(count, width - 32);
}

/** Writes `values[0, count)`, each below 2^width. */
export function encode(values: Float64Array, count: number, width: number, out: ByteWriter): void {
  if (width > 32) {
    const high = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      high[i] = Math.floor(values[i]! / TWO_32);
      out.uint32(values[i]! - high[i]! * TWO_32);
    }
    encode(high, count, width - 32, out);
    return;
  }
  encodeWords(new Uint32Array(values.subarray(0, count)), count, width, out);
}

/** As `encode`, for a width of at most 32. */
export function encodeWords(values: Uint32Array, count: number, width: number, out: ByteWriter): void {
  const bytes = new Uint8Array(packedBytes(count, width));
  packWords(values, count, width, bytes);
  out.bytes(bytes);
}

/** Reads `count` values into `target`. */
export function decode(reader: ByteReader, count: number, width: number, target: Float64Array): void {
  const words = new Int32Array(count);
  decodeWords(reader, count, Math.min(32, width), words);
  for (let i = 0; i < count; i++) target[i] = words[i]! >>> 0;
  if (width <= 32) return;
  const high = new Float64Array(count);
  decode(reader, count, width - 32, high);
  for (let i = 0; i < count; i++) target[i] = target[i]! + high[i]! * TWO_32;
}

/**
 * Reads values of `count`, of a width of at most 32, into their places in `target`, as unsigned words: those of
 * `[from, to)`, where `from` is a multiple of 32.
 */
export function decodeWords(
  reader: ByteReader,
  count: number,
  width: number,
  target: Int32Array,
  from = 0,
  to = count,
): void {
  unpackWords(reader.bytes(packedBytes(count, width)), width, target, from, to);
}

function packWords(values: Uint32Array, count: number, width: number, bytes: Uint8Array): void {
  let bits = 0;
  let filled = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    bits |= value << filled;
    filled += width;
    if (filled < 32) continue;
    bytes[at++] = bits;
    bytes[at++] = bits >>> 8;
    bytes[at++] = bits >>> 16;
    bytes[at++] = bits >>> 24;
    filled -= 32;
    bits = filled === 0 ? 0 : value >>> (width - filled);
  }
  for (; at < bytes.length; at++, bits >>>= 8) bytes[at] = bits;
}

function unpackWords(bytes: Uint8Array, width: number, target: Int32Array, from: number, to: number): void {
  if (width === 0) {
    target.fill(0, from, to);
    return;
  }
  const mask = width === 32 ? -1 : (1 << width) - 1;
  let bits = 0;
  let filled = 0;
  let at = from / 8 * width;
  for (let i = from; i < to; i++) {
    if (filled >= width) {
      target[i] = bits & mask;
      bits >>>= width;
      filled -= width;
      continue;
    }
    // Bytes beyond the end read as undefined, which the shifts take for zero.
    const next = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    at += 4;
    target[i] = (bits | (next << filled)) & mask;
    const used = width - filled;
    bits = used === 32 ? 0 : next >>> used;
    filled = 32 - used;
  }
}
