/**
 * Whole numbers from 0 below 2³², each in about as many bits as its likelihood says.
 *
 *     byte m | scale << 4 | varint bytes | bits (bit_stream.ts): the frequency of each token from 0 on, until they add up
 *     to 2^scale
 *     for each block of 1,024 numbers:
 *       varint words | two states, 4 bytes each | words, 2 bytes each
 *       where any token has low bits: varint bytes | the low bits of the numbers
 *
 * Blocks share frequencies and nothing else: a reader who wants few numbers decodes the blocks that they are in.
 *
 * Frequencies are Elias gamma codes of the frequency + 1; after a zero stands that of the number of further zeros + 1.
 *
 * A number is a token and bits: below 2^(m+1) the token is the number itself; else, with e = its bit length − 1 − m,
 * the token is e · 2^m + (number >> e) and its e low bits stand among the bits. So the first m + 1 bits, which tell more,
 * are coded, and the others, which are noise, are not (the hybrid integers of JPEG XL, ISO/IEC 18181-1).
 *
 * The tokens go through rANS (Duda, "Asymmetric numeral systems", 2013) of order 0 with two states in turn, so that one
 * need not wait for the other (Giesen, "Interleaved entropy coders", 2014). A state is below 2³¹ and takes in a word of
 * 16 bits whenever it falls below 2¹⁵. The encoder goes from the last number to the first, the decoder forward.
 */
import { assert } from "../../base/mod.ts";
import type { ByteWriter } from "../byte_buffer.ts";
import { bitLength } from "./bit_packing.ts";
import { BitWriter } from "./bit_stream.ts";
import { BLOCK_VALUES } from "./block_values.ts";

const MAX_MANTISSA_BITS = 7;
/** Tokens of the numbers below 2³² with the most mantissa bits; `countTokens` counts those. */
export const TOKENS = tokenOf(0xffffffff, MAX_MANTISSA_BITS) + 1;
const MIN_SCALE = 6;
const MAX_SCALE = 10;
const STATE_LIMIT = 1 << 15;
const STATE_BITS = 31;
/** Beside frequencies, bits and words: lengths, parameters, states. */
const FIXED_BYTES = 13;
const FIXED_BLOCK_BYTES = 10;
/** About what tokens between others cost that do not occur. */
const GAP_BITS = 4;

/** How numbers are best split into tokens and bits. */
export interface RansPlan {
  readonly mantissaBits: number;
  readonly costBytes: number;
}

/** The token of a number from 0 below 2³² under `mantissaBits`. */
export function tokenOf(value: number, mantissaBits: number): number {
  if (value < 2 << mantissaBits) return value;
  const low = 31 - Math.clz32(value) - mantissaBits;
  return (low << mantissaBits) + (value >>> low);
}

/** The finest token, of which `bestPlan` takes the counts. */
export function finestToken(value: number): number {
  return value < 256 ? value : tokenOf(value, MAX_MANTISSA_BITS);
}

/** The smallest number that has a token. */
function firstOf(token: number, mantissaBits: number): number {
  const low = lowBitsOf(token, mantissaBits);
  return low === 0 ? token : ((token - (low << mantissaBits)) << low) >>> 0;
}

/** The bits of a number that stand beside its token. */
function lowBitsOf(token: number, mantissaBits: number): number {
  return Math.max(0, (token >>> mantissaBits) - 1);
}

const FOLDED = new Int32Array(TOKENS);

/** The mantissa bits that take the fewest bytes for numbers with `counts` of finest tokens. */
export function bestPlan(counts: Int32Array, count: number): RansPlan {
  let tokens = TOKENS;
  while (tokens > 0 && counts[tokens - 1] === 0) tokens--;
  for (let token = 0; token < tokens; token++) FOLDED[token] = counts[token]!;
  let best: RansPlan = { mantissaBits: MAX_MANTISSA_BITS, costBytes: Infinity };
  for (let mantissaBits = MAX_MANTISSA_BITS;; mantissaBits--) {
    const costBytes = costOf(FOLDED, tokens, count, mantissaBits);
    if (costBytes < best.costBytes) best = { mantissaBits, costBytes };
    if (mantissaBits === 0) return best;
    tokens = fold(FOLDED, tokens, mantissaBits);
  }
}

/** Turns counts of tokens into those under one mantissa bit less; returns how many tokens are left. */
function fold(counts: Int32Array, tokens: number, mantissaBits: number): number {
  let left = 0;
  for (let token = 0; token < tokens; token++) {
    const times = counts[token]!;
    counts[token] = 0;
    if (times === 0) continue;
    const folded = tokenOf(firstOf(token, mantissaBits), mantissaBits - 1);
    counts[folded]! += times;
    left = folded + 1;
  }
  return left;
}

function costOf(counts: Int32Array, tokens: number, count: number, mantissaBits: number): number {
  const scale = scaleOf(count);
  let bits = 0;
  let distinct = 0;
  for (let token = 0; token < tokens; token++) {
    const times = counts[token]!;
    if (times === 0) continue;
    if (token > 0 && counts[token - 1] === 0) bits += GAP_BITS;
    distinct++;
    const frequencyBits = 2 * Math.log2(1 + (times << scale) / count);
    bits += frequencyBits + times * (Math.log2(count / times) + lowBitsOf(token, mantissaBits));
  }
  if (distinct > 1 << (scale - 1)) return Infinity;
  return FIXED_BYTES + Math.floor((count - 1) / BLOCK_VALUES) * FIXED_BLOCK_BYTES + bits / 8;
}

/** The frequencies of few numbers need not be exact, and small tables are quick to make. */
function scaleOf(count: number): number {
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, bitLength(count)));
}

/** Writes `values[0, count)`, at least one. */
export function encode(values: Float64Array, count: number, mantissaBits: number, out: ByteWriter): void {
  const tokens = new Uint16Array(count);
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const token = tokenOf(values[i]!, mantissaBits);
    tokens[i] = token;
    if (token > largest) largest = token;
  }
  const counts = new Int32Array(largest + 1);
  for (let i = 0; i < count; i++) counts[tokens[i]!]!++;
  const scale = scaleOf(count);
  const frequencies = frequenciesOf(counts, count, scale);
  const bits = new BitWriter(largest);
  writeFrequencies(frequencies, bits);
  out.byte(mantissaBits | (scale << 4));
  out.sizedBytes(bits.finish());
  const starts = new Int32Array(frequencies.length);
  for (let token = 1; token < starts.length; token++) {
    starts[token] = starts[token - 1]! + frequencies[token - 1]!;
  }
  for (let from = 0; from < count; from += BLOCK_VALUES) {
    const to = Math.min(count, from + BLOCK_VALUES);
    writeTokens(tokens, from, to, frequencies, starts, scale, out);
    if (lowBitsOf(largest, mantissaBits) > 0) writeLowBits(values, tokens, from, to, mantissaBits, out);
  }
}

function writeLowBits(
  values: Float64Array,
  tokens: Uint16Array,
  from: number,
  to: number,
  mantissaBits: number,
  out: ByteWriter,
): void {
  const bits = new BitWriter(to - from);
  for (let i = from; i < to; i++) {
    const low = lowBitsOf(tokens[i]!, mantissaBits);
    if (low > 0) bits.write(values[i]! & ((1 << low) - 1), low);
  }
  out.sizedBytes(bits.finish());
}

/** Elias' gamma code of a whole number from 1 on: its bit length − 1 in zeros, a one, its bits below the first. */
function writeGamma(value: number, bits: BitWriter): void {
  const below = bitLength(value) - 1;
  bits.write(1 << below, below + 1);
  bits.write(value - (1 << below), below);
}

/** Frequencies that add up to 2^scale, none zero whose token occurs. */
function frequenciesOf(counts: Int32Array, count: number, scale: number): Int32Array {
  const total = 1 << scale;
  const frequencies = new Int32Array(counts.length);
  let sum = 0;
  for (let token = 0; token < counts.length; token++) {
    if (counts[token] === 0) continue;
    frequencies[token] = Math.max(1, Math.round(counts[token]! * total / count));
    sum += frequencies[token]!;
  }
  // What rounding gave too much or too little falls on the commonest, where it costs least.
  while (sum !== total) {
    const token = indexOfLargest(frequencies);
    const change = sum > total ? -Math.min(sum - total, frequencies[token]! >> 1) : total - sum;
    assert(change !== 0, "there are at most half as many tokens as the scale has slots");
    frequencies[token]! += change;
    sum += change;
  }
  return frequencies;
}

function indexOfLargest(values: Int32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

function writeFrequencies(frequencies: Int32Array, bits: BitWriter): void {
  for (let token = 0; token < frequencies.length; token++) {
    writeGamma(frequencies[token]! + 1, bits);
    if (frequencies[token]! > 0) continue;
    const first = token;
    while (frequencies[token + 1] === 0) token++;
    writeGamma(token - first + 1, bits);
  }
}

/** Writes `tokens[from, to)`. @param starts of each token its first slot */
function writeTokens(
  tokens: Uint16Array,
  from: number,
  to: number,
  frequencies: Int32Array,
  starts: Int32Array,
  scale: number,
  out: ByteWriter,
): void {
  const words = new Uint16Array(to - from + 2);
  let at = words.length;
  let even = STATE_LIMIT;
  let odd = STATE_LIMIT;
  const full = 2 ** (STATE_BITS - scale);
  for (let i = to - 1; i >= from; i--) {
    const token = tokens[i]!;
    const frequency = frequencies[token]!;
    let state = (i & 1) === 0 ? even : odd;
    if (state >= frequency * full) {
      words[--at] = state;
      state >>>= 16;
    }
    const turns = Math.floor(state / frequency);
    state = (turns << scale) + state - turns * frequency + starts[token]!;
    if ((i & 1) === 0) even = state;
    else odd = state;
  }
  out.varint(words.length - at);
  out.uint32(even);
  out.uint32(odd);
  for (; at < words.length; at++) {
    out.byte(words[at]! & 255);
    out.byte(words[at]! >>> 8);
  }
}
