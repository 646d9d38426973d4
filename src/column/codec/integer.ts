/**
 * Whole numbers within ±2⁵³, from the data: the smallest of three transforms under the smaller of two packings.
 *
 *     transform 0  frame of reference   r[i] = v[i] − min
 *     transform 1  delta                r[i] = zigzag(v[i] − v[i−1])
 *     transform 2  delta of delta       r[i] = zigzag((v[i] − v[i−1]) − (v[i−1] − v[i−2]))
 *     transform 3  two halves           |v| > 2⁵⁰: low 32 bits, then the rest, each a sequence of its own
 *
 *     byte    transform | packing << 4
 *     varint  zigzag of the base: min, or v[0] (and v[1] − v[0] as a second one for transform 2)
 *     packing 0   byte width | bits (bit_packing.ts)
 *     packing 1   varint length | deflate stream, Huffman codes only, one byte a residual
 *     varint  number of exceptions | their places as gaps, varint | their residuals, varint
 *
 * Residuals too wide for the packing stand as exceptions (patched frame of reference: Zukowski et al., ICDE 2006), so
 * that the jump from one series to the next costs some bytes and not wide bits for all. A constant sequence has width 0.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { assert } from "../../base/mod.ts";
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import * as bitPacking from "./bit_packing.ts";

const FRAME = 0;
const DELTA = 1;
const DELTA_OF_DELTA = 2;
const HALVES = 3;
const BITS = 0;
const HUFFMAN = 1;
/** Differences of differences of numbers within this stay exact in a double. */
const SAFE = 2 ** 50;
const TWO_32 = 4294967296;
const MAX_BITS = 54;
/** What a stream of Huffman codes carries beside them, about. */
const HUFFMAN_HEADER_BYTES = 48;
/** About what an exception takes beside its value. */
const EXCEPTION_PLACE_BYTES = 1.5;

/** Writes `values[0, count)`. */
export function encode(values: Float64Array, count: number, out: ByteWriter): void {
  const range = rangeOf(values, count);
  if (range.min < -SAFE || range.max > SAFE) return encodeHalves(values, count, out);
  const residuals = new Float64Array(count);
  let best = plan(frameResiduals(values, count, range.min, residuals), count, FRAME);
  best = smaller(best, plan(deltaResiduals(values, count, residuals), count, DELTA));
  best = smaller(best, plan(deltaOfDeltaResiduals(values, count, residuals), count, DELTA_OF_DELTA));
  if (best.transform === FRAME) frameResiduals(values, count, range.min, residuals);
  else if (best.transform === DELTA) deltaResiduals(values, count, residuals);
  writePlan(best, values, residuals, count, range.min, out);
}

/** Reads `count` values into `target`. */
export function decode(reader: ByteReader, count: number, target: Float64Array): void {
  const head = reader.byte();
  const transform = head & 15;
  if (transform === HALVES) return decodeHalves(reader, count, target);
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
  readonly costBytes: number;
}

function smaller(a: Plan, b: Plan): Plan {
  return b.costBytes < a.costBytes ? b : a;
}

const LENGTH_COUNTS = new Int32Array(MAX_BITS + 1);
const BYTE_COUNTS = new Int32Array(256);

/** The cheaper packing of residuals and about what it costs. */
function plan(residuals: Float64Array, count: number, transform: number): Plan {
  LENGTH_COUNTS.fill(0);
  BYTE_COUNTS.fill(0);
  for (let i = 0; i < count; i++) {
    const residual = residuals[i]!;
    if (residual < 256) BYTE_COUNTS[residual]!++;
    else LENGTH_COUNTS[bitPacking.bitLength(residual)]!++;
  }
  for (let value = 0; value < 256; value++) {
    LENGTH_COUNTS[bitPacking.bitLength(value)]! += BYTE_COUNTS[value]!;
  }
  let best: Plan = { transform, packing: BITS, width: MAX_BITS, costBytes: Infinity };
  let exceptionBytes = 0;
  for (let width = MAX_BITS; width >= 0; width--) {
    const costBytes = bitPacking.packedBytes(count, width) + exceptionBytes;
    if (costBytes < best.costBytes) best = { transform, packing: BITS, width, costBytes };
    if (width === 8) best = smaller(best, huffmanPlan(count, transform, exceptionBytes));
    exceptionBytes += LENGTH_COUNTS[width]! * (EXCEPTION_PLACE_BYTES + Math.ceil(width / 7));
  }
  return best;
}

function huffmanPlan(count: number, transform: number, exceptionBytes: number): Plan {
  let bits = 0;
  for (let value = 0; value < 256; value++) {
    const times = BYTE_COUNTS[value]!;
    // A code is at least one bit long, however likely its value.
    if (times > 0) bits += times * Math.max(1, Math.log2(count / times) * 1.02);
  }
  return {
    transform,
    packing: HUFFMAN,
    width: 8,
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
  out.byte(chosen.transform | (chosen.packing << 4));
  out.varint(zigzag(count === 0 ? 0 : chosen.transform === FRAME ? min : values[0]!));
  if (chosen.transform === DELTA_OF_DELTA) out.varint(zigzag(count < 2 ? 0 : values[1]! - values[0]!));
  const limit = 2 ** chosen.width;
  const exceptions: number[] = [];
  for (let i = 0; i < count; i++) {
    if (residuals[i]! < limit) continue;
    exceptions.push(i, residuals[i]!);
    residuals[i] = 0;
  }
  if (chosen.packing === HUFFMAN) {
    out.sizedBytes(deflateRawSync(Uint8Array.from(residuals.subarray(0, count)), HUFFMAN_OPTIONS));
  } else {
    out.byte(chosen.width);
    bitPacking.encode(residuals, count, chosen.width, out);
  }
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
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function encodeHalves(values: Float64Array, count: number, out: ByteWriter): void {
  const low = new Float64Array(count);
  const high = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    high[i] = Math.floor(values[i]! / TWO_32);
    low[i] = values[i]! - high[i]! * TWO_32;
  }
  out.byte(HALVES);
  encode(low, count, out);
  encode(high, count, out);
}

function decodeHalves(reader: ByteReader, count: number, target: Float64Array): void {
  const high = new Float64Array(count);
  decode(reader, count, target);
  decode(reader, count, high);
  for (let i = 0; i < count; i++) target[i] = target[i]! + high[i]! * TWO_32;
}
