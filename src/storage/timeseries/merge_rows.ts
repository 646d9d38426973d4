/**
 * Merges what several segments have of one table: rows by (series, time, arrival), in slices as long as they can be.
 *
 * Segments that follow each other in time give one slice a series and segment, and a row is never looked at alone; late
 * rows cut slices shorter, down to single rows.
 */
import { type MergeCursor, NO_SERIES } from "./merge_cursor.ts";
import type { MergeGroup } from "./merge_group.ts";

/** What becomes of the merged rows. */
export interface RowTaker {
  /** Takes rows from `[from, end)` of a group on, all of one series; returns where the rest begins. */
  take(group: MergeGroup, series: number, from: number, end: number): number;
  /** Makes room; awaited when not all was taken, and now and then. */
  rest(): Promise<void>;
}

/** Slices between two rests when all are taken whole. */
const SLICES_BETWEEN_RESTS = 256;

/** @param cursors by ascending order */
export async function mergeRows(cursors: readonly MergeCursor[], taker: RowTaker): Promise<void> {
  let slices = 0;
  for (;;) {
    let series = NO_SERIES;
    for (const cursor of cursors) if (cursor.series < series) series = cursor.series;
    if (series === NO_SERIES) return;
    const own = cursors.filter((cursor) => cursor.series === series);
    while (own.length > 0) {
      const index = firstOf(own);
      const cursor = own[index]!;
      const end = own.length === 1 ? cursor.end : endOfSlice(own, cursor);
      const taken = taker.take(cursor.group, series, cursor.row, end);
      cursor.advanceTo(taken);
      if (cursor.series !== series) own.splice(index, 1);
      if (taken < end || ++slices % SLICES_BETWEEN_RESTS === 0) await taker.rest();
    }
  }
}

/** The place of the cursor whose row comes first. */
function firstOf(cursors: readonly MergeCursor[]): number {
  let first = 0;
  for (let i = 1; i < cursors.length; i++) {
    if (cursors[i]!.time < cursors[first]!.time) first = i;
  }
  return first;
}

/** Up to which of its rows a cursor stays the first. */
function endOfSlice(cursors: readonly MergeCursor[], first: MergeCursor): number {
  // The first time that it must not have: rows of one time go by the order of their cursors.
  let limit = Infinity;
  for (const cursor of cursors) {
    if (cursor === first) continue;
    limit = Math.min(limit, cursor.order < first.order ? cursor.time : afterMs(cursor.time));
  }
  const { group, row, end } = first;
  const next = row + 1;
  if (next === end || group.timeOf(next) >= limit) return next;
  return group.firstRowFrom(limit, next, end);
}

/** Times are whole milliseconds. */
function afterMs(ms: number): number {
  return ms + 1;
}
