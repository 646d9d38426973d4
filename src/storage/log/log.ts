/**
 * The log of all groups (VNodes) in one isolate: entries in, durable, back at the next start (docs/format/log.md).
 *
 * Group commit: entries queue; a loop takes all that wait, writes them with one write and one sync, tells their owners,
 * and takes what has gathered since. Indexes are given when an entry is written, so that a failed batch leaves no gap.
 *
 * Failures: a full device costs the kept files first, one by one; without any it fails what waits, and is tried again
 * with the next entry. After anything else the log refuses all further entries (what a device holds after a failed sync
 * is not known). Reopening is the way back.
 */
import {
  assert,
  CommandError,
  DEFAULT_LOG_RETENTION,
  LOG_RETENTION_INTERVAL_MS,
  LOG_SYNC_INTERVAL_MS,
  type Random,
} from "../../base/mod.ts";
import { type Clock, type Disk, isDiskFull, SystemClock } from "../../io/mod.ts";
import { encodeBegun } from "./file_start.ts";
import type { LogRetention } from "./kept_files.ts";
import { DEFAULT_LOG_SIZES, LogFiles, type LogSizes, type LogUsage } from "./log_files.ts";
import { logPath } from "./log_file.ts";
import { LogFollower, SharedPiece } from "./log_follower.ts";
import { LogReader } from "./log_reader.ts";
import {
  encodePositions,
  encodeRecord,
  type EntryHeader,
  LOG_GROUP,
  recordBytes,
  type RecordSource,
} from "./record.ts";
import { type OnRecord, replay } from "./replay.ts";
import type { LogTail } from "./tail.ts";

export interface LogOptions {
  /** Gets every record there is, in order, before `open` resolves. */
  readonly onRecord: OnRecord;
  /** When an entry is acknowledged: after its sync (the default), or after its write, with a sync every 100 ms. */
  readonly durability?: "commit" | "interval";
  /** How long files can be read after they were cut: 64 MB and one hour by default. */
  readonly retention?: LogRetention;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Smaller files for tests. */
  readonly sizes?: LogSizes;
}

export interface AppendOptions extends EntryHeader {
  /** Whether the entry is synced before it is acknowledged even with `interval` durability. */
  readonly alwaysSync?: boolean;
  /**
   * Called once the entry is durable, in the log's order over all groups and before any promise of its batch resolves:
   * the place to apply it to memory. Must not throw.
   */
  readonly onDurable?: (index: number) => void;
}

/** The bytes of a batch up to this length are kept for the next one: what is new has to be cleared and mapped. */
const MAX_KEPT_BATCH_BYTES = 1 << 20;

interface WaitingEntry {
  readonly source: RecordSource;
  readonly bytes: number;
  readonly alwaysSync: boolean;
  readonly onDurable: ((index: number) => void) | undefined;
  readonly resolve: (index: number) => void;
  readonly reject: (error: Error) => void;
}

/** Entries encoded for one write. */
interface Batch {
  readonly entries: readonly WaitingEntry[];
  readonly indexes: readonly number[];
  readonly bytes: Uint8Array;
}

export class Log {
  private queue: WaitingEntry[] = [];
  private keptBatch = new Uint8Array(0);
  /** The entries of the write that runs. */
  private inFlight: readonly WaitingEntry[] = [];
  private running: Promise<void> | undefined;
  private failure: Error | undefined;
  private cancelTimer: (() => void) | undefined;
  private cancelRetention: () => void;
  private closed = false;
  private readonly appendListeners = new Set<() => void>();
  private readonly sharedPiece = new SharedPiece();
  private lastClusterTime = 0n;
  /** Set while the next file is being made: the one before it must get no more records, even after a failure. */
  private sealing = false;

  private constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly files: LogFiles,
    private tail: LogTail | undefined,
    private readonly positions: Map<number, number>,
    private readonly durability: "commit" | "interval",
    private readonly clock: Clock,
  ) {
    this.cancelRetention = this.recycleLater();
  }

  /**
   * Opens the log in a folder, which is made if need be, and replays all that is in it.
   *
   * @throws CorruptionError with path and place when it is damaged
   */
  static async open(disk: Disk, directory: string, options: LogOptions): Promise<Log> {
    disk.makeDirectory(directory);
    const slash = directory.lastIndexOf("/");
    // Also where it is there, with files: the process that made them may have ended before they were durable.
    await disk.syncDirectory(slash < 0 ? "" : directory.slice(0, slash));
    await disk.syncDirectory(directory);
    const clock = options.clock ?? new SystemClock();
    const files = new LogFiles(disk, directory, {
      sizes: options.sizes ?? DEFAULT_LOG_SIZES,
      retention: options.retention ?? DEFAULT_LOG_RETENTION,
      random: options.random ?? Math.random,
      clock,
    });
    const replayed = await replay(disk, directory, options.onRecord);
    const tail = await files.adopt(replayed);
    return new Log(disk, directory, files, tail, replayed.positions, options.durability ?? "commit", clock);
  }

  /**
   * Appends one entry.
   *
   * @param group the VNode's number
   * @param kind 0…65535, the caller's own
   * @param payload parts to be joined; must not change until the entry is durable
   * @returns the entry's index in its group (1, 2, …), once it is durable
   * @throws CommandError OutOfDiskSpace when the device is full, InternalError when it failed. The entry was not
   *   acknowledged, but may be found at the next opening: after InternalError, and where the power fails before a full
   *   device let the log erase it
   */
  append(
    group: number,
    kind: number,
    payload: readonly Uint8Array[],
    options: AppendOptions = {},
  ): Promise<number> {
    assert(group >= 0 && group < LOG_GROUP && Number.isInteger(group), `${group} is a group`);
    const refusal = this.failure ?? (this.closed ? logClosed() : undefined);
    if (refusal !== undefined) return Promise.reject(refusal);
    const { onDurable, alwaysSync = false, ...header } = options;
    const source: RecordSource = { ...header, group, kind, payload };
    const appended = new Promise<number>((resolve, reject) => {
      this.queue.push({ source, bytes: recordBytes(source), alwaysSync, onDurable, resolve, reject });
    });
    this.running ??= this.run();
    return appended;
  }

  /** The index of a group's last durable entry; 0 when there never was one. */
  lastIndex(group: number): number {
    return this.positions.get(group) ?? 0;
  }

  /**
   * A group needs its entries up to `throughIndex` no more at the next opening. Files that nobody needs can be read for
   * as long as the retention says, and are used again afterwards.
   */
  async cut(group: number, throughIndex: number): Promise<void> {
    assert(throughIndex <= this.lastIndex(group), "only durable entries are cut");
    if (!this.closed) await this.files.cut(group, throughIndex, () => this.tail);
  }

  /** Reads a group's entries from an index on, those included that come later. */
  read(group: number, fromIndex: number): LogReader {
    return new LogReader(this.disk, () => this.files.readable(this.tail), group, fromIndex);
  }

  /** Reads the entries of all groups from a cluster time on, those included that come later. */
  follow(fromTime: bigint): LogFollower {
    return new LogFollower(this.disk, () => this.files.readable(this.tail), fromTime, this.sharedPiece);
  }

  /** The index of the last entry of a group that cannot be read any more; 0 where all can. */
  readableFrom(group: number): number {
    return this.files.readable(this.tail)[0]?.positions.get(group) ?? 0;
  }

  /** Cluster time of the last entry that became durable since the log was opened; 0 where there is none. */
  get lastTime(): bigint {
    return this.lastClusterTime;
  }

  /** Reads the entries of all groups that come from now on. */
  followNew(): LogFollower {
    const { tail } = this;
    const positions = new Map(this.positions);
    const place = tail && { identity: tail.identity, offset: tail.end, positions };
    return new LogFollower(this.disk, () => this.files.readable(this.tail), 0n, this.sharedPiece, place);
  }

  /** Calls `listener` when entries have become durable; returns what takes that back. */
  onAppended(listener: () => void): () => void {
    this.appendListeners.add(listener);
    return () => {
      this.appendListeners.delete(listener);
      if (this.appendListeners.size === 0) this.sharedPiece.clear();
    };
  }

  /**
   * Does what takes room on the device; for as long as there is none, the oldest kept file is given up and it is done
   * again.
   *
   * @throws what `work` throws, a full device included once no file is kept any more
   */
  async withRoom<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        // A file that cannot be removed gives no room: the answer is that there is none.
        if (!isDiskFull(error) || !await this.files.giveUpOldest().catch(() => false)) throw error;
      }
    }
  }

  /** What the files take. */
  get usage(): LogUsage {
    const usage = this.files.usage;
    return { ...usage, needed: usage.needed + (this.tail?.sizeBytes ?? 0) };
  }

  /** Writes and syncs what waits, then closes. Further appends are refused. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.running;
    this.cancelTimer?.();
    this.cancelRetention();
    await this.files.settle();
    try {
      if (this.failure === undefined) await this.syncTail();
    } finally {
      this.tail?.close();
    }
  }

  /** Writes batch after batch until nothing waits. */
  private async run(): Promise<void> {
    // What is appended in the same turn of the event loop shares the first batch.
    await Promise.resolve();
    while (this.queue.length > 0) {
      try {
        await this.withRoom(() => this.writeBatch());
      } catch (error) {
        this.failWaiting(error);
      }
    }
    this.running = undefined;
  }

  private async writeBatch(): Promise<void> {
    try {
      await this.tryBatch();
    } catch (error) {
      await this.repairAfter(error);
      this.queue.unshift(...this.inFlight);
      this.inFlight = [];
      throw this.failure ?? error;
    }
  }

  private async tryBatch(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    await this.tail?.repair();
    const tail = await this.tailFor(this.queue[0]!.bytes);
    const batch = this.takeBatch(tail);
    const grownSize = this.grownSize(tail.end + batch.bytes.length);
    if (this.durability === "commit" || batch.entries.some((entry) => entry.alwaysSync)) {
      await tail.writeDurably(batch.bytes, grownSize);
    } else {
      tail.write(batch.bytes, grownSize);
      this.syncLater();
    }
    this.settle(batch, tail);
  }

  /** The file for a record of that size: the last one, or a new one when it does not fit. */
  private async tailFor(bytes: number): Promise<LogTail> {
    const { tail } = this;
    const fits = tail !== undefined && (!tail.isStarted || tail.end + bytes <= this.files.sizes.fileBytes);
    if (fits && !this.sealing) return tail;
    await this.syncTail();
    this.sealing = true;
    this.tail = await this.files.next(tail, this.positions);
    this.sealing = false;
    return this.tail;
  }

  /** Takes from the queue what fits in the file, the first entry in any case, and encodes it. */
  private takeBatch(tail: LogTail): Batch {
    const { start } = tail;
    const positions: RecordSource = {
      group: LOG_GROUP,
      kind: 0,
      payload: [encodePositions(start.positions)],
      clusterTime: encodeBegun(start.begunMs),
    };
    let size = tail.isStarted ? 0 : recordBytes(positions);
    const room = this.files.sizes.fileBytes - tail.end;
    let count = 0;
    for (; count < this.queue.length; count++) {
      const { bytes } = this.queue[count]!;
      if (count > 0 && size + bytes > room) break;
      size += bytes;
    }
    const entries = this.queue.splice(0, count);
    this.inFlight = entries;
    const bytes = this.batchBytes(size);
    let at = tail.isStarted ? 0 : encodeRecord(bytes, 0, positions, 0, tail.identity, tail.synced);
    const last = new Map<number, number>();
    const indexes = entries.map(({ source }) => {
      const index = (last.get(source.group) ?? this.lastIndex(source.group)) + 1;
      last.set(source.group, index);
      at = encodeRecord(bytes, at, source, index, tail.identity, tail.synced);
      return index;
    });
    assert(at === size, "a batch is as long as its records");
    return { entries, indexes, bytes };
  }

  /** Bytes for the records of a batch, used again for the next one. */
  private batchBytes(size: number): Uint8Array {
    if (size > MAX_KEPT_BATCH_BYTES) return new Uint8Array(size);
    if (size > this.keptBatch.length) this.keptBatch = new Uint8Array(size);
    return this.keptBatch.subarray(0, size);
  }

  /** The size to which the file grows so that records up to `end` fit: whole chunks, while they fit in a file. */
  private grownSize(end: number): number {
    const { fileBytes, chunkBytes } = this.files.sizes;
    return Math.min(fileBytes, Math.ceil(end / chunkBytes) * chunkBytes);
  }

  /** All owners learn in order that their entries are durable, then the promises resolve. */
  private settle({ entries, indexes }: Batch, tail: LogTail): void {
    for (const [i, { source }] of entries.entries()) {
      this.positions.set(source.group, indexes[i]!);
      tail.lastIndexes.set(source.group, indexes[i]!);
      this.lastClusterTime = source.clusterTime ?? this.lastClusterTime;
    }
    for (const [i, entry] of entries.entries()) entry.onDurable?.(indexes[i]!);
    this.inFlight = [];
    for (const [i, entry] of entries.entries()) entry.resolve(indexes[i]!);
    for (const listener of this.appendListeners) listener();
  }

  /** What was refused should not come back: erased at once where that works, else before the next write. */
  private async repairAfter(cause: unknown): Promise<void> {
    if (!isDiskFull(cause)) return;
    try {
      await this.tail?.repair();
    } catch (error) {
      if (!isDiskFull(error)) this.end(error);
    }
  }

  private failWaiting(cause: unknown): void {
    const error = this.failure ?? (isDiskFull(cause) ? this.fullError(cause) : this.end(cause));
    for (const entry of this.queue.splice(0)) entry.reject(error);
  }

  private fullError(cause: unknown): Error {
    const text = `cannot write the log "${this.path}", the device is full: ${textOf(cause)}`;
    return new CommandError("OutOfDiskSpace", text);
  }

  /** Refuses all entries from now on. */
  private end(cause: unknown): Error {
    const text = `cannot write the log "${this.path}", restart the node when this is mended: ${
      textOf(cause)
    }`;
    return this.failure = new CommandError(isDiskFull(cause) ? "OutOfDiskSpace" : "InternalError", text);
  }

  private get path(): string {
    return this.tail === undefined ? this.directory : logPath(this.directory, this.tail.identity.sequence);
  }

  /** Interval durability: one sync some time after a write, however many follow it. */
  private syncLater(): void {
    this.cancelTimer ??= this.clock.after(LOG_SYNC_INTERVAL_MS, () => {
      this.cancelTimer = undefined;
      // Entries were acknowledged before they were durable: there is no way back, whatever the reason.
      this.syncTail().catch((cause: unknown) => void (this.failure ?? this.end(cause)));
    });
  }

  /** Looks again and again for kept files that have become too old. */
  private recycleLater(): () => void {
    return this.clock.after(LOG_RETENTION_INTERVAL_MS, () => {
      // A file that could not be moved stays for the next look; at the next cut the failure is the caller's.
      this.files.recycleExpired().catch(() => {});
      this.cancelRetention = this.recycleLater();
    });
  }

  private async syncTail(): Promise<void> {
    if (this.tail !== undefined && this.tail.synced < this.tail.end) await this.tail.sync();
  }
}

function logClosed(): CommandError {
  return new CommandError("ShutdownInProgress", "the log is closed");
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
