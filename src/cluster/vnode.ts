/**
 * A VNode: one shard on one disk. Measurements live in its time-series store, documents in its SQLite store; both take
 * what they apply from the log, in its order.
 *
 * A write is checked first, logged second, applied third, answered last: a reader never sees what a crash could take
 * back, and an entry that stands in the log can always be applied.
 */
import {
  assert,
  DEFAULT_MEMORY_BUDGET_BYTES,
  type Logger,
  LONG_LOG_BYTES,
  MAX_DOCUMENT_ENTRY_BYTES,
  MAX_LOG_TAIL_BYTES,
  MemoryBudget,
  SESSION_TIMEOUT_MINUTES,
} from "../base/mod.ts";
import { type Document, type RawDocument, validateDocuments, type Value } from "../bson/mod.ts";
import { type Clock, type Disk } from "../io/mod.ts";
import type { FragmentRequest, Rows, ScanRequest, Source } from "../query/mod.ts";
import {
  type BuildProgress,
  decodeDone,
  DocumentStore,
  type DoneStatements,
  encodeDone,
  laterHistory,
  type Log,
  type LogRecord,
  pacer,
  type SessionHistory,
  TimeseriesStore,
} from "../storage/mod.ts";
import { type CollectionTail, tailOf } from "./capped.ts";
import { type CollectionInfo, namespaceText } from "./catalog.ts";
import { changeChecked, insertChecked } from "./checked_measurements.ts";
import { CheckpointRequests } from "./checkpoint_requests.ts";
import { type ClusterClock, secondsOf } from "./cluster_clock.ts";
import { DiskReserve } from "./disk_reserve.ts";
import { DocumentWriter } from "./document_writer.ts";
import { decodeMeasurements, encodeTableId, EntryKind } from "./entry.ts";
import type { LogEffects } from "./group_commit.ts";
import { withTimes } from "./inserted_times.ts";
import { buildIndexes, type IndexedStore, keepIndexes, matchIndexes } from "./index_builds.ts";
import { partialFilter } from "./indexes.ts";
import type { MeasurementChange, MeasurementChanges } from "./measurement_change.ts";
import { runMeasurementStatement } from "./measurement_statement.ts";
import { MeasurementWriter } from "./measurement_writer.ts";
import { OpenTransactions } from "./open_transactions.ts";
import { placeCheck, placeIndexes } from "./place_check.ts";
import { RecentStatements } from "./recent_statements.ts";
import { endOfPiece } from "./insert_pieces.ts";
import { namedIfFull, shuttingDown } from "./node_errors.ts";
import { doneStatement, type TransactionName } from "./retryable_write.ts";
import { countedSource, documentSource } from "./document_source.ts";
import { statsOf, type Stores, verifyFiles } from "./stored_collection.ts";
import { StoredCollections } from "./stored_collections.ts";
import type { Transaction } from "./transaction.ts";
import { writtenCollection } from "./written_collection.ts";
import type { CollectionStats, InsertOptions, InsertResult, Verification } from "./router.ts";
import type { RetryableWrite, StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";

export interface VNodeOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The folder below the disk's root. */
  readonly directory: string;
  /** The log's group. */
  readonly group: number;
  /** Gives entries their times. */
  readonly times: ClusterClock;
  /** The first entry of the group that the log still has. */
  readonly logStart?: number;
  /** Bytes of measurements in memory before they are flushed; by default a share of the memory. */
  readonly memtableBytes?: number;
  /** Where what the stores hold is counted. */
  readonly memory?: MemoryBudget;
  /** Where SQLite keeps the documents when the disk is not the operating system's: ":memory:". */
  readonly documentsPath?: string;
}

export class VNode {
  private log: Log | undefined;
  private appliedIndex = 0;
  private readonly writes = new Set<Promise<unknown>>();
  private draining = false;
  /** Those of the catalog that the stores hold. */
  readonly collections: StoredCollections;
  private readonly checkpoints = new CheckpointRequests();
  private readonly recentStatements = new RecentStatements();
  private requestCheckpoint: () => Promise<void> = () => Promise.resolve();
  private readonly writer: DocumentWriter;
  /** Those of clients. */
  readonly transactions: OpenTransactions;
  private readonly measurements: MeasurementWriter;

  private constructor(
    readonly group: number,
    private readonly logger: Logger,
    private readonly timeseries: TimeseriesStore,
    private readonly documents: DocumentStore,
    private readonly reserve: DiskReserve,
    private readonly times: ClusterClock,
    private readonly clock: Clock,
    memory: MemoryBudget,
  ) {
    this.collections = new StoredCollections(timeseries, documents, logger);
    const log: LogEffects = (effects, done, of) =>
      this.append(EntryKind.Documents, effects, done, timeseries.noteIndex.bind(timeseries), of);
    this.writer = new DocumentWriter(
      documents,
      log,
      {
        hold: (bytes) => this.joinedLog().withRoom(() => reserve.hold(bytes)),
        release: () => reserve.release(),
      },
      MAX_DOCUMENT_ENTRY_BYTES,
      pacer(clock, () => {}),
    );
    this.transactions = new OpenTransactions(documents, timeseries, this.writer, memory, logger, clock);
    this.measurements = new MeasurementWriter(timeseries, async (kind, tableId, payload, done, apply) => {
      await this.append(kind, [encodeTableId(tableId), payload], done, (index) => {
        this.recentStatements.note(done);
        apply(index);
      });
    });
  }

  /** Logs an entry. @param apply called once it is durable */
  private append(
    kind: number,
    payload: readonly Uint8Array[],
    done: readonly DoneStatements[],
    apply: (index: number) => void,
    of?: TransactionName,
  ): Promise<number> {
    const onDurable = (index: number) => {
      this.appliedIndex = index;
      apply(index);
    };
    return this.joinedLog().append(
      this.group,
      kind,
      payload,
      this.times.stamp({
        ...(done.length === 0 ? {} : { done: encodeDone(done) }),
        ...(of && { lsid: of.lsid, txnNumber: of.txnNumber }),
        onDurable,
      }),
    );
  }

  /** Opens the stores; entries of the log are the caller's to replay. */
  static async open(options: VNodeOptions): Promise<VNode> {
    const { disk, clock, logger, directory } = options;
    disk.makeDirectory(directory);
    const timeseries = await TimeseriesStore.open({
      disk,
      clock,
      logger: logger.child("timeseries"),
      directory: `${directory}/timeseries`,
      ...(options.logStart === undefined ? {} : { logStart: options.logStart }),
      ...(options.memtableBytes === undefined ? {} : { memtableBytes: options.memtableBytes }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
    });
    let documents: DocumentStore | undefined;
    try {
      documents = DocumentStore.open(
        options.documentsPath ?? disk.absolutePath(`${directory}/documents.sqlite`),
        partialFilter,
      );
      // The stores sync what is in their folders; that the folders are there is for us to make durable.
      await disk.syncDirectory(directory);
      await disk.syncDirectory("");
    } catch (error) {
      await timeseries.close();
      documents?.close();
      throw error;
    }
    const reserve = new DiskReserve(disk, `${directory}/${RESERVE_FILE}`);
    const { group, times, memory = new MemoryBudget(DEFAULT_MEMORY_BUDGET_BYTES) } = options;
    return new VNode(group, logger, timeseries, documents, reserve, times, clock, memory);
  }

  /** Joins the log, once all of it has been replayed. */
  join(log: Log, requestCheckpoint: () => Promise<void>): void {
    this.log = log;
    this.requestCheckpoint = requestCheckpoint;
  }

  /** Makes what is missing of the indexes that the catalog names, and drops others; once the log has been replayed. */
  async matchIndexes(infos: readonly CollectionInfo[]): Promise<void> {
    await matchIndexes(this.indexed, infos);
  }

  /** Makes indexes; those of time series have no keys. @throws CommandError DuplicateKey, and as `insert` */
  async buildIndexes(
    info: CollectionInfo,
    indexes: readonly Document[],
    checkpoint: (progress: BuildProgress) => Promise<void>,
  ): Promise<void> {
    await this.tracked(async () => {
      await this.makeRoomIn(info);
      await buildIndexes(this.indexed, this.source(info), info, indexes, checkpoint);
    });
  }

  /** Drops all indexes of a regular collection but these. */
  async keepIndexes(info: CollectionInfo, indexes: readonly Document[]): Promise<void> {
    await this.tracked(() => keepIndexes(this.indexed, info, indexes));
  }

  /** As `Router.duplicates`. */
  duplicates({ id, timeseries }: CollectionInfo, index: string): readonly (readonly Value[])[] {
    return timeseries === undefined ? this.documents.inspector.duplicates(id, index) : [];
  }

  private get indexed(): IndexedStore {
    return { store: this.documents, writer: this.writer };
  }

  /** The log ends before what the stores hold: it lost entries that were never synced (`interval` durability). */
  async rewind(lastIndex: number): Promise<void> {
    if (Math.max(this.timeseries.flushedIndex, this.documents.appliedIndex) <= lastIndex) return;
    this.logger.warn("the log lost its last entries; what they had stored already stays", { lastIndex });
    await this.timeseries.rewind(lastIndex);
    this.documents.rewind(lastIndex);
  }

  /** Applies an entry at replay. Entries of collections that were dropped later change nothing. */
  replay(record: LogRecord): void {
    this.appliedIndex = record.index;
    const done = record.done === undefined ? [] : decodeDone(record.done);
    switch (record.kind) {
      case EntryKind.Measurements: {
        const { tableId, rows } = decodeMeasurements(record.payload);
        this.recentStatements.note(done);
        return this.timeseries.applyInsert(record.index, tableId, rows);
      }
      case EntryKind.Changes: {
        const { tableId, rows } = decodeMeasurements(record.payload);
        this.recentStatements.note(done);
        return this.timeseries.applyChange(record.index, tableId, rows);
      }
      case EntryKind.Documents:
        this.timeseries.noteIndex(record.index);
        return this.documents.writer.replay(record.index, record.payload, done);
      default:
        assert(false, `log entry of kind ${record.kind} belongs to a VNode`);
    }
  }

  /**
   * Stores documents; durable when it resolves.
   *
   * @param bypass whether the collection's validator is not asked
   * @throws CommandError OutOfDiskSpace; NamespaceNotFound when the collection was dropped meanwhile;
   *   ShutdownInProgress once `drain` was called
   */
  async insert(
    info: CollectionInfo,
    documents: readonly RawDocument[],
    ordered: boolean,
    options: InsertOptions = {},
  ): Promise<InsertResult> {
    return await this.tracked(() => this.runInsert(info, documents, ordered, options));
  }

  /** As `OpenTransactions.commit`. */
  async commitTransaction(transaction: Transaction, ids: ReadonlyMap<number, number>): Promise<void> {
    await this.tracked(async () => {
      await this.makeRoom();
      await this.transactions.commit(transaction, ids, secondsOf(this.times.latest));
    });
  }

  /** What is known of the latest retryable write of a session. @param lsid a UUID's 16 bytes */
  async historyOf(lsid: Uint8Array): Promise<SessionHistory | undefined> {
    return laterHistory(await this.writer.historyOf(lsid), this.recentStatements.of(lsid));
  }

  /**
   * Runs updates and deletes in order; durable when it resolves. Errors of a statement are in its result.
   *
   * @throws CommandError as `insert`
   */
  async write(
    info: CollectionInfo,
    statements: readonly WriteStatement[],
    options: WriteOptions,
  ): Promise<readonly StatementResult[]> {
    return await this.tracked(() => this.runWrite(info, statements, options));
  }

  /**
   * Removes or rewrites measurements of a time-series collection; durable and seen as a whole when it resolves. After an
   * error nothing has changed, but for the first entries of a very large change, and where the entry itself may or may
   * not have become durable.
   *
   * @throws CommandError as `insert` does, and when a new measurement is none; what the request's functions throw
   */
  async change(info: CollectionInfo, request: MeasurementChange): Promise<MeasurementChanges> {
    assert(info.timeseries !== undefined, `${namespaceText(info)} is a time-series collection`);
    return await this.tracked(async () => {
      await this.makeRoomIn(info);
      return await this.measurements.change(info.id, request, () => this.makeRoomIn(info));
    });
  }

  private async tracked<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.draining) throw shuttingDown();
    const write = work();
    this.writes.add(write);
    try {
      return await write;
    } catch (error) {
      throw namedIfFull(error);
    } finally {
      this.writes.delete(write);
    }
  }

  /** Refuses further writes and waits for those that run. */
  async drain(): Promise<void> {
    this.draining = true;
    this.transactions.close(shuttingDown());
    await Promise.allSettled(this.writes);
  }

  private async runInsert(
    info: CollectionInfo,
    documents: readonly RawDocument[],
    ordered: boolean,
    { areChecked = true, bypassValidation = false, retryable }: InsertOptions,
  ): Promise<InsertResult> {
    if (info.timeseries === undefined) {
      // It was a time series when the command came.
      if (!areChecked) validateDocuments(documents);
      await this.makeRoomIn(info);
      const written = writtenCollection(this.documents, info, bypassValidation, this.logger);
      const timed = withTimes(documents, () => this.clock.nowMs());
      return await this.writer.insert(written, timed, ordered, retryable);
    }
    if (!areChecked) return await this.insertMeasurements(info, documents, ordered, retryable, false);
    let inserted = 0;
    const errors: InsertResult["errors"][number][] = [];
    let end = 0;
    do {
      const start = end;
      end = endOfPiece(documents, start);
      const piece = retryable && { ...retryable, stmtIds: retryable.stmtIds.slice(start, end) };
      const result = await this.insertMeasurements(info, documents.slice(start, end), ordered, piece);
      inserted += result.inserted;
      for (const { index, error } of result.errors) errors.push({ index: start + index, error });
    } while (end < documents.length && !(ordered && errors.length > 0));
    return { inserted, errors };
  }

  /** Waits for memory, and for the stores to know of the collection. */
  private async makeRoomIn(info: CollectionInfo): Promise<void> {
    await this.makeRoom();
    this.collections.checkExists(info);
    await this.joinedLog().withRoom(() => this.collections.makeRoomFor(info));
    this.collections.checkExists(info);
  }

  private async insertMeasurements(
    info: CollectionInfo,
    documents: readonly RawDocument[],
    ordered: boolean,
    retryable: RetryableWrite | undefined,
    areChecked = true,
  ): Promise<InsertResult> {
    await this.makeRoomIn(info);
    const check = placeCheck(info.indexes, info.timeseries);
    if (check === undefined) {
      return await this.measurements.insert(info.id, documents, ordered, retryable, areChecked);
    }
    if (!areChecked) validateDocuments(documents);
    return await insertChecked(documents, ordered, check, (places) => {
      const allowed = places.map((place) => documents[place]!);
      const stmtIds = retryable &&
        { ...retryable, stmtIds: places.map((place) => retryable.stmtIds[place]!) };
      return this.measurements.insert(info.id, allowed, ordered, stmtIds);
    });
  }

  private async runWrite(
    info: CollectionInfo,
    statements: readonly WriteStatement[],
    options: WriteOptions,
  ): Promise<readonly StatementResult[]> {
    await this.makeRoomIn(info);
    if (info.timeseries === undefined) {
      const bypass = options.context.bypassValidation === true;
      const written = writtenCollection(this.documents, info, bypass, this.logger);
      return await this.writer.write(written, statements, options);
    }
    const results: StatementResult[] = [];
    const { context, retryable } = options;
    const check = placeCheck(info.indexes, info.timeseries);
    const change = (request: MeasurementChange) =>
      this.measurements.change(
        info.id,
        check === undefined ? request : changeChecked(request, check),
        () => this.makeRoomIn(info),
      );
    for (const [place, statement] of statements.entries()) {
      const doneOf = (result: StatementResult) => retryable && doneStatement(retryable, place, result);
      const result = await runMeasurementStatement(info.timeseries, statement, context, change, doneOf);
      results.push(result);
      if (options.ordered && result.error !== undefined) break;
    }
    return results;
  }

  /** Keeps step with a flush that runs, and asks for a checkpoint when memory or the log is full. */
  async makeRoom(): Promise<void> {
    const log = this.joinedLog();
    await this.timeseries.keepStep(() =>
      (log.usage.needed - LONG_LOG_BYTES) / (MAX_LOG_TAIL_BYTES - LONG_LOG_BYTES)
    );
    if (!this.timeseries.needsFlush() && log.usage.needed < LONG_LOG_BYTES) return;
    const isFull = () => log.usage.needed >= MAX_LOG_TAIL_BYTES || this.timeseries.isFull();
    await this.checkpoints.ask(isFull, this.requestCheckpoint);
  }

  private joinedLog(): Log {
    assert(this.log !== undefined, "a VNode writes after it has joined the log");
    return this.log;
  }

  /** A document of a regular collection as it is now. */
  document(collectionId: number, id: Value): Document | undefined {
    return this.documents.hasCollection(collectionId) ? this.documents.get(collectionId, id) : undefined;
  }

  /** Takes away what a capped collection holds beyond its limits; durable when it resolves. */
  async trim(info: CollectionInfo): Promise<void> {
    await this.tracked(async () => {
      await this.makeRoomIn(info);
      await this.writer.trim(writtenCollection(this.documents, info, true, this.logger));
    });
  }

  /** Follows a capped collection. */
  tail(info: CollectionInfo): CollectionTail {
    return tailOf(this.documents, info);
  }

  /** A document of a regular collection. */
  findById({ id }: CollectionInfo, idValue: Value, transaction?: Transaction): RawDocument | undefined {
    const store = transaction?.documents ?? this.documents;
    return store.hasCollection(id) ? store.get(id, idValue) : undefined;
  }

  /**
   * What the query engine reads a collection through.
   *
   * @param transaction whose snapshot is read
   */
  source(info: CollectionInfo, transaction?: Transaction): Source {
    const { timeseries } = info;
    if (timeseries === undefined) {
      return transaction === undefined
        ? countedSource(this.documents, info)
        : documentSource(transaction.documents, info);
    }
    return {
      shape: {
        kind: "timeseries",
        timeField: timeseries.timeField,
        metaField: timeseries.metaField,
        filtersRows: true,
        placeIndexes: placeIndexes(info),
      },
      scan: (request: ScanRequest): Rows =>
        this.timeseries.hasTable(info.id)
          ? this.timeseries.scan(info.id, request, transaction?.measurements)
          : noRows(),
      ...(this.timeseries.hasTable(info.id) && {
        runFragment: (request: FragmentRequest) =>
          this.timeseries.runFragment(info.id, request, transaction?.measurements),
        // Those of now would leave out what went since the transaction began.
        ...(transaction === undefined && { timeBounds: () => this.timeseries.timeBounds(info.id) }),
      }),
    };
  }

  /** Reads some pages in the background, so that the first queries find compiled code. */
  startWarmUp(): void {
    this.timeseries.startWarmUp();
  }

  /** Takes away what is there now and older than a time in milliseconds since 1970; durable when it resolves. */
  async expire(info: CollectionInfo, beforeMs: number): Promise<void> {
    await this.measurements.expire(info.id, beforeMs);
  }

  /** Flushes and merges a time series' segments; a plain collection has none. */
  async compact(info: CollectionInfo): Promise<void> {
    if (info.timeseries === undefined) return;
    try {
      await this.timeseries.compact(info.id);
    } catch (error) {
      throw namedIfFull(error);
    }
  }

  stats(info: CollectionInfo): CollectionStats {
    return statsOf(this.stores, info);
  }

  /** Reads all that the files hold of a collection. @param pause lets others run */
  verify(info: CollectionInfo, isFull: boolean, pause: () => Promise<void>): Promise<Verification> {
    return verifyFiles(this.stores, info, isFull, pause);
  }

  private get stores(): Stores {
    return { documents: this.documents, timeseries: this.timeseries };
  }

  /** Series and rows of all tables. */
  totals(): { readonly series: number; readonly rows: number } {
    return this.timeseries.totals();
  }

  /**
   * Writes what is in memory to its files.
   *
   * @returns the log's index up to which nothing is needed any more
   */
  async checkpoint(): Promise<number> {
    this.collections.dropAgain();
    await this.collections.settle();
    const appliedIndex = this.appliedIndex;
    // A flush may write what an earlier one left, or be one that began earlier: then later rows are in memory only.
    const flushedIndex = await this.timeseries.flush();
    await this.writer.checkpoint(() => {
      const beforeSeconds = secondsOf(this.times.latest) - SESSION_TIMEOUT_MINUTES * 60;
      this.documents.statements.save(this.recentStatements.all(), beforeSeconds);
      this.recentStatements.clear();
    });
    return Math.min(appliedIndex, flushedIndex);
  }

  async close(): Promise<void> {
    try {
      await this.timeseries.close();
    } finally {
      this.documents.close();
      this.reserve.release();
    }
  }
}

const RESERVE_FILE = "documents.reserve";

async function* noRows(): Rows {}
