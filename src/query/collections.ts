/** What a pipeline reads beside the collection that it runs over: the cluster implements it. */
import type { Value } from "../bson/mod.ts";
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
}

/** Where there is one collection only: for tests. */
export const NO_COLLECTIONS: Collections = {
  db: "test",
  open: () => ({ source: EMPTY_SOURCE, stages: [] }),
};
