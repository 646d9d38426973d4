/**
 * The rows of the earliest or of the latest times, few of many: of each page and memtable the rows that may be among them
 * are gathered by their times, and cut to the number asked for whenever there are twice as many. From then on the last one
 * kept bounds what is looked at. So series by the thousand cost nothing, and of the rows only those asked for are read.
 *
 * They come as a merge of all runs gives them (run_heap.ts).
 */
import { PAGE_ROWS, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import type { Document } from "../../bson/mod.ts";
import { type RowGroup, TIME_PAGES } from "./row_group.ts";
import type { RowMask } from "./row_mask.ts";
import type { RowSource } from "./row_source.ts";
import type { Direction, TimeRange } from "./run.ts";
import type { MemtableRows, SegmentRows, TableSnapshot } from "./table_snapshot.ts";
import type { Pacer } from "./scan_pacer.ts";
import type { TimeseriesScan } from "./scan_request.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import { OpenRowGroup } from "./segment_run.ts";
import { documentOf } from "./stored_document.ts";

/** More rows than this are better merged. */
export const MAX_NEAREST_ROWS = 4096;
/** So many more than twice as many as are asked for are gathered before they are cut. */
const SPARE_ROWS = 64;

/** What has rows in the range: no row is before or after its times. */
interface Place {
  readonly minTime: number;
  readonly maxTime: number;
  /** Hands rows to `nearest` that may be among those asked for. */
  gather(nearest: NearestRows, pacer: Pacer): Promise<void>;
}

/** A row that may be one of them. */
interface Candidate {
  readonly time: number;
  readonly series: number;
  readonly age: number;
  readonly row: number;
  readonly source: RowSource;
}

/** @param matched one byte a series, 0 where its rows are not asked for; undefined when those of all are */
export async function* scanNearest(
  snapshot: TableSnapshot,
  request: TimeseriesScan,
  direction: Direction,
  limit: number,
  matched: Uint8Array | undefined,
  pacer: Pacer,
): AsyncGenerator<readonly Document[], void, undefined> {
  const nearest = new NearestRows(direction, limit, matched);
  const places = placesOf(snapshot, request).sort((a, b) =>
    direction === 1 ? a.minTime - b.minTime : b.maxTime - a.maxTime
  );
  for (const place of places) {
    if (!nearest.mayTake(place)) continue;
    await place.gather(nearest, pacer);
    await pacer.restIfDue();
  }
  const rows = nearest.take();
  request.counters.rowsRead += rows.length;
  for (let at = 0; at < rows.length; at += PIPELINE_BATCH_ROWS) {
    yield rows.slice(at, at + PIPELINE_BATCH_ROWS).map(({ source, row }) => documentOf(source, row));
  }
}

class NearestRows {
  private candidates: Candidate[] = [];
  /** Rows beyond this time are none of them. */
  private bound: number;

  constructor(
    readonly direction: Direction,
    private readonly limit: number,
    private readonly matched: Uint8Array | undefined,
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

  add(time: number, series: number, age: number, row: number, source: RowSource): void {
    if (this.direction === 1 ? time > this.bound : time < this.bound) return;
    if (this.matched !== undefined && this.matched[series] !== 1) return;
    this.candidates.push({ time, series, age, row, source });
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
      (a.time - b.time || a.series - b.series || a.age - b.age || a.row - b.row) * direction
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
    const range = { fromMs: Math.max(timeRange.fromMs, rows.firstMs), toMs: timeRange.toMs };
    for (const entry of rows.groups) {
      age++;
      if (entry.minTime > range.toMs || entry.maxTime < range.fromMs) continue;
      places.push(new GroupPlace(snapshot, rows, entry, range, request, age));
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

  constructor(
    private readonly snapshot: TableSnapshot,
    private readonly rows: SegmentRows,
    private readonly entry: RowGroupEntry,
    private readonly range: TimeRange,
    private readonly request: TimeseriesScan,
    private readonly age: number,
  ) {
    this.minTime = entry.minTime;
    this.maxTime = entry.maxTime;
  }

  async gather(nearest: NearestRows, pacer: Pacer): Promise<void> {
    const { snapshot, rows: { segment, masks }, entry, request: { counters } } = this;
    const group = segment.rowGroup(entry, snapshot.names);
    const mask = masks.get(entry.offset);
    const open = new OpenRowGroup(segment, group, snapshot.index, counters, mask, "one reader");
    for (let page = 0; page * PAGE_ROWS < group.rows; page++) {
      const { min, max } = group.page(TIME_PAGES, page);
      const range = nearest.within(this.range);
      if (min > range.toMs || max < range.fromMs) counters.pagesSkipped++;
      else this.gatherPage(open, group, page, mask, range, nearest);
      await pacer.restIfDue();
    }
  }

  private gatherPage(
    open: OpenRowGroup,
    group: RowGroup,
    page: number,
    mask: RowMask | undefined,
    range: TimeRange,
    nearest: NearestRows,
  ): void {
    const source = open.rowsOfPage(page);
    const { times, firstRow } = source;
    for (const inPage of rowsWithin(times, range, nearest.direction)) {
      const row = firstRow + inPage;
      if (mask?.has(row) === true) continue;
      nearest.add(times[inPage]!, group.series[group.placeOfRow(row)]!, this.age, row, source);
    }
  }
}

class MemtablePlace implements Place {
  readonly minTime: number;
  readonly maxTime: number;

  constructor(
    private readonly held: MemtableRows,
    private readonly range: TimeRange,
    private readonly age: number,
  ) {
    this.minTime = held.memtable.minTime;
    this.maxTime = held.memtable.maxTime;
  }

  async gather(nearest: NearestRows, pacer: Pacer): Promise<void> {
    const { held: { memtable, limit, removed }, age } = this;
    for (let first = 0; first < limit; first += PAGE_ROWS) {
      const times = memtable.allTimes.subarray(first, Math.min(limit, first + PAGE_ROWS));
      for (const place of rowsWithin(times, nearest.within(this.range), nearest.direction)) {
        const row = first + place;
        if (removed?.has(row) === true) continue;
        nearest.add(times[place]!, memtable.seriesOf(row), age, row, memtable);
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
