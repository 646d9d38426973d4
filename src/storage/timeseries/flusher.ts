/**
 * Flushes: all memtables, frozen at one moment, become one segment, while reads and writes go on. What a segment holds the
 * log need not keep. After a failure what was frozen stays in memory, and the next flush takes it along.
 */
import { MAX_MEMTABLE_BYTES, type MemoryBudget, MEMTABLE_SHARE } from "../../base/mod.ts";
import { FlushProgress } from "./flush_progress.ts";
import type { Frozen } from "./frozen.ts";
import type { Manifest } from "./manifest.ts";
import { pacer } from "./pacer.ts";
import type { Segment } from "./segment.ts";
import type { SegmentSet } from "./segment_set.ts";
import { type FrozenRows, writeSegment } from "./segment_writer.ts";
import type { SeriesFile } from "./series_file.ts";
import type { StoreViews } from "./store_view.ts";
import type { TableSet } from "./table_set.ts";
import type { TimeseriesStoreOptions } from "./store_options.ts";

/** What of its store a flush reads and changes. */
export interface FlushedStore {
  readonly manifest: Manifest;
  readonly seriesFile: SeriesFile;
  readonly tables: TableSet;
  readonly segments: SegmentSet;
  readonly views: StoreViews;
  readonly memory: MemoryBudget;
}

export class Flusher {
  /** The last log record that was applied. */
  private applied: number;
  private flushed: number;
  private frozen: Frozen | undefined;
  private flushing: Promise<number> | undefined;
  private readonly progress = new FlushProgress();

  /** @param onFlushed is told of each flush that wrote anything */
  constructor(
    private readonly options: TimeseriesStoreOptions,
    private readonly store: FlushedStore,
    private readonly onFlushed: () => void,
  ) {
    this.applied = store.manifest.flushedIndex;
    this.flushed = store.manifest.flushedIndex;
  }

  /** Log records up to here are in segments. */
  get flushedIndex(): number {
    return this.flushed;
  }

  /** The log has gone on to this record: the next flush covers it. */
  noteIndex(logIndex: number): void {
    this.applied = Math.max(this.applied, logIndex);
  }

  /** The log gives indexes from here on again; durable when it resolves. */
  async rewind(logIndex: number): Promise<void> {
    if (logIndex >= this.flushed) return;
    await this.store.manifest.append({ kind: "advance", flushedIndex: logIndex });
    this.flushed = logIndex;
    this.applied = logIndex;
  }

  /** How full the memtables are that grow: from 1 on they are to be flushed. */
  get fullness(): number {
    const { store: { tables, memory }, options: { memtableBytes } } = this;
    return tables.activeBytes / (memtableBytes ?? Math.min(MAX_MEMTABLE_BYTES, memory.share(MEMTABLE_SHARE)));
  }

  /**
   * Waits while a flush runs and new rows fill memory faster than it gives some back. Writers are held in step with it,
   * in pauses of some milliseconds, instead of all at once at its end.
   *
   * @param otherShare what else writers fill until the flush ends, as a share of what there is
   */
  async keepStep(otherShare: () => number): Promise<void> {
    while (this.flushing !== undefined) {
      const filled = Math.max(this.fullness, otherShare());
      if (filled <= this.progress.share) return;
      await Promise.race([this.progress.next(), this.flushing.catch(() => {})]);
    }
  }

  /** Flushes, or waits for the flush that runs. @returns the log index up to which the log may be cut */
  flush(): Promise<number> {
    this.flushing ??= this.store.segments.inTurn(() => this.runNoted()).finally(() => {
      this.flushing = undefined;
      this.progress.end();
    });
    return this.flushing;
  }

  /** Waits for the flush that runs, if any. */
  async settle(): Promise<void> {
    await this.flushing?.catch((error) => this.logFailure(error));
  }

  private async runNoted(): Promise<number> {
    try {
      return await this.run();
    } catch (error) {
      this.store.segments.noteFailedFlush(error);
      throw error;
    }
  }

  private async run(): Promise<number> {
    this.frozen ??= this.freeze();
    const { frozen, options: { clock, logger }, store: { manifest, segments, tables } } = this;
    if (frozen === undefined) return await this.advance(this.applied);
    const started = clock.monotonicMs();
    const number = manifest.nextNumber();
    const series = await this.store.seriesFile.append(manifest.seriesBytes, frozen.series);
    // A segment of tables that no manifest knows would be removed at the next opening.
    for (const { tableId } of frozen.series) await tables.record(tableId);
    const masks = await segments.masks.write(frozen.masks);
    const written = frozen.memtables.size === 0
      ? undefined
      : await this.writeSegmentFile(number, frozen.memtables);
    try {
      await manifest.append({
        kind: "flush",
        ...(written === undefined ? {} : { segment: number }),
        ...(masks === undefined ? {} : { masks }),
        seriesBytes: series.lengthBytes,
        flushedIndex: frozen.logIndex,
      });
    } catch (error) {
      // The record may be on disk all the same: the file it names has to stay.
      written?.segment.close();
      throw error;
    }
    segments.masks.noteCounted(masks);
    this.install(frozen, written, series.tableBytes);
    await segments.removeDead();
    this.onFlushed();
    logger.debug("flushed memtables", {
      segment: number,
      tables: frozen.memtables.size,
      bytes: written?.segment.sizeBytes ?? 0,
      masks: frozen.masks.size,
      ms: Math.round(clock.monotonicMs() - started),
    });
    return this.flushed;
  }

  /** No rows wait to be written: the log is not needed up to here. */
  private async advance(logIndex: number): Promise<number> {
    if (logIndex > this.flushed) {
      await this.store.manifest.append({ kind: "advance", flushedIndex: logIndex });
      this.flushed = logIndex;
    }
    return logIndex;
  }

  private freeze(): Frozen | undefined {
    const frozen = this.store.tables.freeze(this.applied);
    if (frozen !== undefined) this.store.segments.noteFrozenMasks(frozen.masks);
    return frozen;
  }

  private async writeSegmentFile(
    number: number,
    memtables: ReadonlyMap<number, FrozenRows>,
  ): Promise<WrittenSegment> {
    const { options: { disk, directory, clock }, store: { segments } } = this;
    const path = segments.pathOf(number);
    const file = disk.open(path, "create");
    try {
      this.progress.begin(memtables);
      const rows = await writeSegment(file, memtables, pacer(clock, () => this.progress.step()));
      await file.sync();
      file.close();
      await disk.syncDirectory(directory);
      return { segment: segments.open(number, { arrival: number, level: 0 }), rows };
    } catch (error) {
      file.close();
      this.removeQuietly(path);
      throw error;
    }
  }

  /** A half-written file that cannot be removed now is removed at the next opening. */
  private removeQuietly(path: string): void {
    try {
      this.options.disk.remove(path);
    } catch (error) {
      this.logFailure(error);
    }
  }

  private logFailure(error: unknown): void {
    this.options.logger.error("a flush failed; its rows stay in memory and in the log", {
      error: String(error),
    });
  }

  /** Puts the segment, if there is one, in the place of the frozen memtables, all at once. */
  private install(
    frozen: Frozen,
    written: WrittenSegment | undefined,
    tableBytes: ReadonlyMap<number, number>,
  ): void {
    const { tables, segments, views } = this.store;
    if (written !== undefined) segments.register(written.segment);
    segments.noteStoredMasks(frozen.tableMasks);
    const entries = new Map(written?.segment.tables.map((entry) => [entry.tableId, entry]));
    for (const { tableId, end } of frozen.series) {
      const table = tables.byId.get(tableId);
      if (table === undefined) continue;
      const flushed = table.thaw(written?.segment, entries.get(tableId), written?.rows.get(tableId));
      views.flushed(tableId, flushed);
      table.persistedSeries = end;
      table.seriesBytes += tableBytes.get(tableId) ?? 0;
    }
    this.flushed = frozen.logIndex;
    this.frozen = undefined;
    tables.noteThawed();
  }
}

/** A segment as a flush wrote it. */
interface WrittenSegment {
  readonly segment: Segment;
  /** By table: the memtable's rows in the order in which the segment has them. */
  readonly rows: ReadonlyMap<number, Int32Array>;
}
