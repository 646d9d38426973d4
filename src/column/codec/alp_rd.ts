/**
 * Real doubles, cut in two: the front bits (sign, exponent, first bits of the mantissa) of a series are few different
 * numbers, the bits behind them are noise.
 *
 *     byte right bits r (48 … 63) | byte entries (1 … 8) | each: left part, 2 bytes
 *     integer.ts over the places of left parts among the entries
 *     low 32 bits of the right parts, 4 bytes each | their other r − 32 bits, bit_packing.ts
 *     varint exceptions | gaps, varint | their left parts, 2 bytes each
 *
 * ALP-RD (Afroozeh, Kuffo, Boncz, SIGMOD 2023, §3.4): left parts that are none of the eight commonest are exceptions,
 * their place is 0. Every pattern of bits comes back; the cut is the one with the smallest estimate over a sample.
 */
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import * as bitPacking from "./bit_packing.ts";
import * as integer from "./integer.ts";

const MIN_RIGHT_BITS = 48;
const MAX_RIGHT_BITS = 63;
const MAX_ENTRIES = 8;
const SAMPLES = 256;
/** A place and a left part. */
const EXCEPTION_BITS = 28;
/** By left part, of which there are at most 2¹⁶. */
const COUNTS = new Int32Array(1 << (64 - MIN_RIGHT_BITS));
const INDEX_OF = new Uint8Array(1 << (64 - MIN_RIGHT_BITS));
const NO_INDEX = 255;

/** Writes the doubles `words[0, 2 · count)`. */
export function encode(words: Int32Array, count: number, out: ByteWriter): void {
  const rightBits = sampledCut(words, count);
  const shift = rightBits - 32;
  const entries = commonestLefts(words, count, shift);
  INDEX_OF.fill(NO_INDEX, 0, 1 << (32 - shift));
  entries.forEach((left, index) => INDEX_OF[left] = index);
  const indexes = new Float64Array(count);
  const exceptions: number[] = [];
  const high = new Float64Array(count);
  const mask = 2 ** shift - 1;
  for (let i = 0; i < count; i++) {
    const word = words[2 * i + 1]!;
    const index = INDEX_OF[word >>> shift]!;
    if (index === NO_INDEX) exceptions.push(i);
    else indexes[i] = index;
    high[i] = word & mask;
  }
  out.byte(rightBits);
  out.byte(entries.length);
  for (const left of entries) writeLeft(left, out);
  integer.encode(indexes, count, out);
  for (let i = 0; i < count; i++) out.uint32(words[2 * i]!);
  bitPacking.encode(high, count, shift, out);
  out.varint(exceptions.length);
  for (let i = 0, last = 0; i < exceptions.length; last = exceptions[i++]!) out.varint(exceptions[i]! - last);
  for (const index of exceptions) writeLeft(words[2 * index + 1]! >>> shift, out);
}

/** Reads `count` doubles into `words`. */
export function decode(reader: ByteReader, count: number, words: Int32Array): void {
  const shift = reader.byte() - 32;
  const fronts = Int32Array.from({ length: reader.byte() }, () => readLeft(reader) << shift);
  const indexes = new Float64Array(count);
  integer.decode(reader, count, indexes);
  for (let i = 0; i < count; i++) words[2 * i] = reader.uint32();
  const high = new Float64Array(count);
  bitPacking.decode(reader, count, shift, high);
  for (let i = 0; i < count; i++) words[2 * i + 1] = fronts[indexes[i]!]! | high[i]!;
  const exceptions = reader.varint();
  const places = new Int32Array(exceptions);
  for (let i = 0, place = 0; i < exceptions; i++) places[i] = place += reader.varint();
  for (const place of places) words[2 * place + 1] = (readLeft(reader) << shift) | high[place]!;
}

function writeLeft(left: number, out: ByteWriter): void {
  out.byte(left & 255);
  out.byte(left >>> 8);
}

function readLeft(reader: ByteReader): number {
  return reader.byte() | (reader.byte() << 8);
}

/** The number of right bits that makes a sample smallest. */
function sampledCut(words: Int32Array, count: number): number {
  const step = Math.max(1, Math.floor(count / SAMPLES));
  const lefts = new Int32Array(Math.ceil(count / step));
  for (let i = 0; i < lefts.length; i++) lefts[i] = words[2 * i * step + 1]! >>> (MIN_RIGHT_BITS - 32);
  // In order, equal left parts are neighbours, whatever the cut.
  lefts.sort();
  let best = MAX_RIGHT_BITS;
  let bestBits = Infinity;
  for (let rightBits = MIN_RIGHT_BITS; rightBits <= MAX_RIGHT_BITS; rightBits++) {
    const { covered, entries } = commonestShare(lefts, rightBits - MIN_RIGHT_BITS);
    const indexBits = entries > 1 ? bitPacking.bitLength(entries - 1) : 0;
    const bits = lefts.length * (rightBits + indexBits) + (lefts.length - covered) * EXCEPTION_BITS;
    if (bits >= bestBits) continue;
    bestBits = bits;
    best = rightBits;
  }
  return best;
}

/** How many of the sorted numbers are among the commonest when their last bits are cut off, and how many those are. */
function commonestShare(sorted: Int32Array, cutBits: number): { covered: number; entries: number } {
  const largest = new Int32Array(MAX_ENTRIES + 1);
  for (let i = 0; i < sorted.length;) {
    const left = sorted[i]! >>> cutBits;
    const start = i;
    while (i < sorted.length && sorted[i]! >>> cutBits === left) i++;
    let at = MAX_ENTRIES;
    for (; at > 0 && largest[at - 1]! < i - start; at--) largest[at] = largest[at - 1]!;
    largest[at] = i - start;
  }
  let covered = 0;
  let entries = 0;
  for (; entries < MAX_ENTRIES && largest[entries]! > 0; entries++) covered += largest[entries]!;
  return { covered, entries };
}

/** The most frequent left parts, at most as many as there are entries. */
function commonestLefts(words: Int32Array, count: number, shift: number): number[] {
  COUNTS.fill(0, 0, 1 << (32 - shift));
  const distinct: number[] = [];
  for (let i = 0; i < count; i++) {
    const left = words[2 * i + 1]! >>> shift;
    if (COUNTS[left]!++ === 0) distinct.push(left);
  }
  return distinct.sort((a, b) => COUNTS[b]! - COUNTS[a]!).slice(0, MAX_ENTRIES);
}
