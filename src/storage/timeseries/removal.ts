/**
 * Finds the rows that a change takes away, and makes the masks without them.
 *
 * Spans are worked off in blocks, each block through all places where rows can be, from old to new: so the ordinals of a
 * time are counted in order of arrival. Spans and the series of a row group both ascend, so each is walked once; the
 * rows between the ends of a span are masked without being looked at.
 */
import { PAGE_ROWS } from "../../base/mod.ts";
import type { Memtable } from "./memtable.ts";
import { openMemtableRun } from "./memtable_run.ts";
import type { SpanBlock } from "./removed_rows.ts";
import { type RowGroup, TIME_PAGES } from "./row_group.ts";
import { type RowMask, RowMaskBuilder } from "./row_mask.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { TableNames } from "./shape.ts";

/** Rows that may go: of one row group or one memtable. */
export interface RemovalPlace {
  readonly minTime: number;
  readonly maxTime: number;
  /** Masks what the spans hold here. @throws CorruptionError, or what the disk throws */
  mark(block: SpanBlock, counts: EndCounts): void;
}

/** How many rows of a span's first and last time were met so far. */
export interface EndCounts {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Masks the rows of all spans. @param places from old to new */
export function markRows(blocks: readonly SpanBlock[], places: readonly RemovalPlace[]): void {
  for (const block of blocks) {
    const counts = { from: new Int32Array(block.count), to: new Int32Array(block.count) };
    let minTime = Infinity;
    let maxTime = -Infinity;
    for (let i = 0; i < block.count; i++) {
      minTime = Math.min(minTime, block.fromMs[i]!);
      maxTime = Math.max(maxTime, block.toMs[i]!);
    }
    for (const place of places) {
      if (place.maxTime >= minTime && place.minTime <= maxTime) place.mark(block, counts);
    }
  }
}

/** Whether span i holds a row of that time, which is within it: counts the row where its ordinal decides. */
function holds(block: SpanBlock, i: number, time: number, counts: EndCounts): boolean {
  const isFirst = time === block.fromMs[i]!;
  const isLast = time === block.toMs[i]!;
  if (isFirst) {
    const ordinal = counts.from[i]!++;
    return ordinal >= block.fromOrdinals[i]! && (!isLast || ordinal <= block.toOrdinals[i]!);
  }
  return !isLast || counts.to[i]!++ <= block.toOrdinals[i]!;
}

/** The spans `[first, end)` of one series in a block. */
function endOfSeries(block: SpanBlock, first: number): number {
  let end = first + 1;
  while (end < block.count && block.series[end] === block.series[first]) end++;
  return end;
}

export class MemtableRemoval implements RemovalPlace {
  readonly minTime: number;
  readonly maxTime: number;
  private readonly builder: RowMaskBuilder;

  constructor(private readonly memtable: Memtable, private readonly removed: RowMask | undefined) {
    this.minTime = memtable.minTime;
    this.maxTime = memtable.maxTime;
    this.builder = new RowMaskBuilder(removed);
  }

  mark(block: SpanBlock, counts: EndCounts): void {
    for (let first = 0; first < block.count;) {
      const end = endOfSeries(block, first);
      this.markSeries(block, first, end, counts);
      first = end;
    }
  }

  private markSeries(block: SpanBlock, first: number, end: number, counts: EndCounts): void {
    const { memtable, removed, builder } = this;
    const range = { fromMs: block.fromMs[first]!, toMs: block.toMs[end - 1]! };
    const run = openMemtableRun(memtable, block.series[first]!, range, 1, 0, memtable.length, removed);
    if (run === undefined) return;
    let span = first;
    do {
      const { row, time } = run;
      while (block.toMs[span]! < time) span++;
      for (let i = span; i < end && block.fromMs[i]! <= time; i++) {
        if (holds(block, i, time, counts)) builder.add(row);
      }
    } while (run.advance());
  }

  mask(): RowMask | undefined {
    return this.builder.build();
  }
}

/** What is known of a row group before it is opened. */
export interface GroupPlace {
  readonly segment: Segment;
  readonly entry: RowGroupEntry;
  readonly names: TableNames;
  /** Rows of earlier times have expired. */
  readonly firstMs: number;
  readonly mask: RowMask | undefined;
}

export class RowGroupRemoval implements RemovalPlace {
  readonly minTime: number;
  readonly maxTime: number;
  private readonly builder: RowMaskBuilder;
  private group: RowGroup | undefined;
  private page = -1;
  private times: Float64Array = new Float64Array(0);

  constructor(readonly place: GroupPlace) {
    this.minTime = Math.max(place.entry.minTime, place.firstMs);
    this.maxTime = place.entry.maxTime;
    this.builder = new RowMaskBuilder(place.mask);
  }

  mark(block: SpanBlock, counts: EndCounts): void {
    const { firstSeries, lastSeries } = this.place.entry;
    for (let first = 0; first < block.count;) {
      const end = endOfSeries(block, first);
      const series = block.series[first]!;
      if (series > lastSeries) return;
      if (series >= firstSeries) this.markSeries(series, block, first, end, counts);
      first = end;
    }
  }

  private markSeries(series: number, block: SpanBlock, first: number, end: number, counts: EndCounts): void {
    const { segment, entry, names } = this.place;
    if (block.fromMs[first]! > this.maxTime || block.toMs[end - 1]! < this.minTime) return;
    this.group ??= segment.rowGroup(entry, names);
    const place = this.group.placeOf(series);
    if (place < 0) return;
    let at = this.group.firstRowOf(place);
    const rowsEnd = this.group.seriesEnds[place]!;
    for (let i = first; i < end && at < rowsEnd; i++) at = this.markSpan(block, i, at, rowsEnd, counts);
  }

  /** Marks a span's rows in `[at, end)`; returns the first row that the next span may hold. */
  private markSpan(block: SpanBlock, i: number, at: number, end: number, counts: EndCounts): number {
    const fromMs = block.fromMs[i]!;
    const toMs = block.toMs[i]!;
    if (toMs < this.place.firstMs) return at;
    const first = this.firstRow(at, end, Math.max(fromMs, this.place.firstMs));
    const inner = this.markEnd(block, i, first, end, fromMs, counts);
    if (fromMs === toMs) return first;
    const last = this.firstRow(inner, end, toMs);
    this.builder.addRange(inner, last);
    this.markEnd(block, i, last, end, toMs, counts);
    return last;
  }

  /** Marks rows of one end of a span, from `at` on; returns the row behind. */
  private markEnd(
    block: SpanBlock,
    i: number,
    at: number,
    end: number,
    ms: number,
    counts: EndCounts,
  ): number {
    let row = at;
    for (; row < end && this.timeOf(row) === ms; row++) {
      if (this.place.mask?.has(row) === true) continue;
      if (holds(block, i, ms, counts)) this.builder.add(row);
    }
    return row;
  }

  /** The first row of `[at, end)` at that time or later: in steps that double, then halve. */
  private firstRow(at: number, end: number, ms: number): number {
    let low = at;
    let high = at;
    for (let step = 1; high < end && this.timeOf(high) < ms; step *= 2) {
      low = high + 1;
      high += step;
    }
    high = Math.min(high, end);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeOf(middle) >= ms) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private timeOf(row: number): number {
    const page = Math.floor(row / PAGE_ROWS);
    if (page !== this.page) {
      this.times = this.place.segment.times(this.group!.page(TIME_PAGES, page));
      this.page = page;
    }
    return this.times[row - page * PAGE_ROWS]!;
  }

  mask(): RowMask | undefined {
    return this.builder.build();
  }
}
