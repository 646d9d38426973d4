/**
 * Bytes through a general compressor, where that makes them smaller:
 *
 *     method 0  raw       | varint length | bytes
 *     method 1  zstd      | varint length | varint compressed length | frame
 *     method 2  LZ4       | varint length | varint compressed length | block
 *
 * Which one writes is a setting of the isolate, made once before anything is written; all of them are read at any time.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { assert, type BlockCompressor } from "../../base/mod.ts";
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import { compressLz4, decompressLz4 } from "./lz4_block.ts";

const RAW = 0;
const ZSTD = 1;
const LZ4 = 2;
/** Fewer bytes are not worth a compressor: to set one up takes longer than all else that a small page costs. */
const LEAST_BYTES = 512;
/** Zstd takes about as long to be set up as LZ4 to decode these. */
const QUICK_BYTES = 8192;
const LEVEL = 3;
const LEAST_CHUNK_BYTES = 64;

let compressor: BlockCompressor = "zstd";

/** From now on bytes are compressed that way. */
export function setBlockCompressor(chosen: BlockCompressor): void {
  compressor = chosen;
}

/** @param leastBytes fewer are not compressed */
export function encode(bytes: Uint8Array, out: ByteWriter, leastBytes = LEAST_BYTES): void {
  encodeBy(compressor, bytes, out, leastBytes);
}

/**
 * As `encode`, of bytes that are numbers packed already: where they are few, LZ4 makes them as small as zstd does, and needs
 * no setting up to be read.
 */
export function encodePacked(bytes: Uint8Array, out: ByteWriter, leastBytes = LEAST_BYTES): void {
  const isQuick = compressor === "zstd" && bytes.length <= QUICK_BYTES;
  encodeBy(isQuick ? "lz4" : compressor, bytes, out, leastBytes);
}

function encodeBy(method: BlockCompressor, bytes: Uint8Array, out: ByteWriter, leastBytes: number): void {
  const packed = bytes.length < leastBytes ? undefined : compressed(bytes, method);
  if (packed === undefined || packed.length >= bytes.length - (bytes.length >> 4)) {
    out.byte(RAW);
    out.sizedBytes(bytes);
    return;
  }
  out.byte(method === "lz4" ? LZ4 : ZSTD);
  out.varint(bytes.length);
  out.sizedBytes(packed);
}

function compressed(bytes: Uint8Array, method: BlockCompressor): Uint8Array | undefined {
  switch (method) {
    case "zstd":
      return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
    case "lz4":
      return compressLz4(bytes);
    case "none":
      return undefined;
  }
}

/** The bytes; a view of the reader's where they were raw. */
export function decode(reader: ByteReader): Uint8Array {
  const method = reader.byte();
  const length = reader.varint();
  if (method === RAW) return reader.bytes(length);
  assert(method === ZSTD || method === LZ4, `compression method ${method} is known`);
  const packed = reader.sizedBytes();
  if (method === LZ4) return decompressLz4(packed, length);
  // A chunk that is left with room is the whole: the next one is not even made.
  const bytes = zstdDecompressSync(packed, {
    maxOutputLength: Math.max(1, length),
    chunkSize: Math.max(LEAST_CHUNK_BYTES, length + 1),
  });
  assert(bytes.length === length, "a frame holds the bytes that its header promises");
  return bytes;
}
