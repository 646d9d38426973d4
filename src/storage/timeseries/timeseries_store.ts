/**
 * The time-series tables of one shard, on one disk.
 *
 *     directory/CURRENT, MANIFEST-n    which segments count, how much of the series file, up to which log record
 *     directory/SERIES                 the series of all tables
 *     directory/NNNNNNNN.seg           segments: immutable files of row groups
 *
 * An insert is prepared (checked, laid out for the log), logged by the caller, and applied: parsed into the memtable of
 * its table. A flush freezes all memtables and writes them into one segment; then the manifest gets one record, and the
 * log is not needed up to the index it names. What a crash leaves half-written is in no manifest and is removed at the
 * next opening, when the caller replays the log from `flushedIndex` on.
 */
import {
  assert,
  CHANGE_ENTRY_SHARE,
  CorruptionError,
  DEFAULT_MEMORY_BUDGET_BYTES,
  type Logger,
  MAX_CHANGE_ENTRY_BYTES,
  MAX_MEMTABLE_BYTES,
  MAX_POSTINGS_BYTES,
  MemoryBudget,
  type MemoryLease,
  MEMTABLE_SHARE,
  MIN_CHANGE_ENTRY_BYTES,
  PAGE_CACHE_SHARE,
} from "../../base/mod.ts";
import { type Document, type RawDocument, validateDocuments } from "../../bson/mod.ts";
import type { Clock, Disk } from "../../io/mod.ts";
import { Compactor } from "./compactor.ts";
import type { FragmentResult, TimeseriesFragment } from "./kernel/fragment.ts";
import { runFragment } from "./kernel/run_fragment.ts";
import { Manifest, type TableOptions } from "./manifest.ts";
import type { MarkedRows } from "./marked_rows.ts";
import { type PreparedBatch, type PreparedInsert, prepareMeasurements } from "./measurement.ts";
import { FlushProgress } from "./flush_progress.ts";
import { freezeTables, type Frozen } from "./frozen.ts";
import { pacer } from "./pacer.ts";
import type { PartitionSizes } from "./partition_cuts.ts";
import { PageCache } from "./page_cache.ts";
import type { TimeRange } from "./run.ts";
import { RowBatchBuilder } from "./row_batch_builder.ts";
import { scanTable, type TableSnapshot, type TimeseriesScan } from "./scan.ts";
import type { Segment } from "./segment.ts";
import { SegmentSet } from "./segment_set.ts";
import { type FrozenRows, writeSegment } from "./segment_writer.ts";
import { PostingsCache } from "./series_lookup.ts";
import { SERIES_FILE, SeriesFile } from "./series_file.ts";
import { type LoggedEntry, Table, type TableStats } from "./table.ts";
import { type StoreView, StoreViews } from "./store_view.ts";
import { TableChange } from "./table_change.ts";
import { type TableVerification, verifyTable } from "./verify_table.ts";

/** Fewer measurements are logged as documents. */
const MIN_BATCH_ROWS = 8;

export interface TimeseriesStoreOptions {
  readonly disk: Disk;
  /** Where the store's files are; made if need be. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Memtables are due to be flushed once they hold this; by default a share of the memory. */
  readonly memtableBytes?: number;
  /** The first record that the log still has: a store that misses any before it is refused, and nothing of it removed. */
  readonly logStart?: number;
  /** Where memtables and decoded pages are counted. */
  readonly memory?: MemoryBudget;
  /** Smaller partitions for tests. */
  readonly partitionSizes?: PartitionSizes;
}

export class TimeseriesStore {
  private readonly tables = new Map<number, Table>();
  private readonly postings: PostingsCache;
  private readonly segments: SegmentSet;
  /** Tables that the manifest does not know yet, and the append that runs to tell it. */
  private readonly unrecorded = new Map<number, Promise<void> | undefined>();
  /** The last log record that was applied. */
  private appliedIndex: number;
  private activeBytes = 0;
  private frozen: Frozen | undefined;
  private flushing: Promise<number> | undefined;
  private readonly progress = new FlushProgress();
  private readonly lease: MemoryLease;
  private flushed: number;
  private isClosed = false;
  private readonly compactor: Compactor;
  private readonly batches = new RowBatchBuilder();
  private readonly views = new StoreViews();

  private constructor(
    private readonly options: TimeseriesStoreOptions,
    private readonly manifest: Manifest,
    private readonly seriesFile: SeriesFile,
    cache: PageCache,
    private readonly memory: MemoryBudget,
  ) {
    this.lease = memory.lease();
    this.flushed = manifest.flushedIndex;
    this.appliedIndex = manifest.flushedIndex;
    this.postings = new PostingsCache(memory, MAX_POSTINGS_BYTES);
    this.segments = new SegmentSet(options, manifest, this.tables, cache, memory);
    this.compactor = new Compactor(options, this.segments);
  }

  /** Opens the store of a folder, or makes one. @throws CorruptionError */
  static async open(options: TimeseriesStoreOptions): Promise<TimeseriesStore> {
    const { disk, directory } = options;
    disk.makeDirectory(directory);
    const manifest = await Manifest.open(disk, directory);
    // What a process that was killed had renamed and not synced must not change back under what comes now.
    await disk.syncDirectory(directory);
    checkLogStart(manifest, directory, options.logStart);
    const seriesFile = await SeriesFile.open(disk, directory);
    const memory = options.memory ?? new MemoryBudget(DEFAULT_MEMORY_BUDGET_BYTES);
    const cache = new PageCache(memory, () => memory.share(PAGE_CACHE_SHARE));
    const store = new TimeseriesStore(options, manifest, seriesFile, cache, memory);
    try {
      store.load();
      await store.segments.removeDead();
      store.segments.removeLeftovers([SERIES_FILE]);
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** Log records up to here are in segments: they need not be replayed, nor kept for this store. */
  get flushedIndex(): number {
    return this.flushed;
  }

  /** Bytes of all memtables, those that are being flushed included. */
  get memtableBytes(): number {
    return this.activeBytes + (this.frozen?.bytes ?? 0);
  }

  /**
   * Makes a table, there at once and durable when it resolves; nothing when it is there. After a failure the table
   * stays, with what is applied to it: the next call or flush makes it durable.
   */
  async createTable(id: number, options: TableOptions): Promise<void> {
    if (!this.tables.has(id)) {
      this.tables.set(id, new Table(id, options, this.postings));
      this.unrecorded.set(id, undefined);
    }
    await this.record(id);
  }

  private async record(id: number): Promise<void> {
    const table = this.tables.get(id);
    if (table === undefined || !this.unrecorded.has(id)) return;
    const running = this.unrecorded.get(id);
    if (running !== undefined) return await running;
    const recording = this.manifest.append({ kind: "table", id, ...table.options });
    this.unrecorded.set(id, recording);
    try {
      await recording;
      this.unrecorded.delete(id);
    } catch (error) {
      if (this.unrecorded.has(id)) this.unrecorded.set(id, undefined);
      throw error;
    }
  }

  /** Removes a table, for good when it resolves; nothing when it is not there. Scans that run go on. */
  async dropTable(id: number): Promise<void> {
    if (!this.tables.has(id)) return;
    await this.manifest.append({ kind: "drop", id });
    this.activeBytes -= this.tables.get(id)?.activeBytes ?? 0;
    this.lease.set(this.memtableBytes);
    this.tables.delete(id);
    this.postings.forget(id);
    this.unrecorded.delete(id);
    await this.segments.removeDead();
  }

  /** In no order. */
  tableIds(): number[] {
    return [...this.tables.keys()];
  }

  hasTable(id: number): boolean {
    return this.tables.has(id);
  }

  /**
   * Checks measurements and lays them out for the log. What is accepted can be applied: `applyInsert` does not fail.
   *
   * @param ordered stops at the first error
   * @param areChecked whether the documents are known to be valid, or only their lengths
   * @throws CommandError InvalidBSON for a document that is not valid; then none is laid out
   */
  prepareInsert(
    tableId: number,
    documents: readonly RawDocument[],
    ordered: boolean,
    areChecked = true,
  ): PreparedInsert {
    const table = this.table(tableId);
    const { options: { timeField, metaField }, metas } = table;
    if (documents.length < MIN_BATCH_ROWS) {
      if (!areChecked) validateDocuments(documents);
      return prepareMeasurements(documents, ordered, timeField, metaField, metas);
    }
    // Shapes that are learned on the way are the memtable's.
    return this.counted(table, () => {
      const target = { timeField, metaField, metas, trie: table.trie, areChecked };
      return this.batches.prepare(documents, ordered, target);
    });
  }

  /**
   * Applies what `prepareInsert` made and the log holds. Nothing when it is in a segment already or its table is gone,
   * as it may be at replay.
   *
   * @param batch what `prepareInsert` knows of the payload, if it was just made
   */
  applyInsert(logIndex: number, tableId: number, payload: Uint8Array, batch?: PreparedBatch): void {
    this.apply(logIndex, tableId, { kind: "insert", payload, batch });
  }

  /** What a change may gather, about, before its owner logs it: a share of what is counted of the memory, within bounds. */
  get changeEntryBytes(): number {
    const share = this.memory.share(CHANGE_ENTRY_SHARE);
    return Math.min(MAX_CHANGE_ENTRY_BYTES, Math.max(MIN_CHANGE_ENTRY_BYTES, share));
  }

  /** Begins a change of a table; see `TableChange` for what its owner has to keep away meanwhile. */
  async beginChange(tableId: number): Promise<TableChange> {
    const table = this.readyTable(tableId);
    // A pass of retention that failed must not have happened after all: places of rows would be others at replay.
    await this.manifest.settle();
    return new TableChange(table, this.options.clock);
  }

  /**
   * Applies what a `TableChange` gave and the log holds, all at once; the twin of `applyInsert`.
   *
   * @param marked where the change was made here, and not replayed
   */
  applyChange(logIndex: number, tableId: number, payload: Uint8Array, marked?: MarkedRows): void {
    this.apply(logIndex, tableId, { kind: "change", payload, marked });
  }

  private apply(logIndex: number, tableId: number, entry: LoggedEntry): void {
    if (logIndex <= this.flushed) return;
    this.noteIndex(logIndex);
    const table = this.tables.get(tableId);
    if (table === undefined) return;
    this.keepForViews(tableId);
    this.counted(table, () => table.apply(entry));
  }

  /** A table is about to hold other rows. */
  private keepForViews(tableId: number): void {
    this.views.keep(tableId, () => {
      try {
        return this.readyTable(tableId).snapshot();
      } catch {
        return undefined;
      }
    });
  }

  /** Makes sure that all entries of a table that were applied can be seen. @throws what keeps one from it */
  settle(tableId: number): void {
    if (this.tables.has(tableId)) this.readyTable(tableId);
  }

  /** A table in which all that was applied can be seen. @throws CorruptionError, or what the disk throws */
  private readyTable(tableId: number): Table {
    const table = this.table(tableId);
    this.counted(table, () => table.catchUp());
    return table;
  }

  /** Counts what a table's active memtable grows by. */
  private counted<T>(table: Table, grow: () => T): T {
    const before = table.activeBytes;
    try {
      return grow();
    } finally {
      this.activeBytes += table.activeBytes - before;
      this.lease.set(this.memtableBytes);
    }
  }

  /** The log has gone on to this record with what is not for this store: a flush covers it. */
  noteIndex(logIndex: number): void {
    this.appliedIndex = Math.max(this.appliedIndex, logIndex);
  }

  /**
   * Takes away all rows that the table holds now and that are older than a time: gone for good when it resolves, and
   * unseen by every scan that starts then. Rows that come later stay, however old. No change of the table may be between
   * its scan and its application meanwhile, nor begin.
   *
   * @param beforeMs milliseconds since 1970
   */
  async expire(tableId: number, beforeMs: number): Promise<void> {
    if (!this.tables.has(tableId)) return;
    const table = this.readyTable(tableId);
    // The first flush may be one that began before the youngest of these rows came.
    for (let flushes = 0; flushes < 2 && table.hasMemtableRowsBefore(beforeMs); flushes++) await this.flush();
    if (!table.hasSegmentRowsBefore(beforeMs)) return;
    const throughSegment = this.segments.latestArrival;
    await this.manifest.append({ kind: "expire", id: tableId, beforeMs, throughSegment });
    this.keepForViews(tableId);
    table.expire(this.manifest.expiries.get(tableId) ?? []);
    await this.segments.removeDead();
  }

  /**
   * The log lost its latest records, which were never synced, and gives their indexes again: from `logIndex` on, records
   * are new. Rows of lost ones that were flushed stay. Durable when it resolves; nothing may be applied before.
   */
  async rewind(logIndex: number): Promise<void> {
    if (logIndex >= this.flushed) return;
    await this.manifest.append({ kind: "advance", flushedIndex: logIndex });
    this.flushed = logIndex;
    this.appliedIndex = logIndex;
  }

  needsFlush(): boolean {
    return this.activeBytes >= this.flushBytes;
  }

  /** Whether rows came in much faster than a flush could start. */
  isFull(): boolean {
    return this.activeBytes >= 2 * this.flushBytes;
  }

  private get flushBytes(): number {
    return this.options.memtableBytes ?? Math.min(MAX_MEMTABLE_BYTES, this.memory.share(MEMTABLE_SHARE));
  }

  /**
   * Waits while a flush runs and new rows fill memory faster than it gives some back. Writers are held in step with it,
   * in pauses of some milliseconds, instead of all at once at its end.
   *
   * @param otherShare what else writers fill until the flush ends, as a share of what there is
   */
  async keepStep(otherShare: () => number): Promise<void> {
    while (this.flushing !== undefined) {
      const filled = Math.max(this.activeBytes / this.flushBytes, otherShare());
      if (filled <= this.progress.share) return;
      await Promise.race([this.progress.next(), this.flushing.catch(() => {})]);
    }
  }

  /**
   * Writes all rows that were applied before into a segment; reads and writes go on meanwhile. One flush runs at a time:
   * a call during one waits for that one. After a failure the rows stay in memory, and the next flush takes them along.
   *
   * @returns the log index up to which the caller may cut
   */
  flush(): Promise<number> {
    this.flushing ??= this.segments.inTurn(() => this.runNotedFlush()).finally(() => {
      this.flushing = undefined;
      this.progress.end();
    });
    return this.flushing;
  }

  /** Flushes, and merges until each partition with rows of the table is one segment; those that come meanwhile may wait. */
  async compact(tableId: number): Promise<void> {
    // The first flush may be one that began before the latest rows came.
    for (let flushes = 0; flushes < 2 && this.tables.get(tableId)?.isUnflushed(); flushes++) {
      await this.flush();
    }
    await this.compactor.compact(tableId);
  }

  /** All tables as they are at this call, until the view is closed. */
  openView(): StoreView {
    return this.views.begin();
  }

  /** The rows of a table as it is at this call, or in a view, in batches that are never empty. */
  scan(
    tableId: number,
    request: TimeseriesScan,
    view?: StoreView,
  ): AsyncGenerator<readonly Document[], void, undefined> {
    return scanTable(this.snapshotIn(view, tableId), request, this.options.clock);
  }

  private snapshotIn(view: StoreView | undefined, tableId: number): TableSnapshot {
    const table = this.readyTable(tableId);
    return view?.snapshotOf(table) ?? table.snapshot();
  }

  /** Times before and behind which a table has no rows now; undefined when it has none. */
  timeBounds(tableId: number): TimeRange | undefined {
    return this.table(tableId).timeBounds();
  }

  /** Folds the rows of a table as it is at this call, or in a view, into groups. */
  runFragment(tableId: number, fragment: TimeseriesFragment, view?: StoreView): Promise<FragmentResult> {
    return runFragment(this.snapshotIn(view, tableId), fragment, this.options.clock);
  }

  /** Reads all that segments hold of a table, past every cache. @param pause lets others run */
  verify(tableId: number, pause: () => Promise<void>): Promise<TableVerification> {
    return verifyTable(this.options.disk, tableId, this.segments.pathsWith(this.table(tableId)), pause);
  }

  stats(tableId: number): TableStats {
    return this.table(tableId).stats();
  }

  /** What all tables hold together. */
  totals(): { readonly tables: number; readonly series: number; readonly rows: number } {
    let series = 0;
    let rows = 0;
    for (const table of this.tables.values()) {
      const stats = table.stats();
      series += stats.series;
      rows += stats.rows;
    }
    return { tables: this.tables.size, series, rows };
  }

  /** Waits for a running flush and closes all files. What is in memtables is in the log. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.compactor.stop();
    await this.flushing?.catch((error) => this.logFailure(error));
    this.manifest.close();
    this.seriesFile.close();
    this.segments.close();
  }

  private table(id: number): Table {
    const table = this.tables.get(id);
    assert(table !== undefined, `table ${id} exists`);
    return table;
  }

  private load(): void {
    const { manifest, seriesFile, tables } = this;
    for (const [id, options] of manifest.tables) {
      const table = new Table(id, options, this.postings);
      table.expire(manifest.expiries.get(id) ?? []);
      tables.set(id, table);
    }
    seriesFile.read(manifest.seriesBytes, (id) => tables.get(id)?.index, (id, sizeBytes) => {
      const table = tables.get(id);
      if (table !== undefined) table.seriesBytes += sizeBytes;
    });
    for (const table of tables.values()) table.persistedSeries = table.index.size;
    this.segments.load();
  }

  private async runNotedFlush(): Promise<number> {
    try {
      return await this.runFlush();
    } catch (error) {
      this.segments.noteFailedFlush(error);
      throw error;
    }
  }

  private async runFlush(): Promise<number> {
    this.frozen ??= this.freeze();
    const { frozen } = this;
    if (frozen === undefined) return await this.advance(this.appliedIndex);
    const started = this.options.clock.monotonicMs();
    const number = this.manifest.nextNumber();
    const series = await this.seriesFile.append(this.manifest.seriesBytes, frozen.series);
    // A segment of tables that no manifest knows would be removed at the next opening.
    for (const { tableId } of frozen.series) await this.record(tableId);
    const masks = await this.segments.masks.write(frozen.masks);
    const written = frozen.memtables.size === 0
      ? undefined
      : await this.writeSegmentFile(number, frozen.memtables);
    try {
      await this.manifest.append({
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
    this.segments.masks.noteCounted(masks);
    this.install(frozen, written, series.tableBytes);
    await this.segments.removeDead();
    this.compactor.start();
    this.options.logger.debug("flushed memtables", {
      segment: number,
      tables: frozen.memtables.size,
      bytes: written?.segment.sizeBytes ?? 0,
      masks: frozen.masks.size,
      ms: Math.round(this.options.clock.monotonicMs() - started),
    });
    return this.flushed;
  }

  /** No rows wait to be written: the log is not needed up to here. */
  private async advance(logIndex: number): Promise<number> {
    if (logIndex > this.flushed) {
      await this.manifest.append({ kind: "advance", flushedIndex: logIndex });
      this.flushed = logIndex;
    }
    return logIndex;
  }

  /** Takes what is to be written of all tables; undefined when that is nothing. */
  private freeze(): Frozen | undefined {
    for (const id of this.tables.keys()) this.readyTable(id);
    const bytes = this.activeBytes;
    this.activeBytes = 0;
    const frozen = freezeTables([...this.tables.values()], this.appliedIndex, bytes);
    if (frozen !== undefined) this.segments.noteFrozenMasks(frozen.masks);
    return frozen;
  }

  private async writeSegmentFile(
    number: number,
    memtables: ReadonlyMap<number, FrozenRows>,
  ): Promise<WrittenSegment> {
    const { disk, directory, clock } = this.options;
    const path = this.segments.pathOf(number);
    const file = disk.open(path, "create");
    try {
      this.progress.begin(memtables);
      const rows = await writeSegment(file, memtables, pacer(clock, () => this.progress.step()));
      await file.sync();
      file.close();
      await disk.syncDirectory(directory);
      return { segment: this.segments.open(number, { arrival: number, level: 0 }), rows };
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
    if (written !== undefined) this.segments.register(written.segment);
    this.segments.noteStoredMasks(frozen.tableMasks);
    const entries = new Map(written?.segment.tables.map((entry) => [entry.tableId, entry]));
    for (const { tableId, end } of frozen.series) {
      const table = this.tables.get(tableId);
      if (table === undefined) continue;
      const flushed = table.thaw(written?.segment, entries.get(tableId), written?.rows.get(tableId));
      this.views.flushed(tableId, flushed);
      table.persistedSeries = end;
      table.seriesBytes += tableBytes.get(tableId) ?? 0;
    }
    this.flushed = frozen.logIndex;
    this.frozen = undefined;
    this.lease.set(this.memtableBytes);
  }
}

/** A segment as a flush wrote it. */
interface WrittenSegment {
  readonly segment: Segment;
  /** By table: the memtable's rows in the order in which the segment has them. */
  readonly rows: ReadonlyMap<number, Int32Array>;
}

/** Damage to the manifest's last record looks like a torn one; that its log records are gone gives it away. */
function checkLogStart(manifest: Manifest, directory: string, logStart: number | undefined): void {
  if (logStart === undefined || logStart <= manifest.flushedIndex + 1) return;
  manifest.close();
  const reason = `it counts log records up to ${manifest.flushedIndex}, but the log starts at ${logStart}`;
  throw new CorruptionError(`${directory}/CURRENT`, 0, reason);
}
