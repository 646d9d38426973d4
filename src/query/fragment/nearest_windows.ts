/**
 * The first or the last windows of time only: where a `$sort` by the window and a `$limit` follow, a fragment looks at a
 * stretch of time at the end that they ask for, and at a longer one for as long as it does not have windows enough.
 */
import type { GridSpec } from "../stage/window_grid.ts";
import { WindowGrid } from "../stage/window_grid.ts";
import type { Stage } from "../pipeline.ts";
import type { TimeRange } from "../pushdown.ts";
import type { TimeUnit } from "../expression/date_arithmetic.ts";
import type { GroupStage } from "../stage/group.ts";
import { type RowFields, windowsOf } from "./time_spans.ts";

export interface NearestWindows {
  readonly grid: GridSpec;
  readonly count: number;
  /** Whether the last windows are asked for. */
  readonly fromEnd: boolean;
}

/** Each further stretch is so many times longer. */
const GROWTH = 8;
/** Windows to look at beside those asked for: some are empty, and the first is cut. */
const SPARE_WINDOWS = 2;

/**
 * @param next what follows the group
 * @returns undefined where all windows are needed
 */
export function nearestWindowsOf(
  group: GroupStage,
  next: Stage | undefined,
  fields: RowFields,
): NearestWindows | undefined {
  if (next?.kind !== "sort" || next.limit === undefined || next.parts.length !== 1) return undefined;
  const { path, descending } = next.parts[0]!;
  if (path.length !== 1 || path[0] !== "_id") return undefined;
  const grid = windowsOf(group.id, fields);
  // Elsewhere the order of windows may differ from that of times, for an hour in autumn.
  if (grid === undefined || grid.timezone !== undefined) return undefined;
  return { grid, count: next.limit, fromEnd: descending };
}

/** Longer and longer stretches of `all`, at the end asked for, each of whole windows and none of them all of it. */
export function* stretchesOf({ grid, count, fromEnd }: NearestWindows, all: TimeRange): Generator<TimeRange> {
  const windows = new WindowGrid(grid);
  const windowMs = grid.window.count * LENGTHS[grid.window.unit];
  for (let wanted = count + SPARE_WINDOWS;; wanted *= GROWTH) {
    const edge = fromEnd
      ? windows.startOf(all.toMs - wanted * windowMs)
      : windows.spanOf(all.fromMs + wanted * windowMs).endMs - 1;
    const isAll = fromEnd ? edge <= all.fromMs : edge >= all.toMs;
    if (isAll) return;
    yield fromEnd ? { fromMs: edge, toMs: all.toMs } : { fromMs: all.fromMs, toMs: edge };
  }
}

/** Milliseconds of each unit, of those that vary the most. */
const LENGTHS: Readonly<Record<TimeUnit, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 31 * 86_400_000,
  quarter: 92 * 86_400_000,
  year: 366 * 86_400_000,
};
