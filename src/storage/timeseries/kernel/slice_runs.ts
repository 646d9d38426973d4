/** What row groups have of a series, or of several, as runs of slices. */
import { PAGE_ROWS } from "../../../base/mod.ts";
import type { LastRows } from "../last_rows.ts";
import { type RowGroup, TIME_PAGES } from "../row_group.ts";
import type { RowGroupHeaders } from "../row_group_headers.ts";
import type { SeriesEnds } from "../series_ends.ts";
import type { SeriesSet } from "../series_set.ts";
import type { Direction, TimeRange } from "../run.ts";
import type { RowMask } from "../row_mask.ts";
import type { SegmentRows, TableSnapshot } from "../table_snapshot.ts";
import type { TimeseriesCounters } from "../scan_request.ts";
import type { RowGroupEntry } from "../segment_format.ts";
import { cutToRange, OpenRowGroup, type RowSpan } from "../segment_run.ts";
import { type AskedPaths, LastRowSource, PageSource, type ResolvedPaths } from "./slice_source.ts";
import { selectNumbers } from "./select_numbers.ts";
import { endOfTimes, type Slice, type SliceRun } from "./series_runs.ts";

/** What may hold rows of a series: opened when it is reached, let go behind its last series. */
export interface RunSource {
  readonly firstSeries: number;
  readonly lastSeries: number;
  /** No row is before or after. */
  readonly minTime: number;
  readonly maxTime: number;
  /** Whether nothing of it has to be asked of the device any more. */
  isPrefetched: boolean;
  /** Whether it should be: reading goes to the device, and has to wait for it. */
  readonly isToBePrefetched: boolean;
  /** Finds out where its rows are. */
  begin(): void;
  /** Whether what is known of a page may be all that is asked of it, of those of series from one on. */
  mayBeAnswered(series: number, matched: SeriesSet | undefined): boolean;
  /** Asks the device for what will be read of series from one on: as `SeriesSources.prefetch`. */
  prefetch(series: number, matched: SeriesSet | undefined, ends?: SeriesEnds): Promise<void>;
  /** Good until the next call; undefined when the series has no rows in the range. */
  run(series: number): SliceRun | undefined;
  /** As `run`, of its rows of the earliest (1) or the latest (−1) time. */
  end(series: number, direction: Direction): SliceRun | undefined;
  /** Whether series have so few rows that their times are better looked at row by row. */
  readonly hasShortSeries: boolean;
  /**
   * As `run`, of the rows of all series from one to another.
   *
   * @param areChosen whether some of the rows there may not be asked for; undefined where that is so and not allowed
   */
  runOfMany(first: number, last: number, areChosen: boolean): SliceRun | undefined;
  /** Something else is known of what is asked for. */
  learn(): void;
}

/** The last rows of a row group that say all that is asked for. */
interface WrittenLastRows {
  readonly rows: LastRows;
  readonly source: LastRowSource;
}

/** Rows of short series, on the average. */
const MAX_SHORT_ROWS = 32;
/** Of longer ones the rows in a range are sooner found by halves than by looking at the time of each. */
const MAX_CHOSEN_ROWS = 512;
const NOT_WRITTEN = "not written";

/** A row group, with one page of it at a time. */
export class GroupRunSource implements RunSource {
  readonly firstSeries: number;
  readonly lastSeries: number;
  readonly minTime: number;
  readonly maxTime: number;
  /** Whether all rows of the group are in the range. */
  private readonly isInRange: boolean;
  private open: OpenRowGroup | undefined;
  /** In the open row group. */
  private paths: ResolvedPaths | undefined;
  private page: PageSource | undefined;
  isPrefetched = false;
  /** When the query began. */
  private readonly slowReadsBefore: number;
  private lastRows: WrittenLastRows | typeof NOT_WRITTEN | undefined;
  /** The place of the series before, and up to which row pages are known to be read. */
  private placeBefore = NaN;
  private reachedRow = 0;
  /** What `run` gives, series after series. */
  private own: GroupRun | undefined;

  constructor(
    private readonly snapshot: TableSnapshot,
    private readonly rows: SegmentRows,
    private readonly headers: RowGroupHeaders,
    private readonly entry: RowGroupEntry,
    private readonly range: TimeRange,
    private readonly asked: AskedPaths,
    private readonly counters: TimeseriesCounters,
    readonly age: number,
  ) {
    this.firstSeries = entry.firstSeries;
    this.lastSeries = entry.lastSeries;
    this.minTime = entry.minTime;
    this.maxTime = entry.maxTime;
    this.slowReadsBefore = rows.segment.slowReads;
    this.isInRange = entry.minTime >= range.fromMs && entry.maxTime <= range.toMs;
  }

  get isToBePrefetched(): boolean {
    return !this.isPrefetched && this.rows.segment.slowReads !== this.slowReadsBefore;
  }

  begin(): void {
    this.open ??= this.openGroup();
  }

  async prefetch(series: number, matched: SeriesSet | undefined, ends?: SeriesEnds): Promise<void> {
    const { entry, headers, rows: { segment } } = this;
    const isLast = ends?.latest === true && !ends.earliest;
    const known = [headers.unread(entry), isLast ? segment.unreadLastRows(entry) : undefined];
    await segment.prefetch(known.filter((range) => range !== undefined));
    const { group, ahead } = this.open ??= this.openGroup();
    if (isLast && entry.lastRowsBytes > 0) return;
    if (ends !== undefined && group.rows > group.series.length * PAGE_ROWS) return;
    const columns = matched === undefined
      ? this.asked.pageColumnsIn(group.paths)
      : this.asked.possibleColumnsIn(group.paths);
    const pages = this.pagesOf(series, matched);
    const { areStatisticsUsed } = this.asked;
    const read = areStatisticsUsed === true ? pages.filter((page) => !this.isOfOne(page)) : pages;
    await segment.prefetch(ahead.unread(columns, read));
  }

  mayBeAnswered(series: number, matched: SeriesSet | undefined): boolean {
    return this.open !== undefined && this.pagesOf(series, matched).some((page) => this.isOfOne(page));
  }

  /** The pages, ascending, that may have rows in the range of the series from one on that are asked for. */
  private pagesOf(from: number, matched: SeriesSet | undefined): number[] {
    const { group } = this;
    const pages: number[] = [];
    const add = (firstRow: number, end: number) => {
      let page = Math.max(Math.floor(firstRow / PAGE_ROWS), (pages.at(-1) ?? -1) + 1);
      for (; page * PAGE_ROWS < end; page++) if (this.mayHave(page)) pages.push(page);
    };
    const first = group.placeFrom(from);
    if (matched === undefined) add(group.firstRowOf(first), group.rows);
    else {
      for (let place = first; place < group.series.length; place++) {
        if (matched.has(group.series[place]!)) add(group.firstRowOf(place), group.seriesEnds[place]!);
      }
    }
    return pages;
  }

  run(series: number): SliceRun | undefined {
    const place = this.placeOf(series);
    const span = this.spanOf(place);
    if (span === undefined) return undefined;
    this.reach(place, span);
    if (this.open!.mask !== undefined) return this.runOf(span);
    return this.enter(span);
  }

  runOfMany(first: number, last: number, areChosen: boolean): SliceRun | undefined {
    if (!this.isInRange && !areChosen) return undefined;
    const { group, mask } = this.open ??= this.openGroup();
    if (!this.isInRange && group.rows > group.series.length * MAX_CHOSEN_ROWS) return undefined;
    const from = group.placeFrom(first);
    const to = group.placeFrom(last + 1);
    if ((mask !== undefined && !areChosen) || from === to) return undefined;
    const span = { first: group.firstRowOf(from), end: group.firstRowOf(to) };
    if (this.isInRange && mask === undefined) {
      this.reach(from, span);
      this.placeBefore = to - 1;
      return this.enter(span);
    }
    this.placeBefore = to - 1;
    return new ChosenRun(this, span, mask, this.age);
  }

  /**
   * The first page from one on, before another, that may have rows in the range; `end` for none. Those behind it are read with
   * it.
   */
  pageInRange(page: number, end: number): number {
    const first = page;
    while (page < end && !this.mayHave(page)) page++;
    this.counters.pagesSkipped += page - first;
    if (page < end && page * PAGE_ROWS >= this.reachedRow) {
      let next = page + 1;
      while (next < end && this.mayHave(next)) next++;
      this.open!.ahead.reach(page, next);
      this.reachedRow = next * PAGE_ROWS;
    }
    return page;
  }

  /** Whether all rows of a page are of one series, and in the range. */
  private isOfOne(page: number): boolean {
    const { group, range: { fromMs, toMs } } = this;
    const first = page * PAGE_ROWS;
    const { min, max } = group.page(TIME_PAGES, page);
    const end = group.seriesEnds[group.placeOfRow(first)]!;
    return end >= Math.min(first + PAGE_ROWS, group.rows) && min >= fromMs && max <= toMs;
  }

  private mayHave(page: number): boolean {
    const { min, max } = this.group.page(TIME_PAGES, page);
    return min <= this.range.toMs && max >= this.range.fromMs;
  }

  /** The rows `[from, to)` of a page that are in the range, by their places; undefined where all are. */
  rowsInRange(page: PageSource, from: number, to: number): Int32Array | undefined {
    const { fromMs, toMs } = this.range;
    const { min, max } = page.timeBounds;
    if (min >= fromMs && max <= toMs) return undefined;
    const rows = new Int32Array(to - from);
    const bounds = { least: fromMs, greatest: toMs, excluded: NaN };
    return rows.subarray(0, selectNumbers(page.times, { from, to }, bounds, rows));
  }

  private enter(span: RowSpan): GroupRun {
    if (this.own === undefined) return this.own = new GroupRun(this, span, this.age);
    this.own.enter(span);
    return this.own;
  }

  end(series: number, direction: Direction): SliceRun | undefined {
    const last = direction === -1 ? this.lastRowOf(series) : undefined;
    if (last !== undefined) return last;
    const place = this.placeOf(series);
    const span = this.spanOf(place);
    if (span === undefined) return undefined;
    // Of longer series most pages are passed over.
    if (span.end - span.first <= PAGE_ROWS) this.reach(place, span);
    const { mask } = this.open!;
    let row = direction === 1 ? span.first : span.end - 1;
    if (mask !== undefined) { while (mask.has(row)) row += direction; }
    if (row < span.first || row >= span.end) return undefined;
    const ms = this.timeOf(row);
    let other = row;
    const limit = direction === 1 ? span.end : span.first - 1;
    while (other + direction !== limit && this.timeOf(other + direction) === ms) other += direction;
    const rows = { first: Math.min(row, other), end: Math.max(row, other) + 1 };
    // Both ends of a series may be held at once.
    return mask !== undefined || direction === 1 ? this.runOf(rows) : this.enter(rows);
  }

  /** Says which pages are read: those of the series, and those behind in the range once two series have followed each other. */
  private reach(place: number, { first, end }: RowSpan): void {
    const follows = place === this.placeBefore + 1;
    this.placeBefore = place;
    if (end <= this.reachedRow) return;
    const { group, ahead } = this.open!;
    const { fromMs, toMs } = this.range;
    let page = Math.ceil(end / PAGE_ROWS);
    if (follows) {
      for (; page * PAGE_ROWS < group.rows; page++) {
        const { min, max } = group.page(TIME_PAGES, page);
        if (min > toMs || max < fromMs) break;
      }
    }
    ahead.reach(Math.floor(first / PAGE_ROWS), page);
    this.reachedRow = page * PAGE_ROWS;
  }

  /** The last row of a series from what is written down of it; undefined where its pages have to be read. */
  private lastRowOf(series: number): SliceRun | undefined {
    const open = this.open ??= this.openGroup();
    const known = this.lastRows ??= this.readLastRows(open.group);
    if (known === NOT_WRITTEN) return undefined;
    const place = open.group.placeOf(series);
    if (place < 0 || known.rows.hasOthers(place)) return undefined;
    const ms = known.rows.times[place]!;
    if (ms < this.range.fromMs || ms > this.range.toMs) return undefined;
    if (open.mask?.has(open.group.seriesEnds[place]! - 1) === true) return undefined;
    return new LastRowRun(known.source, place, ms, this.age);
  }

  private readLastRows(group: RowGroup): WrittenLastRows | typeof NOT_WRITTEN {
    const { rows: { segment }, entry } = this;
    const paths = this.paths!;
    if (entry.lastRowsBytes === 0) return NOT_WRITTEN;
    const rows = segment.lastRows(entry, group.series.length);
    if (!LastRowSource.suits(rows, paths)) return NOT_WRITTEN;
    this.counters.pagesRead++;
    const source = new LastRowSource(rows, paths, (place) => {
      const row = group.seriesEnds[place]! - 1;
      const page = this.pageOf(row);
      return page.documentAt(row - page.firstRow);
    });
    return { rows, source };
  }

  /** Undefined when no rows are left in it. */
  private runOf(span: RowSpan): SliceRun | undefined {
    const { mask } = this.open!;
    if (mask === undefined) return new GroupRun(this, span, this.age);
    const run = new MaskedGroupRun(this, span, mask, this.age);
    return run.isDone ? undefined : run;
  }

  /** The place of a series in the row group, or -1. */
  private placeOf(series: number): number {
    const { group } = this.open ??= this.openGroup();
    // Series are mostly asked for one after another.
    const next = this.placeBefore + 1;
    return group.series[next] === series ? next : group.placeOf(series);
  }

  /** The rows of the series at a place that are in the range. */
  private spanOf(place: number): RowSpan | undefined {
    if (place < 0) return undefined;
    const open = this.open!;
    const all = { first: open.group.firstRowOf(place), end: open.group.seriesEnds[place]! };
    if (this.isInRange) return all;
    const span = this.cutInPage(all) ?? cutToRange(open, all, this.range);
    return span.first < span.end ? span : undefined;
  }

  /** As `cutToRange`, for rows of one page, as those of most of many series are; undefined for others. */
  private cutInPage({ first, end }: RowSpan): RowSpan | undefined {
    const page = Math.floor(first / PAGE_ROWS);
    if (end > (page + 1) * PAGE_ROWS) return undefined;
    const { fromMs, toMs } = this.range;
    const { min, max } = this.group.page(TIME_PAGES, page);
    if (min >= fromMs && max <= toMs) return { first, end };
    let cut = { first, end: first };
    if (min <= toMs && max >= fromMs) {
      this.open!.ahead.reachPage(page);
      const { times, firstRow } = this.pageOf(first);
      const from = endOfTimes(times, undefined, first - firstRow, end - firstRow, fromMs);
      cut = {
        first: firstRow + from,
        end: firstRow + endOfTimes(times, undefined, from, end - firstRow, toMs + 1),
      };
    }
    if (cut.first === cut.end) this.counters.pagesSkipped++;
    return cut;
  }

  get hasShortSeries(): boolean {
    const { rows, series } = (this.open ??= this.openGroup()).group;
    return rows <= series.length * MAX_SHORT_ROWS;
  }

  get group(): RowGroup {
    return this.open!.group;
  }

  timeOf(row: number): number {
    const page = this.pageOf(row);
    return page.times[row - page.firstRow]!;
  }

  /** The page that a row is in. */
  pageOf(row: number): PageSource {
    const page = Math.floor(row / PAGE_ROWS);
    if (this.page?.number === page) return this.page;
    const open = this.open!;
    return this.page = new PageSource(open.rowsOfPage(page), open.group, this.paths!);
  }

  private openGroup(): OpenRowGroup {
    const { snapshot, rows, headers, entry } = this;
    const group = headers.rowGroup(entry);
    this.paths = this.asked.in(group.paths);
    const mask = rows.masks.get(entry.offset);
    const open = new OpenRowGroup(rows.segment, group, snapshot.index, this.counters, mask, "one reader");
    open.ahead.readTogether(this.asked.pageColumnsIn(group.paths));
    return open;
  }

  learn(): void {
    const { open } = this;
    open?.ahead.readTogether(this.asked.pageColumnsIn(open.group.paths));
  }
}

/** One row, from those that are written down. */
class LastRowRun implements SliceRun {
  readonly lastTime: number;
  isDone = false;

  constructor(
    private readonly source: LastRowSource,
    private readonly place: number,
    readonly firstTime: number,
    readonly age: number,
  ) {
    this.lastTime = firstTime;
  }

  current(): Slice {
    return { source: this.source, rows: undefined, from: this.place, to: this.place + 1 };
  }

  skip(): void {
    this.isDone = true;
  }
}

class GroupRun implements SliceRun {
  private row: number;

  constructor(private readonly source: GroupRunSource, private span: RowSpan, readonly age: number) {
    this.row = span.first;
  }

  /** Begins anew, with other rows. */
  enter(span: RowSpan): void {
    this.span = span;
    this.row = span.first;
  }

  get firstTime(): number {
    const { first } = this.span;
    return this.isWhole(first) ? this.bounds(first).min : this.source.timeOf(first);
  }

  get lastTime(): number {
    const last = this.span.end - 1;
    return this.isWhole(last) ? this.bounds(last).max : this.source.timeOf(last);
  }

  get isDone(): boolean {
    return this.row === this.span.end;
  }

  current(): Slice {
    const source = this.source.pageOf(this.row);
    const { firstRow, rowCount } = source;
    const from = this.row - firstRow;
    const to = Math.min(this.span.end - firstRow, rowCount);
    source.reach(from, to);
    return { source, rows: undefined, from, to };
  }

  skip(count: number): void {
    this.row += count;
  }

  /** Whether all of the row's page belongs to the run, so that the page's bounds are the run's. */
  private isWhole(row: number): boolean {
    const first = Math.floor(row / PAGE_ROWS) * PAGE_ROWS;
    return first >= this.span.first && Math.min(first + PAGE_ROWS, this.source.group.rows) <= this.span.end;
  }

  private bounds(row: number): { readonly min: number; readonly max: number } {
    return this.source.group.page(TIME_PAGES, Math.floor(row / PAGE_ROWS));
  }
}

/** Rows that are read by the ones of each page that are left. */
abstract class PickedRun implements SliceRun {
  /** No row is before or after: rows that are not picked count, too. */
  abstract readonly firstTime: number;
  abstract readonly lastTime: number;
  /** The current slice: what is left of it, and the first row behind its page. */
  private page: PageSource | undefined;
  private rows: Int32Array | undefined;
  private from = 0;
  private to = 0;
  private next: number;

  constructor(
    protected readonly source: GroupRunSource,
    private readonly span: RowSpan,
    private readonly mask: RowMask | undefined,
    readonly age: number,
  ) {
    this.next = span.first;
  }

  get isDone(): boolean {
    return this.from === this.to;
  }

  current(): Slice {
    const { page, rows, from, to } = this;
    if (rows === undefined) page!.reach(from, to);
    else page!.reach(rows[from]!, rows[to - 1]! + 1);
    return { source: page!, rows, from, to };
  }

  skip(count: number): void {
    this.from += count;
    this.fill();
  }

  /** Goes on to the next page that has rows left, once the current one has none. */
  protected fill(): void {
    while (this.from === this.to) {
      this.next = this.firstFrom(this.next, this.span.end);
      if (this.next >= this.span.end) return;
      const page = this.page = this.source.pageOf(this.next);
      const from = this.next - page.firstRow;
      const to = Math.min(this.span.end - page.firstRow, page.rowCount);
      const gone = this.mask?.pages[page.number];
      const picked = this.pick(page, from, to);
      this.rows = gone === undefined ? picked : rowsLeft(gone, picked, from, to);
      this.from = this.rows === undefined ? from : 0;
      this.to = this.rows === undefined ? to : this.rows.length;
      this.next = page.firstRow + to;
    }
  }

  /** The first row from one on, before `end`, whose page is looked at. */
  protected abstract firstFrom(row: number, end: number): number;

  /** Of the rows `[from, to)` of a page those that are asked for; undefined for all of them. */
  protected abstract pick(page: PageSource, from: number, to: number): Int32Array | undefined;
}

/** As `GroupRun`, in a row group of which rows are gone. */
class MaskedGroupRun extends PickedRun {
  readonly firstTime: number;
  readonly lastTime: number;

  constructor(source: GroupRunSource, span: RowSpan, mask: RowMask, age: number) {
    super(source, span, mask, age);
    this.firstTime = source.timeOf(span.first);
    this.lastTime = source.timeOf(span.end - 1);
    this.fill();
  }

  protected override firstFrom(row: number): number {
    return row;
  }

  protected override pick(): undefined {
    return undefined;
  }
}

/** The rows of several series that are in the range and not gone. */
class ChosenRun extends PickedRun {
  readonly firstTime: number;
  readonly lastTime: number;

  constructor(source: GroupRunSource, span: RowSpan, mask: RowMask | undefined, age: number) {
    super(source, span, mask, age);
    this.firstTime = source.minTime;
    this.lastTime = source.maxTime;
    this.fill();
  }

  protected override firstFrom(row: number, end: number): number {
    const page = Math.floor(row / PAGE_ROWS);
    const found = this.source.pageInRange(page, Math.ceil(end / PAGE_ROWS));
    return found === page ? row : found * PAGE_ROWS;
  }

  protected override pick(page: PageSource, from: number, to: number): Int32Array | undefined {
    return this.source.rowsInRange(page, from, to);
  }
}

/** Of the rows `[from, to)`, or those in `rows`, the ones whose bit is not set. */
function rowsLeft(gone: Uint32Array, rows: Int32Array | undefined, from: number, to: number): Int32Array {
  const all = rows === undefined ? to - from : rows.length;
  const left = new Int32Array(all);
  let count = 0;
  for (let k = 0; k < all; k++) {
    const row = rows === undefined ? from + k : rows[k]!;
    left[count] = row;
    count += 1 - ((gone[row >>> 5]! >>> (row & 31)) & 1);
  }
  return left.subarray(0, count);
}
