/**
 * LZ4 blocks (github.com/lz4/lz4, doc/lz4_Block_format.md) by npm:lz4js, which has no types of its own. A block does not
 * say how long it is, nor what it holds when read again: both stand beside it.
 */
import * as lz4js from "lz4js";
import { assert } from "../../base/mod.ts";

/** What is used of lz4js 0.2.0. */
interface Lz4 {
  /** Bytes that a block of so many may take. */
  compressBound(size: number): number;
  /** @returns the block's size; 0 when it would not be smaller */
  compressBlock(
    source: Uint8Array,
    target: Uint8Array,
    start: number,
    size: number,
    hashes: Uint32Array,
  ): number;
  /** @returns where the target ends */
  decompressBlock(source: Uint8Array, target: Uint8Array, start: number, size: number, at: number): number;
}

const lz4: Lz4 = lz4js;
/** Where four bytes stood last, by their hash: as many places as lz4js' hashes have. */
const hashes = new Uint32Array(1 << 16);

/** The block; undefined when it would be no smaller than the bytes. */
export function compressLz4(bytes: Uint8Array): Uint8Array | undefined {
  hashes.fill(0);
  const target = new Uint8Array(lz4.compressBound(bytes.length));
  const size = lz4.compressBlock(bytes, target, 0, bytes.length, hashes);
  return size === 0 ? undefined : target.subarray(0, size);
}

/** @param length of what the block holds */
export function decompressLz4(block: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const end = lz4.decompressBlock(block, bytes, 0, block.length, 0);
  assert(end === length, "a block holds the bytes that its header promises");
  return bytes;
}
