/**
 * The regular collections of one VNode, in one SQLite file. The log is the journal:
 *
 *     begin → insert… → (effects go to the log, which makes them durable) → commit(log index) | rollback
 *
 * One SQLite transaction spans all of that on the writing connection. Reads go over a second connection, which in WAL
 * mode sees only what is committed: so nobody reads what a crash could take back. A store in memory has one connection
 * only; there, rows that the open transaction inserted are known by their places and left out.
 *
 * A commit also stores its log index. SQLite loses commits since the last checkpoint at a power failure, always the
 * latest ones; the log brings them back: `replay` skips what is there. The log may be cut below `durableIndex`.
 */
import type { DatabaseSync } from "node:sqlite";
import { assert, CommandError } from "../../base/mod.ts";
import { compareBytes, encodeIndexKey, RawDocument, type Value } from "../../bson/mod.ts";
import {
  createTable,
  dropTable,
  lastSeq,
  pageBytes,
  type StoredRow,
  TableReader,
  TableWriter,
} from "./collection_table.ts";
import { decodeEffects, encodeInsert } from "./effect.ts";
import { type CollectionVerification, verifyCollection } from "./verify_collection.ts";
import { execute, guarded, IN_MEMORY, openForReading, openForWriting } from "./sqlite.ts";

/** Ids looked up between two batches: few, since each document may be large. */
const KEYS_AT_ONCE = 64;

/** What a scan is asked for; a query's `ScanRequest` is one. */
export interface DocumentScanRequest {
  /** The only values of _id that can match; undefined for all documents. */
  readonly ids?: readonly Value[];
  /** From the last inserted to the first; undefined for the order of insertion. Not with `ids`. */
  readonly backward?: boolean;
  /** Called between batches: throws when the operation was killed, else lets others run. */
  readonly checkpoint: () => Promise<void>;
  /** Where the scan adds the documents it read. */
  readonly counters?: { rowsRead: number };
}

export interface DocumentStats {
  readonly count: number;
  /** Bytes of the documents as BSON. */
  readonly dataBytes: number;
  /** Bytes of their pages in the file. */
  readonly storageBytes: number;
  /** Bytes of the pages of the index on _id. */
  readonly indexBytes: number;
}

/** What is known of a collection without asking SQLite; replaced, not changed, so that a rollback can go back. */
interface Totals {
  readonly count: number;
  readonly dataBytes: number;
  readonly nextSeq: number;
}

/** A write that is not committed yet. */
interface OpenTransaction {
  /** The collections written to, as they were before. */
  readonly before: Map<number, Totals>;
  /** Collections made in it, which the reading connection cannot see. */
  readonly created: Set<number>;
  /** What was made or dropped meanwhile, whether the write succeeds or not. */
  readonly redo: (() => void)[];
  readonly effects: Uint8Array[];
}

export class DocumentStore {
  private readonly collections = new Map<number, Totals>();
  private readonly writers = new Map<number, TableWriter>();
  private readonly readers = new Map<number, TableReader>();
  private transaction: OpenTransaction | undefined;
  private applied: number;
  private durable = 0;

  private constructor(
    private readonly path: string,
    private readonly writing: DatabaseSync,
    private readonly reading: DatabaseSync,
  ) {
    this.applied = Number(writing.prepare("SELECT log_index FROM applied").get()?.["log_index"]);
    for (const row of writing.prepare("SELECT id, documents, bytes FROM collections").all()) {
      const id = Number(row["id"]);
      const nextSeq = lastSeq(writing, id) + 1;
      this.collections.set(id, { count: Number(row["documents"]), dataBytes: Number(row["bytes"]), nextSeq });
    }
  }

  /**
   * Opens the store, made if need be; what it holds is durable when it returns.
   *
   * @param path as the operating system knows it, or ":memory:"
   * @throws CorruptionError when the file is damaged or not ours
   */
  static open(path: string): DocumentStore {
    const writing = openForWriting(path);
    try {
      return guarded(path, () => {
        const reading = path === IN_MEMORY ? writing : openForReading(path);
        const store = new DocumentStore(path, writing, reading);
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
    this.collections.set(id, { count: 0, dataBytes: 0, nextSeq: 1 });
  }

  /** Drops a collection; nothing when it is not there. An open transaction does not undo it. */
  dropCollection(id: number): void {
    if (!this.collections.delete(id)) return;
    this.writers.delete(id);
    this.readers.delete(id);
    this.redoable(() => dropTable(this.writing, id));
    this.transaction?.created.delete(id);
    this.transaction?.before.delete(id);
  }

  /** Starts the one transaction that may be open. */
  begin(): void {
    assert(this.transaction === undefined, "one transaction is open at a time");
    this.guarded(() => execute(this.writing, "BEGIN IMMEDIATE"));
    this.transaction = { before: new Map(), created: new Set(), redo: [], effects: [] };
  }

  /**
   * Stores a document in the open transaction, under its _id.
   *
   * @param document must have an _id; its bytes must not change until the transaction ends
   * @returns whether it was stored: not when another one has an equal _id
   * @throws CommandError OutOfDiskSpace or InternalError; the transaction must then be rolled back
   */
  insert(id: number, document: RawDocument): boolean {
    const stored = this.store(id, document);
    if (stored) this.openTransaction().effects.push(...encodeInsert(id, document));
    return stored;
  }

  /** What the open transaction did, as the payload of a log entry, in parts; empty when it did nothing. */
  effects(): readonly Uint8Array[] {
    return this.openTransaction().effects;
  }

  /**
   * Ends the open transaction; everyone sees what it did.
   *
   * @param appliedIndex the log index of its effects
   * @throws CommandError OutOfDiskSpace or InternalError: nothing was committed, the transaction is rolled back, and
   *   the entry, durable in the log, must be replayed before anything later is
   */
  commit(appliedIndex: number): void {
    const { before } = this.openTransaction();
    assert(appliedIndex > this.applied, "log indexes grow");
    try {
      this.checkTransaction();
      this.guarded(() => {
        for (const id of before.keys()) {
          const { count, dataBytes } = this.totals(id);
          this.writer(id).saveTotals(count, dataBytes);
        }
        execute(this.writing, `UPDATE applied SET log_index = ${appliedIndex}`, "COMMIT");
      });
    } catch (error) {
      this.rollback();
      throw error;
    }
    this.transaction = undefined;
    this.applied = appliedIndex;
  }

  /** Ends the open transaction; nothing of it remains. */
  rollback(): void {
    const { before, redo } = this.openTransaction();
    // When the device is full, SQLite may have rolled back by itself.
    if (this.writing.isTransaction) this.guarded(() => execute(this.writing, "ROLLBACK"));
    this.transaction = undefined;
    for (const [id, totals] of before) this.collections.set(id, totals);
    this.guarded(() => redo.forEach((action) => action()));
  }

  /** Applies an entry of the log; nothing when it is here already. Makes the collections it needs. */
  replay(index: number, payload: Uint8Array): void {
    if (index <= this.applied) return;
    this.begin();
    try {
      for (const { collectionId, document } of decodeEffects(payload)) {
        this.createCollection(collectionId);
        const stored = this.store(collectionId, document);
        assert(stored, `the _id of a logged document was free in collection ${collectionId}`);
      }
    } catch (error) {
      this.rollback();
      throw error;
    }
    this.commit(index);
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
    if (this.path !== IN_MEMORY) {
      const result = this.guarded(() => this.writing.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get());
      if (result?.["busy"] !== 0) {
        throw new CommandError("InternalError", `cannot checkpoint "${this.path}": another process reads it`);
      }
    }
    return this.durable = this.applied;
  }

  /** The document under that _id. */
  get(id: number, idValue: Value): RawDocument | undefined {
    const row = this.guarded(() => this.reader(id)?.find(encodeIndexKey(idValue), this.visibleBelow(id)));
    return row === undefined ? undefined : new RawDocument(row.doc);
  }

  /**
   * Reads documents in order of insertion (or backward), or those of the ids asked for in order of _id. Each batch is read for
   * itself, from where the last one ended: nothing is held between them, and a batch shows what is committed when it is
   * read.
   *
   * @throws CommandError QueryPlanKilled when the collection is dropped meanwhile
   */
  async *scan(
    id: number,
    request: DocumentScanRequest,
  ): AsyncGenerator<readonly RawDocument[], void, undefined> {
    const source = this.batches(id, request);
    for (const rows of source) {
      if (request.counters !== undefined) request.counters.rowsRead += rows.length;
      yield rows.map((row) => new RawDocument(row.doc));
      await request.checkpoint();
    }
  }

  private batches(id: number, request: DocumentScanRequest): Generator<StoredRow[], void, undefined> {
    if (request.ids !== undefined) return this.batchesByKey(id, request.ids);
    return request.backward === true ? this.batchesBackward(id) : this.batchesByPlace(id);
  }

  private *batchesBackward(id: number): Generator<StoredRow[], void, undefined> {
    for (let first = this.visibleBelow(id);;) {
      const rows = this.guarded(() => this.reader(id)?.batchBefore(first)) ?? [];
      if (rows.length === 0) return;
      yield rows;
      first = rows.at(-1)!.seq;
    }
  }

  private *batchesByPlace(id: number): Generator<StoredRow[], void, undefined> {
    for (let last = 0;;) {
      const rows = this.guarded(() => this.reader(id)?.batchAfter(last, this.visibleBelow(id))) ?? [];
      if (rows.length === 0) return;
      yield rows;
      last = rows.at(-1)!.seq;
    }
  }

  private *batchesByKey(id: number, ids: readonly Value[]): Generator<StoredRow[], void, undefined> {
    const keys = sortedKeys(ids);
    for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
      const rows: StoredRow[] = [];
      for (const key of keys.slice(from, from + KEYS_AT_ONCE)) {
        const row = this.guarded(() => this.reader(id)?.find(key, this.visibleBelow(id)));
        if (row !== undefined) rows.push(row);
      }
      if (rows.length > 0) yield rows;
    }
  }

  /** What is committed, or about to be, and the pages it takes. */
  stats(id: number): DocumentStats {
    const { count, dataBytes } = this.transaction?.before.get(id) ?? this.totals(id);
    const storageBytes = this.guarded(() => pageBytes(this.reading, `c${id}`));
    const indexBytes = this.guarded(() => pageBytes(this.reading, `c${id}_id`));
    return { count, dataBytes, storageBytes, indexBytes };
  }

  /** Reads all documents of a collection and the index on their ids. @param isFull looks at SQLite's pages as well */
  async verify(id: number, isFull: boolean, pause: () => Promise<void>): Promise<CollectionVerification> {
    return await verifyCollection(this.reading, id, isFull, pause);
  }

  /** Closes the file. An open transaction is lost; what is committed stays. */
  close(): void {
    this.writers.clear();
    this.readers.clear();
    if (this.reading !== this.writing) this.reading.close();
    this.writing.close();
  }

  private store(id: number, document: RawDocument): boolean {
    const { before } = this.openTransaction();
    this.checkTransaction();
    const key = encodeIndexKey(idOf(document));
    const totals = this.totals(id);
    const stored = this.guarded(() => this.writer(id).insert(totals.nextSeq, key, document.slice()));
    if (!stored) return false;
    if (!before.has(id)) before.set(id, totals);
    this.collections.set(id, {
      count: totals.count + 1,
      dataBytes: totals.dataBytes + document.sizeBytes,
      nextSeq: totals.nextSeq + 1,
    });
    return true;
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

  private totals(id: number): Totals {
    const totals = this.collections.get(id);
    assert(totals !== undefined, `collection ${id} is here`);
    return totals;
  }

  private writer(id: number): TableWriter {
    let writer = this.writers.get(id);
    if (writer === undefined) this.writers.set(id, writer = new TableWriter(this.writing, id));
    return writer;
  }

  /** Undefined where the open transaction made the collection: nobody else sees it yet. */
  private reader(id: number): TableReader | undefined {
    if (!this.collections.has(id)) throw new CommandError("QueryPlanKilled", "collection dropped");
    if (this.transaction?.created.has(id)) return undefined;
    let reader = this.readers.get(id);
    if (reader === undefined) this.readers.set(id, reader = new TableReader(this.reading, id));
    return reader;
  }

  /** With one connection for all, the open transaction's rows are told by their places; else no row is. */
  private visibleBelow(id: number): number {
    const before = this.reading === this.writing ? this.transaction?.before.get(id) : undefined;
    return before?.nextSeq ?? Number.MAX_SAFE_INTEGER;
  }

  private guarded<T>(action: () => T): T {
    return guarded(this.path, action);
  }
}

function idOf(document: RawDocument): Value {
  const id = document.get("_id");
  assert(id !== undefined, "a stored document has an _id");
  return id;
}

/** Keys of the values, each once, in order. */
function sortedKeys(ids: readonly Value[]): Uint8Array[] {
  const keys = ids.map(encodeIndexKey).sort(compareBytes);
  return keys.filter((key, i) => i === 0 || compareBytes(keys[i - 1]!, key) !== 0);
}
