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
 *     varint  for transform 1, for each block of 1,024 values behind the first: zigzag of what stands before it, less the base
 *     packing 0   byte width | bits (bit_packing.ts)
 *     packing 1   rans.ts
 *     varint  number of exceptions | their places as gaps, varint | their residuals, varint
 *
 * Where the effort is "fast", only packing 0 is looked at, and transform 2 only where 0 and 1 leave many bits.
 *
 * Residuals too wide for the packing stand as exceptions (patched frame of reference: Zukowski et al., ICDE 2006), so
 * that the jump from one series to the next costs some bytes and not wide bits for all. A constant sequence has width 0.
 */
import { PAGE_ROWS } from "../../base/mod.ts";
import { ByteWriter } from "../byte_buffer.ts";
import type { Effort } from "./effort.ts";
import * as bitPacking from "./bit_packing.ts";
import { BLOCK_VALUES } from "./block_values.ts";
import { DELTA, DELTA_OF_DELTA, FRAME, HALVES, RANS, RUNS } from "./integer_format.ts";
import { type Plan, plan, planOfWords, smaller } from "./integer_plan.ts";
import * as rans from "./rans.ts";

/** Values a run must have on average for runs to be tried. */
const MIN_RUN = 8;
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
const TWO_32 = 4294967296;

export { decode, decodeInt32s, isInBlocks, type ReadValues, skip } from "./integer_decode.ts";

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
    return planOfWords(residuals, count, transform);
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
  if (chosen.packing === RANS) {
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
  if (transform !== DELTA) return;
  for (let start = BLOCK_VALUES; start < count; start += BLOCK_VALUES) {
    out.varint(zigzag(values[start - 1]! - values[0]!));
  }
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

/** 0, −1, 1, −2 … as 0, 1, 2, 3 … */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
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
