/**
 * What a statement that removes or rewrites measurements asks of the VNode that holds them.
 *
 * The VNode shows it rows, as a scan finds them, and does to each what the statement says; all of it stands in one entry
 * of the log and is seen at once. (Beyond `TimeseriesStore.changeEntryBytes` it takes several entries: each is
 * seen as a whole, and a crash may leave the first ones. MongoDB's own statements are atomic for each document only.)
 */
import type { Document, RawDocument } from "../bson/mod.ts";
import type { ScanRequest } from "../query/mod.ts";
import type { DoneStatements } from "../storage/mod.ts";

export interface MeasurementChange {
  /** Narrows what is looked at; what `matches` says counts. */
  readonly scan: Pick<
    ScanRequest,
    "timeRange" | "seriesFilter" | "seriesLookup" | "seriesTests" | "ids" | "checkpoint" | "counters"
  >;
  /** Whether a row is meant. What it throws ends the statement. */
  readonly matches: (row: Document) => boolean;
  /** Only the first row that matches is changed; with `order`, the one that comes before all others. */
  readonly isSingle: boolean;
  /** Less than zero where `a` comes before `b`. */
  readonly order?: (a: Document, b: Document) => number;
  /** What becomes of a row: it goes, stays as it is, or another measurement takes its place. */
  readonly change: (row: Document) => "remove" | "keep" | RawDocument;
  /** The measurement to be added when none matched. */
  readonly upsert?: () => RawDocument;
  /** What the change carries out of a session's write; called at its end, of a single one. */
  readonly done?: (changes: MeasurementChanges) => DoneStatements | undefined;
}

export interface MeasurementChanges {
  readonly matched: number;
  /** Rows that went, without those that were replaced. */
  readonly removed: number;
  readonly replaced: number;
  /** Whether the measurement of `upsert` was added. */
  readonly upserted: boolean;
}
