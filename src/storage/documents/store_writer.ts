/**
 * What is written to a store: one transaction at a time on the writing connection. See document_store.ts for how it goes
 * through the log to its commit.
 */
import type { DatabaseSync } from "node:sqlite";
import { assert, CommandError } from "../../base/mod.ts";
import { encodeIndexKey, RawDocument } from "../../bson/mod.ts";
import { createTable, dropTable } from "./collection_table.ts";
import { applyEffect, applyLogged, type EffectPlace } from "./apply_effect.ts";
import type { Collections } from "./collections.ts";
import { CommitStatements } from "./commit_statements.ts";
import type { TakenKey } from "./duplicate_key.ts";
import { addRows, type BuildProgress } from "./index_tables.ts";
import {
  type BatchReaders,
  guardedBatches,
  type RowBatches,
  scanBatches,
  type ScanOrder,
} from "./collection_scan.ts";
import type { DoneStatements } from "./done_statements.ts";
import type { OwnEffect } from "./document_transaction.ts";
import type { DocumentVersions } from "./document_versions.ts";
import type { Effect, NotedChange } from "./effect.ts";
import type { KeyLocks } from "./key_locks.ts";
import { effectsOf, EntryBuffer, type StoreEntry } from "./entry_buffer.ts";
import { newTransaction, noteChanged, noteReplaced, type OpenTransaction } from "./open_transaction.ts";
import type { DocumentInspector } from "./document_inspector.ts";
import type { StatementTable } from "./statement_table.ts";
import type { StoreReaders } from "./store_readers.ts";
import { totalsAfter } from "./totals.ts";
import { type CollectionLimits, isWithin } from "./collection_limits.ts";
import type { Watchers } from "./watchers.ts";
import { execute, guarded } from "./sqlite.ts";
import { idDocument, idOf } from "./document_id.ts";
import type { StoredRow } from "./stored_row.ts";

/** What of its store the writer reads and tells. */
export interface WrittenStore {
  /** Of the file, for messages. */
  readonly path: string;
  readonly writing: DatabaseSync;
  /** Whether others may read, and see only what is committed, while a transaction is being written. */
  readonly readersAreApart: boolean;
  readonly collections: Collections;
  readonly readers: StoreReaders;
  readonly statements: StatementTable;
  readonly inspector: DocumentInspector;
  readonly versions: DocumentVersions;
  readonly locks: KeyLocks;
  readonly watchers: Watchers;
}

export class StoreWriter {
  private readonly statementsOfCommit: CommitStatements;
  private transaction: OpenTransaction | undefined;
  private applied: number;

  constructor(private readonly store: WrittenStore) {
    this.statementsOfCommit = new CommitStatements(store.writing);
    this.applied = Number(store.writing.prepare("SELECT log_index FROM applied").get()?.["log_index"]);
  }

  /** The log index of the last commit. */
  get appliedIndex(): number {
    return this.applied;
  }

  /** What is not committed. */
  get uncommitted(): OpenTransaction | undefined {
    return this.transaction;
  }

  /** Makes a collection; nothing when it is there. An open transaction does not undo it. */
  createCollection(id: number): void {
    if (this.store.collections.has(id)) return;
    this.redoable(() => createTable(this.store.writing, id));
    this.transaction?.created.add(id);
    this.store.collections.add(id);
  }

  /** Drops a collection; nothing when it is not there. An open transaction does not undo it. */
  dropCollection(id: number): void {
    if (!this.store.collections.remove(id)) return;
    this.store.readers.drop(id);
    this.store.inspector.forget(id);
    this.store.versions.drop(id);
    this.redoable(() => dropTable(this.store.writing, id));
    this.transaction?.created.delete(id);
    this.transaction?.before.delete(id);
    this.store.watchers.tell([id]);
  }

  hasCollection(id: number): boolean {
    return this.store.collections.has(id);
  }

  /** Which transaction's end a write outside of transactions has to wait for: see `KeyLocks.blocking`. */
  blockedBy(id: number, document: RawDocument): Promise<void> | undefined {
    return this.store.locks.blocking(id, document, this.store.collections.indexStates(id));
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
    for (let evicted = 0; !isWithin(this.store.collections.totals(id), limits); evicted++) {
      if (evicted === most) return false;
      const row = this.guarded(() => this.store.readers.inside(id).first());
      assert(row !== undefined, "a collection that counts documents has a first one");
      this.delete(id, new RawDocument(row.doc), row);
    }
    return true;
  }

  /** Does what a client's transaction did, whose effects are in its order. As `insert`. */
  carryOut(effect: OwnEffect): TakenKey | undefined {
    return this.write(effect, effect.old);
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
      const built = this.guarded(() =>
        specs.map((spec) => this.store.collections.indexTables(id).create(spec))
      );
      let done = 0;
      for (const rows of this.batches(this.store.readers.asWritten(id), {})) {
        this.checkTransaction();
        const taken = this.guarded(() => addRows(built, rows));
        if (taken !== undefined) return taken;
        yield { done: done += rows.length, total: this.store.collections.totals(id).count };
        this.store.readers.checkNotDropped(id);
      }
      this.guarded(() => this.statementsOfCommit.commit());
      this.transaction = undefined;
      this.store.collections.indexTables(id).committed();
      return undefined;
    } finally {
      if (this.transaction !== undefined) this.rollback();
    }
  }

  /** Drops indexes, and lets others, which stay, be used otherwise. Not while a transaction is open. */
  changeIndexes(id: number, dropped: readonly string[], redefined: readonly RawDocument[]): void {
    assert(this.transaction === undefined, "no transaction is open when indexes change");
    this.guarded(() => {
      dropped.forEach((name) => this.store.collections.indexesOf(id)?.drop(name));
      redefined.forEach((spec) => this.store.collections.indexesOf(id)?.redefine(spec));
    });
    this.store.inspector.forget(id, dropped);
  }

  /** Documents as the open transaction sees them, in batches, each of which shows what was written before it is read. */
  candidates(id: number, order: ScanOrder): RowBatches {
    this.store.inspector.uses.note(id, order);
    return this.batches(this.store.readers.asWritten(id), order);
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
    if (entries.ended.length > 0 && !this.store.readersAreApart) {
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
    if (sealed && !this.store.readersAreApart) {
      this.transaction = undefined;
      this.begin(entries);
      this.doAgain(entries.ended);
    }
    this.noteVersions(appliedIndex);
    const { before } = this.openTransaction();
    try {
      this.checkTransaction();
      this.guarded(() => {
        for (const id of before.keys()) {
          this.store.collections.writer(id).saveTotals(this.store.collections.totals(id));
        }
        this.statementsOfCommit.commit(appliedIndex);
      });
    } catch (error) {
      this.rollback();
      throw error;
    }
    this.transaction = undefined;
    this.store.collections.committed();
    this.applied = appliedIndex;
    this.store.watchers.tell(before.keys());
  }

  /** Keeps what open snapshots need of the documents that a commit changes. */
  private noteVersions(index: number): void {
    if (!this.store.versions.isWatched) return;
    const { entries, replaced } = this.openTransaction();
    if (replaced !== undefined) return this.store.versions.noteReplaced(replaced, index);
    this.store.versions.noteAll(
      entries.ended.flatMap(effectsOf),
      index,
      (id, key) =>
        this.guarded(() =>
          this.store.collections.has(id) ? this.store.readers.committed(id)?.find(key) : undefined
        ),
    );
  }

  /** Ends the open transaction; nothing of it remains. */
  rollback(): void {
    const { before, redo } = this.openTransaction();
    // When the device is full, SQLite may have rolled back by itself.
    if (this.store.writing.isTransaction) this.guarded(() => execute(this.store.writing, "ROLLBACK"));
    this.transaction = undefined;
    for (const [id, totals] of before) this.store.collections.setTotals(id, totals);
    this.guarded(() => {
      redo.forEach((action) => action());
      this.store.collections.rolledBack();
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
          if (this.store.collections.has(effect.collectionId)) this.apply(effect, applyLogged);
        }
        entry.done.forEach((each) => this.saveDone(each));
      }
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /**
   * The log gives indexes from `logIndex` on again.
   *
   * @returns whether any of them was applied: then a checkpoint has to follow
   */
  rewind(logIndex: number): boolean {
    if (logIndex >= this.applied) return false;
    this.guarded(() => execute(this.store.writing, `UPDATE applied SET log_index = ${logIndex}`));
    this.applied = logIndex;
    return true;
  }

  private batches(readers: BatchReaders, order: ScanOrder): RowBatches {
    return guardedBatches(scanBatches(readers, order), (action) => this.guarded(action));
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
    const totals = this.store.collections.totals(id);
    const old = kind === "insert" ? undefined : known ?? this.stored(id, document);
    const place: EffectPlace = old ?? totals;
    const tables = {
      writer: this.store.collections.writer(id),
      indexes: this.store.collections.indexesOf(id),
    };
    noteChanged(open, effect, "seq" in place ? place.seq : place.nextSeq);
    const taken = this.guarded(() => apply(tables, effect, place));
    if (taken !== undefined) return taken;
    if (!open.before.has(id)) open.before.set(id, totals);
    // With one connection, what was there before cannot be read at the commit.
    noteReplaced(open, this.store.versions.isWatched || !this.store.readersAreApart, effect, old);
    this.store.collections.setTotals(id, totalsAfter(totals, effect, old?.doc.length ?? 0));
    return undefined;
  }

  /** The document with the _id of another, which must be there. */
  private stored(id: number, document: RawDocument): StoredRow {
    const row = this.guarded(() => this.store.collections.writer(id).find(encodeIndexKey(idOf(document))));
    assert(row !== undefined, "a document to replace or to delete is there");
    return row;
  }

  private saveDone(done: DoneStatements): void {
    this.checkTransaction();
    this.guarded(() => this.store.statements.put(done));
  }

  /** Runs a change of the schema, and again should the open transaction be rolled back. */
  private redoable(action: () => void): void {
    this.guarded(action);
    this.transaction?.redo.push(action);
  }

  /** When the device is full, SQLite may have rolled back by itself: what follows would count for itself, at once. */
  private checkTransaction(): void {
    if (this.store.writing.isTransaction) return;
    throw new CommandError("OutOfDiskSpace", `cannot write "${this.store.path}", the device is full`);
  }

  private openTransaction(): OpenTransaction {
    assert(this.transaction !== undefined, "a transaction is open");
    return this.transaction;
  }

  /** Runs what may fail on SQLite's side. */
  private guarded<T>(action: () => T): T {
    return guarded(this.store.path, action);
  }
}
