/**
 * A posting list: the numbers of some series, ascending, as bytes.
 *
 *     byte 0 | varint each: the first number, then how much each is more than the one before
 *     byte 1 | varint the first number, divided by eight | bits from there on, the lowest first
 *
 * Whichever is smaller: gaps of rare keys take a byte or two, a key that every other series has takes a bit of each.
 */
import type { ByteWriter } from "../../column/mod.ts";
import type { SeriesSet } from "./series_set.ts";

const GAPS = 0;
const BITS = 1;

/** @param series `[first, end)` of it are the list: ascending, not empty */
export function writePostings(series: Int32Array, first: number, end: number, out: ByteWriter): void {
  const start = series[first]! >> 3;
  const bitmapBytes = (series[end - 1]! >> 3) - start + 1;
  if (bitmapBytes < end - first) return writeBits(series, first, end, start, bitmapBytes, out);
  out.byte(GAPS);
  for (let i = first, before = 0; i < end; i++) {
    out.varint(series[i]! - before);
    before = series[i]!;
  }
}

function writeBits(
  series: Int32Array,
  first: number,
  end: number,
  start: number,
  bitmapBytes: number,
  out: ByteWriter,
): void {
  const bits = new Uint8Array(bitmapBytes);
  for (let i = first; i < end; i++) bits[(series[i]! >> 3) - start]! |= 1 << (series[i]! & 7);
  out.byte(BITS);
  out.varint(start);
  out.bytes(bits);
}

/** Adds the series of the list in `bytes[start, end)` to a set. */
export function addPostings(bytes: Uint8Array, start: number, end: number, series: SeriesSet): void {
  const isBits = bytes[start] === BITS;
  let at = start + 1;
  let number = 0;
  while (at < end) {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    number += value;
    if (isBits) return addBits(bytes, at, end, number << 3, series);
    series.add(number);
  }
}

function addBits(bytes: Uint8Array, start: number, end: number, first: number, series: SeriesSet): void {
  for (let at = start, number = first; at < end; at++, number += 8) {
    for (let bits = bytes[at]!, i = number; bits !== 0; bits >>= 1, i++) if (bits & 1) series.add(i);
  }
}
