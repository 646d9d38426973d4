/**
 * Reads the log when it opens: all records in order, then the verdict on how it ends (docs/format/log.md, Reading).
 *
 * Records end at the first bytes that are none. In a sealed file the next one's positions must agree; in the last file
 * that is a torn tail, unless a later record says that this place was durable already: then it is damage.
 */
import { CorruptionError } from "../../base/mod.ts";
import type { Disk } from "../../io/mod.ts";
import { decodeBegun, type FileStart } from "./file_start.ts";
import { decodeHeader, FILE_HEADER_BYTES, listFiles, logPath, type Role } from "./log_file.ts";
import {
  aligned,
  decodePositions,
  decodeRecord,
  type FileIdentity,
  LOG_GROUP,
  type LogRecord,
  syncedAtWrite,
  validRecordEnd,
} from "./record.ts";

/** Called with every record in the log's order; what it returns is waited for. */
export type OnRecord = (record: LogRecord) => void | Promise<void>;

/** What reading found in one file. */
export interface ReplayedFile {
  readonly identity: FileIdentity;
  readonly start: FileStart;
  readonly sizeBytes: number;
  /** The highest index of each group that has entries in it. */
  readonly lastIndexes: Map<number, number>;
  /** Where its records end and the next one goes. */
  readonly end: number;
  /** Whether valid records lie in the torn tail, to be overwritten before anything is appended. */
  readonly hasStaleRecords: boolean;
}

export interface Replayed {
  readonly files: readonly ReplayedFile[];
  /** The last index of every group ever seen. */
  readonly positions: Map<number, number>;
}

/**
 * Reads all files that the log needs.
 *
 * @throws CorruptionError with the path and the place where the log is damaged
 */
export async function replay(disk: Disk, directory: string, onRecord: OnRecord): Promise<Replayed> {
  const sequences = listFiles(disk, directory, "log");
  const files: ReplayedFile[] = [];
  const positions = new Map<number, number>();
  for (const [i, sequence] of sequences.entries()) {
    const expected = sequences[0]! + i;
    if (sequence !== expected) {
      throw new CorruptionError(logPath(directory, expected), 0, "the file is missing, later ones are there");
    }
    const isLast = i === sequences.length - 1;
    const before = files[i - 1];
    files.push(await new FileReader(disk, directory, sequence, positions, before).read(onRecord, isLast));
  }
  return { files, positions };
}

/**
 * Reads all of a file that is kept beside what the log needs.
 *
 * @param nextRole what the file that follows it is there for
 * @throws CorruptionError where a record is damaged, or the next file does not begin where this one ends
 */
export async function replayKept(
  disk: Disk,
  directory: string,
  sequence: number,
  nextRole: Role,
  onRecord: OnRecord,
): Promise<ReplayedFile> {
  const positions = new Map<number, number>();
  const kept = new FileReader(disk, directory, sequence, positions, undefined, "kept");
  const file = await kept.read(onRecord, false);
  new FileReader(disk, directory, sequence + 1, positions, file, nextRole).checkStart();
  return file;
}

class FileReader {
  private readonly path: string;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly identity: FileIdentity;
  private readonly lastIndexes = new Map<number, number>();
  private start: FileStart | undefined;

  constructor(
    disk: Disk,
    private readonly directory: string,
    sequence: number,
    private readonly positions: Map<number, number>,
    private readonly before: ReplayedFile | undefined,
    role: Role = "log",
  ) {
    this.path = logPath(directory, sequence, role);
    this.bytes = readWhole(disk, this.path);
    this.view = new DataView(this.bytes.buffer);
    this.identity = decodeHeader(this.path, this.bytes, sequence);
  }

  async read(onRecord: OnRecord, isLast: boolean): Promise<ReplayedFile> {
    let at = FILE_HEADER_BYTES;
    for (;;) {
      const end = validRecordEnd(this.bytes, this.view, at, this.identity);
      if (end === 0) break;
      const record = this.decode(at, end);
      if (at === FILE_HEADER_BYTES) this.takePositions(record, at);
      else await this.takeEntry(record, at, onRecord);
      at = aligned(end);
    }
    if (!isLast && at === FILE_HEADER_BYTES) {
      throw new CorruptionError(this.path, at, "no valid record, but there are later files");
    }
    const hasStaleRecords = this.checkTail(at, isLast);
    const { identity, lastIndexes, start = { positions: new Map(this.positions), begunMs: 0 } } = this;
    return { identity, start, sizeBytes: this.bytes.length, lastIndexes, end: at, hasStaleRecords };
  }

  /** Whether it begins where the file before it ended; one that has no record yet says nothing. */
  checkStart(): void {
    const end = validRecordEnd(this.bytes, this.view, FILE_HEADER_BYTES, this.identity);
    if (end > 0) this.takePositions(this.decode(FILE_HEADER_BYTES, end), FILE_HEADER_BYTES);
  }

  private decode(at: number, end: number): LogRecord {
    const record = decodeRecord(this.bytes, this.view, at, end);
    if (record === undefined) throw new CorruptionError(this.path, at, "a record with unknown flags");
    return record;
  }

  /** The first file's positions are where the log starts; the others' must be what was read up to there. */
  private takePositions(record: LogRecord, at: number): void {
    const found = record.group === LOG_GROUP ? decodePositions(record.payload) : undefined;
    if (found === undefined) {
      throw new CorruptionError(this.path, at, "the first record is not the positions");
    }
    this.start = { positions: found, begunMs: decodeBegun(record.clusterTime) };
    if (this.before === undefined) {
      for (const [group, index] of found) this.positions.set(group, index);
      return;
    }
    for (const group of new Set([...found.keys(), ...this.positions.keys()])) {
      const [expected, read] = [found.get(group) ?? 0, this.positions.get(group) ?? 0];
      if (expected === read) continue;
      const { identity, end } = this.before;
      const reason = `records end at index ${read} of group ${group}, the next file says ${expected}`;
      throw new CorruptionError(logPath(this.directory, identity.sequence), end, reason);
    }
  }

  private async takeEntry(record: LogRecord, at: number, onRecord: OnRecord): Promise<void> {
    const { group, index } = record;
    const expected = (this.positions.get(group) ?? 0) + 1;
    if (index !== expected) {
      throw new CorruptionError(this.path, at, `index ${index} of group ${group}, expected ${expected}`);
    }
    this.positions.set(group, index);
    this.lastIndexes.set(group, index);
    const waiting = onRecord(record);
    if (waiting !== undefined) await waiting;
  }

  /**
   * Looks for records behind the end.
   *
   * @returns whether there are any
   * @throws CorruptionError when one of them shows that the end had been durable: in a sealed file, any of them does
   */
  private checkTail(end: number, isLast: boolean): boolean {
    let found = false;
    for (let at = end; at < this.bytes.length; at += 8) {
      if (validRecordEnd(this.bytes, this.view, at, this.identity) === 0) continue;
      found = true;
      if (!isLast || syncedAtWrite(this.view, at) > end) {
        throw new CorruptionError(this.path, end, `no valid record, but a later one at ${at}`);
      }
    }
    return found;
  }
}

function readWhole(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    const count = file.readAt(bytes, 0);
    return count === bytes.length ? bytes : bytes.subarray(0, count);
  } finally {
    file.close();
  }
}
