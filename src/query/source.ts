/**
 * What the query engine asks of storage. A source may return more rows than asked for (every condition is checked
 * again on the rows), never fewer.
 */
import type { Document, Value } from "../bson/mod.ts";

/** Rows in batches; ending the generator early (`return`) frees what the scan holds. */
export type Rows = AsyncGenerator<readonly Document[], void, undefined>;

/** One collection in one VNode, or a stand-in for it. */
export interface Source {
  /** What the planner may rely on. */
  readonly shape: SourceShape;
  scan(request: ScanRequest): Rows;
}

/** Reads as a collection without documents: what does not exist does. */
export const EMPTY_SOURCE: Source = { shape: { kind: "empty" }, scan: async function* () {} };

export type SourceShape =
  /** Measurements: a scan can be cut by time and by series. */
  | { readonly kind: "timeseries"; readonly timeField: string; readonly metaField: string | undefined }
  /** Documents under their _id. */
  | { readonly kind: "documents" }
  /** Nothing there: a collection that does not exist, or a pipeline that brings its own documents. */
  | { readonly kind: "empty" };

export interface ScanRequest {
  /** Top-level fields that are read; undefined for all of them. */
  readonly fields?: ReadonlySet<string>;
  /** Times of the rows in milliseconds, both ends included; time series only. */
  readonly timeRange?: { readonly fromMs: number; readonly toMs: number };
  /** Whether rows of a series can match, judged by its metaField's value (undefined: no meta); time series only. */
  readonly seriesFilter?: (meta: Value) => boolean;
  /** How to find the series that `seriesFilter` lets pass: them, and perhaps others; time series only. */
  readonly seriesLookup?: SeriesLookup;
  /** The only values of _id that can match. */
  readonly ids?: readonly Value[];
  /** Rows in order of time (1, −1), not just in storage order; time series only. */
  readonly timeOrder?: 1 | -1;
  /**
   * Of each series only its rows of the earliest time, of the latest, or both can matter, times outside of `timeRange`
   * left aside; time series only.
   */
  readonly seriesEnds?: { readonly earliest: boolean; readonly latest: boolean };
  /** Rows from the last stored to the first; documents only. */
  readonly backward?: boolean;
  /** Called now and then: throws when the operation was killed or ran out of time, else lets others run. */
  readonly checkpoint: () => Promise<void>;
  /** Where the scan adds what it touched, for `explain`. */
  readonly counters: ScanCounters;
}

/** Series by the values at paths of their metaField. Keys are bytes; equal values, and only those, have equal keys. */
export type SeriesLookup =
  /** Those with one of the keys there. */
  | { readonly kind: "keys"; readonly path: SeriesPath; readonly keys: readonly Uint8Array[] }
  /** Those with a key there that is not below `from`, and below `to`. */
  | { readonly kind: "range"; readonly path: SeriesPath; readonly from: Uint8Array; readonly to: Uint8Array }
  | { readonly kind: "and" | "or"; readonly lookups: readonly SeriesLookup[] };

export interface SeriesPath {
  /** Tells the paths of one metaField apart. */
  readonly name: string;
  /** Called with the key of each value that the path names in a meta; a missing value has a key too. */
  visitKeys(meta: Value, visit: (key: Uint8Array) => void): void;
}

/** What a scan touched. */
export interface ScanCounters {
  seriesScanned: number;
  seriesMatched: number;
  segmentsRead: number;
  segmentsSkipped: number;
  pagesRead: number;
  pagesSkipped: number;
  rowsRead: number;
}

export function newScanCounters(): ScanCounters {
  return {
    seriesScanned: 0,
    seriesMatched: 0,
    segmentsRead: 0,
    segmentsSkipped: 0,
    pagesRead: 0,
    pagesSkipped: 0,
    rowsRead: 0,
  };
}
