/**
 * Reads the entries of one group beside the log's work, in pieces, from an index on: for change streams, restores and
 * followers. It holds no file open and keeps no file alive: where what it would read next has gone, it says so.
 */
import { CorruptionError, LOG_CHUNK_BYTES } from "../../base/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { decodeHeader, FILE_HEADER_BYTES } from "./log_file.ts";
import { aligned, decodeRecord, type FileIdentity, type LogRecord, validRecordEnd } from "./record.ts";

/** A file of an open log as a reader sees it. */
export interface ReadableFile {
  readonly path: string;
  readonly sequence: number;
  /** The last index of each group before it. */
  readonly positions: ReadonlyMap<number, number>;
  /** Records that may be read end here at the latest. */
  readonly end: number;
}

/** One piece of what is read. */
export type LogReading =
  | {
    readonly kind: "entries";
    /** In order, without a gap; the payloads are the caller's. */
    readonly entries: readonly LogRecord[];
    /** True when there are no more at the moment. */
    readonly isAtEnd: boolean;
  }
  | {
    readonly kind: "gone";
    /** The first entry of the group that is there, or will be. */
    readonly firstIndex: number;
  };

interface Place {
  readonly identity: FileIdentity;
  offset: number;
}

export class LogReader {
  private place: Place | undefined;

  /**
   * @param files of the log at the time of the call, oldest first
   * @param nextIndex of the first entry that is wanted
   */
  constructor(
    private readonly disk: Disk,
    private readonly files: () => readonly ReadableFile[],
    private readonly group: number,
    private nextIndex: number,
  ) {}

  /**
   * Reads on, about 1 MiB of the log or one record at a time.
   *
   * @throws CorruptionError when a record that was acknowledged is not there
   */
  next(): LogReading {
    const files = this.files();
    const at = this.find(files);
    const file = files[at];
    if (file === undefined) {
      const oldest = files[0];
      const firstIndex = oldest === undefined ? 1 : lastBefore(oldest, this.group) + 1;
      if (this.nextIndex < firstIndex) return { kind: "gone", firstIndex };
      return { kind: "entries", entries: [], isAtEnd: true };
    }
    return this.readFrom(file, files[at + 1]);
  }

  /** The file in which the next entry is, or will be; -1 where that is gone or there is no file. */
  private find(files: readonly ReadableFile[]): number {
    return files.findLastIndex((file) => lastBefore(file, this.group) < this.nextIndex);
  }

  private readFrom(file: ReadableFile, after: ReadableFile | undefined): LogReading {
    const open = this.disk.open(file.path, "read");
    try {
      const place = this.placeIn(file, open);
      const entries: LogRecord[] = [];
      const isRead = this.readPiece(open, file, place, entries);
      if (!isRead && (after !== undefined || place.offset < file.end)) {
        const reason = `no valid record, but index ${this.nextIndex} of group ${this.group} should follow`;
        throw new CorruptionError(file.path, place.offset, reason);
      }
      return { kind: "entries", entries, isAtEnd: after === undefined && place.offset >= file.end };
    } finally {
      open.close();
    }
  }

  private placeIn({ path, sequence }: ReadableFile, open: DiskFile): Place {
    if (this.place?.identity.sequence === sequence) return this.place;
    const header = new Uint8Array(FILE_HEADER_BYTES);
    const identity = decodeHeader(path, header.subarray(0, open.readAt(header, 0)), sequence);
    return this.place = { identity, offset: FILE_HEADER_BYTES };
  }

  /** Reads whole records from the place on and moves it. @returns whether there was one */
  private readPiece(open: DiskFile, file: ReadableFile, place: Place, entries: LogRecord[]): boolean {
    const bytes = readRecords(open, place.offset, file.end);
    const read = visitRecords(bytes, file, place, (record, offset) => {
      if (record.group !== this.group || record.index < this.nextIndex) return;
      this.checkIndex(record, file, offset);
      entries.push(record);
      this.nextIndex++;
    });
    place.offset += read;
    return read > 0;
  }

  private checkIndex({ index }: LogRecord, { path }: ReadableFile, offset: number): void {
    if (index === this.nextIndex) return;
    const reason = `index ${index} of group ${this.group}, expected ${this.nextIndex}`;
    throw new CorruptionError(path, offset, reason);
  }
}

function lastBefore({ positions }: ReadableFile, group: number): number {
  return positions.get(group) ?? 0;
}

/**
 * Calls `visit` with each whole record at the start of `bytes`, which lie at the place, and where it stands in the file.
 *
 * @returns the bytes of all of them
 */
export function visitRecords(
  bytes: Uint8Array,
  { path }: ReadableFile,
  { identity, offset }: Place,
  visit: (record: LogRecord, offset: number) => void,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (;;) {
    const end = validRecordEnd(bytes, view, at, identity);
    if (end === 0) return at;
    const record = decodeRecord(bytes, view, at, end);
    if (record === undefined) throw new CorruptionError(path, offset + at, "a record with unknown flags");
    visit(record, offset + at);
    at = aligned(end);
  }
}

/** Bytes from `offset` on: a piece, or the one record that is longer. */
export function readRecords(open: DiskFile, offset: number, end: number): Uint8Array {
  const bytes = readPart(open, offset, Math.min(end, offset + LOG_CHUNK_BYTES));
  if (bytes.length < 4) return bytes;
  const recordEnd = offset + new DataView(bytes.buffer).getUint32(0, true);
  return recordEnd > offset + bytes.length && recordEnd <= end ? readPart(open, offset, recordEnd) : bytes;
}

function readPart(open: DiskFile, offset: number, end: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, end - offset));
  return bytes.subarray(0, open.readAt(bytes, offset));
}
