/** A reader's place in the rows of one series in one memtable or row group: rows in time order, or backwards. */
import type { RowSource } from "./row_source.ts";

export interface Run {
  readonly series: number;
  /** Of two runs with rows of one time, the rows of the lower age came earlier. */
  readonly age: number;
  /** Where the current row is. */
  source: RowSource;
  row: number;
  /** The current row's time, milliseconds since 1970. */
  time: number;
  /** Goes to the next row; false when there is none, and the run must not be used again. */
  advance(): boolean;
}

/** Times asked for, in milliseconds, both included. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The direction of a run: 1 from early to late. */
export type Direction = 1 | -1;
