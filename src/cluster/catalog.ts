/** What namespaces exist and what each is. The MNode's state; every node holds a copy. */
import { type Binary, Document } from "../bson/mod.ts";

/** A collection's name, apart from its database's. */
export interface Namespace {
  readonly db: string;
  readonly collection: string;
}

/** `db.collection`. */
export function namespaceText(namespace: Namespace): string {
  return `${namespace.db}.${namespace.collection}`;
}

/** Options of a time-series collection, as MongoDB 8.0 completes them. */
export interface TimeseriesOptions {
  readonly timeField: string;
  readonly metaField?: string;
  /** Absent when the bucket parameters were given instead. */
  readonly granularity?: "seconds" | "minutes" | "hours";
  readonly bucketMaxSpanSeconds: number;
  /** Absent with `granularity`, as MongoDB lists it. */
  readonly bucketRoundingSeconds?: number;
  /** Age at which measurements may be removed; absent when they are kept. */
  readonly expireAfterSeconds?: number;
}

/** What a view shows: the rows that a pipeline makes of those of a collection, or another view, of its database. */
export interface ViewDefinition {
  readonly viewOn: string;
  readonly pipeline: readonly Document[];
}

/** One collection, or a view. */
export interface CollectionInfo extends Namespace {
  /** The number under which VNodes store it; never used again. */
  readonly id: number;
  readonly uuid: Binary;
  /** Set for a time-series collection only. */
  readonly timeseries?: TimeseriesOptions;
  /** Set for a view only. */
  readonly view?: ViewDefinition;
  /**
   * The indexes as `listIndexes` shows them, in the order in which they were made. Of a plain collection all but that on
   * _id; of a time series all, and undefined for the one that it comes with.
   */
  readonly indexes?: readonly Document[];
  /** The options as `listCollections` shows them, timeseries included. */
  readonly options: Document;
}

/** Whether the log keeps the collection's documents as they were before a change of theirs: `changeStreamPreAndPostImages`. */
export function keepsPreImages({ options }: CollectionInfo): boolean {
  const images = options.get("changeStreamPreAndPostImages");
  return images instanceof Document && images.get("enabled") === true;
}
