/**
 * The MNode's state: which collections exist. A pure state machine: `apply` takes an entry of the log, `snapshot` and
 * `restore` carry the whole state, and every node that applied the same entries holds the same catalog.
 */
import { assert, unreachable } from "../base/mod.ts";
import {
  BuiltDocument,
  compareText,
  Document,
  encodeDocument,
  Int32,
  isArray,
  RawDocument,
} from "../bson/mod.ts";
import { CatalogHistory } from "./catalog_history.ts";
import { type CollectionInfo, type Namespace } from "./catalog.ts";
import {
  collectionFromDocument,
  collectionToDocument,
  decodeDatabase,
  decodeDropped,
  EntryKind,
} from "./entry.ts";

/** What an entry did to the catalog. */
export type CatalogChange =
  | { readonly kind: "created"; readonly collection: CollectionInfo }
  /** `replacedId`: the collection whose name it took, which is gone. */
  | { readonly kind: "modified"; readonly collection: CollectionInfo; readonly replacedId?: number }
  | { readonly kind: "dropped"; readonly id: number }
  /** Its collections were dropped before. */
  | { readonly kind: "databaseDropped"; readonly db: string };

export class MNode {
  private databases = new Map<string, Map<string, CollectionInfo>>();
  private byId = new Map<number, CollectionInfo>();
  private readonly history = new CatalogHistory();
  private highestId = 0;
  private index = 0;

  /** The last entry that the state contains. */
  get appliedIndex(): number {
    return this.index;
  }

  /** An id that no collection has had. */
  get nextId(): number {
    return this.highestId + 1;
  }

  /**
   * Applies an entry.
   *
   * @returns what changed; undefined for an entry that the state contains already
   */
  apply(index: number, kind: number, payload: Uint8Array): CatalogChange | undefined {
    if (index <= this.index) return undefined;
    assert(index === this.index + 1, `catalog entry ${index} follows ${this.index}`);
    this.index = index;
    const change = decodeCatalogEntry(kind, payload);
    switch (change.kind) {
      case "created":
        this.add(change.collection);
        return change;
      case "modified":
        return withReplaced(change, this.modify(change.collection));
      case "dropped":
        this.delete(change.id);
        return change;
      case "databaseDropped":
        return change;
      default:
        return unreachable(change);
    }
  }

  /** Names of the databases that have a collection, sorted. */
  databaseNames(): readonly string[] {
    return [...this.databases.keys()].sort(compareText);
  }

  /** The collections of a database, sorted by name. */
  collections(db: string): readonly CollectionInfo[] {
    const found = [...this.databases.get(db)?.values() ?? []];
    return found.sort((a, b) => compareText(a.collection, b.collection));
  }

  /** All collections, in the order of their ids. */
  allCollections(): readonly CollectionInfo[] {
    return [...this.byId.values()].sort((a, b) => a.id - b.id);
  }

  collection(namespace: Namespace): CollectionInfo | undefined {
    return this.databases.get(namespace.db)?.get(namespace.collection);
  }

  collectionById(id: number): CollectionInfo | undefined {
    return this.byId.get(id);
  }

  /** A collection as it was once an entry of the catalog was applied, if that can still be known. */
  collectionAt(id: number, index: number): CollectionInfo | undefined {
    return this.history.at(id, index, this.collectionById(id));
  }

  /** The collections that an entry of the catalog changed or dropped, as they were before. */
  endedBy(index: number): readonly CollectionInfo[] {
    return this.history.endedBy(index);
  }

  /** Nobody asks any more what collections were before this entry. */
  forgetHistory(index: number): void {
    this.history.forget(index);
  }

  /** The whole state as bytes. */
  snapshot(): Uint8Array {
    return encodeDocument(BuiltDocument.of({
      index: this.index,
      highestId: Int32.of(this.highestId),
      collections: this.allCollections().map(collectionToDocument),
      history: this.history.toValue(),
    }));
  }

  /** Replaces the state by that of a snapshot. */
  restore(bytes: Uint8Array): void {
    const state = new RawDocument(bytes);
    const index = state.get("index");
    const highestId = state.get("highestId");
    const collections = state.get("collections");
    assert(
      typeof index === "number" && highestId instanceof Int32 && isArray(collections),
      "a catalog snapshot",
    );
    this.databases = new Map();
    this.byId = new Map();
    for (const entry of collections) {
      assert(entry instanceof Document, "a catalog snapshot holds documents");
      this.add(collectionFromDocument(entry));
    }
    this.history.restore(state.get("history"));
    this.index = index;
    this.highestId = highestId.value;
  }

  private add(info: CollectionInfo): void {
    const collections = this.databases.get(info.db) ?? new Map<string, CollectionInfo>();
    assert(!collections.has(info.collection), `collection ${info.db}.${info.collection} is new`);
    collections.set(info.collection, info);
    this.databases.set(info.db, collections);
    this.byId.set(info.id, info);
    this.highestId = Math.max(this.highestId, info.id);
  }

  /** @returns the id of the collection whose name this one took; undefined where it took none */
  private modify(info: CollectionInfo): number | undefined {
    // It may have been dropped while the change waited to be logged.
    if (!this.byId.has(info.id)) return undefined;
    const named = this.collection(info);
    const replacedId = named === undefined || named.id === info.id ? undefined : named.id;
    if (replacedId !== undefined) this.delete(replacedId);
    this.delete(info.id);
    this.add(info);
    return replacedId;
  }

  private delete(id: number): void {
    const info = this.byId.get(id);
    if (info === undefined) return;
    this.history.add(info, this.index);
    this.byId.delete(id);
    const collections = this.databases.get(info.db);
    collections?.delete(info.collection);
    if (collections?.size === 0) this.databases.delete(info.db);
  }
}

function withReplaced(change: CatalogChange, replacedId: number | undefined): CatalogChange {
  return replacedId === undefined ? change : { ...change, replacedId } as CatalogChange;
}

/** What an entry of the catalog says. */
export function decodeCatalogEntry(kind: number, payload: Uint8Array): CatalogChange {
  if (kind === EntryKind.CollectionDropped) return { kind: "dropped", id: decodeDropped(payload) };
  if (kind === EntryKind.DatabaseDropped) return { kind: "databaseDropped", db: decodeDatabase(payload) };
  const collection = collectionFromDocument(new RawDocument(payload));
  if (kind === EntryKind.CollectionModified) return { kind: "modified", collection };
  assert(kind === EntryKind.CollectionCreated, `catalog entry of kind ${kind}`);
  return { kind: "created", collection };
}
