/** What is asked of a table, and what answering it touched. */
import type { Value } from "../../bson/mod.ts";
import type { RowCondition } from "./kernel/condition.ts";
import type { Direction, TimeRange } from "./run.ts";
import type { SeriesEnds } from "./series_ends.ts";
import type { SeriesLookup } from "./series_lookup.ts";
import type { SeriesTest } from "./series_judge.ts";

/** What is asked for; the twin of `ScanRequest` in query/source.ts, which says what each means. */
export interface TimeseriesScan {
  readonly fields?: ReadonlySet<string>;
  readonly timeRange?: TimeRange;
  readonly seriesFilter?: (meta: Value) => boolean;
  readonly seriesLookup?: SeriesLookup;
  readonly seriesTests?: readonly SeriesTest[];
  readonly ids?: readonly Value[];
  readonly timeOrder?: Direction;
  readonly limit?: number;
  readonly seriesEnds?: SeriesEnds;
  readonly condition?: RowCondition;
  readonly checkpoint: () => Promise<void>;
  readonly counters: TimeseriesCounters;
}

/** What a scan touched. */
export interface TimeseriesCounters {
  seriesScanned: number;
  seriesMatched: number;
  segmentsRead: number;
  segmentsSkipped: number;
  pagesRead: number;
  pagesSkipped: number;
  rowsRead: number;
}
