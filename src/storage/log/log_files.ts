/**
 * The files of an open log: those sealed and still needed, those kept for readers, the spares, and the making of the
 * next one. A file may go once every group with entries in it has said that it needs them no more, and the next file's
 * positions are durable; it is kept then for as long as the retention says.
 */
import { LOG_CHUNK_BYTES, LOG_FILE_BYTES, MAX_SPARE_LOG_FILES, type Random } from "../../base/mod.ts";
import type { Clock, Disk } from "../../io/mod.ts";
import type { FileStart } from "./file_start.ts";
import { findKeptFiles, KeptFiles, type LogRetention } from "./kept_files.ts";
import { FILE_HEADER_BYTES, listFiles, logPath, makeLogFile, openForAppend, type Role } from "./log_file.ts";
import type { ReadableFile } from "./log_reader.ts";
import type { Replayed, ReplayedFile } from "./replay.ts";
import { LogTail } from "./tail.ts";

interface SealedFile {
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly start: FileStart;
  readonly lastIndexes: ReadonlyMap<number, number>;
}

export interface LogSizes {
  /** A file is full at this size. */
  readonly fileBytes: number;
  /** And grows in steps of this one. */
  readonly chunkBytes: number;
}

export const DEFAULT_LOG_SIZES: LogSizes = { fileBytes: LOG_FILE_BYTES, chunkBytes: LOG_CHUNK_BYTES };

/** What the files of a log take, in bytes. */
export interface LogUsage {
  /** Files whose entries are replayed when the log opens. */
  readonly needed: number;
  /** Files that were cut and can still be read. */
  readonly kept: number;
  /** Files that wait to be used again. */
  readonly spare: number;
}

export interface LogFilesOptions {
  readonly sizes: LogSizes;
  readonly retention: LogRetention;
  readonly random: Random;
  readonly clock: Clock;
}

export class LogFiles {
  readonly sizes: LogSizes;
  private readonly sealed: SealedFile[] = [];
  private readonly kept: KeptFiles;
  /** Sequence and size of each spare. */
  private readonly spares: { readonly sequence: number; readonly sizeBytes: number }[] = [];
  /** Per group, the index up to which its entries are not needed. */
  private readonly cutIndexes = new Map<number, number>();
  private nextSequence = 1;
  private namesAreDurable = true;
  /** The end of all that moves files out of the log's way: one thing after the other. */
  private moving: Promise<void> = Promise.resolve();

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly options: LogFilesOptions,
  ) {
    this.sizes = options.sizes;
    this.kept = new KeptFiles(options.retention);
  }

  /** Of all files but the one that is appended to. */
  get usage(): LogUsage {
    return { needed: sumOf(this.sealed), kept: this.kept.sizeBytes, spare: sumOf(this.spares) };
  }

  /** What can be read, oldest first. @param tail the file that is appended to */
  readable(tail: LogTail | undefined): readonly ReadableFile[] {
    const readable = (role: Role) => ({ sequence, start, sizeBytes }: Omit<SealedFile, "lastIndexes">) => ({
      path: logPath(this.directory, sequence, role),
      sequence,
      positions: start.positions,
      end: sizeBytes,
    });
    const before = [...this.kept.files.map(readable("kept")), ...this.sealed.map(readable("log"))];
    if (tail === undefined) return before;
    const { start, end, identity: { sequence } } = tail;
    return [...before, readable("log")({ sequence, start, sizeBytes: end })];
  }

  /** Takes over what was read; returns the last file, ready for more, or undefined where there is none. */
  async adopt({ files }: Replayed): Promise<LogTail | undefined> {
    this.adoptSpares();
    this.adoptKept(files[0]);
    const last = files.at(-1);
    if (last === undefined) return undefined;
    for (const { identity, sizeBytes, start, lastIndexes } of files.slice(0, -1)) {
      this.sealed.push({ sequence: identity.sequence, sizeBytes, start, lastIndexes });
    }
    this.nextSequence = last.identity.sequence + 1;
    const tail = new LogTail(
      openForAppend(this.disk, this.directory, last.identity),
      // A file without a record yet begins with the first one.
      last.end > FILE_HEADER_BYTES ? last.start : { ...last.start, begunMs: this.options.clock.nowMs() },
      last.end,
      last.lastIndexes,
    );
    await tail.eraseBehindEnd(last.hasStaleRecords ? last.sizeBytes : last.end);
    return tail;
  }

  /** Those that are too old by now go at the next cut or look. */
  private adoptKept(first: ReplayedFile | undefined): void {
    const found = findKeptFiles(this.disk, this.directory, first?.identity.sequence, first?.start);
    for (const file of found.files) this.kept.add(file);
    for (const sequence of found.unreadable) {
      this.disk.remove(logPath(this.directory, sequence, "kept"));
    }
  }

  private adoptSpares(): void {
    for (const sequence of listFiles(this.disk, this.directory, "new")) {
      this.disk.remove(logPath(this.directory, sequence, "new"));
    }
    for (const sequence of listFiles(this.disk, this.directory, "spare")) {
      const file = this.disk.open(logPath(this.directory, sequence, "spare"), "read");
      const sizeBytes = file.size();
      file.close();
      this.keepSpare(sequence, sizeBytes);
    }
  }

  /**
   * Makes the next file.
   *
   * @param before the one that it follows; it is durable and no longer written
   * @param positions the last index of every group
   */
  async next(before: LogTail | undefined, positions: ReadonlyMap<number, number>): Promise<LogTail> {
    const spare = this.spares.pop()?.sequence;
    const { fileBytes, chunkBytes } = this.sizes;
    const firstBytes = Math.min(fileBytes, chunkBytes);
    const start = { positions: new Map(positions), begunMs: this.options.clock.nowMs() };
    const { random } = this.options;
    const tail = new LogTail(
      await makeLogFile(this.disk, this.directory, this.nextSequence, spare, firstBytes, random),
      start,
    );
    this.nextSequence++;
    if (before !== undefined) {
      const { identity, sizeBytes, start, lastIndexes } = before;
      this.sealed.push({ sequence: identity.sequence, sizeBytes, start, lastIndexes });
      before.close();
    }
    return tail;
  }

  /**
   * A group needs its entries up to `throughIndex` no more: lets the oldest files go that nobody needs.
   *
   * @param tail the file that is appended to at the time of the call
   */
  cut(group: number, throughIndex: number, tail: () => LogTail | undefined): Promise<void> {
    this.cutIndexes.set(group, Math.max(throughIndex, this.cutIndexes.get(group) ?? 0));
    return this.inTurn(async () => {
      await this.releaseOldest(tail);
      await this.recycle();
    });
  }

  /** Lets the kept files go that have become too old. */
  recycleExpired(): Promise<void> {
    return this.inTurn(() => this.recycle());
  }

  /** Removes the oldest kept file, for the room that it takes. @returns whether there was one */
  giveUpOldest(): Promise<boolean> {
    return this.inTurn(() => {
      const oldest = this.kept.files[0];
      if (oldest === undefined) return false;
      this.disk.remove(logPath(this.directory, oldest.sequence, "kept"));
      this.kept.removeOldest();
      return true;
    });
  }

  /** Waits until no file is being moved. */
  async settle(): Promise<void> {
    await this.moving;
  }

  private inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const done = this.moving.then(work);
    // The next one starts whether this one failed or not; the failure is this caller's.
    this.moving = done.then(() => {}, () => {});
    return done;
  }

  private async releaseOldest(tail: () => LogTail | undefined): Promise<void> {
    for (;;) {
      const oldest = this.sealed[0];
      if (oldest === undefined || !this.isPassed(oldest)) return;
      const next = this.sealed[1] ?? tail();
      if (next === undefined || (next instanceof LogTail && !hasDurablePositions(next))) return;
      // Each rename for itself: a crash must not keep a file and lose a later one.
      await this.syncNames();
      const { sequence, sizeBytes, start } = oldest;
      this.disk.rename(logPath(this.directory, sequence), logPath(this.directory, sequence, "kept"));
      this.sealed.shift();
      this.kept.add({ sequence, sizeBytes, start, sealedMs: next.start.begunMs });
      this.namesAreDurable = false;
      await this.syncNames();
    }
  }

  private async recycle(): Promise<void> {
    for (;;) {
      const oldest = this.kept.expired(this.options.clock.nowMs());
      if (oldest === undefined) return;
      const { sequence, sizeBytes } = oldest;
      const spare = logPath(this.directory, sequence, "spare");
      this.disk.rename(logPath(this.directory, sequence, "kept"), spare);
      this.kept.removeOldest();
      this.namesAreDurable = false;
      // Before it is used again: what is written to it then must never be found under its old name.
      await this.syncNames();
      this.keepSpare(sequence, sizeBytes);
    }
  }

  /** Makes the last rename durable, an earlier one whose sync failed included. */
  private async syncNames(): Promise<void> {
    if (!this.namesAreDurable) await this.disk.syncDirectory(this.directory);
    this.namesAreDurable = true;
  }

  private isPassed({ lastIndexes }: SealedFile): boolean {
    for (const [group, index] of lastIndexes) {
      if (index > (this.cutIndexes.get(group) ?? 0)) return false;
    }
    return true;
  }

  private keepSpare(sequence: number, sizeBytes: number): void {
    if (this.spares.length < MAX_SPARE_LOG_FILES && sizeBytes <= this.sizes.fileBytes) {
      this.spares.push({ sequence, sizeBytes });
    } else {
      this.disk.remove(logPath(this.directory, sequence, "spare"));
    }
  }
}

/** Whether the groups' last indexes are safe in this file without the one before it. */
function hasDurablePositions(tail: LogTail): boolean {
  return tail.isStarted && tail.synced > FILE_HEADER_BYTES;
}

function sumOf(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}
