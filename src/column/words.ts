/**
 * The words of a column. Where a value is one word, they may lie in fewer bits each: metrics are mostly small numbers, and
 * a memtable, a page in the cache and the log hold two or four times as many of them.
 */

export type Words = Int32Array | Int16Array | Int8Array;

/** Bytes of the narrowest array that holds all numbers from `min` to `max`: 1, 2 or 4. */
export function bytesFor(min: number, max: number): 1 | 2 | 4 {
  if (min >= -0x80 && max <= 0x7f) return 1;
  return min >= -0x8000 && max <= 0x7fff ? 2 : 4;
}

/** Bytes that each of the words `[0, count)` needs. */
export function bytesOfEach(words: Words, count: number): 1 | 2 | 4 {
  if (words.BYTES_PER_ELEMENT === 1) return 1;
  let min = 0;
  let max = 0;
  for (let i = 0; i < count; i++) {
    const word = words[i]!;
    if (word < min) min = word;
    if (word > max) max = word;
  }
  return bytesFor(min, max);
}

/** Zeros, so many bytes each. */
export function zeroWords(count: number, bytesEach: number): Words {
  return bytesEach === 1
    ? new Int8Array(count)
    : bytesEach === 2
    ? new Int16Array(count)
    : new Int32Array(count);
}

/** Words as they lie in memory from `byteOffset` on. */
export function wordsOver(
  buffer: ArrayBufferLike,
  byteOffset: number,
  count: number,
  bytesEach: number,
): Words {
  if (bytesEach === 1) return new Int8Array(buffer, byteOffset, count);
  return bytesEach === 2
    ? new Int16Array(buffer, byteOffset, count)
    : new Int32Array(buffer, byteOffset, count);
}

/** A longer array with the same beginning, its words as wide or wider. */
export function grownWords(words: Words, count: number, bytesEach: number = words.BYTES_PER_ELEMENT): Words {
  const grown = zeroWords(count, bytesEach);
  grown.set(words);
  return grown;
}

/** A longer array with the same beginning. */
export function grownInt32(values: Words, length: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(length);
  grown.set(values);
  return grown;
}

/** The words of values at `indexes`, `width` each, in 32 bits. */
export function gatheredWords(words: Words, indexes: Int32Array, width: number): Int32Array {
  const gathered = new Int32Array(indexes.length * width);
  if (words instanceof Int32Array) gather32(words, indexes, width, gathered);
  else if (words instanceof Int16Array) gather16(words, indexes, gathered);
  else gather8(words, indexes, gathered);
  return gathered;
}

// One function for each kind of array: a loop that meets several is three times slower.

function gather32(words: Int32Array, indexes: Int32Array, width: number, target: Int32Array): void {
  if (width === 1) {
    for (let i = 0; i < indexes.length; i++) target[i] = words[indexes[i]!]!;
    return;
  }
  for (let i = 0, at = 0; i < indexes.length; i++) {
    const from = indexes[i]! * width;
    for (let k = 0; k < width; k++) target[at++] = words[from + k]!;
  }
}

function gather16(words: Int16Array, indexes: Int32Array, target: Int32Array): void {
  for (let i = 0; i < indexes.length; i++) target[i] = words[indexes[i]!]!;
}

function gather8(words: Int8Array, indexes: Int32Array, target: Int32Array): void {
  for (let i = 0; i < indexes.length; i++) target[i] = words[indexes[i]!]!;
}
