/**
 * Runs of neighbouring rows, each of one group, gathered for as long as they come from one source: outputs take them
 * together, so that a column is found once for all of them. Short series, and short spans of time, share pages.
 *
 *     run i          the rows [starts[i], ends[i]) of the source, in group groups[i]; ascending, none empty
 */
import { assert } from "../../../base/mod.ts";
import { newInt32s } from "../../../column/mod.ts";
import type { SliceSource } from "./slice_source.ts";

export const MAX_RUNS = 128;
/** Rows between two runs that may be read for nothing. */
const MAX_GAP_ROWS = 512;

export class RunBatch {
  private own: SliceSource | undefined;
  count = 0;
  readonly starts = newInt32s(MAX_RUNS);
  readonly ends = newInt32s(MAX_RUNS);
  readonly groups = newInt32s(MAX_RUNS);

  /** Where the runs are; there is at least one. */
  get source(): SliceSource {
    assert(this.own !== undefined, "runs have a source");
    return this.own;
  }

  /** Whether a run can be added that begins there. */
  takes(source: SliceSource, from: number): boolean {
    const { count } = this;
    if (count === 0) return true;
    return source === this.own && count < MAX_RUNS && from - this.ends[count - 1]! <= MAX_GAP_ROWS;
  }

  add(source: SliceSource, from: number, to: number, group: number): void {
    const run = this.count++;
    this.own = source;
    this.starts[run] = from;
    this.ends[run] = to;
    this.groups[run] = group;
  }

  clear(): void {
    this.own = undefined;
    this.count = 0;
  }
}

/** Runs to be taken: at least one. */
export type Runs = Readonly<Pick<RunBatch, "source" | "starts" | "ends" | "groups" | "count">>;

/** What takes runs one by one. */
interface RunTaker {
  add(source: SliceSource, rows: undefined, from: number, to: number, group: number): void;
}

/** Adds runs one after another. */
export function addEachRun(taker: RunTaker, { source, starts, ends, groups, count }: Runs): void {
  for (let i = 0; i < count; i++) taker.add(source, undefined, starts[i]!, ends[i]!, groups[i]!);
}
