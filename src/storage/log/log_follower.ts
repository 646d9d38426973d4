/**
 * Reads the entries of all groups in the order of the log, from a cluster time on, beside the log's work: for change streams.
 * Like a `LogReader` it holds no file open and keeps no file alive.
 */
import { CorruptionError } from "../../base/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { decodeHeader, FILE_HEADER_BYTES } from "./log_file.ts";
import { type ReadableFile, readRecords, visitRecords } from "./log_reader.ts";
import { type FileIdentity, LOG_GROUP, type LogRecord } from "./record.ts";

/** One piece of what is read. */
export type FollowedPiece =
  /** In order; `isAtEnd` when there are no more at the moment. The payloads are the caller's. */
  | { readonly kind: "entries"; readonly entries: readonly LogRecord[]; readonly isAtEnd: boolean }
  /** What would come next is not in the log any more. */
  | { readonly kind: "gone" };

/** How far was read. */
export interface FollowedPlace {
  readonly identity: FileIdentity;
  offset: number;
  /** The last index read of each group. */
  readonly positions: Map<number, number>;
}

/** What followers of one log share: the piece that one of them read last, since most of them are at the log's end. */
export class SharedPiece {
  private key = "";
  private piece: { readonly records: readonly LogRecord[]; readonly nextOffset: number } | undefined;

  /** The piece at a place of a file; `read` gives it where it is another one. */
  at(
    { sequence, end }: ReadableFile,
    offset: number,
    read: () => { readonly records: readonly LogRecord[]; readonly nextOffset: number },
  ): { readonly records: readonly LogRecord[]; readonly nextOffset: number } {
    const key = `${sequence}:${offset}:${end}`;
    if (this.piece === undefined || this.key !== key) {
      this.piece = read();
      this.key = key;
    }
    return this.piece;
  }

  /** Nobody follows the log any more. */
  clear(): void {
    this.piece = undefined;
  }
}

const GONE: FollowedPiece = { kind: "gone" };

export class LogFollower {
  /**
   * @param files of the log at the time of the call, oldest first
   * @param fromTime cluster time of the first entry that is wanted
   * @param shared with all other followers of the log
   * @param place where it is, where that is known
   */
  constructor(
    private readonly disk: Disk,
    private readonly files: () => readonly ReadableFile[],
    private readonly fromTime: bigint,
    private readonly shared: SharedPiece,
    private place?: FollowedPlace,
  ) {}

  /**
   * The index of the last entry of a group before the first that `next` gives.
   *
   * @returns undefined where the log has no place for the wanted time any more
   */
  start(group: number): number | undefined {
    if (this.place !== undefined) return this.place.positions.get(group) ?? 0;
    const file = this.firstFile(this.files());
    if (file === "gone") return undefined;
    return file?.positions.get(group) ?? 0;
  }

  /**
   * Reads on, about 1 MiB of the log or one record at a time.
   *
   * @throws CorruptionError when a record that was acknowledged is not there
   */
  next(): FollowedPiece {
    const files = this.files();
    const found = this.place === undefined ? this.firstFile(files) : this.currentFile(files, this.place);
    if (found === "gone") return GONE;
    if (found === undefined) return { kind: "entries", entries: [], isAtEnd: true };
    const place = this.place ?? this.begin(found);
    const after = files.find((file) => file.sequence === found.sequence + 1);
    const entries: LogRecord[] = [];
    if (this.readPiece(found, place, entries) || after === undefined) {
      return { kind: "entries", entries, isAtEnd: after === undefined && place.offset >= found.end };
    }
    this.checkEnd(found, place, after);
    this.begin(after);
    return { kind: "entries", entries, isAtEnd: false };
  }

  /** The file in which the wanted time is, or will be; undefined where there is no file yet. */
  private firstFile(files: readonly ReadableFile[]): ReadableFile | undefined | "gone" {
    // Files are many where much is kept, and their times grow.
    let low = 0;
    let high = files.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const first = this.firstTime(files[middle]!);
      if (first !== undefined && first <= this.fromTime) low = middle + 1;
      else high = middle;
    }
    if (low > 0) return files[low - 1];
    const oldest = files[0];
    // All there ever was begins in it, or nothing was ever cut.
    return oldest === undefined || oldest.positions.size === 0 ? oldest : "gone";
  }

  private currentFile(files: readonly ReadableFile[], { identity }: FollowedPlace): ReadableFile | "gone" {
    return files.find((file) => file.sequence === identity.sequence) ?? "gone";
  }

  private begin(file: ReadableFile): FollowedPlace {
    const open = this.disk.open(file.path, "read");
    try {
      return this.place = this.startOf(file, open);
    } finally {
      open.close();
    }
  }

  private startOf({ path, sequence, positions }: ReadableFile, open: DiskFile): FollowedPlace {
    const header = new Uint8Array(FILE_HEADER_BYTES);
    const identity = decodeHeader(path, header.subarray(0, open.readAt(header, 0)), sequence);
    return { identity, offset: FILE_HEADER_BYTES, positions: new Map(positions) };
  }

  /** The cluster time of a file's first entry; undefined where it has none. */
  private firstTime(file: ReadableFile): bigint | undefined {
    const open = this.disk.open(file.path, "read");
    try {
      const place = this.startOf(file, open);
      for (;;) {
        const records = recordsAt(file, place, readRecords(open, place.offset, file.end));
        const first = records.find(({ group }) => group !== LOG_GROUP);
        if (first !== undefined || records.length === 0) return first?.clusterTime;
      }
    } finally {
      open.close();
    }
  }

  /** Reads whole records from the place on and moves it. @returns whether there was one */
  private readPiece(file: ReadableFile, place: FollowedPlace, entries: LogRecord[]): boolean {
    if (place.offset >= file.end) return false;
    const { records, nextOffset } = this.shared.at(file, place.offset, () => this.pieceAt(file, place));
    place.offset = nextOffset;
    for (const record of records) {
      if (record.group === LOG_GROUP) continue;
      place.positions.set(record.group, record.index);
      if (record.clusterTime >= this.fromTime) entries.push(record);
    }
    return records.length > 0;
  }

  private pieceAt(file: ReadableFile, { identity, offset, positions }: FollowedPlace) {
    const open = this.disk.open(file.path, "read");
    try {
      const place = { identity, offset, positions };
      const records = recordsAt(file, place, readRecords(open, offset, file.end));
      return { records, nextOffset: place.offset };
    } finally {
      open.close();
    }
  }

  /** The next file begins where this one ended. */
  private checkEnd({ path }: ReadableFile, { offset, positions }: FollowedPlace, after: ReadableFile): void {
    for (const [group, index] of after.positions) {
      const read = positions.get(group) ?? 0;
      if (read === index) continue;
      const reason = `records end at index ${read} of group ${group}, the next file says ${index}`;
      throw new CorruptionError(path, offset, reason);
    }
  }
}

/** The records at the start of `bytes`, which lie at the place, which moves behind them. */
function recordsAt(file: ReadableFile, place: FollowedPlace, bytes: Uint8Array): LogRecord[] {
  const records: LogRecord[] = [];
  place.offset += visitRecords(bytes, file, place, (record) => records.push(record));
  return records;
}
