/**
 * The regular collections of one VNode, in one SQLite file. The log is the journal:
 *
 *     begin → insert, replace, delete… → endEntry → insert… → seal (the entries go to the log, which makes them durable)
 *           → commit(log index of the last one) | rollback
 *
 * One SQLite transaction spans all of that on the writing connection, where `candidates` reads what it wrote. Readers use
 * a second connection, which in WAL mode sees only what is committed: so nobody reads what a crash could take back. A store in
 * memory has one connection only; there, `seal` rolls back and `commit` does it all again, so that nobody sees more either,
 * as long as nobody reads between `begin` and `seal`.
 *
 * A commit also stores its log index. SQLite loses commits since the last checkpoint at a power failure, always the
 * latest ones; the log brings them back: `replay` skips what is there. The log may be cut below `durableIndex`.
 */
import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../base/mod.ts";
import { encodeIndexKey, RawDocument, type Value } from "../../bson/mod.ts";
import { Collections } from "./collections.ts";
import { type CompileFilter, noFilters } from "./index_definition.ts";
import type { IndexReader } from "./index_reader.ts";
import type { IndexState } from "./index_tables.ts";
import {
  type BatchReaders,
  countRows,
  type DocumentBatches,
  type DocumentScanRequest,
  guardedBatches,
  type IndexOrder,
  scanDocuments,
} from "./collection_scan.ts";
import { type CommittedDocuments, DocumentTransaction } from "./document_transaction.ts";
import { DocumentVersions } from "./document_versions.ts";
import { KeyLocks } from "./key_locks.ts";
import { DocumentInspector, type DocumentStats } from "./document_inspector.ts";
import { StatementTable } from "./statement_table.ts";
import { StoreReaders } from "./store_readers.ts";
import { StoreWriter } from "./store_writer.ts";
import type { Totals } from "./totals.ts";
import { Watchers } from "./watchers.ts";
import { emptyWal, guarded, IN_MEMORY, openForReading, openForWriting } from "./sqlite.ts";

export class DocumentStore implements CommittedDocuments {
  /** All that is written outside of clients' transactions, and what they come to in the end. */
  readonly writer: StoreWriter;
  private readonly readers: StoreReaders;
  private readonly collections: Collections;
  /** What sessions have done; not to be saved to while a transaction is open. */
  readonly statements: StatementTable;
  readonly inspector: DocumentInspector;
  /** What snapshots need of earlier versions. */
  readonly versions = new DocumentVersions();
  readonly locks = new KeyLocks();
  private readonly watchers = new Watchers();
  private durable = 0;

  private constructor(
    private readonly path: string,
    private readonly writing: DatabaseSync,
    private readonly reading: DatabaseSync,
    compileFilter: CompileFilter,
  ) {
    const collections = this.collections = new Collections(writing, compileFilter);
    const statements = this.statements = new StatementTable(path, writing, reading);
    const inspector = this.inspector = new DocumentInspector(reading, (id) => collections.indexesOf(id));
    const readers = this.readers = new StoreReaders(writing, reading, {
      hasCollection: (id) => collections.has(id),
      indexesOf: (id) => collections.indexesOf(id),
      hasPlainIds: (id) => this.hasPlainIds(id),
      openTransaction: () => this.writer.uncommitted,
    });
    const { readersAreApart, versions, locks, watchers } = this;
    const parts = { collections, readers, statements, inspector, versions, locks, watchers };
    this.writer = new StoreWriter({ path, writing, readersAreApart, ...parts });
  }

  /**
   * Opens the store, made if need be; what it holds is durable when it returns.
   *
   * @param path as the operating system knows it, or ":memory:"
   * @param compileFilter makes tests of the filters of partial indexes
   * @throws CorruptionError when the file is damaged or not ours
   */
  static open(path: string, compileFilter: CompileFilter = noFilters): DocumentStore {
    const writing = openForWriting(path);
    try {
      return guarded(path, () => {
        const reading = path === IN_MEMORY ? writing : openForReading(path);
        const store = new DocumentStore(path, writing, reading, compileFilter);
        store.checkpoint();
        return store;
      });
    } catch (error) {
      writing.close();
      throw error;
    }
  }

  /** The log index of the last commit: entries up to it are here. */
  get appliedIndex(): number {
    return this.writer.appliedIndex;
  }

  /** The log index up to which entries are here for good: the last checkpoint's. */
  get durableIndex(): number {
    return this.durable;
  }

  /** Ascending. */
  collectionIds(): number[] {
    return this.collections.ids();
  }

  hasCollection(id: number): boolean {
    return this.collections.has(id);
  }

  /** Makes a collection; nothing when it is there. An open transaction does not undo it. */
  createCollection(id: number): void {
    this.writer.createCollection(id);
  }

  /** Drops a collection; nothing when it is not there. An open transaction does not undo it. */
  dropCollection(id: number): void {
    this.writer.dropCollection(id);
  }

  /** Whether others may read, and see only what is committed, while a transaction is being written. */
  get readersAreApart(): boolean {
    return this.reading !== this.writing;
  }

  /** Tells of every commit that changes a collection, and of its end. @returns what ends that */
  watch(id: number, listener: () => void): () => void {
    return this.watchers.add(id, listener);
  }

  /** Opens a client's transaction, or a snapshot. @param maxBytes of what it may write */
  openTransactionOfClient(maxBytes: number): DocumentTransaction {
    return new DocumentTransaction(this, maxBytes);
  }

  /** The indexes of a collection, without that on _id. */
  indexStates(id: number): readonly IndexState[] {
    return this.collections.indexStates(id);
  }

  /**
   * The log lost its latest entries, which were never synced, and gives their indexes again: from `logIndex` on, entries
   * are new. What lost ones had stored stays. Durable when it returns.
   */
  rewind(logIndex: number): void {
    if (this.writer.rewind(logIndex)) this.checkpoint();
  }

  /**
   * Makes everything committed durable in the file itself. Not while a transaction is open.
   *
   * @returns the log index up to which entries are here for good
   */
  checkpoint(): number {
    assert(!this.writer.isOpen, "no transaction is open at a checkpoint");
    this.guarded(() => emptyWal(this.path, this.writing));
    return this.durable = this.appliedIndex;
  }

  /** The document under that _id. */
  get(id: number, idValue: Value): RawDocument | undefined {
    this.inspector.uses.note(id, { ids: [idValue] });
    const row = this.guarded(() => this.readers.newest(id).table()?.find(encodeIndexKey(idValue)));
    return row && new RawDocument(row.doc);
  }

  /**
   * Reads documents in order of insertion (or backward), or those of the ids asked for in order of _id. Each batch is read for
   * itself, from where the last one ended: nothing is held between them, and a batch shows what is committed when it is
   * read.
   *
   * @throws CommandError QueryPlanKilled when the collection is dropped meanwhile
   */
  scan(id: number, request: DocumentScanRequest): DocumentBatches {
    this.inspector.uses.note(id, request);
    return scanDocuments(this.committed(id), request, (action) => this.guarded(action));
  }

  /** What scans read, each batch for itself. */
  committed(id: number): BatchReaders<IndexReader> {
    return this.readers.newest(id);
  }

  /** How many rows there are by an index, in parts. */
  countRows(id: number, order: IndexOrder): Generator<number, void, undefined> {
    this.inspector.uses.note(id, { index: order });
    return guardedBatches(countRows(this.readers.lasting(id), order), (action) => this.guarded(action));
  }

  /** What is committed, or about to be, and the pages it takes. */
  stats(id: number): DocumentStats {
    return this.guarded(() => this.inspector.stats(id, this.totalsCommitted(id)));
  }

  /** Closes the file. An open transaction is lost; what is committed stays. */
  close(): void {
    this.collections.close();
    this.readers.clear();
    if (this.reading !== this.writing) this.reading.close();
    this.writing.close();
  }

  /** Whether the keys of the index on _id say all of the ids: see totals.ts. */
  hasPlainIds(id: number): boolean {
    return this.hasCollection(id) && this.collections.totals(id).plainIds;
  }

  /** What is committed, or about to be. */
  totalsCommitted(id: number): Totals {
    return this.writer.uncommitted?.before.get(id) ?? this.collections.totals(id);
  }

  /** Runs what may fail on SQLite's side. */
  guarded<T>(action: () => T): T {
    return guarded(this.path, action);
  }
}
