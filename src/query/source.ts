/**
 * What the query engine asks of storage. A source may return more rows than asked for, never fewer: every condition is
 * checked again on the rows, but for what ranges of an index's keys decide, which a scan keeps to.
 */
import type { Document, Value } from "../bson/mod.ts";
import type { IndexScan, PlaceIndex, SourceIndex } from "./source_index.ts";
import type { Accumulator } from "./accumulator/accumulator.ts";

/** Rows in batches; ending the generator early (`return`) frees what the scan holds. */
export type Rows = AsyncGenerator<readonly Document[], void, undefined>;

/** One collection in one VNode, or a stand-in for it. */
export interface Source {
  /** What the planner may rely on. */
  readonly shape: SourceShape;
  scan(request: ScanRequest): Rows;
  /** How many rows a scan would give, in parts; see `counts` of the shape. */
  readonly count?: (request: Pick<ScanRequest, "index">) => Iterable<number>;
  /** Folds rows into groups where they are stored, in the order in which a scan gives them; time series only. */
  readonly runFragment?: (request: FragmentRequest) => Promise<FragmentResult>;
  /** Times before and behind which there are no rows now; undefined when there are none at all. Time series only. */
  readonly timeBounds?: () => { readonly fromMs: number; readonly toMs: number } | undefined;
}

/** Reads as a collection without documents: what does not exist does. */
export const EMPTY_SOURCE: Source = { shape: { kind: "empty" }, scan: async function* () {} };

export type SourceShape =
  /** Measurements: a scan can be cut by time and by series. */
  | {
    readonly kind: "timeseries";
    readonly timeField: string;
    readonly metaField: string | undefined;
    /** Whether a scan that keeps no order gives no rows but those in the range, of the series, and under the condition. */
    readonly filtersRows?: true;
    readonly placeIndexes?: readonly PlaceIndex[];
  }
  /** Documents under their _id. */
  | {
    readonly kind: "documents";
    readonly indexes?: readonly SourceIndex[];
    /** Undefined where distances are told without one. */
    readonly placeIndexes?: readonly PlaceIndex[];
    /** Their natural order is that of _id. */
    readonly isClustered?: boolean;
    /** Whether rows of which nothing is read can be counted instead. */
    readonly counts?: boolean;
  }
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
  /** What `seriesFilter` asks of the values at paths, if that is all; time series only. */
  readonly seriesTests?: readonly SeriesTest[];
  /** The only values of _id that can match. */
  readonly ids?: readonly Value[];
  /** Rows in order of time (1, −1), not just in storage order; time series only. */
  readonly timeOrder?: 1 | -1;
  /**
   * No rows are asked for behind so many: with `timeOrder`, and conditions on range and series alone, or with an index that
   * decides all conditions.
   */
  readonly limit?: number;
  /** Whether all rows are likely to be asked for; documents only. */
  readonly takesAll?: boolean;
  /**
   * Of each series only its rows of the earliest time, of the latest, or both can matter, times outside of `timeRange`
   * left aside; time series only.
   */
  readonly seriesEnds?: { readonly earliest: boolean; readonly latest: boolean };
  /** A condition on the rows' own values; time series only. */
  readonly condition?: RowCondition;
  /** What rows show of themselves, as fields behind all others; documents only. */
  readonly shown?: ShownFields;
  /** The index that rows are read by, in its order; documents only, and not with `ids`. */
  readonly index?: IndexScan;
  /** As `index`, for rows that one of several indexes has, each once, in no order. */
  readonly union?: readonly IndexScan[];
  /** Rows from the last stored to the first; documents only. */
  readonly backward?: boolean;
  /** Called now and then: throws when the operation was killed or ran out of time, else lets others run. */
  readonly checkpoint: () => Promise<void>;
  /** Where the scan adds what it touched, for `explain`. */
  readonly counters: ScanCounters;
}

/** Names of fields, of which no document has one of its own. */
export interface ShownFields {
  /** The number of its place in the order of insertion. */
  readonly place?: string;
  /** The key by which an index led to it, as a document; no field where none did. */
  readonly key?: string;
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
  /** The names of the fields that lead to it from a meta. Where none of them is an array, nor the value, that is what it names. */
  readonly fields: readonly string[];
  /** The key of a missing value. That of one which is there is its `encodeIndexKey`. */
  readonly missingKey: Uint8Array;
  /** Called with the key of each value that the path names in a meta. */
  visitKeys(meta: Value, visit: (key: Uint8Array) => void): void;
}

/** A question about the value at a path of the metaField, undefined for none. It is not asked about documents and arrays. */
export interface SeriesTest {
  readonly path: MetaPath;
  readonly compile: () => (value: Value) => boolean;
}

/** A condition on rows, by columns. */
export interface RowCondition {
  /** The fields that it reads, by their names from the top down. */
  readonly paths: readonly (readonly string[])[];
  readonly condition: Condition;
  /** Whether a row passes. */
  readonly matches: (row: Document) => boolean;
}

/** Rows that pass conditions, in groups, and what is asked for of each group. */
export interface FragmentRequest extends
  Pick<
    ScanRequest,
    | "timeRange"
    | "seriesFilter"
    | "seriesLookup"
    | "seriesTests"
    | "seriesEnds"
    | "ids"
    | "checkpoint"
    | "counters"
  > {
  /** The fields that conditions and outputs read, by their names from the top down. */
  readonly paths: readonly (readonly string[])[];
  /** What is still to be asked of rows, beside range and series. */
  readonly condition?: Condition;
  /** Whether a row passes `condition`. */
  readonly matches: (row: Document) => boolean;
  readonly keys: GroupKeys;
  /** Whether the metaField's value matters to them: where it does not, they may be told that there is none. */
  readonly keysReadMeta: boolean;
  /**
   * Accumulators are to hold what they would, had rows come in order of time, those of one time by series; for first and
   * last values alone also in that of time backwards.
   */
  readonly timeOrder?: 1 | -1;
  readonly outputs: readonly FragmentOutput[];
}

/** A condition on values; `path` is a place in the request's `paths`. Arrays and documents are never asked about. */
export type Condition =
  | { readonly kind: "and" | "or"; readonly conditions: readonly Condition[] }
  | { readonly kind: "not"; readonly condition: Condition }
  /** Judged by the metaField's value. */
  | { readonly kind: "series"; readonly matches: (meta: Value) => boolean }
  | { readonly kind: "test"; readonly path: number; readonly test: (value: Value) => boolean }
  /** As `test`, which for numbers is this comparison. */
  | {
    readonly kind: "compare";
    readonly path: number;
    readonly operator: "$eq" | "$lt" | "$lte" | "$gt" | "$gte";
    readonly number: number;
    readonly test: (value: Value) => boolean;
  };

/**
 * In which group a row is: its metaField's value says the class of its series, its time that of its span, and both classes say
 * the group. Groups are numbered from 0 as they are met; nothing is asked about rows that do not pass.
 */
export interface GroupKeys {
  /** The paths of metas that say the class, where nothing else of them does. */
  readonly metaPaths?: readonly MetaPath[];
  /** Told before anything is asked, where storage has them at hand: the columns of `metaPaths`. Then no metas are told. */
  useColumns?(columns: readonly MetaColumn[]): void;
  /** Asked once a series, whose number goes with columns. @throws BetterOnRows */
  classOf(meta: Value, series: number): number;
  /** Asked once a span; the class is the number of a span. @param ms a time in it. @throws CommandError, and `BetterOnRows` */
  spanClassOf(span: number, ms: number): number;
  /**
   * Asked once a pair of classes, when it is met.
   *
   * @param span one of that class, which the row is in
   * @param meta what `classOf` was asked about last
   * @param ms a time in the span
   * @throws CommandError, and `BetterOnRows`
   */
  groupOf(seriesClass: number, span: number, meta: Value, ms: number): number;
  /** Times around `ms` that fall into the same group, whatever the class: from `fromMs` on, below `endMs`. */
  spanOf(ms: number): { readonly fromMs: number; readonly endMs: number };
  /** What else the key reads; undefined where that is nothing. Then these say the group, not `groupOf`. */
  readonly measured?: MeasuredKeys;
}

export interface MetaPath {
  /** Tells the paths of one metaField apart. */
  readonly name: string;
  /** The names of the fields that lead to it from a meta. Where none of them is an array, nor the value, that is what it reads. */
  readonly fields: readonly string[];
  readonly read: (meta: Value) => Value;
}

/** The values at a path of metas. More may come, which nobody asks about; what is here stays. */
export interface MetaColumn {
  /** By series: which of the values it has. */
  readonly numbers: Int32Array;
  /** Those that are equal are one. No documents, no arrays. */
  readonly values: readonly Value[];
  /** By value: its rank among all, kept for others by who has sorted them; out of date where it is shorter. */
  ranks: Int32Array | undefined;
}

/** Groups whose key reads measured values: rows of one class and span that have the same ones are in one group. */
export interface MeasuredKeys {
  /** Which of the request's `paths` are read. */
  readonly paths: readonly number[];
  /**
   * @param ms as for `GroupKeys.groupOf`, which also says what is thrown
   * @param values of the row, at each path; undefined where it has none. Nothing inside of an array is asked for
   */
  groupOf(meta: Value, ms: number, values: readonly Value[]): number;
  /** As `groupOf`, of a row that has to be read as a document. */
  groupOfRow(row: Document, ms: number): number;
}

/** What is folded of the rows of each group. */
export type FragmentOutput =
  /** How many there are. */
  | { readonly kind: "count" }
  /** What an accumulator makes of the values at a path; the kinds but `values` say which one it is. */
  | (AccumulatedOutput & {
    readonly kind:
      | "sum"
      | "average"
      | "minimum"
      | "maximum"
      | "first"
      | "last"
      | "deviation"
      | "set"
      | "values";
    readonly path: number;
  })
  /** The first or the last row: what `keep` makes of it, instead of what it made of another row of the group. */
  | (AccumulatedOutput & {
    readonly kind: "row";
    readonly end: "first" | "last";
    readonly keep: (row: Document, instead: Document | undefined) => Document;
  })
  /**
   * What an accumulator makes of a value that all rows of a series share; `once`: many equal ones do no more than one;
   * `end`: it is that of the first or of the last row.
   */
  | (AccumulatedOutput & {
    readonly kind: "series";
    readonly of: (meta: Value) => Value;
    readonly once: boolean;
    readonly end?: "first" | "last";
  });

interface AccumulatedOutput {
  /** The value of a row. */
  readonly read: (row: Document) => Value;
  /** The accumulator, empty, whose `partial` the result has. */
  readonly create: (group: number) => Pick<Accumulator, "add" | "merge" | "partial" | "result">;
}

export interface FragmentResult {
  readonly groups: number;
  /** Rows of a group came out of the order asked for, and that made a difference: the result is none. */
  readonly dependsOnOrder: boolean;
  /** What a group holds of an output: the accumulator's `partial`, or a count as int32 or int64. */
  partial(output: number, group: number): Value;
  /** The accumulator's `result`, or a count, where storage can say it; else undefined, and the accumulator says it. */
  result(output: number, group: number): Value;
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
  /** Keys of indexes that rows were made of, or that stood for them. */
  keysRead: number;
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
    keysRead: 0,
  };
}
