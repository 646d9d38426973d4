/**
 * Loops over neighbouring bytes, four at a time: a word of 32 bits holds four of them, and its even and its odd ones, each
 * with 8 bits of room above it, are added or compared as one number (L. Lamport, "Multiple Byte Processing with Full-Word
 * Instructions", 1975). Sums take a third, extremes half of the time of a loop byte by byte.
 *
 *     word            b3 b2 b1 b0, each with its sign bit flipped: −128…127 become 0…255 in the same order
 *     even lanes      00 b2 00 b0
 *     odd lanes       00 b3 00 b1
 *
 * What the loops need of numbers stays in here: the engine takes one that a module exports from memory each time.
 */
const FLIPPED_SIGNS = 0x80808080 | 0;
const LANES = 0x00ff00ff;
/** The bit above each lane. */
const BORROWS = 0x01000100;
/** Times a byte: that byte in each lane. */
const EACH_LANE = 0x10001;
/** What flipping its sign bit adds to a byte. */
const BIAS = 128;
/** So many words at a time: a lane of 16 bits holds the sum of 257 bytes. */
const STRETCH = 256;

/** The sum of the bytes `[from, to)`. @param words the same bytes, four each */
export function sumOfBytes(bytes: Int8Array, words: Int32Array, from: number, to: number): number {
  let total = 0;
  let i = from;
  for (; i < to && (i & 3) !== 0; i++) total = (total + bytes[i]!) | 0;
  const first = i >> 2;
  const end = to >> 2;
  let word = first;
  while (word < end) {
    const stop = Math.min(end, word + STRETCH);
    let even = 0;
    let odd = 0;
    for (; word < stop; word++) {
      const four = words[word]! ^ FLIPPED_SIGNS;
      even = (even + (four & LANES)) | 0;
      odd = (odd + ((four >>> 8) & LANES)) | 0;
    }
    total += (even & 0xffff) + (even >>> 16) + (odd & 0xffff) + (odd >>> 16);
  }
  total -= (word - first) * 4 * BIAS;
  for (i = Math.max(i, word << 2); i < to; i++) total += bytes[i]!;
  return total;
}

/** The greatest of the bytes `[from, to)`, at least one. @param words the same bytes, four each */
export function maximumOfBytes(bytes: Int8Array, words: Int32Array, from: number, to: number): number {
  let best = bytes[from]!;
  let i = from + 1;
  for (; i < to && (i & 3) !== 0; i++) if (bytes[i]! > best) best = bytes[i]!;
  const end = to >> 2;
  let word = i >> 2;
  if (word < end) {
    let even = (best + BIAS) * EACH_LANE;
    let odd = even;
    for (; word < end; word++) {
      const four = words[word]! ^ FLIPPED_SIGNS;
      const ownEven = four & LANES;
      const ownOdd = (four >>> 8) & LANES;
      even ^= (even ^ ownEven) & lanesAtLeast(ownEven, even);
      odd ^= (odd ^ ownOdd) & lanesAtLeast(ownOdd, odd);
    }
    best = Math.max(even & 0xffff, even >>> 16, odd & 0xffff, odd >>> 16) - BIAS;
  }
  for (i = Math.max(i, word << 2); i < to; i++) if (bytes[i]! > best) best = bytes[i]!;
  return best;
}

/** The least of the bytes `[from, to)`, at least one. @param words the same bytes, four each */
export function minimumOfBytes(bytes: Int8Array, words: Int32Array, from: number, to: number): number {
  let best = bytes[from]!;
  let i = from + 1;
  for (; i < to && (i & 3) !== 0; i++) if (bytes[i]! < best) best = bytes[i]!;
  const end = to >> 2;
  let word = i >> 2;
  if (word < end) {
    let even = (best + BIAS) * EACH_LANE;
    let odd = even;
    for (; word < end; word++) {
      const four = words[word]! ^ FLIPPED_SIGNS;
      const ownEven = four & LANES;
      const ownOdd = (four >>> 8) & LANES;
      even ^= (even ^ ownEven) & lanesAtLeast(even, ownEven);
      odd ^= (odd ^ ownOdd) & lanesAtLeast(odd, ownOdd);
    }
    best = Math.min(even & 0xffff, even >>> 16, odd & 0xffff, odd >>> 16) - BIAS;
  }
  for (i = Math.max(i, word << 2); i < to; i++) if (bytes[i]! < best) best = bytes[i]!;
  return best;
}

/**
 * Puts the places of those of the bytes `[from, to)` that are from `first` to `last` into `out`; answers how many. Where few are,
 * most fours have none.
 *
 * @param out holds as many as there are bytes
 */
export function selectBytes(
  bytes: Int8Array,
  from: number,
  to: number,
  first: number,
  last: number,
  out: Int32Array,
): number {
  if (first > last) return 0;
  const start = bytes.byteOffset % 4 === 0 ? Math.min(to, (from + 3) & ~3) : to;
  let kept = selectEach(bytes, from, start, first, last, out, 0);
  if (start === to) return kept;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, to >> 2);
  const least = (first + BIAS) * EACH_LANE;
  const greatest = (last + BIAS) * EACH_LANE | BORROWS;
  for (let word = start >> 2; word < words.length; word++) {
    const four = words[word]! ^ FLIPPED_SIGNS;
    const even = four & LANES;
    const odd = (four >>> 8) & LANES;
    // The bit above a lane stays where the subtraction borrows nothing from it.
    const evenPass = ((even | BORROWS) - least) & (greatest - even) & BORROWS;
    const oddPass = ((odd | BORROWS) - least) & (greatest - odd) & BORROWS;
    if ((evenPass | oddPass) === 0) continue;
    const place = word << 2;
    out[kept] = place;
    kept += (evenPass >> 8) & 1;
    out[kept] = place + 1;
    kept += (oddPass >> 8) & 1;
    out[kept] = place + 2;
    kept += evenPass >> 24;
    out[kept] = place + 3;
    kept += oddPass >> 24;
  }
  return selectEach(bytes, Math.max(start, to & ~3), to, first, last, out, kept);
}

function selectEach(
  bytes: Int8Array,
  from: number,
  to: number,
  first: number,
  last: number,
  out: Int32Array,
  kept: number,
): number {
  for (let place = from; place < to; place++) {
    if (bytes[place]! >= first && bytes[place]! <= last) out[kept++] = place;
  }
  return kept;
}

/** All bits of the lanes of `a` that are not below those of `b`: there nothing is borrowed from the bit above. */
function lanesAtLeast(a: number, b: number): number {
  const kept = ((a | BORROWS) - b) & BORROWS;
  return kept - (kept >>> 8);
}
