/**
 * The frame of a segment file (docs/format/segment.md):
 *
 *     header    8 bytes "CGSEGMT\n" | uint32 version | uint32 CRC-32 of the 12 bytes before
 *     tables    for each row group: pages, last rows, index of ids (blocks); one table behind the other, ascending
 *     headers   of the row groups before (blocks), behind the last of these, or between them where there are many
 *     footer    block: compression.ts over what `encodeFooter` writes
 *     trailer   uint32 bytes of the footer block | uint32 CRC-32 of those 4 bytes and the magic | 8 bytes magic
 */
import { CorruptionError, crc32 } from "../../base/mod.ts";
import { ByteReader, ByteWriter, decodeBytes, encodeBytes } from "../../column/mod.ts";
import type { DiskFile } from "../../io/mod.ts";
import { readBlock, writeBlock } from "./block.ts";

export const SEGMENT_VERSION = 5;
export const SEGMENT_HEADER_BYTES = 16;
const TRAILER_BYTES = 16;
const MAGIC = new TextEncoder().encode("CGSEGMT\n");

/** Where a row group is, and the bounds of what is in it. */
export interface RowGroupEntry {
  /** Where its first page is. */
  readonly offset: number;
  /** Bytes of its pages and of what lies behind them: last rows, then the index of its ids. */
  readonly pagesBytes: number;
  readonly headerOffset: number;
  readonly headerBytes: number;
  readonly rows: number;
  readonly firstSeries: number;
  readonly lastSeries: number;
  /** Milliseconds since 1970, both included. */
  readonly minTime: number;
  readonly maxTime: number;
  /** 0 where there are none. */
  readonly lastRowsBytes: number;
  /** 0 where there is none. */
  readonly idIndexBytes: number;
  /** Bounds of the ids in the column of ids (`IdBounds`); empty without any. */
  readonly minId: Uint8Array;
  readonly maxId: Uint8Array;
  /** The pages with rows whose id may lie elsewhere than in that column, or be an array, a bit each. */
  readonly otherIdPages: number;
}

/** What a segment has of one table. */
export interface TableEntry {
  readonly tableId: number;
  /** Bytes of the rows as BSON. */
  readonly dataBytes: number;
  readonly groups: readonly RowGroupEntry[];
}

export function writeHeader(out: ByteWriter): void {
  const start = out.length;
  out.bytes(MAGIC);
  out.uint32(SEGMENT_VERSION);
  out.uint32(crc32(out.written().subarray(start)));
}

export function writeFooter(tables: readonly TableEntry[], out: ByteWriter): void {
  const footer = new ByteWriter();
  encodeFooter(tables, footer);
  const sizeBytes = writeBlock(out, (block) => encodeBytes(footer.written(), block));
  out.uint32(sizeBytes);
  out.uint32(trailerChecksum(sizeBytes));
  out.bytes(MAGIC);
}

/** The tables of a segment. @throws CorruptionError when the file is not a whole segment of a known version */
export function readSegment(file: DiskFile): TableEntry[] {
  const size = file.size();
  const header = new Uint8Array(SEGMENT_HEADER_BYTES);
  const trailer = new Uint8Array(TRAILER_BYTES);
  if (file.readAt(header, 0) < header.length || !startsWithMagic(header, 0)) {
    throw new CorruptionError(file.path, 0, "this is no segment");
  }
  const view = new DataView(header.buffer);
  if (view.getUint32(12, true) !== crc32(header.subarray(0, 12))) {
    throw new CorruptionError(file.path, 12, "the header's checksum is wrong");
  }
  const version = view.getUint32(8, true);
  if (version !== SEGMENT_VERSION) {
    throw new CorruptionError(
      file.path,
      8,
      `segment version ${version}, this program knows ${SEGMENT_VERSION}`,
    );
  }
  const trailerAt = size - TRAILER_BYTES;
  file.readAt(trailer, Math.max(0, trailerAt));
  const footerBytes = new DataView(trailer.buffer).getUint32(0, true);
  const checksum = new DataView(trailer.buffer).getUint32(4, true);
  if (!startsWithMagic(trailer, 8) || checksum !== trailerChecksum(footerBytes)) {
    throw new CorruptionError(file.path, Math.max(0, trailerAt), "the segment has no whole trailer");
  }
  const content = readBlock(file, trailerAt - footerBytes, footerBytes);
  return decodeFooter(new ByteReader(decodeBytes(new ByteReader(content))));
}

/**
 * varint tables | each: varint id, varint bytes as BSON, varint row groups | each: place of its pages, place of its header,
 * varint rows, varint first series, varint last series, double min time, double max time, varint bytes of the last rows,
 * varint bytes of the index of ids, varint length and bytes of the lowest and of the highest id, varint pages with other
 * ids. A place is varint bytes behind the end of that of the row group before (of the first one: of the file's header),
 * varint bytes.
 */
function encodeFooter(tables: readonly TableEntry[], out: ByteWriter): void {
  let [pagesEnd, headersEnd] = [SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES];
  out.varint(tables.length);
  for (const table of tables) {
    out.varint(table.tableId);
    out.varint(table.dataBytes);
    out.varint(table.groups.length);
    for (const group of table.groups) {
      out.varint(group.offset - pagesEnd);
      out.varint(group.pagesBytes);
      out.varint(group.headerOffset - headersEnd);
      out.varint(group.headerBytes);
      pagesEnd = group.offset + group.pagesBytes;
      headersEnd = group.headerOffset + group.headerBytes;
      out.varint(group.rows);
      out.varint(group.firstSeries);
      out.varint(group.lastSeries);
      out.double(group.minTime);
      out.double(group.maxTime);
      out.varint(group.lastRowsBytes);
      out.varint(group.idIndexBytes);
      out.sizedBytes(group.minId);
      out.sizedBytes(group.maxId);
      out.varint(group.otherIdPages);
    }
  }
}

function decodeFooter(reader: ByteReader): TableEntry[] {
  let [pagesEnd, headersEnd] = [SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES];
  return Array.from({ length: reader.varint() }, (): TableEntry => {
    const tableId = reader.varint();
    const dataBytes = reader.varint();
    const groups = Array.from({ length: reader.varint() }, (): RowGroupEntry => {
      const group = {
        offset: pagesEnd + reader.varint(),
        pagesBytes: reader.varint(),
        headerOffset: headersEnd + reader.varint(),
        headerBytes: reader.varint(),
        rows: reader.varint(),
        firstSeries: reader.varint(),
        lastSeries: reader.varint(),
        minTime: reader.double(),
        maxTime: reader.double(),
        lastRowsBytes: reader.varint(),
        idIndexBytes: reader.varint(),
        minId: reader.sizedBytes().slice(),
        maxId: reader.sizedBytes().slice(),
        otherIdPages: reader.varint(),
      };
      pagesEnd = group.offset + group.pagesBytes;
      headersEnd = group.headerOffset + group.headerBytes;
      return group;
    });
    return { tableId, dataBytes, groups };
  });
}

function trailerChecksum(footerBytes: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, footerBytes, true);
  return crc32(MAGIC, crc32(bytes));
}

function startsWithMagic(bytes: Uint8Array, at: number): boolean {
  return MAGIC.every((byte, i) => bytes[at + i] === byte);
}
