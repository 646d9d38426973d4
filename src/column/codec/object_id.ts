/**
 * ObjectIds, given as three words each: four integer sequences (integer.ts), for each part grows in its own way.
 *
 *     seconds, 4 bytes big-endian | first 3 bytes of the machine | other 2 bytes | counter, 3 bytes big-endian
 */
import { PAGE_ROWS } from "../../base/mod.ts";
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import type { Effort } from "./effort.ts";
import * as integer from "./integer.ts";

const BYTES_EACH = 12;
/** Where each part starts and how many bytes it has. */
const PARTS = [[0, 4], [4, 3], [7, 2], [9, 3]] as const;

/** Writes the ids `words[0, 3 · count)`. */
export function encode(words: Int32Array, count: number, out: ByteWriter, effort: Effort = "small"): void {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, count * BYTES_EACH);
  const values = new Float64Array(count);
  for (const [start, size] of PARTS) {
    for (let i = 0, at = start; i < count; i++, at += BYTES_EACH) {
      let value = 0;
      for (let k = 0; k < size; k++) value = value * 256 + bytes[at + k]!;
      values[i] = value;
    }
    integer.encode(values, count, out, effort);
  }
}

/** A part of each id: all are below 2³², and words wrap around. */
let parts = new Int32Array(PAGE_ROWS);

/**
 * Reads ids of `count` into their places in `words`, those of `[from, to)`: part by part, each into the words that its bytes
 * are in. Of parts that can be read in blocks no others are decoded.
 */
export function decode(reader: ByteReader, count: number, words: Int32Array, from = 0, to = count): void {
  if (parts.length < count) parts = new Int32Array(count);
  const next = () => integer.decodeInt32s(reader, count, parts, from, to);
  next();
  for (let i = from, at = 3 * i; i < to; i++, at += 3) words[at] = swapped(parts[i]!);
  next();
  for (let i = from, at = 3 * i + 1; i < to; i++, at += 3) words[at] = swapped(parts[i]!) >>> 8;
  next();
  for (let i = from, at = 3 * i + 1; i < to; i++, at += 3) {
    const part = parts[i]!;
    words[at] = words[at]! | ((part >>> 8) << 24);
    words[at + 1] = part & 0xff;
  }
  next();
  for (let i = from, at = 3 * i + 2; i < to; i++, at += 3) {
    words[at] = words[at]! | (swapped(parts[i]!) & ~0xff);
  }
}

/** The bytes of a word in reverse order. */
function swapped(word: number): number {
  const pairs = ((word & 0xff00ff) << 8) | ((word >>> 8) & 0xff00ff);
  return (pairs << 16) | (pairs >>> 16);
}
