/**
 * A checksummed piece of a file: a page, a row group's header, a footer.
 *
 *     uint32  CRC-32 of the content | content
 */
import { CorruptionError, crc32 } from "../../base/mod.ts";
import { ByteWriter } from "../../column/mod.ts";
import type { DiskFile } from "../../io/mod.ts";

export const BLOCK_HEADER_BYTES = 4;

/** Writes what `write` writes as a block; returns its size with the checksum. */
export function writeBlock(out: ByteWriter, write: (out: ByteWriter) => void): number {
  const start = out.length;
  out.uint32(0);
  write(out);
  out.setUint32(start, crc32(out.written().subarray(start + BLOCK_HEADER_BYTES)));
  return out.length - start;
}

/**
 * Reads a block.
 *
 * @param sizeBytes with its checksum
 * @returns its content
 * @throws CorruptionError when the file ends within it or the checksum is wrong
 */
export function readBlock(file: DiskFile, offset: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const read = sizeBytes < BLOCK_HEADER_BYTES ? 0 : file.readAt(bytes, offset);
  if (read < sizeBytes || sizeBytes < BLOCK_HEADER_BYTES) {
    throw new CorruptionError(
      file.path,
      offset,
      `the file ends after ${read} of ${sizeBytes} bytes of a block`,
    );
  }
  const content = bytes.subarray(BLOCK_HEADER_BYTES);
  const expected = new DataView(bytes.buffer).getUint32(0, true);
  const found = crc32(content);
  if (found !== expected) {
    const reason = `checksum 0x${found.toString(16)}, expected 0x${expected.toString(16)}`;
    throw new CorruptionError(file.path, offset, reason);
  }
  return content;
}
