/**
 * A client's transaction over regular collections: a snapshot of the store, and in memory what it has written itself. Others
 * see nothing of it until it is committed, which is one entry of the log with the effects in the order in which they
 * were made.
 *
 * First writer wins. Each document, and each key of a unique index, that a transaction writes is its own until it ends:
 * another transaction that wants it, or wants one that has changed since its snapshot, gets a WriteConflict at once.
 * Writes outside of transactions wait for the end instead (`StoreWriter.blockedBy`). So nothing can stand in the way of
 * a commit.
 *
 * A snapshot without writes is a transaction that is never committed.
 */
import { assert, CommandError } from "../../base/mod.ts";
import { compareBytes, encodeIndexKey, RawDocument, type Value } from "../../bson/mod.ts";
import {
  type BatchReaders,
  type DocumentBatches,
  type DocumentScanRequest,
  guardedBatches,
  type RowBatches,
  type RowIndex,
  scanBatches,
  scanDocuments,
  type ScanOrder,
} from "./collection_scan.ts";
import { type DocumentVersions, type KeyText, keyText, type Version } from "./document_versions.ts";
import { takenId, type TakenKey } from "./duplicate_key.ts";
import type { Effect, NotedChange } from "./effect.ts";
import type { DocumentInspector } from "./document_inspector.ts";
import { ID_INDEX_DEFINITION, ID_INDEX_NAME } from "./id_index.ts";
import { type IndexDefinition, keyDocument, mayChangeKeys } from "./index_definition.ts";
import type { IndexState } from "./index_tables.ts";
import type { KeyLocks, LockName } from "./key_locks.ts";
import { writeConflict } from "./write_conflict.ts";
import { PatchedIndex, PatchedTable, type Patches, patchKeys } from "./patched_table.ts";
import { idDocument, idOf } from "./document_id.ts";
import { type IndexRow, type StoredRow, withOwnMemory } from "./stored_row.ts";

/** What a transaction reads of its store: what is committed. */
export interface CommittedDocuments {
  readonly versions: DocumentVersions;
  readonly locks: KeyLocks;
  readonly inspector: DocumentInspector;
  /** The log index of the last commit. */
  readonly appliedIndex: number;
  hasCollection(id: number): boolean;
  /** What its scans read. */
  committed(id: number): BatchReaders<RowIndex>;
  indexStates(id: number): readonly IndexState[];
  hasPlainIds(id: number): boolean;
  /** Runs what may fail on SQLite's side. */
  guarded<T>(action: () => T): T;
}

/** What a transaction did, and how to find again what it did that to. */
export interface OwnEffect extends Effect {
  /** The document that is committed under its _id, where it is known: nobody else changes it until the transaction ends. */
  readonly old?: StoredRow | undefined;
}

/** Documents that the transaction inserts stand behind all others. */
const FIRST_OWN_SEQ = 2 ** 52;

export class DocumentTransaction {
  private readonly snapshot: number;
  private readonly written = new Map<number, Map<KeyText, Version>>();
  /** Indexes of collections that the transaction makes. */
  private readonly made = new Map<number, IndexState[]>();
  /** By collection and index, for each field, where written documents have arrays. */
  private readonly arrays = new Map<number, Map<string, readonly Set<string>[]>>();
  private nextSeq = FIRST_OWN_SEQ;
  private bytes = 0;
  private ended: CommandError | undefined;
  private isSealed = false;
  private done: OwnEffect[] = [];

  /** @param maxBytes of what it writes */
  constructor(private readonly base: CommittedDocuments, private readonly maxBytes: number) {
    this.snapshot = base.appliedIndex;
    base.versions.open(this.snapshot);
  }

  /** It is about to be committed: nothing is read or written any more, so what it saw may go. */
  seal(): void {
    if (this.isSealed || this.ended !== undefined) return;
    this.isSealed = true;
    this.base.versions.close(this.snapshot);
  }

  /** Ends it: nothing can be read or written any more. @param reason what who tries is told */
  end(reason: CommandError): void {
    if (this.ended !== undefined) return;
    this.seal();
    this.ended = reason;
    this.base.locks.release(this);
    this.written.clear();
    // A commit that runs keeps its own.
    this.done = [];
    this.bytes = 0;
  }

  /** What it did, in order, until it ends. */
  get effects(): readonly OwnEffect[] {
    return this.done;
  }

  /** The collections that it has written to, and those that it made. */
  get collectionIds(): readonly number[] {
    return [...this.written.keys(), ...this.made.keys()];
  }

  /** Bytes of what it has written. */
  get sizeBytes(): number {
    return this.bytes;
  }

  /** Keeps other transactions from making a collection of that name. @throws CommandError WriteConflict */
  claimName(name: string): void {
    this.checkOpen();
    this.base.locks.take(this, [0, "", name]);
  }

  /** A collection that there is from the commit on. @param id one that no collection has */
  makeCollection(id: number, indexes: readonly IndexDefinition[]): void {
    const states = indexes.map((definition) => ({ definition, arrays: definition.fields.map(() => []) }));
    this.made.set(id, states);
  }

  hasCollection(id: number): boolean {
    return this.made.has(id) || this.base.hasCollection(id);
  }

  /** As the store's. What the transaction wrote may have arrays where nothing committed has. */
  indexStates(id: number): readonly IndexState[] {
    const states = this.made.get(id) ?? this.base.indexStates(id);
    const written = this.arrays.get(id);
    return written === undefined ? states : states.map((state) => {
      const { definition, arrays } = state;
      const own = written.get(definition.name);
      return own === undefined
        ? state
        : { definition, arrays: arrays.map((paths, i) => [...paths, ...own[i]!]) };
    });
  }

  /** As the store's: what the transaction has written is read from documents. */
  hasPlainIds(id: number): boolean {
    return this.base.hasPlainIds(id);
  }

  /** Writes of others never block one of a transaction: it is told of the conflict. */
  blockedBy(): undefined {
    return undefined;
  }

  /** Capped collections are not written to in transactions. */
  evict(): never {
    throw new CommandError("InternalError", "a transaction takes nothing out of a capped collection");
  }

  candidates(id: number, order: ScanOrder): RowBatches {
    this.base.inspector.uses.note(id, order);
    return guardedBatches(scanBatches(this.readers(id), order), (action) => this.base.guarded(action));
  }

  /** The document under that _id. */
  get(id: number, idValue: Value): RawDocument | undefined {
    this.base.inspector.uses.note(id, { ids: [idValue] });
    const row = this.base.guarded(() => this.table(id).find(encodeIndexKey(idValue)));
    return row && new RawDocument(row.doc);
  }

  /** As the store's, at the snapshot, with what the transaction has written. */
  scan(id: number, request: DocumentScanRequest): DocumentBatches {
    this.base.inspector.uses.note(id, request);
    return scanDocuments(this.readers(id), request, (action) => this.base.guarded(action));
  }

  private readers(id: number): BatchReaders {
    return { table: () => this.table(id), index: (name: string) => this.index(id, name) };
  }

  /** As the store's. @throws CommandError WriteConflict, and then the transaction has to be ended */
  insert(id: number, document: RawDocument): TakenKey | undefined {
    const idValue = idOf(document);
    const key = keyText(encodeIndexKey(idValue));
    const stored = new RawDocument(document.slice().slice());
    if (this.table(id).find(encodeIndexKey(idValue)) !== undefined) return takenId(idValue);
    const seq = this.nextSeq++;
    const taken = this.claim(id, key, stored, seq);
    if (taken === undefined) {
      this.put(id, key, { seq, doc: stored.bytes }, { kind: "insert", collectionId: id, document: stored });
    }
    return taken;
  }

  /** As the store's. @throws CommandError WriteConflict, as `insert` */
  replace(
    id: number,
    document: RawDocument,
    old: StoredRow,
    noted: NotedChange = {},
  ): TakenKey | undefined {
    const key = keyText(encodeIndexKey(idOf(document)));
    const stored = new RawDocument(document.slice().slice());
    const taken = this.claim(id, key, stored, old.seq, { old, changes: noted.changes });
    if (taken !== undefined) return taken;
    const kind = noted.changes === undefined ? "replace" : "update";
    this.put(id, key, { seq: old.seq, doc: stored.bytes }, {
      kind,
      collectionId: id,
      document: stored,
      old: standing(old),
      ...noted,
    });
    return undefined;
  }

  /** As the store's. @throws CommandError WriteConflict, as `insert` */
  delete(id: number, document: RawDocument, old: StoredRow, noted: Pick<NotedChange, "before"> = {}): void {
    const key = keyText(encodeIndexKey(idOf(document)));
    this.claim(id, key, undefined, 0);
    const effect = {
      kind: "delete",
      collectionId: id,
      document: idDocument(document),
      old: standing(old),
    } as const;
    this.put(id, key, null, { ...effect, ...noted });
  }

  /**
   * Makes a document, and its keys in unique indexes, the transaction's own.
   *
   * @param document as it will be; undefined where it goes
   * @param seq where it stands
   * @param replaced the one in whose place it is put, and what differs where that is known: keys that both have are
   *   nobody else's
   * @returns the key that another document has
   * @throws CommandError when an index cannot hold the document
   */
  private claim(
    id: number,
    key: KeyText,
    document: RawDocument | undefined,
    seq: number,
    replaced?: { readonly old: StoredRow; readonly changes: NotedChange["changes"] },
  ): TakenKey | undefined {
    this.checkOpen();
    this.base.locks.take(this, [id, "_id_", key]);
    this.checkUnchanged(id, key);
    if (document === undefined) return undefined;
    for (const { definition } of this.indexStates(id)) {
      if (replaced !== undefined && !mayChangeKeys(definition, replaced.changes)) continue;
      const { keys, arrays } = patchKeys(definition, document.bytes);
      this.noteArrays(id, definition, arrays);
      if (!definition.refusesDuplicates) continue;
      const oldKeys = replaced === undefined ? [] : patchKeys(definition, replaced.old.doc).keys;
      for (const { bytes, values } of keys) {
        if (oldKeys.some((oldKey) => compareBytes(oldKey.bytes, bytes) === 0)) continue;
        const committed = this.committedUnder(id, definition, bytes);
        if (this.hasOther(id, definition, bytes, committed, seq)) {
          const { name, keyPattern } = definition;
          return { name, keyPattern, keyValue: keyDocument(definition, values) };
        }
        const lock: LockName = [id, definition.name, keyText(bytes)];
        this.base.locks.take(this, lock);
        for (const { doc } of committed) this.checkUnchanged(id, keyOf(doc));
      }
    }
    return undefined;
  }

  /** What is committed by now under a key. */
  private committedUnder(id: number, { name }: IndexDefinition, key: Uint8Array): readonly IndexRow[] {
    if (this.made.has(id)) return [];
    return this.base.committed(id).index(name)?.readWithKeys(onlyKey(key), false, 2).rows ?? [];
  }

  /** Whether another document that the transaction sees has a key. */
  private hasOther(
    id: number,
    definition: IndexDefinition,
    key: Uint8Array,
    committed: readonly IndexRow[],
    seq: number,
  ): boolean {
    const index = { readWithKeys: () => ({ rows: committed, left: undefined }) };
    const { rows } = new PatchedIndex(index, definition, this.patches(id)).read(onlyKey(key), false, 2);
    return rows.some((row) => row.seq !== seq);
  }

  private checkUnchanged(id: number, key: KeyText): void {
    if (this.base.versions.at(id, key, this.snapshot) !== undefined) throw writeConflict();
  }

  private noteArrays(
    id: number,
    { name, fields }: IndexDefinition,
    arrays: readonly (readonly string[])[],
  ): void {
    if (arrays.every((paths) => paths.length === 0)) return;
    let byIndex = this.arrays.get(id);
    if (byIndex === undefined) this.arrays.set(id, byIndex = new Map());
    let known = byIndex.get(name);
    if (known === undefined) byIndex.set(name, known = fields.map(() => new Set<string>()));
    arrays.forEach((paths, i) => paths.forEach((path) => known[i]!.add(path)));
  }

  private put(id: number, key: KeyText, version: Version, effect: OwnEffect): void {
    let documents = this.written.get(id);
    if (documents === undefined) this.written.set(id, documents = new Map());
    documents.set(key, version);
    this.done.push(effect);
    const { document, before, old } = effect;
    this.bytes += document.sizeBytes + (before?.sizeBytes ?? 0) + (old?.doc.length ?? 0);
    if (this.bytes > this.maxBytes) {
      throw new CommandError(
        "TransactionTooLargeForCache",
        `transaction is too large: it has written more than ${this.maxBytes} bytes`,
      );
    }
  }

  private table(id: number): PatchedTable {
    this.checkOpen();
    return new PatchedTable(
      this.made.has(id) ? undefined : this.base.committed(id).table(),
      this.patches(id),
    );
  }

  private index(id: number, name: string): RowIndex | undefined {
    this.checkOpen();
    const definition = name === ID_INDEX_NAME
      ? ID_INDEX_DEFINITION
      : this.indexStates(id).find((state) => state.definition.name === name)?.definition;
    if (definition === undefined) throw new CommandError("QueryPlanKilled", `index '${name}' dropped`);
    const index = this.made.has(id) ? undefined : this.base.committed(id).index(name);
    return new PatchedIndex(index, definition, this.patches(id));
  }

  private patches(id: number): Patches {
    const { versions } = this.base;
    const { snapshot } = this;
    const own = this.written.get(id);
    return {
      isEmpty: own === undefined && !versions.hasChangedSince(id, snapshot),
      get: (key) => {
        const version = own?.get(key);
        return version === undefined ? versions.at(id, key, snapshot) : version;
      },
      forEach: (visit) => {
        own?.forEach((version) => version && visit(version));
        versions.changedSince(id, snapshot, (key, version) => {
          if (version !== null && own?.has(key) !== true) visit(version);
        });
      },
    };
  }

  private checkOpen(): void {
    if (this.ended !== undefined) throw this.ended;
    assert(!this.isSealed, "a transaction that is being committed reads and writes nothing");
  }
}

/** A row as it will be found at the commit; undefined where it has no place before that. */
function standing(row: StoredRow): StoredRow | undefined {
  return row.seq < FIRST_OWN_SEQ ? withOwnMemory(row) : undefined;
}

function keyOf(doc: Uint8Array): KeyText {
  return keyText(encodeIndexKey(idOf(new RawDocument(doc))));
}

function onlyKey(key: Uint8Array): { readonly from: Uint8Array; readonly to: Uint8Array } {
  const to = new Uint8Array(key.length + 1);
  to.set(key);
  return { from: key, to };
}
