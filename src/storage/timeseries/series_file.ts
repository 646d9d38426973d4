/**
 * The series of all tables on disk: an append-only file of records (docs/format/manifest.md). How much of it counts
 * stands in the manifest; what lies behind that is left over and overwritten.
 *
 *     record    uint32 bytes of the block | block: compression.ts over
 *               varint table | varint first series | varint series | their types | their lengths | their bytes
 *
 * Types (0: no meta) and lengths go through integer.ts; the bytes are the canonical BSON of the metas.
 */
import { CorruptionError } from "../../base/mod.ts";
import {
  ByteReader,
  ByteWriter,
  decodeBytes,
  decodeIntegers,
  encodeBytes,
  encodeIntegers,
} from "../../column/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { readBlock, writeBlock } from "./block.ts";
import type { SeriesIndex } from "./series_index.ts";

export const SERIES_FILE = "SERIES";
const SIZE_BYTES = 4;
/** Series in one record. */
const RECORD_SERIES = 4096;

/** Series of one table that are to be written. */
export interface NewSeries {
  readonly tableId: number;
  readonly index: SeriesIndex;
  /** Series `[first, end)`. */
  readonly first: number;
  readonly end: number;
}

export class SeriesFile {
  private constructor(private readonly file: DiskFile) {}

  static async open(disk: Disk, directory: string): Promise<SeriesFile> {
    const path = `${directory}/${SERIES_FILE}`;
    if (disk.exists(path)) return new SeriesFile(disk.open(path, "write"));
    const file = disk.open(path, "create");
    await disk.syncDirectory(directory);
    return new SeriesFile(file);
  }

  /** Opens a file to look at: nothing can be written. */
  static openToRead(disk: Disk, path: string): SeriesFile {
    return new SeriesFile(disk.open(path, "read"));
  }

  get sizeBytes(): number {
    return this.file.size();
  }

  /**
   * Reads what counts.
   *
   * @param add called for each record with the index of its table, undefined for a table that is no more
   * @throws CorruptionError
   */
  read(
    lengthBytes: number,
    indexOf: (tableId: number) => SeriesIndex | undefined,
    onBytes: (tableId: number, sizeBytes: number) => void,
  ): void {
    const head = new Uint8Array(SIZE_BYTES);
    for (let at = 0; at < lengthBytes;) {
      if (this.file.readAt(head, at) < SIZE_BYTES) {
        throw new CorruptionError(this.file.path, at, `the file ends before its ${lengthBytes} bytes`);
      }
      const sizeBytes = new DataView(head.buffer).getUint32(0, true);
      if (at + SIZE_BYTES + sizeBytes > lengthBytes) {
        throw new CorruptionError(this.file.path, at, `a record of ${sizeBytes} bytes does not fit`);
      }
      const content = readBlock(this.file, at + SIZE_BYTES, sizeBytes);
      const reader = new ByteReader(decodeBytes(new ByteReader(content)));
      const tableId = reader.varint();
      const index = indexOf(tableId);
      if (index !== undefined) addSeries(reader, index, this.file.path, at);
      at += SIZE_BYTES + sizeBytes;
      onBytes(tableId, SIZE_BYTES + sizeBytes);
    }
  }

  /**
   * Writes series from `lengthBytes` on and syncs.
   *
   * @returns the length that counts once the manifest says so, and what each table's records take
   */
  async append(
    lengthBytes: number,
    added: readonly NewSeries[],
  ): Promise<{ lengthBytes: number; tableBytes: ReadonlyMap<number, number> }> {
    const out = new ByteWriter();
    const tableBytes = new Map<number, number>();
    for (const series of added) {
      const before = out.length;
      for (let first = series.first; first < series.end; first += RECORD_SERIES) {
        writeRecord({ ...series, first, end: Math.min(series.end, first + RECORD_SERIES) }, out);
      }
      tableBytes.set(series.tableId, out.length - before);
    }
    if (out.length > 0) {
      this.file.writeAt(out.written(), lengthBytes);
      await this.file.sync();
    }
    return { lengthBytes: lengthBytes + out.length, tableBytes };
  }

  close(): void {
    this.file.close();
  }
}

function writeRecord({ tableId, index, first, end }: NewSeries, out: ByteWriter): void {
  const content = new ByteWriter();
  const count = end - first;
  content.varint(tableId);
  content.varint(first);
  content.varint(count);
  encodeIntegers(Float64Array.from({ length: count }, (_, i) => index.typeOf(first + i)), count, content);
  encodeIntegers(
    Float64Array.from({ length: count }, (_, i) => index.bytesOf(first + i).length),
    count,
    content,
  );
  for (let series = first; series < end; series++) content.bytes(index.bytesOf(series));
  const start = out.length;
  out.uint32(0);
  out.setUint32(start, writeBlock(out, (block) => encodeBytes(content.written(), block)));
}

function addSeries(reader: ByteReader, index: SeriesIndex, path: string, at: number): void {
  const first = reader.varint();
  if (first !== index.size) {
    throw new CorruptionError(path, at, `series ${first} come next, expected ${index.size}`);
  }
  const count = reader.varint();
  const types = new Float64Array(count);
  decodeIntegers(reader, count, types);
  const lengths = new Float64Array(count);
  decodeIntegers(reader, count, lengths);
  index.addAll(types, lengths, reader.bytes(reader.remaining));
}
