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
import { assert, CommandError } from "../../base/mod.ts";
import { encodeIndexKey, RawDocument, type Value } from "../../bson/mod.ts";
import { createTable, dropTable, type StoredRow, TableWriter } from "./collection_table.ts";
import { applyEffect, applyLogged, type EffectPlace, idDocument, idOf } from "./apply_effect.ts";
import { CommitStatements } from "./commit_statements.ts";
import type { TakenKey } from "./duplicate_key.ts";
import { type CompileFilter, noFilters } from "./index_definition.ts";
import type { IndexReader } from "./index_reader.ts";
import { addRows, type BuildProgress, type IndexState, IndexTables } from "./index_tables.ts";
import {
  type BatchReaders,
  countRows,
  type DocumentBatches,
  type DocumentScanRequest,
  guardedBatches,
  type IndexOrder,
  type RowBatches,
  scanBatches,
  scanDocuments,
  type ScanOrder,
} from "./collection_scan.ts";
import type { DoneStatements } from "./done_statements.ts";
import { type CommittedDocuments, DocumentTransaction, type OwnEffect } from "./document_transaction.ts";
import { DocumentVersions } from "./document_versions.ts";
import type { Effect, NotedChange } from "./effect.ts";
import { effectsOf, EntryBuffer, type StoreEntry } from "./entry_buffer.ts";
import { KeyLocks } from "./key_locks.ts";
import { newTransaction, noteReplaced, type OpenTransaction } from "./open_transaction.ts";
import { DocumentInspector, type DocumentStats } from "./document_inspector.ts";
import { StatementTable } from "./statement_table.ts";
import { StoreReaders } from "./store_readers.ts";
import { loadTotals, NO_DOCUMENTS, type Totals, totalsAfter } from "./totals.ts";
import { type CollectionLimits, isWithin } from "./collection_limits.ts";
import { Watchers } from "./watchers.ts";
import { emptyWal, execute, guarded, IN_MEMORY, openForReading, openForWriting } from "./sqlite.ts";

export class DocumentStore implements CommittedDocuments {
  private readonly collections: Map<number, Totals>;
  private readonly writers = new Map<number, TableWriter>();
  private readonly readers: StoreReaders;
  /** Of the collections that have, or had, any. */
  private readonly indexes = new Map<number, IndexTables>();
  /** What sessions have done; not to be saved to while a transaction is open. */
  readonly statements: StatementTable;
  private readonly statementsOfCommit: CommitStatements;
  private readonly watchers = new Watchers();
  /** What snapshots need of earlier versions. */
  readonly versions = new DocumentVersions();
  readonly locks = new KeyLocks();
  private transaction: OpenTransaction | undefined;
  private applied: number;
  private durable = 0;
  readonly inspector: DocumentInspector;

  private constructor(
    private readonly path: string,
    private readonly writing: DatabaseSync,
    private readonly reading: DatabaseSync,
    private readonly compileFilter: CompileFilter,
  ) {
    this.statements = new StatementTable(path, writing, reading);
    this.statementsOfCommit = new CommitStatements(writing);
    this.inspector = new DocumentInspector(reading, (id) => this.indexes.get(id));
    this.applied = Number(writing.prepare("SELECT log_index FROM applied").get()?.["log_index"]);
    this.collections = loadTotals(writing);
    this.readers = new StoreReaders(writing, reading, {
      hasCollection: (id) => this.collections.has(id),
      indexesOf: (id) => this.indexes.get(id),
      hasPlainIds: (id) => this.hasPlainIds(id),
      openTransaction: () => this.transaction,
    });
    for (const row of writing.prepare("SELECT DISTINCT collection AS id FROM indexes").all()) {
      this.indexTables(Number(row["id"]));
    }
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
    return this.applied;
  }

  /** The log index up to which entries are here for good: the last checkpoint's. */
  get durableIndex(): number {
    return this.durable;
  }

  /** Ascending. */
  collectionIds(): number[] {
    return [...this.collections.keys()].sort((a, b) => a - b);
  }

  hasCollection(id: number): boolean {
    return this.collections.has(id);
  }

  /** Makes a collection; nothing when it is there. An open transaction does not undo it. */
  createCollection(id: number): void {
    if (this.collections.has(id)) return;
    this.redoable(() => createTable(this.writing, id));
    this.transaction?.created.add(id);
    this.collections.set(id, NO_DOCUMENTS);
  }

  /** Drops a collection; nothing when it is not there. An open transaction does not undo it. */
  dropCollection(id: number): void {
    if (!this.collections.delete(id)) return;
    this.writers.delete(id);
    this.readers.drop(id);
    this.indexes.delete(id);
    this.inspector.forget(id);
    this.versions.drop(id);
    this.redoable(() => dropTable(this.writing, id));
    this.transaction?.created.delete(id);
    this.transaction?.before.delete(id);
    this.watchers.tell([id]);
  }

  /** Whether others may read, and see only what is committed, while a transaction is being written. */
  get readersAreApart(): boolean {
    return this.reading !== this.writing;
  }

  /** Whether a transaction is open. */
  get isOpen(): boolean {
    return this.transaction !== undefined;
  }

  /** Starts the one transaction that may be open. @param entries what it did in one before */
  begin(entries?: EntryBuffer): void {
    assert(this.transaction === undefined, "one transaction is open at a time");
    this.guarded(() => this.statementsOfCommit.begin());
    this.transaction = newTransaction(entries);
  }

  /**
   * Stores a document in the open transaction, under its _id.
   *
   * @param document must have an _id
   * @returns the key that kept it from being stored, since another document has it: that of its _id, or of a unique index
   * @throws CommandError OutOfDiskSpace or InternalError, and the transaction must then be rolled back; others when an index
   *   cannot hold the document
   */
  insert(collectionId: number, document: RawDocument): TakenKey | undefined {
    return this.write({ kind: "insert", collectionId, document });
  }

  /**
   * Puts a document in the place of the one with its _id, which must be there. As `insert`.
   *
   * @param old the one that is there, where a candidate showed it and nothing was written to it since
   * @param noted for those who follow the log
   */
  replace(
    collectionId: number,
    document: RawDocument,
    old?: StoredRow,
    noted: NotedChange = {},
  ): TakenKey | undefined {
    const kind = noted.changes === undefined ? "replace" : "update";
    return this.write({ kind, collectionId, document, ...noted }, old);
  }

  /** Takes away a document that is there. As `replace`. */
  delete(
    collectionId: number,
    document: RawDocument,
    old?: StoredRow,
    noted: Pick<NotedChange, "before"> = {},
  ): void {
    this.write({ kind: "delete", collectionId, document: idDocument(document), ...noted }, old);
  }

  /**
   * Takes away the documents that stand first until no more than so much is left, but never the last one.
   *
   * @param most how many at once
   * @returns whether no more is left than that
   */
  evict(id: number, limits: CollectionLimits, most = Infinity): boolean {
    for (let evicted = 0; !isWithin(this.totals(id), limits); evicted++) {
      if (evicted === most) return false;
      const row = this.guarded(() => this.readers.inside(id).first());
      assert(row !== undefined, "a collection that counts documents has a first one");
      this.delete(id, new RawDocument(row.doc), row);
    }
    return true;
  }

  /** Tells of every commit that changes a collection, and of its end. @returns what ends that */
  watch(id: number, listener: () => void): () => void {
    return this.watchers.add(id, listener);
  }

  /** Does what a client's transaction did, whose effects are in its order. As `insert`. */
  carryOut(effect: OwnEffect): TakenKey | undefined {
    return this.write(effect, effect.old);
  }

  /** Opens a client's transaction, or a snapshot. @param maxBytes of what it may write */
  openTransactionOfClient(maxBytes: number): DocumentTransaction {
    return new DocumentTransaction(this, maxBytes);
  }

  /** Which transaction's end a write outside of transactions has to wait for: see `KeyLocks.blocking`. */
  blockedBy(id: number, document: RawDocument): Promise<void> | undefined {
    return this.locks.blocking(id, document, this.indexStates(id));
  }

  /** The indexes of a collection, without that on _id. */
  indexStates(id: number): readonly IndexState[] {
    return this.indexes.get(id)?.states() ?? [];
  }

  /**
   * Makes indexes over all documents, in a transaction of their own: it yields between batches of documents, and none
   * other may be open until it ends. Ended early or by an error, nothing of it remains.
   *
   * @param specs what of the catalog's definitions changes the keys
   * @returns a key that two documents have in an index that is to be unique; then nothing was made
   * @throws CommandError as `insert`; QueryPlanKilled when the collection is dropped meanwhile
   */
  *buildIndexes(
    id: number,
    specs: readonly RawDocument[],
  ): Generator<BuildProgress, TakenKey | undefined, undefined> {
    this.begin();
    try {
      const built = this.guarded(() => specs.map((spec) => this.indexTables(id).create(spec)));
      let done = 0;
      for (const rows of this.batches(this.readers.asWritten(id), {})) {
        this.checkTransaction();
        const taken = this.guarded(() => addRows(built, rows));
        if (taken !== undefined) return taken;
        yield { done: done += rows.length, total: this.totals(id).count };
        this.readers.checkNotDropped(id);
      }
      this.guarded(() => this.statementsOfCommit.commit());
      this.transaction = undefined;
      this.indexTables(id).committed();
      return undefined;
    } finally {
      if (this.transaction !== undefined) this.rollback();
    }
  }

  /** Drops indexes, and lets others, which stay, be used otherwise. Not while a transaction is open. */
  changeIndexes(id: number, dropped: readonly string[], redefined: readonly RawDocument[]): void {
    assert(this.transaction === undefined, "no transaction is open when indexes change");
    this.guarded(() => {
      dropped.forEach((name) => this.indexes.get(id)?.drop(name));
      redefined.forEach((spec) => this.indexes.get(id)?.redefine(spec));
    });
    this.inspector.forget(id, dropped);
  }

  /** Documents as the open transaction sees them, in batches, each of which shows what was written before it is read. */
  candidates(id: number, order: ScanOrder): RowBatches {
    this.inspector.uses.note(id, order);
    return this.batches(this.readers.asWritten(id), order);
  }

  /** Bytes of what the open transaction did. */
  get effectBytes(): number {
    return this.openTransaction().entries.sizeBytes;
  }

  /** Says that the open transaction carries out statements of a session. As `insert`. */
  noteDone(done: DoneStatements): void {
    const { entries } = this.openTransaction();
    this.saveDone(done);
    entries.noteDone(done);
  }

  /**
   * Ends an entry of the log: what the open transaction does from here on stands in the next one.
   *
   * @returns whether there is one; nothing ends that has no effects
   */
  endEntry(): boolean {
    return this.openTransaction().entries.end();
  }

  /** Takes back what the open transaction did since an entry ended: what those before it did is done again. */
  rollbackEntry(): void {
    const { entries } = this.openTransaction();
    entries.forgetLast();
    this.rollback();
    this.begin(entries);
    this.doAgain(entries.ended);
  }

  /** What the open transaction did, as entries of the log; none when it did nothing. Ends the writing. */
  seal(): readonly StoreEntry[] {
    const { entries } = this.openTransaction();
    entries.end();
    if (entries.ended.length > 0 && !this.readersAreApart) {
      this.rollback();
      this.transaction = newTransaction(entries);
    }
    this.transaction!.sealed = true;
    return entries.ended;
  }

  /**
   * Ends the open transaction; everyone sees what it did.
   *
   * @param appliedIndex the log index of its last entry
   * @throws CommandError OutOfDiskSpace or InternalError: nothing was committed, the transaction is rolled back, and
   *   the entries, durable in the log, must be replayed before anything later is
   */
  commit(appliedIndex: number): void {
    const { entries, sealed } = this.openTransaction();
    assert(appliedIndex > this.applied, "log indexes grow");
    if (sealed && !this.readersAreApart) {
      this.transaction = undefined;
      this.begin(entries);
      this.doAgain(entries.ended);
    }
    this.noteVersions(appliedIndex);
    const { before } = this.openTransaction();
    try {
      this.checkTransaction();
      this.guarded(() => {
        for (const id of before.keys()) this.writer(id).saveTotals(this.totals(id));
        this.statementsOfCommit.commit(appliedIndex);
      });
    } catch (error) {
      this.rollback();
      throw error;
    }
    this.transaction = undefined;
    for (const tables of this.indexes.values()) tables.committed();
    this.applied = appliedIndex;
    this.watchers.tell(before.keys());
  }

  /** Keeps what open snapshots need of the documents that a commit changes. */
  private noteVersions(index: number): void {
    if (!this.versions.isWatched) return;
    const { entries, replaced } = this.openTransaction();
    if (replaced !== undefined) return this.versions.noteReplaced(replaced, index);
    this.versions.noteAll(
      entries.ended.flatMap(effectsOf),
      index,
      (id, key) =>
        this.guarded(() => this.hasCollection(id) ? this.readers.committed(id)?.find(key) : undefined),
    );
  }

  /** Ends the open transaction; nothing of it remains. */
  rollback(): void {
    const { before, redo } = this.openTransaction();
    // When the device is full, SQLite may have rolled back by itself.
    if (this.writing.isTransaction) this.guarded(() => execute(this.writing, "ROLLBACK"));
    this.transaction = undefined;
    for (const [id, totals] of before) this.collections.set(id, totals);
    this.guarded(() => {
      redo.forEach((action) => action());
      this.indexes.forEach((tables) => tables.rolledBack());
    });
  }

  /**
   * Applies an entry of the log; nothing when it is here already. Makes the collections it needs.
   *
   * @param done the statements of sessions that it carries out
   */
  replay(index: number, payload: Uint8Array, done: readonly DoneStatements[] = []): void {
    if (index <= this.applied) return;
    const entries = new EntryBuffer([{ effects: [payload], done }]);
    this.begin(entries);
    this.doAgain(entries.ended, (id) => this.createCollection(id));
    this.commit(index);
  }

  /** Does in the open transaction what entries did before. @param prepare what else is done before a collection is written to */
  private doAgain(entries: readonly StoreEntry[], prepare: (id: number) => void = () => {}): void {
    try {
      for (const entry of entries) {
        for (const effect of effectsOf(entry)) {
          prepare(effect.collectionId);
          // What was dropped meanwhile stays away.
          if (this.hasCollection(effect.collectionId)) this.apply(effect, applyLogged);
        }
        entry.done.forEach((each) => this.saveDone(each));
      }
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /**
   * The log lost its latest entries, which were never synced, and gives their indexes again: from `logIndex` on, entries
   * are new. What lost ones had stored stays. Durable when it returns.
   */
  rewind(logIndex: number): void {
    if (logIndex >= this.applied) return;
    this.guarded(() => execute(this.writing, `UPDATE applied SET log_index = ${logIndex}`));
    this.applied = logIndex;
    this.checkpoint();
  }

  /**
   * Makes everything committed durable in the file itself. Not while a transaction is open.
   *
   * @returns the log index up to which entries are here for good
   */
  checkpoint(): number {
    assert(this.transaction === undefined, "no transaction is open at a checkpoint");
    this.guarded(() => emptyWal(this.path, this.writing));
    return this.durable = this.applied;
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

  private batches(readers: BatchReaders, order: ScanOrder): RowBatches {
    return guardedBatches(scanBatches(readers, order), (action) => this.guarded(action));
  }

  /** What is committed, or about to be, and the pages it takes. */
  stats(id: number): DocumentStats {
    return this.guarded(() => this.inspector.stats(id, this.totalsCommitted(id)));
  }

  /** Closes the file. An open transaction is lost; what is committed stays. */
  close(): void {
    this.writers.clear();
    this.readers.clear();
    if (this.reading !== this.writing) this.reading.close();
    this.writing.close();
  }

  private write(effect: Effect, old?: StoredRow): TakenKey | undefined {
    const open = this.openTransaction();
    assert(!open.sealed, "a transaction that is sealed takes nothing more");
    const taken = this.apply(effect, applyEffect, old);
    if (taken === undefined) open.entries.add(effect);
    return taken;
  }

  /**
   * Does what an effect says in SQLite and in the totals.
   *
   * @param apply one of apply_effect.ts
   * @param known the document that is there, where that is known
   * @returns the key that was not free
   */
  private apply(
    effect: Effect,
    apply: typeof applyEffect | typeof applyLogged,
    known?: StoredRow,
  ): TakenKey | undefined {
    const { kind, collectionId: id, document } = effect;
    const open = this.openTransaction();
    this.checkTransaction();
    const totals = this.totals(id);
    const old = kind === "insert" ? undefined : known ?? this.stored(id, document);
    const place: EffectPlace = old ?? totals;
    const tables = { writer: this.writer(id), indexes: this.indexes.get(id) };
    const taken = this.guarded(() => apply(tables, effect, place));
    if (taken !== undefined) return taken;
    if (!open.before.has(id)) open.before.set(id, totals);
    // With one connection, what was there before cannot be read at the commit.
    noteReplaced(open, this.versions.isWatched || !this.readersAreApart, effect, old);
    this.collections.set(id, totalsAfter(totals, effect, old?.doc.length ?? 0));
    return undefined;
  }

  /** The document with the _id of another, which must be there. */
  private stored(id: number, document: RawDocument): StoredRow {
    const row = this.guarded(() => this.writer(id).find(encodeIndexKey(idOf(document))));
    assert(row !== undefined, "a document to replace or to delete is there");
    return row;
  }

  private saveDone(done: DoneStatements): void {
    this.checkTransaction();
    this.guarded(() => this.statements.put(done));
  }

  /** Runs a change of the schema, and again should the open transaction be rolled back. */
  private redoable(action: () => void): void {
    this.guarded(action);
    this.transaction?.redo.push(action);
  }

  /** When the device is full, SQLite may have rolled back by itself: what follows would count for itself, at once. */
  private checkTransaction(): void {
    if (this.writing.isTransaction) return;
    throw new CommandError("OutOfDiskSpace", `cannot write "${this.path}", the device is full`);
  }

  private openTransaction(): OpenTransaction {
    assert(this.transaction !== undefined, "a transaction is open");
    return this.transaction;
  }

  /** Whether the keys of the index on _id say all of the ids: see totals.ts. */
  hasPlainIds(id: number): boolean {
    return this.hasCollection(id) && this.totals(id).plainIds;
  }

  /** What is committed, or about to be. */
  totalsCommitted(id: number): Totals {
    return this.transaction?.before.get(id) ?? this.totals(id);
  }

  private totals(id: number): Totals {
    const totals = this.collections.get(id);
    assert(totals !== undefined, `collection ${id} is here`);
    return totals;
  }

  private indexTables(id: number): IndexTables {
    let tables = this.indexes.get(id);
    if (tables === undefined) {
      this.indexes.set(id, tables = new IndexTables(this.writing, id, this.compileFilter));
    }
    return tables;
  }

  private writer(id: number): TableWriter {
    let writer = this.writers.get(id);
    if (writer === undefined) this.writers.set(id, writer = new TableWriter(this.writing, id));
    return writer;
  }

  /** Runs what may fail on SQLite's side. */
  guarded<T>(action: () => T): T {
    return guarded(this.path, action);
  }
}
