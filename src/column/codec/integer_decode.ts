/** Reads what integer.ts writes, as doubles or, where all values are known to be int32, as words. */
import { assert, PAGE_ROWS } from "../../base/mod.ts";
import type { ByteReader } from "../byte_buffer.ts";
import * as bitPacking from "./bit_packing.ts";
import { BLOCK_VALUES } from "./block_values.ts";
import { BITS, DELTA, DELTA_OF_DELTA, FRAME, HALVES, RANS, RUNS } from "./integer_format.ts";
import * as rans from "./rans_decode.ts";

const TWO_31 = 2147483648;
const TWO_32 = 4294967296;

/** Values `[from, to)` of a page. */
export interface ReadValues {
  readonly from: number;
  readonly to: number;
}

/** Whether values can be read in blocks behind the byte that they start with. */
export function isInBlocks(head: number): boolean {
  const transform = head & 15;
  return transform === FRAME || transform === DELTA;
}

/**
 * Reads values of `count` into their places in `target`: at least those of `[from, to)`, and not many others where they
 * can be read in blocks. @returns which ones it has read
 */
export function decode(
  reader: ByteReader,
  count: number,
  target: Float64Array,
  from = 0,
  to = count,
): ReadValues {
  const head = reader.byte();
  const packing = head >> 4;
  switch (head & 15) {
    case FRAME: {
      const read = blocksOf(from, to, count);
      const base = unzigzag(reader.varint());
      if (packing === BITS && reader.peek() === 0) {
        reader.byte();
        target.fill(base, read.from, read.to);
        for (const { place, residual } of readExceptions(reader, read)) target[place] = base + residual;
        return read;
      }
      if (readResiduals(reader, packing, count, target, read)) addToWords(words, base, target, read);
      else for (let i = read.from; i < read.to; i++) target[i] = target[i]! + base;
      return read;
    }
    case DELTA: {
      const read = blocksOf(from, to, count);
      const starts = readStarts(reader, count);
      if (readResiduals(reader, packing, count, target, read)) sumWords(words, target, read, starts);
      else sumDeltas(target, read, starts);
      return read;
    }
    case DELTA_OF_DELTA: {
      const read = { from: 0, to: count };
      const base = unzigzag(reader.varint());
      const slope = unzigzag(reader.varint());
      if (packing === BITS && reader.peek() === 0) {
        reader.byte();
        fillSteps(target, count, base, slope, readExceptions(reader, read));
        return read;
      }
      if (readResiduals(reader, packing, count, target, read)) addToWords(words, 0, target, read);
      sumDeltasOfDeltas(target, count, base, slope);
      return read;
    }
    case HALVES:
      return decodeHalves(reader, count, target);
    default:
      assert((head & 15) === RUNS, `integer transform ${head & 15} is known`);
      return decodeRuns(reader, count, target);
  }
}

const NO_VALUES = new Float64Array(0);

/** Passes over values of `count`; those in blocks are not decoded. */
export function skip(reader: ByteReader, count: number): void {
  decode(reader, count, isInBlocks(reader.peek()) ? NO_VALUES : new Float64Array(count), 0, 0);
}

/** As `decode`, of values that are int32. */
export function decodeInt32s(
  reader: ByteReader,
  count: number,
  target: Int32Array,
  from = 0,
  to = count,
): ReadValues {
  const head = reader.peek();
  const read = blocksOf(from, to, count);
  if ((head & 15) === FRAME) {
    reader.byte();
    const base = unzigzag(reader.varint());
    readWords(reader, head >> 4, count, target, read);
    if (base !== 0) { for (let i = read.from; i < read.to; i++) target[i] = target[i]! + base; }
    for (const { place, residual } of readExceptions(reader, read)) target[place] = base + residual;
    return read;
  }
  if (head === (DELTA | RANS << 4)) {
    reader.byte();
    rans.decodeSums(reader, count, readStarts(reader, count), target, read.from, read.to);
    // An exception stood among the differences as zero: all sums from its place to the end of its block lack it.
    for (const { place, residual } of readExceptions(reader, read)) {
      const difference = unzigzag(residual);
      for (let i = place, end = endOfBlock(place, count); i < end; i++) target[i] = target[i]! + difference;
    }
    return read;
  }
  if (doubles.length < count) doubles = new Float64Array(count);
  const { from: first, to: end } = decode(reader, count, doubles, from, to);
  for (let i = first; i < end; i++) target[i] = doubles[i]!;
  return { from: first, to: end };
}

/** Numbers of a page on their way to be words, and words on their way to be numbers. */
let doubles = new Float64Array(PAGE_ROWS);
let words = new Int32Array(PAGE_ROWS);

/** The blocks that values are in. */
function blocksOf(from: number, to: number, count: number): ReadValues {
  return { from: from - from % BLOCK_VALUES, to: to === 0 ? 0 : endOfBlock(to - 1, count) };
}

function endOfBlock(place: number, count: number): number {
  return Math.min(count, place - place % BLOCK_VALUES + BLOCK_VALUES);
}

let starts = new Float64Array(PAGE_ROWS / BLOCK_VALUES);

/** What the sums of each block start from: good until the next call. */
function readStarts(reader: ByteReader, count: number): Float64Array {
  const blocks = Math.ceil(count / BLOCK_VALUES);
  if (starts.length < blocks) starts = new Float64Array(blocks);
  const base = starts[0] = unzigzag(reader.varint());
  for (let block = 1; block < blocks; block++) starts[block] = base + unzigzag(reader.varint());
  return starts;
}

/**
 * Reads residuals into `words`, unsigned.
 *
 * @returns false where they are in `target` instead: not all of them fit
 */
function readResiduals(
  reader: ByteReader,
  packing: number,
  count: number,
  target: Float64Array,
  read: ReadValues,
): boolean {
  const { from, to } = read;
  const isWide = packing === BITS && reader.peek() > 32;
  if (isWide) {
    const residuals = new Float64Array(count);
    bitPacking.decode(reader, count, reader.byte(), residuals);
    target.set(residuals.subarray(from, to), from);
  } else {
    if (words.length < count) words = new Int32Array(count);
    readWords(reader, packing, count, words, read);
  }
  const exceptions = readExceptions(reader, read);
  if (!isWide && exceptions.length === 0) return true;
  if (!isWide) addToWords(words, 0, target, read);
  for (const { place, residual } of exceptions) target[place] = residual;
  return false;
}

/** Residuals of at most 32 bits, without exceptions. */
function readWords(
  reader: ByteReader,
  packing: number,
  count: number,
  target: Int32Array,
  { from, to }: ReadValues,
): void {
  if (packing === BITS) return bitPacking.decodeWords(reader, count, reader.byte(), target, from, to);
  assert(packing === RANS, `integer packing ${packing} is known`);
  rans.decode(reader, count, target, from, to);
}

function addToWords(
  residuals: Int32Array,
  base: number,
  target: Float64Array,
  { from, to }: ReadValues,
): void {
  for (let i = from; i < to; i++) target[i] = (residuals[i]! >>> 0) + base;
}

interface Exception {
  readonly place: number;
  readonly residual: number;
}

const NO_EXCEPTIONS: readonly Exception[] = [];

/** Those among the values that are read. */
function readExceptions(reader: ByteReader, { from, to }: ReadValues): readonly Exception[] {
  const count = reader.varint();
  if (count === 0) return NO_EXCEPTIONS;
  const places = new Int32Array(count);
  for (let i = 0, place = 0; i < count; i++) places[i] = place += reader.varint();
  const exceptions: Exception[] = [];
  for (const place of places) {
    const residual = reader.varint();
    if (place >= from && place < to) exceptions.push({ place, residual });
  }
  return exceptions;
}

function sumWords(
  residuals: Int32Array,
  target: Float64Array,
  { from, to }: ReadValues,
  starts: Float64Array,
): void {
  for (let start = from; start < to; start += BLOCK_VALUES) {
    let value = starts[start / BLOCK_VALUES]!;
    const end = Math.min(to, start + BLOCK_VALUES);
    for (let i = start; i < end; i++) {
      const residual = residuals[i]!;
      target[i] = value += (residual >>> 1) ^ -(residual & 1);
    }
  }
}

function sumDeltas(target: Float64Array, { from, to }: ReadValues, starts: Float64Array): void {
  for (let start = from; start < to; start += BLOCK_VALUES) {
    let value = starts[start / BLOCK_VALUES]!;
    const end = Math.min(to, start + BLOCK_VALUES);
    for (let i = start; i < end; i++) target[i] = value += unzigzag(target[i]!);
  }
}

function sumDeltasOfDeltas(target: Float64Array, count: number, base: number, slope: number): void {
  if (count > 0) target[0] = base;
  let value = base + slope;
  if (count > 1) target[1] = value;
  let delta = slope;
  for (let i = 2; i < count; i++) {
    delta += unzigzag(target[i]!);
    target[i] = value += delta;
  }
}

/** As `sumDeltasOfDeltas`, where the residuals are zero but for exceptions, ascending by place: times at even intervals. */
function fillSteps(
  target: Float64Array,
  count: number,
  base: number,
  slope: number,
  exceptions: readonly Exception[],
): void {
  let value = base - slope;
  let step = slope;
  let from = 0;
  for (let next = 0; next <= exceptions.length; next++) {
    const exception = exceptions[next];
    const to = exception?.place ?? count;
    for (let i = from; i < to; i++) target[i] = value += step;
    if (exception !== undefined) step += unzigzag(exception.residual);
    from = to;
  }
}

/** Of `zigzag`, the other way. */
function unzigzag(value: number): number {
  if (value < TWO_31) {
    const bits = value | 0;
    return (bits >>> 1) ^ -(bits & 1);
  }
  const half = Math.floor(value / 2);
  return half * 2 === value ? half : -1 - half;
}

function decodeHalves(reader: ByteReader, count: number, target: Float64Array): ReadValues {
  const high = new Float64Array(count);
  decode(reader, count, target);
  decode(reader, count, high);
  for (let i = 0; i < count; i++) target[i] = target[i]! + high[i]! * TWO_32;
  return { from: 0, to: count };
}

function decodeRuns(reader: ByteReader, count: number, target: Float64Array): ReadValues {
  const runs = reader.varint();
  const lengths = new Float64Array(runs);
  const distinct = new Float64Array(runs);
  decode(reader, runs, lengths);
  decode(reader, runs, distinct);
  for (let run = 0, at = 0; run < runs; at += lengths[run++]!) {
    target.fill(distinct[run]!, at, at + lengths[run]!);
  }
  return { from: 0, to: count };
}
