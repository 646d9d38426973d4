/**
 * Reads a table: rows of segments and memtables, merged, as views.
 *
 * Without a time order, series by series in order of their number, each in time order. With one, all series merged by
 * time; row groups and memtables are opened only when the merge reaches their first (or last) time, so that the newest
 * rows of a long history touch only the newest files. Where few are asked for, they are found by their times alone.
 *
 * A scan sees the table as it was when it began: its segments, its frozen memtable, and the rows that the active one had.
 */
import { PIPELINE_BATCH_ROWS, takeLongWork } from "../../base/mod.ts";
import type { Document } from "../../bson/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { locateIds } from "./id_scan.ts";
import { openMemtableRun } from "./memtable_run.ts";
import { scanSlices } from "./kernel/slice_scan.ts";
import type { Direction, Run, TimeRange } from "./run.ts";
import { RowGroupHeaders } from "./row_group_headers.ts";
import { RunHeap } from "./run_heap.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import { OpenRowGroup, openSegmentRun } from "./segment_run.ts";
import { type EndSource, rowsAtEnds, type SeriesEnds } from "./series_ends.ts";
import { MAX_NEAREST_ROWS, scanNearest } from "./nearest_rows.ts";
import { Pacer } from "./scan_pacer.ts";
import type { TimeseriesCounters, TimeseriesScan } from "./scan_request.ts";
import { lookUpSeries } from "./series_lookup.ts";
import { seriesJudge } from "./series_judge.ts";
import { SeriesSet } from "./series_set.ts";
import { documentOf } from "./stored_document.ts";
import type { MemtableRows, SegmentRows, TableSnapshot } from "./table_snapshot.ts";

const ALL_TIMES: TimeRange = { fromMs: -Infinity, toMs: Infinity };
const ANY_SERIES = () => true;
/** Series that are judged between two looks at the clock. */
const SERIES_BETWEEN_LOOKS = 256;

/** The rows asked for, in batches that are never empty. */
export async function* scanTable(
  snapshot: TableSnapshot,
  request: TimeseriesScan,
  clock: Clock,
): AsyncGenerator<readonly Document[], void, undefined> {
  const pacer = new Pacer(clock, request.checkpoint);
  const { narrowed, matched } = await narrow(snapshot, request, pacer);
  if (matched?.isEmpty) return;
  for await (const batch of batchesOf(snapshot, narrowed, matched, pacer)) {
    yield batch;
    await request.checkpoint();
    pacer.restart();
  }
}

/** What decides which rows can match without looking at them. */
type RowRequest = Pick<
  TimeseriesScan,
  "timeRange" | "seriesFilter" | "seriesLookup" | "seriesTests" | "ids" | "counters"
>;

/** The series that a request asks for, as `matchSeries` has them, and the request for their rows alone. */
export async function narrow<T extends RowRequest>(
  snapshot: TableSnapshot,
  request: T,
  pacer: Pacer,
): Promise<{ readonly narrowed: T; readonly matched: SeriesSet | undefined }> {
  const { ids, timeRange = ALL_TIMES, counters } = request;
  const places = ids && await locateIds(snapshot, ids, timeRange, counters, () => pacer.restIfDue());
  const matched = await matchSeries(snapshot, request, pacer, places?.series);
  if (places === undefined) return { narrowed: request, matched };
  return { narrowed: { ...request, timeRange: intersection(timeRange, places.range) }, matched };
}

function batchesOf(
  snapshot: TableSnapshot,
  request: TimeseriesScan,
  matched: SeriesSet | undefined,
  pacer: Pacer,
): AsyncGenerator<readonly Document[], void, undefined> {
  const { timeOrder, limit = Infinity, seriesEnds } = request;
  if (timeOrder !== undefined) {
    if (limit <= MAX_NEAREST_ROWS) return scanNearest(snapshot, request, timeOrder, limit, matched, pacer);
    return byTime(sourcesOf(snapshot, request), request, timeOrder, matched, pacer);
  }
  if (seriesEnds === undefined) return scanSlices(snapshot, request, matched, pacer);
  return atEnds(snapshot, sourcesOf(snapshot, request), request, seriesEnds, matched, pacer);
}

/**
 * The series whose rows can match; undefined for all of them.
 *
 * @param among the only series whose rows can
 */
export async function matchSeries(
  snapshot: TableSnapshot,
  request: Pick<TimeseriesScan, "seriesFilter" | "seriesLookup" | "seriesTests" | "counters">,
  pacer: Pacer,
  among?: ReadonlySet<number>,
): Promise<SeriesSet | undefined> {
  const { counters, seriesFilter = ANY_SERIES, seriesLookup, seriesTests = [] } = request;
  const { seriesCount, index } = snapshot;
  if (request.seriesFilter === undefined && among === undefined) {
    counters.seriesScanned += seriesCount;
    counters.seriesMatched += seriesCount;
    return undefined;
  }
  const found = among === undefined
    ? seriesLookup && await lookUpSeries(snapshot, seriesLookup, () => pacer.restIfDue())
    : SeriesSet.of(among, seriesCount);
  const matched = found ?? SeriesSet.all(seriesCount);
  const passes = await seriesJudge(snapshot, seriesTests, matched, () => pacer.restIfDue()) ??
    ((series: number) => seriesFilter(index.metaOf(series)));
  for (let series = matched.next(0); series < seriesCount; series = matched.next(series + 1)) {
    counters.seriesScanned++;
    if (passes(series)) counters.seriesMatched++;
    else matched.delete(series);
    if (counters.seriesScanned % SERIES_BETWEEN_LOOKS === 0 || takeLongWork()) await pacer.restIfDue();
  }
  return matched;
}

function intersection(a: TimeRange, b: TimeRange): TimeRange {
  return { fromMs: Math.max(a.fromMs, b.fromMs), toMs: Math.min(a.toMs, b.toMs) };
}

/** A row group or a memtable that may have rows in the range: opened when it is reached. */
interface Source {
  readonly age: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly firstSeries: number;
  readonly lastSeries: number;
  open(): OpenSource;
}

interface OpenSource {
  /** The series that may have rows here, ascending. */
  series(): Iterable<number>;
  run(series: number, direction: Direction): Run | undefined;
}

export function sourcesOf(
  snapshot: TableSnapshot,
  request: Pick<TimeseriesScan, "timeRange" | "counters">,
): Source[] {
  const range = request.timeRange ?? ALL_TIMES;
  const { counters } = request;
  const sources: Source[] = [];
  let age = 0;
  for (const rows of snapshot.segments) {
    const { segment, groups, firstMs } = rows;
    const before = sources.length;
    const headers = new RowGroupHeaders(segment, snapshot.names);
    const left = { fromMs: Math.max(range.fromMs, firstMs), toMs: range.toMs };
    for (const entry of groups) {
      age++;
      if (entry.minTime > left.toMs || entry.maxTime < left.fromMs) continue;
      headers.add(entry);
      sources.push(groupSource(snapshot, rows, headers, entry, left, age, counters));
    }
    if (sources.length > before) counters.segmentsRead++;
    else counters.segmentsSkipped++;
  }
  for (const rows of snapshot.memtables) {
    const { memtable, limit } = rows;
    age++;
    if (limit === 0 || memtable.minTime > range.toMs || memtable.maxTime < range.fromMs) continue;
    sources.push(memtableSource(snapshot, rows, range, age));
  }
  return sources;
}

function groupSource(
  snapshot: TableSnapshot,
  { segment, masks }: SegmentRows,
  headers: RowGroupHeaders,
  entry: RowGroupEntry,
  range: TimeRange,
  age: number,
  counters: TimeseriesCounters,
): Source {
  const { firstSeries, lastSeries, minTime, maxTime } = entry;
  const open = () => {
    const group = headers.rowGroup(entry);
    const mask = masks.get(entry.offset);
    const rows = new OpenRowGroup(segment, group, snapshot.index, counters, mask, "several readers");
    return {
      series: () => group.series,
      run: (series: number, direction: Direction) => openSegmentRun(rows, series, range, direction, age),
    };
  };
  return { age, minTime, maxTime, firstSeries, lastSeries, open };
}

function memtableSource(
  snapshot: TableSnapshot,
  { memtable, limit, removed }: MemtableRows,
  range: TimeRange,
  age: number,
): Source {
  const lastSeries = Math.min(snapshot.seriesCount, memtable.seriesEnd) - 1;
  const { minTime, maxTime } = memtable;
  const open = () => ({
    series: () => countTo(lastSeries),
    run: (series: number, direction: Direction) =>
      openMemtableRun(memtable, series, range, direction, age, limit, removed),
  });
  return { age, minTime, maxTime, firstSeries: 0, lastSeries, open };
}

function* countTo(last: number): Generator<number> {
  for (let number = 0; number <= last; number++) yield number;
}

/** Collects rows into batches of `PIPELINE_BATCH_ROWS`. */
class Batch {
  private rows: Document[] = [];

  get length(): number {
    return this.rows.length;
  }

  add(run: Run): void {
    this.rows.push(documentOf(run.source, run.row));
  }

  addAll(rows: readonly Document[]): void {
    for (const row of rows) this.rows.push(row);
  }

  take(): Document[] {
    const rows = this.rows;
    this.rows = [];
    return rows;
  }
}

async function* atEnds(
  snapshot: TableSnapshot,
  sources: readonly Source[],
  request: TimeseriesScan,
  ends: SeriesEnds,
  matched: SeriesSet | undefined,
  pacer: Pacer,
): AsyncGenerator<readonly Document[]> {
  const batch = new Batch();
  const window = new SourceWindow(sources);
  for (let series = 0; series < snapshot.seriesCount; series++) {
    if (matched !== undefined) series = matched.next(series);
    if (series >= snapshot.seriesCount) break;
    const rows = rowsAtEnds(window.sourcesOf(series), series, ends);
    request.counters.rowsRead += rows.length;
    batch.addAll(rows);
    if (batch.length >= PIPELINE_BATCH_ROWS) yield batch.take();
    if (series % SERIES_BETWEEN_LOOKS === 0 && pacer.isDue()) await pacer.rest();
  }
  if (batch.length > 0) yield batch.take();
}

export function mergedRuns(sources: readonly LazySource[], series: number): RunHeap {
  const heap = new RunHeap(1);
  for (const source of sources) {
    const run = source.run(series, 1);
    if (run !== undefined) heap.push(run);
  }
  return heap;
}

/** A source that is opened when a run of it is asked for. */
class LazySource implements EndSource {
  private open: OpenSource | undefined;

  constructor(private readonly source: Source) {}

  get minTime(): number {
    return this.source.minTime;
  }

  get maxTime(): number {
    return this.source.maxTime;
  }

  get lastSeries(): number {
    return this.source.lastSeries;
  }

  run(series: number, direction: Direction): Run | undefined {
    this.open ??= this.source.open();
    return this.open.run(series, direction);
  }
}

/** The sources that may hold a series, for series asked for in ascending order: let go after their last. */
export class SourceWindow {
  private readonly waiting: Source[];
  private held: LazySource[] = [];

  constructor(sources: readonly Source[]) {
    this.waiting = sources.toSorted((a, b) => b.firstSeries - a.firstSeries);
  }

  sourcesOf(series: number): readonly LazySource[] {
    if (this.held.some((source) => source.lastSeries < series)) {
      this.held = this.held.filter((source) => source.lastSeries >= series);
    }
    while (this.waiting.length > 0 && this.waiting[this.waiting.length - 1]!.firstSeries <= series) {
      const source = this.waiting.pop()!;
      if (source.lastSeries >= series) this.held.push(new LazySource(source));
    }
    return this.held;
  }
}

async function* byTime(
  sources: readonly Source[],
  request: TimeseriesScan,
  direction: Direction,
  matched: SeriesSet | undefined,
  pacer: Pacer,
): AsyncGenerator<readonly Document[]> {
  const range = request.timeRange ?? ALL_TIMES;
  // The first times come last, where they are popped.
  const firstTime = (source: Source) =>
    direction === 1 ? Math.max(source.minTime, range.fromMs) : Math.min(source.maxTime, range.toMs);
  const waiting = sources.toSorted((a, b) => (firstTime(b) - firstTime(a)) * direction);
  const heap = new RunHeap(direction);
  const batch = new Batch();
  for (;;) {
    const top = heap.top();
    const next = waiting[waiting.length - 1];
    if (next !== undefined && (top === undefined || (firstTime(next) - top.time) * direction <= 0)) {
      waiting.pop();
      await openAll(next.open(), heap, direction, matched, pacer);
      continue;
    }
    if (top === undefined) break;
    batch.add(top);
    request.counters.rowsRead++;
    heap.advanceTop();
    if (batch.length === PIPELINE_BATCH_ROWS) yield batch.take();
  }
  if (batch.length > 0) yield batch.take();
}

async function openAll(
  source: OpenSource,
  heap: RunHeap,
  direction: Direction,
  matched: SeriesSet | undefined,
  pacer: Pacer,
): Promise<void> {
  let looked = 0;
  for (const series of source.series()) {
    if (matched?.has(series) === false) continue;
    const run = source.run(series, direction);
    if (run !== undefined) heap.push(run);
    if (++looked % SERIES_BETWEEN_LOOKS === 0 && pacer.isDue()) await pacer.rest();
  }
}
