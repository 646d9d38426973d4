/**
 * The rows of segments that changes took away, up to a flush (docs/format/manifest.md).
 *
 *     header    8 bytes "CGMASKS\n" | uint32 version | uint32 CRC-32 of the 12 bytes before
 *     block     compression.ts over
 *               varint segments | each: varint number, varint row groups
 *                 each: varint offset of the row group, varint rows, ⌈rows / 8⌉ bytes: row r is bit r mod 8 of byte ⌊r / 8⌋
 *
 * A file says all there is to say of the segments it names; the manifest says which file counts for which segment.
 */
import { assert, CorruptionError, crc32, PAGE_ROWS } from "../../base/mod.ts";
import { ByteReader, ByteWriter, decodeBytes, encodeBytes } from "../../column/mod.ts";
import type { Disk } from "../../io/mod.ts";
import { readBlock, writeBlock } from "./block.ts";
import { RowMask, RowMaskBuilder } from "./row_mask.ts";

const VERSION = 1;
const HEADER_BYTES = 16;
const MAGIC = new TextEncoder().encode("CGMASKS\n");
const PAGE_BYTES = PAGE_ROWS / 8;

/** Rows of a segment that are gone, by the offset of their row group. */
export type SegmentMasks = ReadonlyMap<number, RowMask>;

export function maskFileName(number: number): string {
  return `${String(number).padStart(8, "0")}.mask`;
}

/** Writes a mask file, durable but for its name in the folder. @param segments by number */
export async function writeMaskFile(
  disk: Disk,
  path: string,
  segments: ReadonlyMap<number, SegmentMasks>,
): Promise<void> {
  const out = new ByteWriter();
  out.bytes(MAGIC);
  out.uint32(VERSION);
  out.uint32(crc32(out.written()));
  const content = new ByteWriter();
  encodeMasks(segments, content);
  writeBlock(out, (block) => encodeBytes(content.written(), block));
  const file = disk.open(path, "create");
  try {
    file.writeAt(out.written(), 0);
    await file.sync();
  } finally {
    file.close();
  }
}

/** @throws CorruptionError */
export function readMaskFile(disk: Disk, path: string): Map<number, SegmentMasks> {
  const file = disk.open(path, "read");
  try {
    const header = new Uint8Array(HEADER_BYTES);
    if (file.readAt(header, 0) < HEADER_BYTES || !MAGIC.every((byte, i) => header[i] === byte)) {
      throw new CorruptionError(path, 0, "this is no mask file");
    }
    const view = new DataView(header.buffer);
    if (view.getUint32(12, true) !== crc32(header.subarray(0, 12))) {
      throw new CorruptionError(path, 12, "the header's checksum is wrong");
    }
    const version = view.getUint32(8, true);
    if (version !== VERSION) {
      throw new CorruptionError(path, 8, `mask file version ${version}, this program knows ${VERSION}`);
    }
    const content = readBlock(file, HEADER_BYTES, file.size() - HEADER_BYTES);
    return decodeMasks(new ByteReader(decodeBytes(new ByteReader(content))));
  } finally {
    file.close();
  }
}

function encodeMasks(segments: ReadonlyMap<number, SegmentMasks>, out: ByteWriter): void {
  out.varint(segments.size);
  for (const [number, masks] of segments) {
    out.varint(number);
    out.varint(masks.size);
    for (const [offset, mask] of masks) {
      out.varint(offset);
      out.varint(mask.pages.length * PAGE_ROWS);
      for (const page of mask.pages) out.bytes(page === undefined ? NO_BITS : bytesOf(page));
    }
  }
}

function decodeMasks(reader: ByteReader): Map<number, SegmentMasks> {
  const segments = new Map<number, SegmentMasks>();
  for (let left = reader.varint(); left > 0; left--) {
    const number = reader.varint();
    const masks = new Map<number, RowMask>();
    for (let groups = reader.varint(); groups > 0; groups--) {
      const offset = reader.varint();
      const mask = maskOfBits(reader.bytes(Math.ceil(reader.varint() / 8)));
      if (mask !== undefined) masks.set(offset, mask);
    }
    segments.set(number, masks);
  }
  assert(reader.remaining === 0, "a mask file ends with its last mask");
  return segments;
}

const NO_BITS = new Uint8Array(PAGE_BYTES);

function bytesOf(page: Uint32Array): Uint8Array {
  return new Uint8Array(page.buffer, page.byteOffset, page.byteLength);
}

function maskOfBits(bits: Uint8Array): RowMask | undefined {
  const pages: Uint32Array[] = [];
  for (let at = 0; at < bits.length; at += PAGE_BYTES) {
    const page = new Uint32Array(PAGE_ROWS / 32);
    bytesOf(page).set(bits.subarray(at, at + PAGE_BYTES));
    pages.push(page);
  }
  const builder = new RowMaskBuilder(undefined);
  builder.addAll(new RowMask(pages, 0));
  return builder.build();
}
