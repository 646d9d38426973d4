/**
 * Doubles as the XOR with one of the 128 values before:
 *
 *     varint bytes | bits (bit_stream.ts): the first value, low word and high word, then for each other
 *       0  distance − 1: 7 bits                                                  the same value
 *       1  distance − 1: 7 bits | leading: 3 | bits m: 6 | the m bits between    XOR that ends in many zeros
 *       2  the 64 − leading bits of the XOR with the value before                leading zeros as the last time
 *       3  leading: 3 | as 2
 *
 * Chimp128 (Liakos, Papakonstantinopoulou, Kotidis: "Chimp: Efficient Lossless Floating Point Compression for Time
 * Series Databases", PVLDB 2022, §5). The kind takes two bits; `leading` is a place in the table of rounded numbers of
 * leading zeros. The value to compare with is the last one with the same 14 lowest bits, else the one before.
 */
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import { BitReader, BitWriter } from "./bit_stream.ts";

const SAME = 0;
const BETWEEN = 1;
const LEADING_AS_BEFORE = 2;
const NEW_LEADING = 3;
const MAX_DISTANCE = 128;
const DISTANCE_BITS = 7;
const KEY_BITS = 14;
const KEY_MASK = (1 << KEY_BITS) - 1;
/** Fewer trailing zeros do not pay for the distance and the number of bits. */
const MIN_TRAILING = KEY_BITS;
const LEADING = Uint8Array.of(0, 8, 12, 16, 18, 20, 22, 24);
/** For each number of leading zeros, its place in the table, rounded down. */
const LEADING_PLACE = Uint8Array.from({ length: 65 }, (_, zeros) => LEADING.findLastIndex((l) => l <= zeros));
/** No place in the table. */
const NO_LEADING = 8;

/** For each value of the lowest bits, the place of the last double that had it; used within one call only. */
const LATEST = new Int32Array(KEY_MASK + 1);

/** Writes the doubles `words[0, 2 · count)`. */
export function encode(words: Int32Array, count: number, out: ByteWriter): void {
  const bits = new BitWriter(count * 8);
  const latest = LATEST.fill(0);
  if (count > 0) {
    writeWords(bits, words[0]!, words[1]!, 64);
    latest[words[0]! & KEY_MASK] = 0;
  }
  let lastLeading = NO_LEADING;
  for (let i = 1; i < count; i++) {
    const low = words[2 * i]!;
    const high = words[2 * i + 1]!;
    let from = latest[low & KEY_MASK]!;
    latest[low & KEY_MASK] = i;
    if (
      i - from > MAX_DISTANCE ||
      trailingZeros(low ^ words[2 * from]!, high ^ words[2 * from + 1]!) < MIN_TRAILING
    ) {
      from = i - 1;
    }
    const lowXor = low ^ words[2 * from]!;
    const highXor = high ^ words[2 * from + 1]!;
    lastLeading = writeXor(bits, lowXor, highXor, i - from, lastLeading);
  }
  out.sizedBytes(bits.finish());
}

/** Reads `count` doubles into `words`. */
export function decode(reader: ByteReader, count: number, words: Int32Array): void {
  const bits = new BitReader(reader.sizedBytes());
  if (count > 0) {
    words[0] = bits.read(32);
    words[1] = bits.read(32);
  }
  let width = 64;
  for (let i = 1; i < count; i++) {
    const at = 2 * i;
    const kind = bits.read(2);
    if (kind <= BETWEEN) {
      const from = at - 2 * (bits.read(DISTANCE_BITS) + 1);
      words[at] = words[from]!;
      words[at + 1] = words[from + 1]!;
      if (kind === BETWEEN) readBetween(bits, words, at);
      continue;
    }
    if (kind === NEW_LEADING) width = 64 - LEADING[bits.read(3)]!;
    words[at] = words[at - 2]! ^ bits.read(32);
    words[at + 1] = words[at - 1]! ^ bits.read(width - 32);
  }
}

/** Writes one XOR; returns the place of the leading zeros that the next one can refer to. */
function writeXor(bits: BitWriter, low: number, high: number, distance: number, lastLeading: number): number {
  if ((low | high) === 0) {
    bits.write(SAME | ((distance - 1) << 2), 2 + DISTANCE_BITS);
    return NO_LEADING;
  }
  const place = LEADING_PLACE[leadingZeros(low, high)]!;
  const leading = LEADING[place]!;
  const trailing = trailingZeros(low, high);
  if (trailing >= MIN_TRAILING) {
    const between = 64 - leading - trailing;
    bits.write(BETWEEN | ((distance - 1) << 2) | (place << 9) | (between << 12), 18);
    if (trailing >= 32) writeWords(bits, high >>> (trailing - 32), 0, between);
    else writeWords(bits, (low >>> trailing) | (high << (32 - trailing)), high >>> trailing, between);
    return NO_LEADING;
  }
  if (place === lastLeading) bits.write(LEADING_AS_BEFORE, 2);
  else bits.write(NEW_LEADING | (place << 2), 5);
  writeWords(bits, low, high, 64 - leading);
  return place;
}

/** XORs the bits between the leading and the trailing zeros into a value. */
function readBetween(bits: BitReader, words: Int32Array, at: number): void {
  const leading = LEADING[bits.read(3)]!;
  const between = bits.read(6);
  const trailing = 64 - leading - between;
  const low = bits.read(Math.min(32, between));
  const high = between > 32 ? bits.read(between - 32) : 0;
  if (trailing >= 32) {
    words[at + 1]! ^= low << (trailing - 32);
  } else {
    words[at]! ^= low << trailing;
    words[at + 1]! ^= (high << trailing) | (low >>> (32 - trailing));
  }
}

/** Writes `width` bits (0 … 64) of a number of two words, of which all others are zero. */
function writeWords(bits: BitWriter, low: number, high: number, width: number): void {
  if (width <= 32) {
    bits.write(low, width);
  } else {
    bits.write(low, 32);
    bits.write(high, width - 32);
  }
}

function leadingZeros(low: number, high: number): number {
  return high === 0 ? 32 + Math.clz32(low) : Math.clz32(high);
}

function trailingZeros(low: number, high: number): number {
  if (low !== 0) return 31 - Math.clz32(low & -low);
  return high === 0 ? 64 : 63 - Math.clz32(high & -high);
}
