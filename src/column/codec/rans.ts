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
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
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
/** Of both states. */
const STATE_BYTES = 8;
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

/**
 * Of each slot of the page that is being decoded: what its token adds, its place among the token's slots, and the token's
 * frequency less one, in 12 and twice 10 bits from the highest on. One table that stays in the processor's nearest cache.
 */
const SLOTS = new Int32Array(1 << MAX_SCALE);
const TOKEN_SHIFT = 2 * MAX_SCALE;
const TOKEN_MASK = (1 << (32 - TOKEN_SHIFT)) - 1;
const PLACE_MASK = (1 << MAX_SCALE) - 1;

/**
 * Reads numbers of `count` into their places in `target`, as unsigned words: of the blocks that those of `[from, to)` are
 * in.
 */
export function decode(
  reader: ByteReader,
  count: number,
  target: Int32Array,
  from = 0,
  to = count,
): void {
  readBlocks(reader, count, undefined, target, from, to);
}

/**
 * As `decode`, of numbers that are differences, zigzag: what comes out are their sums, which wrap around.
 *
 * @param starts what the sums of each block start from
 */
export function decodeSums(
  reader: ByteReader,
  count: number,
  starts: Float64Array,
  target: Int32Array,
  from: number,
  to: number,
): void {
  readBlocks(reader, count, starts, target, from, to);
}

function readBlocks(
  reader: ByteReader,
  count: number,
  starts: Float64Array | undefined,
  target: Int32Array,
  from: number,
  to: number,
): void {
  const head = reader.byte();
  const mantissaBits = head & 15;
  const scale = head >> 4;
  assert(mantissaBits <= MAX_MANTISSA_BITS && scale <= MAX_SCALE, "parameters of rANS are in their range");
  const tokens = readFrequencies(reader.sizedBytes(), scale);
  const hasLowBits = lowBitsOf(TOKEN_OF[tokens - 1]!, mantissaBits) > 0;
  // Tokens that are numbers can be summed up while they are read: that waits for tables and states, and has it for nothing.
  const areSummed = starts !== undefined && !hasLowBits;
  fillSlots(tokens, areSummed);
  for (let start = 0; start < count; start += BLOCK_VALUES) {
    const end = Math.min(count, start + BLOCK_VALUES);
    const sizeBytes = STATE_BYTES + 2 * reader.varint();
    if (start >= to || end <= from) {
      reader.skip(sizeBytes);
      if (hasLowBits) reader.skip(reader.varint());
      continue;
    }
    const block = reader.bytes(sizeBytes);
    const lowBits = hasLowBits ? reader.sizedBytes() : undefined;
    const before = starts === undefined ? 0 : starts[start / BLOCK_VALUES]!;
    readTokens(block, start, end, scale, areSummed, before, target);
    if (lowBits === undefined) continue;
    addLowBits(target, start, end, mantissaBits, lowBits);
    if (starts !== undefined) sum(target, start, end, before);
  }
}

function sum(target: Int32Array, from: number, to: number, before: number): void {
  let value = before | 0;
  for (let i = from; i < to; i++) {
    const number = target[i]!;
    value = (value + ((number >>> 1) ^ -(number & 1))) | 0;
    target[i] = value;
  }
}

/** The tokens of the page that is being decoded, ascending, and how many slots each has. */
const TOKEN_OF = new Int32Array(1 << MAX_SCALE);
const FREQUENCY_OF = new Int32Array(1 << MAX_SCALE);
/** Zeros that the longest gamma code starts with. */
const MAX_GAMMA_ZEROS = 11;

/** Reads which tokens there are, into the arrays above. @returns how many */
function readFrequencies(bytes: Uint8Array, scale: number): number {
  const slots = 1 << scale;
  let tokens = 0;
  let at = 0;
  let isGap = false;
  for (let slot = 0, token = 0; slot < slots;) {
    const byte = at >> 3;
    // Bytes beyond the end read as undefined, which the shifts take for zero.
    const bits =
      (bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16) | (bytes[byte + 3]! << 24)) >>>
      (at & 7);
    const zeros = 31 - Math.clz32(bits & -bits);
    assert(zeros >= 0 && zeros <= MAX_GAMMA_ZEROS, "a gamma code has a one");
    at += 2 * zeros + 1;
    // What the code stands for, less one.
    const number = (1 << zeros) - 1 + ((bits >>> (zeros + 1)) & ((1 << zeros) - 1));
    if (isGap) {
      token += number + 1;
    } else if (number > 0) {
      slot += number;
      assert(slot <= slots && token < TOKENS, "frequencies add up to the scale");
      TOKEN_OF[tokens] = token++;
      FREQUENCY_OF[tokens++] = number;
    }
    isGap = !isGap && number === 0;
  }
  return tokens;
}

/** @param asDifferences whether tokens are numbers that stand for differences, zigzag */
function fillSlots(tokens: number, asDifferences: boolean): void {
  for (let i = 0, slot = 0; i < tokens; i++) {
    const token = TOKEN_OF[i]!;
    const frequency = FREQUENCY_OF[i]!;
    const added = asDifferences ? (token >>> 1) ^ -(token & 1) : token;
    const entry = (added << TOKEN_SHIFT) | (frequency - 1);
    for (let place = 0; place < frequency; place++) SLOTS[slot++] = entry | (place << MAX_SCALE);
  }
}

/** Elias' gamma code of a whole number from 1 on: its bit length − 1 in zeros, a one, its bits below the first. */
function writeGamma(value: number, bits: BitWriter): void {
  const below = bitLength(value) - 1;
  bits.write(1 << below, below + 1);
  bits.write(value - (1 << below), below);
}

/** Turns tokens into numbers. @param bits the low bits of each that has any, one behind the other */
function addLowBits(
  target: Int32Array,
  from: number,
  to: number,
  mantissaBits: number,
  bits: Uint8Array,
): void {
  const view = new DataView(bits.buffer, bits.byteOffset, bits.length);
  const direct = 2 << mantissaBits;
  /** Where four bytes can be read at once. */
  const wholeBits = 8 * (bits.length - 3);
  for (let i = from, at = 0; i < to; i++) {
    const token = target[i]!;
    if (token < direct) continue;
    const low = (token >>> mantissaBits) - 1;
    const byte = at >> 3;
    const shift = at & 7;
    // Bytes beyond the end read as undefined, which the shifts take for zero.
    const word = at < wholeBits
      ? view.getInt32(byte, true)
      : bits[byte]! | (bits[byte + 1]! << 8) | (bits[byte + 2]! << 16) | (bits[byte + 3]! << 24);
    let value = word >>> shift;
    if (low + shift > 32) value |= bits[byte + 4]! << (32 - shift);
    target[i] = ((token - (low << mantissaBits)) << low) + (value & ((1 << low) - 1));
    at += low;
  }
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

/** The block that is being decoded, as words: the states are the first four, and one more may be looked at than there are. */
const BLOCK_BYTES = new Uint8Array(STATE_BYTES + 2 * (BLOCK_VALUES + 2));
const BLOCK_WORDS = new Uint16Array(BLOCK_BYTES.buffer);
const STATE_WORDS = STATE_BYTES / 2;

/**
 * Reads the tokens of a block into `target[from, to)`, or their sums.
 *
 * Whether a state takes in a word is as good as random: without a branch on it no processor guesses wrong.
 *
 * @param before what sums start from
 */
function readTokens(
  bytes: Uint8Array,
  from: number,
  to: number,
  scale: number,
  areSummed: boolean,
  before: number,
  target: Int32Array,
): void {
  assert(bytes.length < BLOCK_BYTES.length, "a block of tokens has at most a word a value");
  BLOCK_BYTES.set(bytes);
  const words = BLOCK_WORDS;
  const slots = SLOTS;
  const mask = (1 << scale) - 1;
  const kept = areSummed ? -1 : 0;
  const stored = areSummed ? -1 : TOKEN_MASK;
  let value = before | 0;
  let even = words[0]! | (words[1]! << 16);
  let odd = words[2]! | (words[3]! << 16);
  let at = STATE_WORDS;
  for (let i = from; i < to; i += 2) {
    let slot = slots[even & mask]!;
    value = ((value & kept) + (slot >> TOKEN_SHIFT)) | 0;
    target[i] = value & stored;
    even = Math.imul((slot & PLACE_MASK) + 1, even >>> scale) + ((slot >>> MAX_SCALE) & PLACE_MASK);
    // All ones where the state takes in the next word.
    let low = (even - STATE_LIMIT) >> 31;
    even = (even << (low & 16)) | (words[at]! & low);
    at -= low;
    if (i + 1 === to) break;
    slot = slots[odd & mask]!;
    value = ((value & kept) + (slot >> TOKEN_SHIFT)) | 0;
    target[i + 1] = value & stored;
    odd = Math.imul((slot & PLACE_MASK) + 1, odd >>> scale) + ((slot >>> MAX_SCALE) & PLACE_MASK);
    low = (odd - STATE_LIMIT) >> 31;
    odd = (odd << (low & 16)) | (words[at]! & low);
    at -= low;
  }
  assert(2 * at === bytes.length, "a block of tokens is read to its end");
}
