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
  return readBlocks(file, [{ offset, sizeBytes }])[0]!;
}

/** Where a block is; its size includes the checksum. */
export interface BlockPlace {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** What lies between blocks that are read together. */
let passedOver = new Uint8Array(0);

/**
 * Reads blocks all at once, and what lies between them.
 *
 * @param places at least one, ascending
 * @returns their contents, over one piece of memory that holds nothing else
 * @throws CorruptionError when the file ends within one or a checksum is wrong
 */
export function readBlocks(file: DiskFile, places: readonly BlockPlace[]): Uint8Array[] {
  const first = places[0]!.offset;
  const last = places[places.length - 1]!;
  const end = last.offset + last.sizeBytes;
  let sizeBytes = 0;
  for (const place of places) sizeBytes += place.sizeBytes;
  const bytes = new Uint8Array(sizeBytes);
  const isDense = sizeBytes === end - first;
  if (!isDense && passedOver.length < end - first) passedOver = new Uint8Array(end - first);
  const source = isDense ? bytes : passedOver.subarray(0, end - first);
  const readEnd = first + file.readAt(source, first);
  const view = new DataView(bytes.buffer);
  let start = 0;
  return places.map(({ offset, sizeBytes }) => {
    if (readEnd < offset + sizeBytes || sizeBytes < BLOCK_HEADER_BYTES) {
      const reason = `the file ends after ${Math.max(0, readEnd - offset)} of ${sizeBytes} bytes of a block`;
      throw new CorruptionError(file.path, offset, reason);
    }
    if (!isDense) bytes.set(source.subarray(offset - first, offset - first + sizeBytes), start);
    const content = bytes.subarray(start + BLOCK_HEADER_BYTES, start + sizeBytes);
    const expected = view.getUint32(start, true);
    const found = crc32(content);
    if (found !== expected) {
      const reason = `checksum 0x${found.toString(16)}, expected 0x${expected.toString(16)}`;
      throw new CorruptionError(file.path, offset, reason);
    }
    start += sizeBytes;
    return content;
  });
}
