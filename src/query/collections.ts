/** What a pipeline reads beside the collection that it runs over: the cluster implements it. */
import type { CommandError } from "../base/mod.ts";
import type { Collation, Document, Value } from "../bson/mod.ts";
import { EMPTY_SOURCE, type Source } from "./source.ts";

/** A collection or view by its two names. */
export interface CollectionName {
  readonly db: string;
  readonly collection: string;
}

/** A collection, ready to be read. */
export interface OpenCollection {
  readonly source: Source;
  /** The stages, not yet parsed, that make a view of the source's rows; empty where there is no view. */
  readonly stages: readonly Value[];
}

export interface Collections {
  /** The database that the pipeline runs in: names without one are its. */
  readonly db: string;
  /** Opens a collection; one that is not there reads as empty. @throws CommandError when a view cannot be resolved */
  open(name: CollectionName): OpenCollection;
  kindOf(name: CollectionName): CollectionKind;
  /** Whether no two documents of the collection can be equal in all of these fields, as texts compare under the collation. */
  hasUniqueKey(name: CollectionName, fields: readonly string[], collation?: Collation): boolean;
  /**
   * Begins a collection that shall take the place of another one.
   *
   * @param timeseries the checked options of a time series; undefined to be what the other one is
   */
  replace(name: CollectionName, timeseries: Document | undefined): Promise<Replacement>;
  /**
   * Inserts each document that can be; makes a plain collection where there is none.
   *
   * @returns why not, of those that cannot be, by their places
   */
  insert(name: CollectionName, documents: readonly Document[]): Promise<readonly InsertError[]>;
  /** Runs statements one after another, errors or not. @returns what came of each */
  update(name: CollectionName, statements: readonly UpdateRequest[]): Promise<readonly UpdateResult[]>;
}

export interface InsertError {
  readonly index: number;
  readonly error: CommandError;
}

export interface UpdateResult {
  /** Whether a document was there. */
  readonly matched: boolean;
  /** Whether one has been made. */
  readonly upserted: boolean;
  readonly error?: CommandError | undefined;
}

/** One document to be changed, or made where there is none. */
export interface UpdateRequest {
  readonly filter: Document;
  /** Modifiers, a document that replaces, or a pipeline. */
  readonly update: Value;
  readonly upsert: boolean;
  /** Variables of a pipeline. */
  readonly constants?: Document;
}

export type CollectionKind = "missing" | "documents" | "timeseries" | "view";

/** A collection in the making, seen by nobody else. */
export interface Replacement {
  /** @throws CommandError for the first document that cannot be stored */
  insert(documents: readonly Document[]): Promise<void>;
  /** Takes the place, at once: readers see the old collection whole, or the new one. */
  commit(): Promise<void>;
  abandon(): Promise<void>;
}

/** Where there is one collection only: for tests. */
export const NO_COLLECTIONS: Collections = {
  db: "test",
  open: () => ({ source: EMPTY_SOURCE, stages: [] }),
  kindOf: () => "missing",
  hasUniqueKey: (_, fields) => fields.length === 1 && fields[0] === "_id",
  replace: () => Promise.reject(new Error("there is one collection only")),
  insert: () => Promise.reject(new Error("there is one collection only")),
  update: () => Promise.reject(new Error("there is one collection only")),
};
