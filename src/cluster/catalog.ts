/** What namespaces exist and what each is. The MNode's state; every node holds a copy. */
import type { Binary, Document } from "../bson/mod.ts";

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

/** One collection. */
export interface CollectionInfo extends Namespace {
  /** The number under which VNodes store it; never used again. */
  readonly id: number;
  readonly uuid: Binary;
  /** Set for a time-series collection only. */
  readonly timeseries?: TimeseriesOptions;
  /** The options as `listCollections` shows them, timeseries included. */
  readonly options: Document;
}
