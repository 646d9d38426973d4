/**
 * OP_COMPRESSED: a message whose body is compressed.
 *
 *     body  int32 original opcode | int32 size of the original body | uint8 compressor | compressed body
 *
 * Bodies above a limit go through the platform's threads, so that a long one does not hold up other connections.
 */
import {
  deflate,
  deflateSync,
  inflate,
  inflateSync,
  zstdCompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from "node:zlib";
import { promisify } from "node:util";
import { MAX_MESSAGE_BYTES } from "../base/mod.ts";
import { readInt32 } from "../bson/mod.ts";
import { HEADER_BYTES, Opcode, ProtocolViolation } from "./message.ts";

/** Names in the order in which the server prefers them; snappy is not offered. */
export const COMPRESSORS = ["zstd", "zlib"] as const;
export type Compressor = typeof COMPRESSORS[number];

const COMPRESSOR_OF_ID: Readonly<Record<number, Compressor>> = { 2: "zlib", 3: "zstd" };
const ID_OF_COMPRESSOR: Readonly<Record<Compressor, number>> = { zlib: 2, zstd: 3 };
const PROLOGUE_BYTES = 9;
const IN_PLACE_BYTES = 64 * 1024;

const CODEC = {
  zlib: {
    compress: promisify<Uint8Array, Uint8Array>(deflate),
    compressSync: (bytes: Uint8Array): Uint8Array => deflateSync(bytes),
    expand: promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(inflate),
    expandSync: (bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array =>
      inflateSync(bytes, options),
  },
  zstd: {
    compress: promisify<Uint8Array, Uint8Array>(zstdCompress),
    compressSync: (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes),
    expand: promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(zstdDecompress),
    expandSync: (bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array =>
      zstdDecompressSync(bytes, options),
  },
} as const;

/** A message as it was before compression, and by what it was compressed. */
export interface Expanded {
  readonly bytes: Uint8Array;
  readonly compressor: Compressor;
}

/**
 * Undoes OP_COMPRESSED.
 *
 * @throws ProtocolViolation when the compressor is unknown, or the content is damaged or longer than it says
 */
export async function expandMessage(message: Uint8Array): Promise<Expanded> {
  if (message.length < HEADER_BYTES + PROLOGUE_BYTES) {
    throw new ProtocolViolation("OP_COMPRESSED is too short");
  }
  const opcode = readInt32(message, HEADER_BYTES);
  const size = readInt32(message, HEADER_BYTES + 4);
  const compressor = COMPRESSOR_OF_ID[message[HEADER_BYTES + 8]!];
  if (compressor === undefined) {
    throw new ProtocolViolation("OP_COMPRESSED names a compressor that was not offered");
  }
  if (opcode === Opcode.Compressed || size < 0 || size > MAX_MESSAGE_BYTES - HEADER_BYTES) {
    throw new ProtocolViolation(`OP_COMPRESSED holds opcode ${opcode} of ${size} bytes`);
  }
  const content = message.subarray(HEADER_BYTES + PROLOGUE_BYTES);
  const body = await expand(compressor, content, size);
  if (body.length !== size) {
    throw new ProtocolViolation(`OP_COMPRESSED says ${size} bytes and holds ${body.length}`);
  }
  const bytes = new Uint8Array(HEADER_BYTES + size);
  bytes.set(message.subarray(0, HEADER_BYTES));
  bytes.set(body, HEADER_BYTES);
  setInt32(bytes, 0, bytes.length);
  setInt32(bytes, 12, opcode);
  return { bytes, compressor };
}

async function expand(compressor: Compressor, content: Uint8Array, size: number): Promise<Uint8Array> {
  const codec = CODEC[compressor];
  const options = { maxOutputLength: Math.max(1, size) };
  try {
    return size <= IN_PLACE_BYTES ? codec.expandSync(content, options) : await codec.expand(content, options);
  } catch (error) {
    throw new ProtocolViolation(`OP_COMPRESSED holds bad ${compressor} data: ${String(error)}`);
  }
}

/** Wraps a whole message in OP_COMPRESSED. */
export async function compressMessage(message: Uint8Array, compressor: Compressor): Promise<Uint8Array> {
  const body = message.subarray(HEADER_BYTES);
  const codec = CODEC[compressor];
  const content = body.length <= IN_PLACE_BYTES ? codec.compressSync(body) : await codec.compress(body);
  const bytes = new Uint8Array(HEADER_BYTES + PROLOGUE_BYTES + content.length);
  bytes.set(message.subarray(0, HEADER_BYTES));
  setInt32(bytes, 0, bytes.length);
  setInt32(bytes, 12, Opcode.Compressed);
  setInt32(bytes, HEADER_BYTES, readInt32(message, 12));
  setInt32(bytes, HEADER_BYTES + 4, body.length);
  bytes[HEADER_BYTES + 8] = ID_OF_COMPRESSOR[compressor];
  bytes.set(content, HEADER_BYTES + PROLOGUE_BYTES);
  return bytes;
}

function setInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >> 8) & 0xff;
  bytes[at + 2] = (value >> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}
