/**
 * Whole numbers within ±2⁵³, from the data: the smallest of the transforms under the smallest of the packings.
 *
 *     transform 0  frame of reference   r[i] = v[i] − min
 *     transform 1  delta                r[i] = zigzag(v[i] − v[i−1])
 *     transform 2  delta of delta       r[i] = zigzag((v[i] − v[i−1]) − (v[i−1] − v[i−2]))
 *     transform 3  two halves           |v| > 2⁵⁰: low 32 bits, then the rest, each a sequence of its own
 *     transform 4  runs                 varint runs, their lengths, their values, each a sequence of its own
 *
 *     byte    transform | packing << 4
 *     varint  zigzag of the base: min, or v[0] (and v[1] − v[0] as a second one for transform 2)
 *     packing 0   byte width | bits (bit_packing.ts)
 *     packing 1   varint length | deflate stream, Huffman codes only, one byte a residual
 *     packing 2   rans.ts
 *     varint  number of exceptions | their places as gaps, varint | their residuals, varint
 *
 * Where the effort is "fast", only packing 0 is looked at, and transform 2 only where 0 and 1 leave many bits.
 *
 * Residuals too wide for the packing stand as exceptions (patched frame of reference: Zukowski et al., ICDE 2006), so
 * that the jump from one series to the next costs some bytes and not wide bits for all. A constant sequence has width 0.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { assert, PAGE_ROWS } from "../../base/mod.ts";
import { type ByteReader, ByteWriter } from "../byte_buffer.ts";
import type { Effort } from "./effort.ts";
import * as bitPacking from "./bit_packing.ts";
import * as rans from "./rans.ts";

const FRAME = 0;
const DELTA = 1;
const DELTA_OF_DELTA = 2;
const HALVES = 3;
const RUNS = 4;
/** Values a run must have on average for runs to be tried. */
const MIN_RUN = 8;
const BITS = 0;
const HUFFMAN = 1;
const RANS = 2;
/** Bits of the residuals that rANS takes. */
const RANS_WIDTH = 32;
/** Fewer values never pay for the tables of rANS. */
const RANS_VALUES = 32;
/** Differences that are by so many bits shorter than the values are the better ones, whatever the packing. */
const CLEARLY = 2;
/** Differences that take more bits may be those of a clock or a counter: worth a look at theirs. */
const WIDE = 5;
/** Words that lie within less have differences of differences of 31 bits. */
const NARROW = 2 ** 30;
/** Of residuals of a page, one page after another. */
const PAGE = new Uint32Array(PAGE_ROWS);
/** Differences of differences of numbers within this stay exact in a double. */
const SAFE = 2 ** 50;
const TWO_31 = 2147483648;
const TWO_32 = 4294967296;
const MAX_BITS = 54;
/** What a stream of Huffman codes carries beside them, about. */
const HUFFMAN_HEADER_BYTES = 48;
/** About what an exception takes beside its value. */
const EXCEPTION_PLACE_BYTES = 1.5;

/** Writes `values[0, count)`. */
export function encode(values: Float64Array, count: number, out: ByteWriter, effort: Effort = "small"): void {
  const range = rangeOf(values, count);
  if (range.min < -SAFE || range.max > SAFE) return encodeHalves(values, count, out, effort);
  if (effort === "fast") return encodeFast(values, count, range.min, out);
  const residuals = new Float64Array(count);
  const bits = residualBits(values, count, range.min);
  let best = plan(deltaResiduals(values, count, residuals), count, DELTA, effort);
  if (bits.frame < bits.delta + CLEARLY * count) {
    best = smaller(best, plan(frameResiduals(values, count, range.min, residuals), count, FRAME, effort));
  }
  if (bits.deltaOfDelta < bits.delta) {
    const residualsOfThree = deltaOfDeltaResiduals(values, count, residuals);
    best = smaller(best, plan(residualsOfThree, count, DELTA_OF_DELTA, effort));
  }
  const runs = countRuns(values, count);
  if (runs > 1 && runs * MIN_RUN <= count) {
    const encoded = encodedRuns(values, count, runs);
    if (encoded.length < best.costBytes) return out.bytes(encoded.written());
  }
  writePlan(
    best,
    values,
    residualsOf(best.transform, values, count, range.min, residuals),
    count,
    range.min,
    out,
  );
}

function encodeFast(values: Float64Array, count: number, min: number, out: ByteWriter): void {
  const residuals = new Float64Array(count);
  let best = plan(frameResiduals(values, count, min, residuals), count, FRAME, "fast");
  if (best.width > 0) {
    best = smaller(best, plan(deltaResiduals(values, count, residuals), count, DELTA, "fast"));
  }
  if (best.width > WIDE) {
    best = smaller(
      best,
      plan(deltaOfDeltaResiduals(values, count, residuals), count, DELTA_OF_DELTA, "fast"),
    );
  }
  writePlan(best, values, residualsOf(best.transform, values, count, min, residuals), count, min, out);
}

/** As `encode` writes them where the effort is "fast": `words[0, count)`, most of them without a double in between. */
export function encodeInt32s(words: Int32Array, count: number, out: ByteWriter): void {
  const range = rangeOfWords(words, count);
  if (range.max - range.min >= NARROW) {
    return encode(new Float64Array(words.subarray(0, count)), count, out, "fast");
  }
  const residuals = count <= PAGE.length ? PAGE : new Uint32Array(count);
  const planOf = (transform: number) => {
    wordResiduals(transform, words, count, range.min, residuals);
    countLengths(residuals, count);
    return cheapestPlan(count, transform, false);
  };
  let best = planOf(FRAME);
  let last = FRAME;
  if (best.width > 0) best = smaller(best, planOf(last = DELTA));
  if (best.width > WIDE) best = smaller(best, planOf(last = DELTA_OF_DELTA));
  if (best.transform !== last) wordResiduals(best.transform, words, count, range.min, residuals);
  writeHead(best, words, count, range.min, out);
  const exceptions = takeExceptions(residuals, count, 2 ** best.width);
  out.byte(best.width);
  bitPacking.encodeWords(residuals, count, best.width, out);
  writeExceptions(exceptions, out);
}

/** Reads `count` values into `target`. */
export function decode(reader: ByteReader, count: number, target: Float64Array): void {
  const head = reader.byte();
  const transform = head & 15;
  if (transform === HALVES) return decodeHalves(reader, count, target);
  if (transform === RUNS) return decodeRuns(reader, target);
  const base = unzigzag(reader.varint());
  const slope = transform === DELTA_OF_DELTA ? unzigzag(reader.varint()) : 0;
  readResiduals(reader, head >> 4, count, target);
  if (transform === FRAME) {
    for (let i = 0; i < count; i++) target[i] = target[i]! + base;
  } else if (transform === DELTA) {
    sumDeltas(target, count, base);
  } else {
    assert(transform === DELTA_OF_DELTA, `integer transform ${transform} is known`);
    sumDeltasOfDeltas(target, count, base, slope);
  }
}

interface Plan {
  readonly transform: number;
  readonly packing: number;
  readonly width: number;
  /** For rANS. */
  readonly mantissaBits: number;
  readonly costBytes: number;
}

function smaller(a: Plan, b: Plan): Plan {
  return b.costBytes < a.costBytes ? b : a;
}

const LENGTH_COUNTS = new Int32Array(MAX_BITS + 1);
/** By finest token; those below 256 are the residuals themselves. */
const TOKEN_COUNTS = new Int32Array(rans.TOKENS);

/** The cheapest packing of residuals and about what it costs. */
function plan(residuals: Float64Array, count: number, transform: number, effort: Effort): Plan {
  LENGTH_COUNTS.fill(0);
  const isCoded = effort === "small" && count >= RANS_VALUES;
  if (isCoded) countTokens(residuals, count);
  else for (let i = 0; i < count; i++) LENGTH_COUNTS[bitPacking.bitLength(residuals[i]!)]!++;
  return cheapestPlan(count, transform, isCoded);
}

/** The cheapest packing of residuals that were counted. @param isCoded whether their tokens were, too */
function cheapestPlan(count: number, transform: number, isCoded: boolean): Plan {
  let best: Plan = { transform, packing: BITS, width: MAX_BITS, mantissaBits: 0, costBytes: Infinity };
  let exceptionBytes = 0;
  for (let width = MAX_BITS; width >= 0; width--) {
    const costBytes = bitPacking.packedBytes(count, width) + exceptionBytes;
    if (costBytes < best.costBytes) best = { transform, packing: BITS, width, mantissaBits: 0, costBytes };
    if (width === RANS_WIDTH && isCoded) {
      const { mantissaBits, costBytes } = rans.bestPlan(TOKEN_COUNTS, count);
      best = smaller(best, {
        transform,
        packing: RANS,
        width,
        mantissaBits,
        costBytes: costBytes + exceptionBytes,
      });
    }
    if (width === 8 && isCoded && count > HUFFMAN_HEADER_BYTES) {
      best = smaller(best, huffmanPlan(count, transform, exceptionBytes));
    }
    exceptionBytes += LENGTH_COUNTS[width]! * (EXCEPTION_PLACE_BYTES + Math.ceil(width / 7));
  }
  return best;
}

/** Counts residuals by length, and by finest token where they have one. */
function countTokens(residuals: Float64Array, count: number): void {
  TOKEN_COUNTS.fill(0);
  for (let i = 0; i < count; i++) {
    const residual = residuals[i]!;
    if (residual < 256) {
      TOKEN_COUNTS[residual]!++;
    } else {
      LENGTH_COUNTS[bitPacking.bitLength(residual)]!++;
      if (residual < TWO_32) TOKEN_COUNTS[rans.finestToken(residual)]!++;
    }
  }
  for (let value = 0; value < 256; value++) {
    LENGTH_COUNTS[bitPacking.bitLength(value)]! += TOKEN_COUNTS[value]!;
  }
}

function huffmanPlan(count: number, transform: number, exceptionBytes: number): Plan {
  let bits = 0;
  for (let value = 0; value < 256; value++) {
    const times = TOKEN_COUNTS[value]!;
    // A code is at least one bit long, however likely its value.
    if (times > 0) bits += times * Math.max(1, Math.log2(count / times) * 1.02);
  }
  return {
    transform,
    packing: HUFFMAN,
    width: 8,
    mantissaBits: 0,
    costBytes: HUFFMAN_HEADER_BYTES + bits / 8 + exceptionBytes,
  };
}

function writePlan(
  chosen: Plan,
  values: Float64Array,
  residuals: Float64Array,
  count: number,
  min: number,
  out: ByteWriter,
): void {
  writeHead(chosen, values, count, min, out);
  const exceptions = takeExceptions(residuals, count, 2 ** chosen.width);
  if (chosen.packing === HUFFMAN) {
    out.sizedBytes(deflateRawSync(Uint8Array.from(residuals.subarray(0, count)), HUFFMAN_OPTIONS));
  } else if (chosen.packing === RANS) {
    rans.encode(residuals, count, chosen.mantissaBits, out);
  } else {
    out.byte(chosen.width);
    bitPacking.encode(residuals, count, chosen.width, out);
  }
  writeExceptions(exceptions, out);
}

function writeHead(
  { transform, packing }: Plan,
  values: Float64Array | Int32Array,
  count: number,
  min: number,
  out: ByteWriter,
): void {
  out.byte(transform | (packing << 4));
  out.varint(zigzag(count === 0 ? 0 : transform === FRAME ? min : values[0]!));
  if (transform === DELTA_OF_DELTA) out.varint(zigzag(count < 2 ? 0 : values[1]! - values[0]!));
}

/** Puts zeros in the place of the residuals from `limit` on; returns place and residual of each. */
function takeExceptions(residuals: Float64Array | Uint32Array, count: number, limit: number): number[] {
  const exceptions: number[] = [];
  for (let i = 0; i < count; i++) {
    if (residuals[i]! < limit) continue;
    exceptions.push(i, residuals[i]!);
    residuals[i] = 0;
  }
  return exceptions;
}

function writeExceptions(exceptions: readonly number[], out: ByteWriter): void {
  out.varint(exceptions.length >> 1);
  for (let i = 0, last = 0; i < exceptions.length; last = exceptions[i]!, i += 2) {
    out.varint(exceptions[i]! - last);
  }
  for (let i = 1; i < exceptions.length; i += 2) out.varint(exceptions[i]!);
}

/** A memory level of 7 makes one block of up to 8,191 codes; more only costs time to set up. */
const HUFFMAN_OPTIONS = { strategy: constants.Z_HUFFMAN_ONLY, memLevel: 7 } as const;

function readResiduals(reader: ByteReader, packing: number, count: number, target: Float64Array): void {
  if (packing === HUFFMAN) {
    const bytes = inflateRawSync(reader.sizedBytes(), { maxOutputLength: Math.max(1, count) });
    assert(bytes.length === count, "a stream of residuals holds one for each value");
    for (let i = 0; i < count; i++) target[i] = bytes[i]!;
  } else if (packing === RANS) {
    rans.decode(reader, count, target);
  } else {
    assert(packing === BITS, `integer packing ${packing} is known`);
    bitPacking.decode(reader, count, reader.byte(), target);
  }
  const exceptions = reader.varint();
  if (exceptions === 0) return;
  const places = new Int32Array(exceptions);
  for (let i = 0, place = 0; i < exceptions; i++) places[i] = place += reader.varint();
  for (let i = 0; i < exceptions; i++) target[places[i]!] = reader.varint();
}

function rangeOf(values: Float64Array, count: number): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

function rangeOfWords(words: Int32Array, count: number): { min: number; max: number } {
  let min = count === 0 ? 0 : words[0]!;
  let max = min;
  for (let i = 0; i < count; i++) {
    const value = words[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

/** The residuals of words so close together that those of any transform fit into 32 bits. */
function wordResiduals(
  transform: number,
  words: Int32Array,
  count: number,
  min: number,
  out: Uint32Array,
): void {
  if (transform === FRAME) {
    for (let i = 0; i < count; i++) out[i] = words[i]! - min;
    return;
  }
  let last = words[0]!;
  let lastStep = transform === DELTA || count < 2 ? 0 : words[1]! - last;
  const isDelta = transform === DELTA;
  for (let i = 0; i < count; i++) {
    const step = (words[i]! - last) | 0;
    const rest = isDelta ? step : i < 2 ? 0 : (step - lastStep) | 0;
    out[i] = (rest << 1) ^ (rest >> 31);
    last = words[i]!;
    if (i > 0) lastStep = step;
  }
}

function countLengths(residuals: Uint32Array, count: number): void {
  LENGTH_COUNTS.fill(0);
  for (let i = 0; i < count; i++) LENGTH_COUNTS[32 - Math.clz32(residuals[i]!)]!++;
}

interface ResidualBits {
  readonly frame: number;
  readonly delta: number;
  readonly deltaOfDelta: number;
}

/** How many bits the residuals of each transform have together, signs left out. */
function residualBits(values: Float64Array, count: number, min: number): ResidualBits {
  let frame = 0;
  let delta = 0;
  let deltaOfDelta = 0;
  let last = values[0] ?? 0;
  let lastStep = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const step = value - last;
    frame += bitPacking.bitLength(value - min);
    delta += bitPacking.bitLength(Math.abs(step));
    deltaOfDelta += bitPacking.bitLength(Math.abs(step - lastStep));
    last = value;
    lastStep = step;
  }
  return { frame, delta, deltaOfDelta };
}

function residualsOf(
  transform: number,
  values: Float64Array,
  count: number,
  min: number,
  out: Float64Array,
): Float64Array {
  if (transform === FRAME) return frameResiduals(values, count, min, out);
  if (transform === DELTA) return deltaResiduals(values, count, out);
  return deltaOfDeltaResiduals(values, count, out);
}

function frameResiduals(values: Float64Array, count: number, min: number, out: Float64Array): Float64Array {
  for (let i = 0; i < count; i++) out[i] = values[i]! - min;
  return out;
}

function deltaResiduals(values: Float64Array, count: number, out: Float64Array): Float64Array {
  let last = values[0] ?? 0;
  for (let i = 0; i < count; i++) {
    out[i] = zigzag(values[i]! - last);
    last = values[i]!;
  }
  return out;
}

function deltaOfDeltaResiduals(values: Float64Array, count: number, out: Float64Array): Float64Array {
  if (count > 0) out[0] = 0;
  if (count > 1) out[1] = 0;
  let lastDelta = values[1]! - values[0]!;
  for (let i = 2; i < count; i++) {
    const delta = values[i]! - values[i - 1]!;
    out[i] = zigzag(delta - lastDelta);
    lastDelta = delta;
  }
  return out;
}

function sumDeltas(target: Float64Array, count: number, base: number): void {
  let value = base;
  for (let i = 0; i < count; i++) target[i] = value += unzigzag(target[i]!);
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

/** 0, −1, 1, −2 … as 0, 1, 2, 3 … */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  if (value < TWO_31) {
    const bits = value | 0;
    return (bits >>> 1) ^ -(bits & 1);
  }
  const half = Math.floor(value / 2);
  return half * 2 === value ? half : -1 - half;
}

function encodeHalves(values: Float64Array, count: number, out: ByteWriter, effort: Effort): void {
  const low = new Float64Array(count);
  const high = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    high[i] = Math.floor(values[i]! / TWO_32);
    low[i] = values[i]! - high[i]! * TWO_32;
  }
  out.byte(HALVES);
  encode(low, count, out, effort);
  encode(high, count, out, effort);
}

function decodeHalves(reader: ByteReader, count: number, target: Float64Array): void {
  const high = new Float64Array(count);
  decode(reader, count, target);
  decode(reader, count, high);
  for (let i = 0; i < count; i++) target[i] = target[i]! + high[i]! * TWO_32;
}

function countRuns(values: Float64Array, count: number): number {
  let runs = count > 0 ? 1 : 0;
  for (let i = 1; i < count; i++) if (values[i] !== values[i - 1]) runs++;
  return runs;
}

function encodedRuns(values: Float64Array, count: number, runs: number): ByteWriter {
  const lengths = new Float64Array(runs);
  const distinct = new Float64Array(runs);
  for (let i = 0, run = -1; i < count; i++) {
    if (i === 0 || values[i] !== values[i - 1]) distinct[++run] = values[i]!;
    lengths[run]!++;
  }
  const out = new ByteWriter();
  out.byte(RUNS);
  out.varint(runs);
  encode(lengths, runs, out);
  encode(distinct, runs, out);
  return out;
}

function decodeRuns(reader: ByteReader, target: Float64Array): void {
  const runs = reader.varint();
  const lengths = new Float64Array(runs);
  const distinct = new Float64Array(runs);
  decode(reader, runs, lengths);
  decode(reader, runs, distinct);
  for (let run = 0, at = 0; run < runs; at += lengths[run++]!) {
    target.fill(distinct[run]!, at, at + lengths[run]!);
  }
}
