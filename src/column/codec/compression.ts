/**
 * Bytes through a general compressor, where that makes them smaller:
 *
 *     method 0  raw       | varint length | bytes
 *     method 1  zstd      | varint length | varint compressed length | frame
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { assert } from "../../base/mod.ts";
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";

const RAW = 0;
const ZSTD = 1;
/** Fewer bytes are not worth setting up a compressor for, which takes some 0.1 ms. */
const LEAST_BYTES = 256;
const LEVEL = 3;

export function encode(bytes: Uint8Array, out: ByteWriter): void {
  if (bytes.length >= LEAST_BYTES) {
    const frame = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
    if (frame.length < bytes.length - (bytes.length >> 4)) {
      out.byte(ZSTD);
      out.varint(bytes.length);
      out.sizedBytes(frame);
      return;
    }
  }
  out.byte(RAW);
  out.sizedBytes(bytes);
}

/** The bytes; a view of the reader's where they were raw. */
export function decode(reader: ByteReader): Uint8Array {
  const method = reader.byte();
  const length = reader.varint();
  if (method === RAW) return reader.bytes(length);
  assert(method === ZSTD, `compression method ${method} is known`);
  const bytes = zstdDecompressSync(reader.sizedBytes(), { maxOutputLength: Math.max(1, length) });
  assert(bytes.length === length, "a frame holds the bytes that its header promises");
  return bytes;
}
