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
  return readBlocks(file, offset, sizeBytes, [sizeBytes])[0]!;
}

/**
 * Reads blocks that lie one behind the other, all at once.
 *
 * @param sizes of each, with its checksum
 * @param sizeBytes of all
 * @returns their contents, over one piece of memory
 * @throws CorruptionError when the file ends within one or a checksum is wrong
 */
export function readBlocks(
  file: DiskFile,
  offset: number,
  sizeBytes: number,
  sizes: readonly number[],
): Uint8Array[] {
  const bytes = new Uint8Array(sizeBytes);
  const read = file.readAt(bytes, offset);
  const view = new DataView(bytes.buffer);
  let start = 0;
  return sizes.map((size) => {
    const end = start + size;
    if (read < end || size < BLOCK_HEADER_BYTES) {
      const reason = `the file ends after ${Math.max(0, read - start)} of ${size} bytes of a block`;
      throw new CorruptionError(file.path, offset + start, reason);
    }
    const content = bytes.subarray(start + BLOCK_HEADER_BYTES, end);
    const expected = view.getUint32(start, true);
    const found = crc32(content);
    if (found !== expected) {
      const reason = `checksum 0x${found.toString(16)}, expected 0x${expected.toString(16)}`;
      throw new CorruptionError(file.path, offset + start, reason);
    }
    start = end;
    return content;
  });
}
