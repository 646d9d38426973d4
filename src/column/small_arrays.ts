/**
 * Zeroed arrays for the length of a query, small ones side by side in blocks of memory. The runtime keeps the contents of no
 * typed array in V8's own heap: one with memory of its own, even an empty one, takes three or four calls of malloc and as
 * many to free it, and a small query has made 76 of them.
 *
 * A block lives as long as any array in it: what is kept for long has memory of its own.
 */
const BLOCK_BYTES = 8192;
const MAX_SMALL_BYTES = 1024;

/** What arrays are that nothing is in yet: no memory at all. */
export const NO_DOUBLES = new Float64Array(0);
export const NO_INT32S = new Int32Array(0);
export const NO_BYTES = new Uint8Array(0);

let block = new ArrayBuffer(0);
let used = 0;

export function newDoubles(length: number): Float64Array<ArrayBuffer> {
  if (length * 8 > MAX_SMALL_BYTES) return new Float64Array(length);
  const at = takeBytes(length * 8);
  return new Float64Array(block, at, length);
}

export function newInt32s(length: number): Int32Array<ArrayBuffer> {
  if (length * 4 > MAX_SMALL_BYTES) return new Int32Array(length);
  const at = takeBytes(length * 4);
  return new Int32Array(block, at, length);
}

export function newBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length > MAX_SMALL_BYTES) return new Uint8Array(length);
  const at = takeBytes(length);
  return new Uint8Array(block, at, length);
}

/** Where in the block so many bytes are free: nobody else gets them. */
function takeBytes(count: number): number {
  if (used + count > block.byteLength) {
    block = new ArrayBuffer(BLOCK_BYTES);
    used = 0;
  }
  const at = used;
  used += (count + 7) & ~7;
  return at;
}

/** A longer array with the same beginning. */
export function grownDoubles(values: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const grown = newDoubles(length);
  if (values.length > 0) grown.set(values);
  return grown;
}

/** A longer array with the same beginning. */
export function grownInt32s(values: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const grown = newInt32s(length);
  if (values.length > 0) grown.set(values);
  return grown;
}

/** A longer array with the same beginning. */
export function grownBytes(values: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const grown = newBytes(length);
  if (values.length > 0) grown.set(values);
  return grown;
}
