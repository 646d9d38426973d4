/**
 * ObjectIds, given as three words each: four integer sequences (integer.ts), for each part grows in its own way.
 *
 *     seconds, 4 bytes big-endian | first 3 bytes of the machine | other 2 bytes | counter, 3 bytes big-endian
 */
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

/** Reads `count` ids into `words`. */
export function decode(reader: ByteReader, count: number, words: Int32Array): void {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, count * BYTES_EACH);
  const values = new Float64Array(count);
  for (const [start, size] of PARTS) {
    integer.decode(reader, count, values);
    for (let i = 0, at = start; i < count; i++, at += BYTES_EACH) {
      const value = values[i]! >>> 0;
      for (let k = 0; k < size; k++) bytes[at + k] = value >>> (8 * (size - 1 - k));
    }
  }
}
