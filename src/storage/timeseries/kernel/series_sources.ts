/** Where the rows of each series are: the row groups and memtables of a table that a request has to look at. */
import type { TableSnapshot } from "../table_snapshot.ts";
import type { TimeseriesScan } from "../scan_request.ts";
import { RowGroupHeaders } from "../row_group_headers.ts";
import type { Direction } from "../run.ts";
import type { SeriesEnds } from "../series_ends.ts";
import type { SeriesSet } from "../series_set.ts";
import type { SliceRun } from "./series_runs.ts";
import { AskedPaths, type RowParts } from "./slice_source.ts";
import { MemtableRunSource } from "./memtable_slices.ts";
import { GroupRunSource, type RunSource } from "./slice_runs.ts";

/** So many sources are asked of the device at once. */
const SOURCES_AT_ONCE = 16;
const ALL_TIMES = { fromMs: -Infinity, toMs: Infinity };

/** The rows of a series and of all behind it up to the last one. */
export interface ManySeries {
  readonly run: SliceRun;
  readonly last: number;
}

/** Runs of series that are asked for in ascending order. */
export class SeriesSources {
  /** Those of later series, the first of them last. */
  private readonly waiting: RunSource[];
  private held: RunSource[] = [];
  private readonly found: SliceRun[] = [];
  /** One that knows where its rows are. */
  private begun: RunSource | undefined;
  /** One that does not give runs of many series. */
  private apart: RunSource | undefined;
  /** The first series behind which one of the held ones has nothing more. */
  private nextEnd = Infinity;
  private readonly asked: AskedPaths;

  /**
   * @param matched the series that are asked for; undefined when all are
   * @param paths the fields that slices are asked for
   * @param parts what is read of each row
   */
  constructor(
    snapshot: TableSnapshot,
    request: Pick<TimeseriesScan, "timeRange" | "counters" | "fields">,
    private readonly matched: SeriesSet | undefined,
    paths: readonly (readonly string[])[],
    parts: RowParts,
  ) {
    this.asked = new AskedPaths(paths, snapshot.names.time.text, parts, request.fields);
    this.waiting = sourcesOf(snapshot, request, matched, paths, this.asked).sort((a, b) =>
      b.firstSeries - a.firstSeries
    );
  }

  /** The first series from one on that is asked for, and that a source may have rows of; `Infinity` for none. */
  nextSeries(series: number): number {
    const { matched } = this;
    for (let next = series;;) {
      if (matched !== undefined) next = matched.next(next);
      if (next === Infinity) return Infinity;
      this.moveTo(next);
      if (this.held.length > 0) return next;
      const first = this.waiting.at(-1)?.firstSeries;
      if (first === undefined) return Infinity;
      next = first;
    }
  }

  /**
   * Asks the device for what will be read of a series, and of those behind it that are asked for, all at once; undefined where
   * that is not worth while: reading has not had to wait, it is in one place alone, was asked for before, or may not be read.
   *
   * @param ends where only these are asked for
   */
  prefetch(series: number, ends?: SeriesEnds): Promise<void> | undefined {
    this.moveTo(series);
    const { held, waiting, asked, matched } = this;
    if (held.length + waiting.length < 2 || (matched === undefined && !asked.isKnown)) return undefined;
    const newest = held[held.length - 1];
    if (newest !== this.begun) {
      // Where its pages are has to be read anyway, and tells whether the device is slow.
      newest?.begin();
      this.begun = newest;
    }
    if (!held.some((source) => source.isToBePrefetched)) return undefined;
    // What becomes of the first such page tells whether others have to be read.
    const areDoubtful = ends === undefined && asked.areStatisticsUsed === undefined;
    if (areDoubtful && held.some((source) => source.mayBeAnswered(series, matched))) return undefined;
    const next = held.filter((source) => !source.isPrefetched);
    for (let i = waiting.length - 1; i >= 0 && next.length < SOURCES_AT_ONCE; i--) {
      if (!waiting[i]!.isPrefetched) next.push(waiting[i]!);
    }
    for (const source of next) source.isPrefetched = true;
    if (next.length === 1) return undefined;
    return Promise.all(next.map((source) => source.prefetch(series, matched, ends))).then(() => {});
  }

  /** What there is of a series; good until the next call, and so is the array. */
  runsOf(series: number): readonly SliceRun[] {
    this.moveTo(series);
    const { found, held } = this;
    let count = 0;
    for (let i = 0; i < held.length; i++) {
      const run = held[i]!.run(series);
      if (run !== undefined) found[count++] = run;
    }
    if (found.length > count) found.length = count;
    return found;
  }

  /**
   * As `runsOf`, of a series and those behind it whose rows one source has alone; undefined where that is none, or their
   * rows are better read series by series.
   *
   * @param areTogether whether times between two are in one span
   * @param areChosen whether rows may be left out there
   */
  runOfMany(
    series: number,
    areTogether: (minMs: number, maxMs: number) => boolean,
    areChosen: boolean,
  ): ManySeries | undefined {
    this.moveTo(series);
    const { held: [source, other], waiting } = this;
    if (source === undefined || other !== undefined) return undefined;
    const last = Math.min(source.lastSeries, (waiting.at(-1)?.firstSeries ?? Infinity) - 1);
    if (last <= series || source === this.apart) return undefined;
    const run = areTogether(source.minTime, source.maxTime) || source.hasShortSeries
      ? source.runOfMany(series, last, areChosen)
      : undefined;
    if (run !== undefined) return { run, last };
    this.apart = source;
    return undefined;
  }

  /** Its rows of the earliest time, of the latest, or both. */
  endsOf(series: number, { earliest, latest }: SeriesEnds): readonly SliceRun[] {
    this.moveTo(series);
    const [only] = this.held;
    if (only !== undefined && this.held.length === 1 && earliest !== latest) {
      return this.onlyRun(only.end(series, earliest ? 1 : -1));
    }
    if (!latest) return this.endOf(series, 1);
    const last = this.endOf(series, -1);
    if (!earliest) return last;
    const first = this.endOf(series, 1);
    return first[0]?.firstTime === last[0]?.firstTime ? first : [...first, ...last];
  }

  /** Whether most pages have rows that are read as documents. */
  set areRowsRead(areRead: boolean) {
    if (areRead === this.asked.areRowsRead) return;
    this.asked.areRowsRead = areRead;
    for (const source of this.held) source.learn();
  }

  /** Whether pages of one group were answered without being read. */
  set areStatisticsUsed(areUsed: boolean) {
    this.asked.areStatisticsUsed = areUsed;
  }

  private onlyRun(run: SliceRun | undefined): readonly SliceRun[] {
    const { found } = this;
    found.length = run === undefined ? 0 : 1;
    if (run !== undefined) found[0] = run;
    return found;
  }

  private endOf(series: number, direction: Direction): SliceRun[] {
    let runs: SliceRun[] = [];
    let end = Infinity * direction;
    // The newest sources come last.
    for (let i = this.held.length - 1; i >= 0; i--) {
      const source = this.held[i]!;
      const bound = direction === 1 ? source.minTime : source.maxTime;
      if ((bound - end) * direction > 0) continue;
      const run = source.end(series, direction);
      if (run === undefined || (run.firstTime - end) * direction > 0) continue;
      if (run.firstTime !== end) runs = [];
      end = run.firstTime;
      runs.push(run);
    }
    return runs;
  }

  private moveTo(series: number): void {
    if (this.nextEnd < series) this.held = this.held.filter((source) => source.lastSeries >= series);
    const held = this.held.length;
    while (this.waiting.length > 0 && this.waiting[this.waiting.length - 1]!.firstSeries <= series) {
      const source = this.waiting.pop()!;
      if (source.lastSeries >= series) this.held.push(source);
    }
    if (this.nextEnd >= series && this.held.length === held) return;
    this.nextEnd = Infinity;
    for (const { lastSeries } of this.held) this.nextEnd = Math.min(this.nextEnd, lastSeries);
  }
}

/** Whether one of the series from one to another is in a set: cheap for one range behind the other. */
class MatchedRanges {
  /** No series from the one on is in it before the next. */
  private from = Infinity;
  private next = Infinity;

  constructor(private readonly matched: SeriesSet | undefined) {}

  isIn(first: number, last: number): boolean {
    if (this.matched === undefined) return true;
    if (first < this.from || first > this.next) {
      this.from = first;
      this.next = this.matched.next(first);
    }
    return this.next <= last;
  }
}

/** Those that may have rows in the range of a series that is asked for. */
function sourcesOf(
  snapshot: TableSnapshot,
  request: Pick<TimeseriesScan, "timeRange" | "counters">,
  matched: SeriesSet | undefined,
  paths: readonly (readonly string[])[],
  asked: AskedPaths,
): RunSource[] {
  const range = request.timeRange ?? ALL_TIMES;
  const { counters } = request;
  const sources: RunSource[] = [];
  const ranges = new MatchedRanges(matched);
  let age = 0;
  for (const rows of snapshot.segments) {
    let isRead = false;
    const headers = new RowGroupHeaders(rows.segment, snapshot.names);
    const left = { fromMs: Math.max(range.fromMs, rows.firstMs), toMs: range.toMs };
    for (const entry of rows.groups) {
      age++;
      if (entry.minTime > left.toMs || entry.maxTime < left.fromMs) continue;
      isRead = true;
      if (!ranges.isIn(entry.firstSeries, entry.lastSeries)) continue;
      headers.add(entry);
      sources.push(new GroupRunSource(snapshot, rows, headers, entry, left, asked, counters, age));
    }
    if (isRead) counters.segmentsRead++;
    else counters.segmentsSkipped++;
  }
  for (const rows of snapshot.memtables) {
    const { memtable, limit } = rows;
    age++;
    if (limit === 0 || memtable.minTime > range.toMs || memtable.maxTime < range.fromMs) continue;
    sources.push(new MemtableRunSource(snapshot, rows, range, paths, age));
  }
  return sources;
}
