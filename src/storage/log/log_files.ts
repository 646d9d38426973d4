/**
 * The files of an open log: those sealed and still needed, the spares, and the making of the next one. A file may go
 * once every group with entries in it has said that it needs them no more, and the next file's positions are durable.
 */
import { LOG_CHUNK_BYTES, LOG_FILE_BYTES, MAX_SPARE_LOG_FILES, type Random } from "../../base/mod.ts";
import type { Disk } from "../../io/mod.ts";
import { FILE_HEADER_BYTES, listFiles, logPath, makeLogFile, openForAppend } from "./log_file.ts";
import type { Replayed } from "./replay.ts";
import { LogTail } from "./tail.ts";

interface SealedFile {
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly lastIndexes: ReadonlyMap<number, number>;
}

export interface LogSizes {
  /** A file is full at this size. */
  readonly fileBytes: number;
  /** And grows in steps of this one. */
  readonly chunkBytes: number;
}

export const DEFAULT_LOG_SIZES: LogSizes = { fileBytes: LOG_FILE_BYTES, chunkBytes: LOG_CHUNK_BYTES };

export class LogFiles {
  private readonly sealed: SealedFile[] = [];
  /** Sequence and size of each spare. */
  private readonly spares: { readonly sequence: number; readonly sizeBytes: number }[] = [];
  /** Per group, the index up to which its entries are not needed. */
  private readonly cutIndexes = new Map<number, number>();
  private nextSequence = 1;
  private cutIsDurable = true;
  private cutting: Promise<void> = Promise.resolve();

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    readonly sizes: LogSizes,
    private readonly random: Random,
  ) {}

  /** Sealed files and spares, in bytes. */
  get sizeBytes(): number {
    return [...this.sealed, ...this.spares].reduce((sum, file) => sum + file.sizeBytes, 0);
  }

  /** Takes over what was read; returns the last file, ready for more, or undefined where there is none. */
  async adopt({ files }: Replayed): Promise<LogTail | undefined> {
    this.adoptSpares();
    const last = files.at(-1);
    if (last === undefined) return undefined;
    for (const { identity, sizeBytes, lastIndexes } of files.slice(0, -1)) {
      this.sealed.push({ sequence: identity.sequence, sizeBytes, lastIndexes });
    }
    this.nextSequence = last.identity.sequence + 1;
    const tail = new LogTail(
      openForAppend(this.disk, this.directory, last.identity),
      last.end,
      last.lastIndexes,
    );
    await tail.eraseBehindEnd(last.hasStaleRecords ? last.sizeBytes : last.end);
    return tail;
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

  /** Makes the next file. `before`, the one that it follows, is durable and no longer written. */
  async next(before: LogTail | undefined): Promise<LogTail> {
    const spare = this.spares.pop()?.sequence;
    const { fileBytes, chunkBytes } = this.sizes;
    const firstBytes = Math.min(fileBytes, chunkBytes);
    const tail = new LogTail(
      await makeLogFile(this.disk, this.directory, this.nextSequence, spare, firstBytes, this.random),
    );
    this.nextSequence++;
    if (before !== undefined) {
      const { identity, sizeBytes, lastIndexes } = before;
      this.sealed.push({ sequence: identity.sequence, sizeBytes, lastIndexes });
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
    const done = this.cutting.then(() => this.releaseOldest(tail));
    // The next one starts whether this one failed or not; the failure is this caller's.
    this.cutting = done.catch(() => {});
    return done;
  }

  private async releaseOldest(tail: () => LogTail | undefined): Promise<void> {
    for (;;) {
      const oldest = this.sealed[0];
      if (oldest === undefined || !this.isPassed(oldest)) return;
      if (this.sealed.length === 1 && !hasDurablePositions(tail())) return;
      // Each rename for itself: a crash must not keep a file and lose a later one.
      await this.syncCut();
      const spare = logPath(this.directory, oldest.sequence, "spare");
      this.disk.rename(logPath(this.directory, oldest.sequence), spare);
      this.sealed.shift();
      this.cutIsDurable = false;
      await this.syncCut();
      this.keepSpare(oldest.sequence, oldest.sizeBytes);
    }
  }

  /** Makes the last rename of a cut durable, an earlier cut's that failed included. */
  private async syncCut(): Promise<void> {
    if (!this.cutIsDurable) await this.disk.syncDirectory(this.directory);
    this.cutIsDurable = true;
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
function hasDurablePositions(tail: LogTail | undefined): boolean {
  return tail !== undefined && tail.isStarted && tail.synced > FILE_HEADER_BYTES;
}
