/**
 * The rows of the earliest or of the latest times, few of many: of each page and memtable the rows that may be among them
 * are gathered by their times, and cut to the number asked for whenever there are twice as many. From then on the last one
 * kept bounds what is looked at. So series by the thousand cost nothing, and of the rows only those asked for are read.
 *
 * Pages that will be read are read together, and a slow device is asked for those of several row groups at once.
 *
 * They come as a merge of all runs gives them (run_heap.ts).
 */
import { PAGE_ROWS, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import type { Document } from "../../bson/mod.ts";
import {
  FIRST_COLUMN_PAGES,
  type Page,
  pageCount,
  type RowGroup,
  TIME_PAGES,
  WHOLE_PAGES,
} from "./row_group.ts";
import { RowGroupHeaders } from "./row_group_headers.ts";
import type { RowSource } from "./row_source.ts";
import type { Direction, TimeRange } from "./run.ts";
import type { MemtableRows, SegmentRows, TableSnapshot } from "./table_snapshot.ts";
import type { Pacer } from "./scan_pacer.ts";
import type { TimeseriesScan } from "./scan_request.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { PageToRead } from "./segment.ts";
import { OpenRowGroup } from "./segment_run.ts";
import { REMAINDER_KEY } from "./shape.ts";
import { documentOf } from "./stored_document.ts";
import type { SeriesSet } from "./series_set.ts";

/** More rows than this are better merged. */
export const MAX_NEAREST_ROWS = 4096;
/** So many more than twice as many as are asked for are gathered before they are cut. */
const SPARE_ROWS = 64;
/** So many places are asked of a slow device at once. */
const PLACES_AT_ONCE = 8;

/** What has rows in the range: no row is before or after its times. */
interface Place {
  readonly minTime: number;
  readonly maxTime: number;
  /** From old to new. */
  readonly age: number;
  /** Whether reading there has had to wait for the device. */
  readonly isSlow: boolean;
  /** Asks the device for what `gather` will read. */
  prefetch?(nearest: NearestRows): Promise<void>;
  /** Hands rows to `nearest` that may be among those asked for. */
  gather(nearest: NearestRows, pacer: Pacer): Promise<void>;
  /** Asks the device for these rows. */
  prefetchRows?(rows: readonly Candidate[]): Promise<void>;
  /** Reads these rows together. */
  readRows?(rows: readonly Candidate[]): void;
}

/** A row that may be one of them. */
interface Candidate {
  readonly time: number;
  readonly series: number;
  readonly place: Place;
  readonly row: number;
  readonly source: RowSource;
}

/** @param matched the series whose rows are asked for; undefined for all */
export async function* scanNearest(
  snapshot: TableSnapshot,
  request: TimeseriesScan,
  direction: Direction,
  limit: number,
  matched: SeriesSet | undefined,
  pacer: Pacer,
): AsyncGenerator<readonly Document[], void, undefined> {
  const nearest = new NearestRows(direction, limit, matched);
  const places = placesOf(snapshot, request).sort((a, b) =>
    direction === 1 ? a.minTime - b.minTime : b.maxTime - a.maxTime
  );
  const asked = new Set<Place>();
  let isSlow = false;
  for (const [i, place] of places.entries()) {
    if (!nearest.mayTake(place)) continue;
    if (isSlow && !asked.has(place)) {
      const next = places.slice(i).filter((other) => nearest.mayTake(other)).slice(0, PLACES_AT_ONCE);
      await Promise.all(next.map((other) => other.prefetch?.(nearest)));
      for (const other of next) asked.add(other);
    }
    await place.gather(nearest, pacer);
    isSlow ||= place.isSlow;
    await pacer.restIfDue();
  }
  const rows = nearest.take();
  request.counters.rowsRead += rows.length;
  for (let at = 0; at < rows.length; at += PIPELINE_BATCH_ROWS) {
    const batch = rows.slice(at, at + PIPELINE_BATCH_ROWS);
    await readRows(batch);
    yield batch.map(({ source, row }) => documentOf(source, row));
  }
}

async function readRows(rows: readonly Candidate[]): Promise<void> {
  const places = [...Map.groupBy(rows, ({ place }) => place)];
  if (places.some(([{ isSlow }]) => isSlow)) {
    await Promise.all(places.map(([place, rows]) => place.prefetchRows?.(rows)));
  }
  for (const [place, rows] of places) place.readRows?.(rows);
}

class NearestRows {
  private candidates: Candidate[] = [];
  /** Rows beyond this time are none of them. */
  private bound: number;

  constructor(
    readonly direction: Direction,
    private readonly limit: number,
    private readonly matched: SeriesSet | undefined,
  ) {
    this.bound = Infinity * direction;
  }

  mayTake({ minTime, maxTime }: Pick<Place, "minTime" | "maxTime">): boolean {
    return this.direction === 1 ? minTime <= this.bound : maxTime >= this.bound;
  }

  /** What of a range is not beyond the bound. */
  within({ fromMs, toMs }: TimeRange): TimeRange {
    return this.direction === 1
      ? { fromMs, toMs: Math.min(toMs, this.bound) }
      : { fromMs: Math.max(fromMs, this.bound), toMs };
  }

  add(time: number, series: number, place: Place, row: number, source: RowSource): void {
    if (this.direction === 1 ? time > this.bound : time < this.bound) return;
    if (this.matched?.has(series) === false) return;
    this.candidates.push({ time, series, place, row, source });
    if (this.candidates.length >= 2 * this.limit + SPARE_ROWS) this.cut();
  }

  /** In their order. */
  take(): readonly Candidate[] {
    this.cut();
    return this.candidates;
  }

  /** Keeps those asked for, and bounds the others by the last of them. */
  private cut(): void {
    const { direction, limit } = this;
    this.candidates.sort((a, b) =>
      (a.time - b.time || a.series - b.series || a.place.age - b.place.age || a.row - b.row) * direction
    );
    if (this.candidates.length < limit) return;
    this.candidates = this.candidates.slice(0, limit);
    this.bound = this.candidates[limit - 1]!.time;
  }
}

function placesOf(snapshot: TableSnapshot, request: TimeseriesScan): Place[] {
  const { timeRange = { fromMs: -Infinity, toMs: Infinity }, counters } = request;
  const places: Place[] = [];
  let age = 0;
  for (const rows of snapshot.segments) {
    const before = places.length;
    const headers = new RowGroupHeaders(rows.segment, snapshot.names);
    const range = { fromMs: Math.max(timeRange.fromMs, rows.firstMs), toMs: timeRange.toMs };
    for (const entry of rows.groups) {
      age++;
      if (entry.minTime > range.toMs || entry.maxTime < range.fromMs) continue;
      headers.add(entry);
      places.push(new GroupPlace(snapshot, rows, headers, entry, range, request, age));
    }
    if (places.length > before) counters.segmentsRead++;
    else counters.segmentsSkipped++;
  }
  for (const rows of snapshot.memtables) {
    const { memtable, limit } = rows;
    age++;
    if (limit === 0 || memtable.minTime > timeRange.toMs || memtable.maxTime < timeRange.fromMs) continue;
    places.push(new MemtablePlace(rows, timeRange, age));
  }
  return places;
}

class GroupPlace implements Place {
  readonly minTime: number;
  readonly maxTime: number;
  private readonly slowReadsBefore: number;
  private openedGroup: OpenRowGroup | undefined;

  constructor(
    private readonly snapshot: TableSnapshot,
    private readonly rows: SegmentRows,
    private readonly headers: RowGroupHeaders,
    private readonly entry: RowGroupEntry,
    private readonly range: TimeRange,
    private readonly request: TimeseriesScan,
    readonly age: number,
  ) {
    this.minTime = entry.minTime;
    this.maxTime = entry.maxTime;
    this.slowReadsBefore = rows.segment.slowReads;
  }

  get isSlow(): boolean {
    return this.rows.segment.slowReads !== this.slowReadsBefore;
  }

  private get open(): OpenRowGroup {
    return this.openedGroup ??= this.openGroup();
  }

  private openGroup(): OpenRowGroup {
    const { snapshot, rows: { segment, masks }, headers, entry, request: { counters } } = this;
    const group = headers.rowGroup(entry);
    return new OpenRowGroup(segment, group, snapshot.index, counters, masks.get(entry.offset), "one reader");
  }

  async prefetch(nearest: NearestRows): Promise<void> {
    const { rows: { segment }, headers, entry } = this;
    const header = headers.unread(entry);
    if (header !== undefined) await segment.prefetch([header]);
    const { group, ahead } = this.open;
    const range = nearest.within(this.range);
    const pages: number[] = [];
    for (let page = 0; page < pageCount(group.rows); page++) {
      if (isWithin(group.page(TIME_PAGES, page), range)) pages.push(page);
    }
    await segment.prefetch(ahead.unread([TIME_PAGES], pages));
  }

  async gather(nearest: NearestRows, pacer: Pacer): Promise<void> {
    const { open, request: { counters } } = this;
    const { group, ahead } = open;
    const mayTake = (page: number) => isWithin(group.page(TIME_PAGES, page), nearest.within(this.range));
    // It may leave nothing to be looked for in the others.
    const nearestPage = pageOfEnd(group, nearest.direction);
    let end = 0;
    for (let k = -1; k < pageCount(group.rows); k++) {
      const page = k < 0 ? nearestPage : k;
      if (k === nearestPage) continue;
      if (!mayTake(page)) {
        counters.pagesSkipped++;
        continue;
      }
      if (k >= end) {
        for (end = k + 1; end < pageCount(group.rows) && mayTake(end);) end++;
        ahead.reach(k, end);
      }
      this.gatherPage(page, nearest);
      await pacer.restIfDue();
    }
  }

  private gatherPage(page: number, nearest: NearestRows): void {
    const { open } = this;
    const { group, mask } = open;
    const source = open.rowsOfPage(page);
    const { times, firstRow } = source;
    for (const inPage of rowsWithin(times, nearest.within(this.range), nearest.direction)) {
      const row = firstRow + inPage;
      if (mask?.has(row) === true) continue;
      nearest.add(times[inPage]!, group.series[group.placeOfRow(row)]!, this, row, source);
    }
  }

  prefetchRows(rows: readonly Candidate[]): Promise<void> {
    return this.rows.segment.prefetch(this.open.ahead.unreadOf(this.pagesOf(rows).map(({ page }) => page)));
  }

  readRows(rows: readonly Candidate[]): void {
    this.open.ahead.read(this.pagesOf(rows));
  }

  /** The pages that have values of rows, as far as these are asked for, ascending by place. */
  private pagesOf(rows: readonly Candidate[]): PageToRead[] {
    const { open: { group } } = this;
    const found = new Map<number, PageToRead>();
    for (const { row } of rows) {
      const number = Math.floor(row / PAGE_ROWS);
      for (const pageColumn of this.columnsOf(group, row)) {
        const page = group.page(pageColumn, number);
        found.set(page.offset, { page, pageColumn, number });
      }
    }
    return [...found.values()].sort((a, b) => a.page.offset - b.page.offset);
  }

  private columnsOf(group: RowGroup, row: number): number[] {
    const { paths } = group;
    const { fields } = this.request;
    const shape = group.shapeOf(row);
    if (shape === undefined) return [WHOLE_PAGES];
    const columns = shape.columns().filter((column) => {
      const { key, names } = paths[column]!;
      return fields === undefined || key === REMAINDER_KEY || fields.has(names[0]!.text);
    });
    return columns.map((column) => column + FIRST_COLUMN_PAGES);
  }
}

function isWithin({ min, max }: Page, { fromMs, toMs }: TimeRange): boolean {
  return min <= toMs && max >= fromMs;
}

/** The page that has the earliest (1) or the latest (−1) time of a row group. */
function pageOfEnd(group: RowGroup, direction: Direction): number {
  let found = 0;
  for (let page = 1; page < pageCount(group.rows); page++) {
    const { min, max } = group.page(TIME_PAGES, page);
    const best = group.page(TIME_PAGES, found);
    if (direction === 1 ? min < best.min : max > best.max) found = page;
  }
  return found;
}

class MemtablePlace implements Place {
  readonly isSlow = false;
  readonly minTime: number;
  readonly maxTime: number;

  constructor(
    private readonly held: MemtableRows,
    private readonly range: TimeRange,
    readonly age: number,
  ) {
    this.minTime = held.memtable.minTime;
    this.maxTime = held.memtable.maxTime;
  }

  async gather(nearest: NearestRows, pacer: Pacer): Promise<void> {
    const { memtable, limit, removed } = this.held;
    for (let first = 0; first < limit; first += PAGE_ROWS) {
      const times = memtable.allTimes.subarray(first, Math.min(limit, first + PAGE_ROWS));
      for (const place of rowsWithin(times, nearest.within(this.range), nearest.direction)) {
        const row = first + place;
        if (removed?.has(row) === true) continue;
        nearest.add(times[place]!, memtable.seriesOf(row), this, row, memtable);
      }
      await pacer.restIfDue();
    }
  }
}

/** Rows of a page that were found last. */
const FOUND = new Int32Array(PAGE_ROWS);

/**
 * The rows whose time is in a range, good until the next call: mostly ascending in time, they come from the end that is
 * asked for.
 */
function rowsWithin(times: Float64Array, { fromMs, toMs }: TimeRange, direction: Direction): Int32Array {
  let found = 0;
  for (let row = 0; row < times.length; row++) {
    const ms = times[row]!;
    FOUND[found] = row;
    found += ms >= fromMs && ms <= toMs ? 1 : 0;
  }
  const rows = FOUND.subarray(0, found);
  return direction === 1 ? rows : rows.reverse();
}
