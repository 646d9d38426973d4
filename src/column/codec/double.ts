/**
 * Doubles, bit for bit, given as words (the low one first), in the form that is smallest:
 *
 *     byte 0  decimal      decimal.ts
 *     byte 1  byte planes  byte_planes.ts
 *     byte 2  ALP          alp.ts
 *     byte 3  ALP-RD       alp_rd.ts
 *     byte 4  XOR          xor.ts
 *     byte 5  runs         varint runs | integer.ts over their lengths | the value of each, as doubles
 *
 * Most measured values are decimals, and nothing beats decimals of two bytes: only where that fails the others are
 * compared, over a sample of stretches of neighbours, and the smallest of them encodes the page.
 */
import { assert } from "../../base/mod.ts";
import { type ByteReader, ByteWriter } from "../byte_buffer.ts";
import * as alp from "./alp.ts";
import * as alpRd from "./alp_rd.ts";
import * as bytePlanes from "./byte_planes.ts";
import * as decimal from "./decimal.ts";
import type { Effort } from "./effort.ts";
import * as integer from "./integer.ts";
import * as xor from "./xor.ts";

const DECIMAL = 0;
const PLANES = 1;
const ALP = 2;
const ALP_RD = 3;
const XOR = 4;
const RUNS = 5;

/** Decimals of so few bytes a value are taken at once. */
const GOOD_BYTES = 2;
/** Values a run must have on average for runs to be tried. */
const MIN_RUN = 8;
/** Bytes after the mode that are worth keeping from a sample: the layout, or exponent and factor. */
const PARAMETERS = 2;
const SAMPLE_STRETCHES = 4;
const STRETCH_VALUES = 256;

/** Writes the doubles `words[0, 2 · count)`, which start at a multiple of eight bytes. */
export function encode(words: Int32Array, count: number, out: ByteWriter, effort: Effort = "small"): void {
  let best = decimals(words, count, effort);
  const runs = countRuns(words, count);
  if (runs > 0 && runs * MIN_RUN <= count) best = smaller(best, encodedRuns(words, count, runs));
  if (best === undefined || best.length > count * GOOD_BYTES) {
    best = smaller(best, encodedAsSample(words, count));
  }
  out.bytes(best.written());
}

/**
 * Reads doubles of `count` into their places in `words`, which start at a multiple of eight bytes: at least those of
 * `[from, to)`, and not many others where `isInBlocks` says so.
 */
export function decode(reader: ByteReader, count: number, words: Int32Array, from = 0, to = count): void {
  const mode = reader.byte();
  switch (mode) {
    case DECIMAL:
      return decimal.decode(reader, count, words, from, to);
    case PLANES:
      return bytePlanes.decode(reader, count, words);
    case ALP:
      return alp.decode(reader, count, words, from, to);
    case ALP_RD:
      return alpRd.decode(reader, count, words);
    case XOR:
      return xor.decode(reader, count, words);
  }
  assert(mode === RUNS, `double mode ${mode} is known`);
  decodeRuns(reader, words);
}

/** Whether the doubles that are written in `content` from `at` on can be read in blocks. */
export function isInBlocks(content: Uint8Array, at: number): boolean {
  const mode = content[at];
  if (mode !== DECIMAL && mode !== ALP) return false;
  return integer.isInBlocks(content[at + (mode === DECIMAL ? 2 : 3)]!);
}

/** Fewer values are not worth trying what makes them smallest. */
const LEAST_SAMPLED_VALUES = 32;

function smaller(a: ByteWriter | undefined, b: ByteWriter): ByteWriter {
  return a !== undefined && a.length <= b.length ? a : b;
}

function decimals(words: Int32Array, count: number, effort: Effort): ByteWriter | undefined {
  const places = decimal.sampledPlaces(new Float64Array(words.buffer, words.byteOffset, count), count);
  if (places < 0) return undefined;
  const out = new ByteWriter(count * GOOD_BYTES);
  out.byte(DECIMAL);
  return decimal.encode(words, count, places, out, effort) ? out : undefined;
}

/** The doubles in the mode, of those that any can take, that makes a sample smallest. */
function encodedAsSample(words: Int32Array, count: number): ByteWriter {
  if (count < LEAST_SAMPLED_VALUES) return encodedAs(words, count, PLANES, [bytePlanes.PLAIN]);
  const sample = sampleOf(words, count);
  const length = sample.length >> 1;
  let best = encodedAs(sample, length, XOR);
  best = smaller(best, encodedAs(sample, length, ALP_RD));
  if (alp.suits(sample, length)) best = smaller(best, encodedAs(sample, length, ALP));
  best = smaller(best, encodedAs(sample, length, PLANES));
  if (length === count) return best;
  const [mode, ...parameters] = best.written().subarray(0, 1 + PARAMETERS);
  const all = encodedAs(words, count, mode!, parameters);
  // A sample may mislead; then at least nothing grows.
  return all.length <= count * 8 ? all : smaller(all, encodedAs(words, count, PLANES));
}

/** Stretches of neighbours from all parts of the values; all values where they are few. */
function sampleOf(words: Int32Array, count: number): Int32Array {
  if (count <= SAMPLE_STRETCHES * STRETCH_VALUES) return words.subarray(0, 2 * count);
  const sample = new Int32Array(2 * SAMPLE_STRETCHES * STRETCH_VALUES);
  const step = Math.floor((count - STRETCH_VALUES) / (SAMPLE_STRETCHES - 1));
  for (let k = 0; k < SAMPLE_STRETCHES; k++) {
    const from = 2 * k * step;
    sample.set(words.subarray(from, from + 2 * STRETCH_VALUES), 2 * k * STRETCH_VALUES);
  }
  return sample;
}

/** @param parameters the bytes after the mode that the encoder would otherwise find out, from a sample's */
function encodedAs(words: Int32Array, count: number, mode: number, parameters?: number[]): ByteWriter {
  const [first, second] = parameters ?? [];
  const out = new ByteWriter(count * 8);
  out.byte(mode);
  if (mode === XOR) {
    xor.encode(words, count, out);
  } else if (mode === ALP_RD) {
    alpRd.encode(words, count, out);
  } else if (mode === ALP) {
    const scale = parameters === undefined ? undefined : { exponent: first!, factor: second! };
    alp.encode(words, count, out, scale);
  } else {
    bytePlanes.encode(words, count, out, parameters === undefined ? undefined : [first!]);
  }
  return out;
}

function countRuns(words: Int32Array, count: number): number {
  let runs = count > 0 ? 1 : 0;
  for (let i = 2; i < 2 * count; i += 2) {
    if (words[i] !== words[i - 2] || words[i + 1] !== words[i - 1]) runs++;
  }
  return runs;
}

function encodedRuns(words: Int32Array, count: number, runs: number): ByteWriter {
  const lengths = new Float64Array(runs);
  const values = new Int32Array(runs * 2);
  for (let i = 0, run = -1; i < count; i++) {
    if (i === 0 || words[2 * i] !== words[2 * i - 2] || words[2 * i + 1] !== words[2 * i - 1]) {
      run++;
      values[2 * run] = words[2 * i]!;
      values[2 * run + 1] = words[2 * i + 1]!;
    }
    lengths[run]!++;
  }
  const out = new ByteWriter();
  out.byte(RUNS);
  out.varint(runs);
  integer.encode(lengths, runs, out);
  encode(values, runs, out);
  return out;
}

function decodeRuns(reader: ByteReader, words: Int32Array): void {
  const runs = reader.varint();
  const lengths = new Float64Array(runs);
  integer.decode(reader, runs, lengths);
  const values = new Int32Array(runs * 2);
  decode(reader, runs, values);
  for (let run = 0, at = 0; run < runs; run++) {
    const end = at + 2 * lengths[run]!;
    for (; at < end; at += 2) {
      words[at] = values[2 * run]!;
      words[at + 1] = values[2 * run + 1]!;
    }
  }
}
