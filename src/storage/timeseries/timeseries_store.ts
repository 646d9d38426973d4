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
  CHANGE_ENTRY_SHARE,
  CorruptionError,
  DEFAULT_MEMORY_BUDGET_BYTES,
  MAX_CHANGE_ENTRY_BYTES,
  MemoryBudget,
  MIN_CHANGE_ENTRY_BYTES,
  PAGE_CACHE_SHARE,
} from "../../base/mod.ts";
import { type Document, type RawDocument, validateDocuments } from "../../bson/mod.ts";
import { Compactor } from "./compactor.ts";
import { Flusher } from "./flusher.ts";
import type { FragmentResult, TimeseriesFragment } from "./kernel/fragment.ts";
import { runFragment } from "./kernel/run_fragment.ts";
import { Manifest, type TableOptions } from "./manifest.ts";
import type { MarkedRows } from "./marked_rows.ts";
import { type PreparedBatch, type PreparedInsert, prepareMeasurements } from "./measurement.ts";
import { PageCache } from "./page_cache.ts";
import type { TimeRange } from "./run.ts";
import { ReadWarmUp } from "./read_warm_up.ts";
import { RowBatchBuilder } from "./row_batch_builder.ts";
import { scanTable } from "./scan.ts";
import type { TableSnapshot } from "./table_snapshot.ts";
import type { TimeseriesScan } from "./scan_request.ts";
import { SegmentSet } from "./segment_set.ts";
import { SERIES_FILE, SeriesFile } from "./series_file.ts";
import type { LoggedEntry, TableStats } from "./table.ts";
import type { TimeseriesStoreOptions } from "./store_options.ts";
import { type StoreView, StoreViews } from "./store_view.ts";
import { TableSet } from "./table_set.ts";
import { TableChange } from "./table_change.ts";
import { type TableVerification, verifyTable } from "./verify_table.ts";

/** Fewer measurements are logged as documents. */
const MIN_BATCH_ROWS = 8;

export class TimeseriesStore {
  private readonly tables: TableSet;
  private readonly segments: SegmentSet;
  private readonly compactor: Compactor;
  private readonly flusher: Flusher;
  private readonly batches = new RowBatchBuilder();
  private readonly views = new StoreViews();
  private readonly warmUp: ReadWarmUp;
  private isClosed = false;

  private constructor(
    private readonly options: TimeseriesStoreOptions,
    private readonly manifest: Manifest,
    private readonly seriesFile: SeriesFile,
    cache: PageCache,
    private readonly memory: MemoryBudget,
  ) {
    const { views } = this;
    const tables = this.tables = new TableSet(manifest, memory);
    const segments = this.segments = new SegmentSet(options, manifest, tables.byId, cache, memory);
    const compactor = this.compactor = new Compactor(options, segments);
    const flushed = { manifest, seriesFile, tables, segments, views, memory };
    this.flusher = new Flusher(options, flushed, () => compactor.start());
    this.warmUp = new ReadWarmUp(options.clock, options.logger, () => tables.snapshots());
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
      store.tables.load(seriesFile);
      store.segments.load();
      await store.segments.removeDead();
      store.segments.removeLeftovers([SERIES_FILE]);
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** Reads some pages in the background, now that the process is to serve: see `ReadWarmUp`. */
  startWarmUp(): void {
    this.warmUp.start();
  }

  /** Log records up to here are in segments: they need not be replayed, nor kept for this store. */
  get flushedIndex(): number {
    return this.flusher.flushedIndex;
  }

  /** Bytes of all memtables, those that are being flushed included. */
  get memtableBytes(): number {
    return this.tables.memtableBytes;
  }

  /**
   * Makes a table, there at once and durable when it resolves; nothing when it is there. After a failure the table
   * stays, with what is applied to it: the next call or flush makes it durable.
   */
  async createTable(id: number, options: TableOptions): Promise<void> {
    this.tables.create(id, options);
    await this.tables.record(id);
  }

  /** Removes a table, for good when it resolves; nothing when it is not there. Scans that run go on. */
  async dropTable(id: number): Promise<void> {
    if (!this.hasTable(id)) return;
    await this.manifest.append({ kind: "drop", id });
    this.tables.remove(id);
    await this.segments.removeDead();
  }

  /** In no order. */
  tableIds(): number[] {
    return [...this.tables.byId.keys()];
  }

  hasTable(id: number): boolean {
    return this.tables.byId.has(id);
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
    const table = this.tables.get(tableId);
    const { options: { timeField, metaField }, metas } = table;
    if (documents.length < MIN_BATCH_ROWS) {
      if (!areChecked) validateDocuments(documents);
      return prepareMeasurements(documents, ordered, timeField, metaField, metas);
    }
    // Shapes that are learned on the way are the memtable's.
    return this.tables.counted(table, () => {
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
    const table = this.tables.ready(tableId);
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
    if (logIndex <= this.flushedIndex) return;
    this.noteIndex(logIndex);
    const table = this.tables.byId.get(tableId);
    if (table === undefined) return;
    this.keepForViews(tableId);
    this.tables.counted(table, () => table.apply(entry));
  }

  /** A table is about to hold other rows. */
  private keepForViews(tableId: number): void {
    this.views.keep(tableId, () => {
      try {
        return this.tables.ready(tableId).snapshot();
      } catch {
        return undefined;
      }
    });
  }

  /** Makes sure that all entries of a table that were applied can be seen. @throws what keeps one from it */
  settle(tableId: number): void {
    if (this.hasTable(tableId)) this.tables.ready(tableId);
  }

  /** The log has gone on to this record with what is not for this store: a flush covers it. */
  noteIndex(logIndex: number): void {
    this.flusher.noteIndex(logIndex);
  }

  /**
   * Takes away all rows that the table holds now and that are older than a time: gone for good when it resolves, and
   * unseen by every scan that starts then. Rows that come later stay, however old. No change of the table may be between
   * its scan and its application meanwhile, nor begin.
   *
   * @param beforeMs milliseconds since 1970
   */
  async expire(tableId: number, beforeMs: number): Promise<void> {
    if (!this.hasTable(tableId)) return;
    const table = this.tables.ready(tableId);
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
    await this.flusher.rewind(logIndex);
  }

  needsFlush(): boolean {
    return this.flusher.fullness >= 1;
  }

  /** Whether rows came in much faster than a flush could start. */
  isFull(): boolean {
    return this.flusher.fullness >= 2;
  }

  /** Holds writers in step with a flush that runs: see `Flusher.keepStep`. */
  async keepStep(otherShare: () => number): Promise<void> {
    await this.flusher.keepStep(otherShare);
  }

  /**
   * Writes all rows that were applied before into a segment; reads and writes go on meanwhile. One flush runs at a time:
   * a call during one waits for that one. After a failure the rows stay in memory, and the next flush takes them along.
   *
   * @returns the log index up to which the caller may cut
   */
  flush(): Promise<number> {
    return this.flusher.flush();
  }

  /** Flushes, and merges until each partition with rows of the table is one segment; those that come meanwhile may wait. */
  async compact(tableId: number): Promise<void> {
    // The first flush may be one that began before the latest rows came.
    for (let flushes = 0; flushes < 2 && this.tables.byId.get(tableId)?.isUnflushed(); flushes++) {
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
    const table = this.tables.ready(tableId);
    return view?.snapshotOf(table) ?? table.snapshot();
  }

  /** Times before and behind which a table has no rows now; undefined when it has none. */
  timeBounds(tableId: number): TimeRange | undefined {
    return this.tables.get(tableId).timeBounds();
  }

  /** Folds the rows of a table as it is at this call, or in a view, into groups. */
  runFragment(tableId: number, fragment: TimeseriesFragment, view?: StoreView): Promise<FragmentResult> {
    return runFragment(this.snapshotIn(view, tableId), fragment, this.options.clock);
  }

  /** Reads all that segments hold of a table, past every cache. @param pause lets others run */
  verify(tableId: number, pause: () => Promise<void>): Promise<TableVerification> {
    return verifyTable(this.options.disk, tableId, this.segments.pathsWith(this.tables.get(tableId)), pause);
  }

  stats(tableId: number): TableStats {
    return this.tables.get(tableId).stats();
  }

  /** What all tables hold together. */
  totals(): { readonly tables: number; readonly series: number; readonly rows: number } {
    return this.tables.totals();
  }

  /** Waits for a running flush and closes all files. What is in memtables is in the log. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.warmUp.stop();
    await this.compactor.stop();
    await this.flusher.settle();
    this.manifest.close();
    this.seriesFile.close();
    this.segments.close();
  }
}

/** Damage to the manifest's last record looks like a torn one; that its log records are gone gives it away. */
function checkLogStart(manifest: Manifest, directory: string, logStart: number | undefined): void {
  if (logStart === undefined || logStart <= manifest.flushedIndex + 1) return;
  manifest.close();
  const reason = `it counts log records up to ${manifest.flushedIndex}, but the log starts at ${logStart}`;
  throw new CorruptionError(`${directory}/CURRENT`, 0, reason);
}
