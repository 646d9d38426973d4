/** Reads the rows of one series from a row group in time order. */
import { assert, PAGE_ROWS } from "../../base/mod.ts";
import { PageRows } from "./page_rows.ts";
import { ReadAhead } from "./read_ahead.ts";
import { type RowGroup, TIME_PAGES } from "./row_group.ts";
import type { RowMask } from "./row_mask.ts";
import type { Direction, Run, TimeRange } from "./run.ts";
import type { Segment } from "./segment.ts";
import type { SeriesIndex } from "./series_index.ts";

/** What reading adds to. */
export interface RunCounters {
  pagesRead: number;
  pagesSkipped: number;
}

/** One row group, and the pages of it that are being read. */
export class OpenRowGroup {
  readonly ahead: ReadAhead;
  private recent: PageRows | undefined;
  /** Those that readers stand in, where there are several. */
  private pages: (WeakRef<PageRows> | undefined)[] | undefined;

  /** @param mask rows that are gone */
  constructor(
    readonly segment: Segment,
    readonly group: RowGroup,
    private readonly series: SeriesIndex,
    readonly counters: RunCounters,
    readonly mask: RowMask | undefined,
    private readonly readers: "one reader" | "several readers",
  ) {
    this.ahead = new ReadAhead(segment, group);
  }

  rowsOfPage(page: number): PageRows {
    if (this.recent?.page === page) return this.recent;
    return this.recent = this.readers === "one reader" ? this.newRows(page) : this.sharedRows(page);
  }

  /** Several readers share a page while they stand in the same. */
  private sharedRows(page: number): PageRows {
    const pages = this.pages ??= [];
    const known = pages[page]?.deref();
    if (known !== undefined) return known;
    const rows = this.newRows(page);
    pages[page] = new WeakRef(rows);
    return rows;
  }

  private newRows(page: number): PageRows {
    return new PageRows(this.ahead, this.group, page, this.series, this.counters);
  }
}

/** @returns undefined when the series has no rows in the range there */
export function openSegmentRun(
  open: OpenRowGroup,
  series: number,
  range: TimeRange,
  direction: Direction,
  age: number,
): Run | undefined {
  const place = open.group.placeOf(series);
  if (place < 0) return undefined;
  const all = { first: open.group.firstRowOf(place), end: open.group.seriesEnds[place]! };
  const rows = cutToRange(open, all, range);
  if (rows.first >= rows.end) return undefined;
  const run = new SegmentRun(open, series, rows, direction, age);
  return open.mask?.has(run.row) !== true || run.advance() ? run : undefined;
}

/** Rows `[first, end)` of a row group. */
export interface RowSpan {
  readonly first: number;
  readonly end: number;
}

/** The rows of one series, sorted by time, that lie in a range of whole milliseconds. */
export function cutToRange(open: OpenRowGroup, rows: RowSpan, range: TimeRange): RowSpan {
  const first = firstRow(open, rows.first, rows.end, range.fromMs);
  const end = firstRow(open, first, rows.end, range.toMs + 1);
  open.counters.pagesSkipped += pagesIn(rows.first, rows.end) - pagesIn(first, end);
  return { first, end };
}

/**
 * The first row of `[first, end)`, sorted by time, whose time is at least `fromMs`; `end` for none. Pages that their bounds
 * decide are not read.
 */
function firstRow(open: OpenRowGroup, first: number, end: number, fromMs: number): number {
  let low = first;
  let high = end;
  while (low < high) {
    const page = pageOf((low + high) >> 1);
    const pageFirst = page * PAGE_ROWS;
    const { min, max } = open.group.page(TIME_PAGES, page);
    if (min >= fromMs) {
      high = Math.max(low, pageFirst);
    } else if (max < fromMs) {
      low = Math.min(high, pageFirst + PAGE_ROWS);
    } else {
      open.ahead.reachPage(page);
      const { times } = open.rowsOfPage(page);
      const from = Math.max(low, pageFirst);
      const to = Math.min(high, pageFirst + PAGE_ROWS);
      const found = pageFirst + firstTime(times, from - pageFirst, to - pageFirst, fromMs);
      if (found > from && found < to) return found;
      if (found === to) low = to;
      else high = from;
    }
  }
  return low;
}

/** The first place of `[from, to)` whose time is at least `ms`; `to` for none. */
function firstTime(times: Float64Array, from: number, to: number, ms: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pagesIn(first: number, end: number): number {
  return first < end ? pageOf(end - 1) - pageOf(first) + 1 : 0;
}

function pageOf(row: number): number {
  return Math.floor(row / PAGE_ROWS);
}

class SegmentRun implements Run {
  source: PageRows;
  row: number;
  time: number;

  constructor(
    private readonly open: OpenRowGroup,
    readonly series: number,
    private readonly rows: RowSpan,
    private readonly direction: Direction,
    readonly age: number,
  ) {
    assert(rows.first < rows.end, "a run has rows");
    this.row = direction === 1 ? rows.first : rows.end - 1;
    this.source = open.rowsOfPage(pageOf(this.row));
    this.time = this.source.timeOf(this.row);
  }

  advance(): boolean {
    const { mask } = this.open;
    let row = this.row + this.direction;
    if (mask !== undefined) { while (mask.has(row)) row += this.direction; }
    if (row < this.rows.first || row >= this.rows.end) return false;
    this.row = row;
    const page = pageOf(row);
    if (page !== this.source.page) this.source = this.open.rowsOfPage(page);
    this.time = this.source.timeOf(row);
    return true;
  }
}
