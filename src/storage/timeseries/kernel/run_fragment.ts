/**
 * Runs a fragment over a table: series by series, each in order of time, as the row executor reads it; of each slice of
 * rows the ones that pass the condition, cut where a group ends, folded into the outputs a run at a time.
 */
import type { Document, Value } from "../../../bson/mod.ts";
import type { Clock } from "../../../io/mod.ts";
import { metaColumnsOf } from "../meta_column.ts";
import { narrow } from "../scan.ts";
import { Pacer } from "../scan_pacer.ts";
import type { TableSnapshot } from "../table_snapshot.ts";
import type { Direction } from "../run.ts";
import { RowFilter } from "./condition.ts";
import { CountState } from "./count_state.ts";
import { DeviationState } from "./deviation_state.ts";
import { ExtremeState } from "./extreme_state.ts";
import type { FragmentResult, Output, TimeseriesFragment } from "./fragment.ts";
import { GroupOrder } from "./group_order.ts";
import { GroupTable } from "./group_table.ts";
import { MeasuredGroups } from "./measured_groups.ts";
import type { OutputState } from "./output_state.ts";
import { NOT_THERE } from "./pair_table.ts";
import {
  ColumnPositionState,
  PositionState,
  RowPositionState,
  SeriesPositionState,
} from "./position_state.ts";
import { RunBatch } from "./run_batch.ts";
import { endOfTimes, SeriesRuns, type Slice } from "./series_runs.ts";
import { SeriesSources } from "./series_sources.ts";
import { SetState } from "./set_state.ts";
import type { SliceSource } from "./slice_source.ts";
import { SumState } from "./sum_state.ts";
import { SeriesState, ValueState } from "./value_state.ts";

/** Rows that are folded between two looks at the clock, and what a slice counts as beside its rows. */
const ROWS_BETWEEN_LOOKS = 4096;
const SLICE_ROWS = 64;
const INITIAL_GROUPS = 32;
const ANY_TIMES = () => true;

type Rows = Slice["rows"];

export async function runFragment(
  snapshot: TableSnapshot,
  fragment: TimeseriesFragment,
  clock: Clock,
): Promise<FragmentResult> {
  const pacer = new Pacer(clock, fragment.checkpoint);
  const { narrowed, matched } = await narrow(snapshot, fragment, pacer);
  const { keys, seriesEnds } = fragment;
  const columns = keys.useColumns &&
    await metaColumnsOf(snapshot, keys.metaPaths ?? [], matched, () => pacer.restIfDue());
  if (columns !== undefined) keys.useColumns?.(columns);
  const metaOf = (series: number) => snapshot.index.sharedMetaOf(series);
  const folding = new Folding(fragment, metaOf, columns !== undefined);
  const parts = fragment.condition === undefined ? "all paths" : "some paths";
  const sources = new SeriesSources(snapshot, narrowed, matched, fragment.paths, parts);
  const slices = new SeriesRuns();
  const areAlike = matched === undefined && seriesEnds === undefined && folding.areSeriesAlike;
  const areTogether = (minMs: number, maxMs: number) => folding.areTogether(minMs, maxMs);
  const areParted = !areAlike && matched === undefined && seriesEnds === undefined && folding.filtersAlike;
  let work = 0;
  for (let series = 0; series < snapshot.seriesCount; series++) {
    if (seriesEnds === undefined) series = sources.nextSeries(series);
    else if (matched !== undefined) series = matched.next(series);
    if (series >= snapshot.seriesCount) break;
    if (folding.rows > 0) sources.areStatisticsUsed = folding.usesStatistics;
    const prefetch = sources.prefetch(series, seriesEnds);
    if (prefetch !== undefined) await prefetch;
    const many = areAlike
      ? sources.runOfMany(series, areTogether, false)
      : areParted
      ? sources.runOfMany(series, ANY_TIMES, true)
      : undefined;
    const runs = many !== undefined
      ? [many.run]
      : seriesEnds === undefined
      ? sources.runsOf(series)
      : sources.endsOf(series, seriesEnds);
    work++;
    if (runs.length > 0) {
      folding.enter(series, areAlike && many !== undefined);
      const isParted = areParted && many !== undefined;
      if (many !== undefined) series = many.last;
      slices.enter(runs);
      for (let slice = slices.next(); slice !== undefined; slice = slices.next()) {
        for (let rest: Slice | undefined = slice; rest !== undefined;) {
          rest = isParted ? folding.addOfMany(rest) : folding.add(rest);
          if (rest !== undefined) await pacer.restIfDue();
        }
        if (folding.tookLong) await pacer.restIfDue();
        work += slice.to - slice.from + SLICE_ROWS;
        if (work >= ROWS_BETWEEN_LOOKS) {
          if (folding.isSpoilt) return folding;
          work = 0;
          if (pacer.isDue()) await pacer.rest();
        }
      }
    }
    if (work >= ROWS_BETWEEN_LOOKS) {
      work = 0;
      if (pacer.isDue()) await pacer.rest();
    }
  }
  folding.foldBatch();
  fragment.counters.rowsRead += folding.rows;
  return folding;
}

/** The outputs of all groups, while rows come in. */
class Folding implements FragmentResult {
  groups = 0;
  /** Rows read, whether they pass or not. */
  rows = 0;
  /** Whether a page was answered by what is known of it. */
  usesStatistics = false;
  private readonly states: readonly OutputState[];
  private readonly perSeries: readonly (SeriesState | SeriesPositionState)[];
  private readonly filter: RowFilter | undefined;
  private readonly table: GroupTable;
  /** Where keys read measured values: then what the table calls groups are cells of series and time. */
  private readonly measured: MeasuredGroups | undefined;
  private meta: Value = undefined;
  private readonly needsMeta: boolean;
  /** Whether all outputs are counts. */
  private readonly onlyCounts: boolean;
  private readonly order: GroupOrder | undefined;
  private readonly batch = new RunBatch();
  private room = 0;
  private series = 0;
  private areMany = false;
  private isEntered = false;

  /**
   * @param metaOf the metaField's value of a series
   * @param hasColumns whether keys have been given columns instead
   */
  constructor(
    private readonly fragment: TimeseriesFragment,
    private readonly metaOf: (series: number) => Value,
    hasColumns: boolean,
  ) {
    this.states = fragment.outputs.map((output) => stateOf(output, fragment.timeOrder));
    // Positions go by the time of their rows.
    const goesByTime = this.states.every((state) => state instanceof PositionState);
    this.order = fragment.timeOrder === undefined || goesByTime ? undefined : new GroupOrder(this.states);
    this.perSeries = this.states.filter((state) =>
      state instanceof SeriesState || state instanceof SeriesPositionState
    );
    this.needsMeta = (fragment.keysReadMeta && !hasColumns) || this.perSeries.length > 0;
    this.filter = fragment.condition && new RowFilter(fragment.condition, metaOf);
    const { measured } = fragment.keys;
    this.measured = measured && new MeasuredGroups(measured);
    this.onlyCounts = this.order === undefined && this.states.every((state) => state instanceof CountState);
    this.table = new GroupTable(this.measured?.cellKeys(fragment.keys) ?? fragment.keys);
  }

  get dependsOnOrder(): boolean {
    return this.order?.matters() ?? false;
  }

  /** Whether the slice that came last was long work. */
  get tookLong(): boolean {
    return this.filter?.tookLong ?? false;
  }

  /** Whether it is known already that the result will be none. */
  get isSpoilt(): boolean {
    return this.order?.isSpoilt ?? false;
  }

  /** Whether it makes no difference which series a row is of: then those of several may come together. */
  get areSeriesAlike(): boolean {
    return !this.needsMeta && !this.fragment.keysReadMeta && this.fragment.timeOrder === undefined &&
      !(this.filter?.dependsOnSeries ?? false);
  }

  /** Whether there is a condition that asks for no series: then rows of several may be judged together. */
  get filtersAlike(): boolean {
    return this.filter?.dependsOnSeries === false;
  }

  /** Whether times are in one span. */
  areTogether(minMs: number, maxMs: number): boolean {
    return this.table.moveTo(minMs) > maxMs;
  }

  /** Rows of this series follow. @param areMany whether those of others do, too, their times in no order */
  enter(series: number, areMany: boolean): void {
    this.series = series;
    this.areMany = areMany;
    this.isEntered = false;
    this.filter?.enter(series);
  }

  /** Takes the rows in; the rest of the slice where its condition takes long, to be given again after a rest. */
  add(slice: Slice): Slice | undefined {
    const { filter } = this;
    if (slice.source.needsRows) {
      this.rows += slice.to - slice.from;
      this.addRows(slice);
      return undefined;
    }
    const kept = filter === undefined ? slice : filter.apply(slice);
    const end = filter === undefined ? slice.to : slice.from + filter.judgedCount;
    this.rows += end - slice.from;
    if (kept !== undefined) this.addKept(kept);
    return end === slice.to ? undefined : { ...slice, from: end };
  }

  /** As `add`, of rows of several series, in their order: series without a row that passes cost nothing. */
  addOfMany(slice: Slice): Slice | undefined {
    const kept = slice.source.needsRows ? slice : this.filter!.apply(slice);
    const end = slice.source.needsRows ? slice.to : slice.from + this.filter!.judgedCount;
    this.rows += end - slice.from;
    for (let at = kept?.from ?? 0; kept !== undefined && at < kept.to;) {
      const part = { ...kept, from: at, to: endOfPart(kept, at) };
      this.enter(kept.source.seriesOf!(rowAt(kept, at)), false);
      if (kept.source.needsRows) this.addRows(part);
      else this.addKept(part);
      at = part.to;
    }
    return end === slice.to ? undefined : { ...slice, from: end };
  }

  private addKept(kept: Slice): void {
    this.enterSeries();
    const { source, rows, from, to } = kept;
    const bounds = source.timeBounds;
    if (bounds !== undefined && this.table.moveTo(bounds.min) > bounds.max) {
      this.addRun(source, rows, from, to, bounds.min);
      return;
    }
    const { times } = source;
    const lastMs = times[rows === undefined ? to - 1 : rows[to - 1]!]!;
    for (let at = from; at < to;) {
      const ms = times[rows === undefined ? at : rows[at]!]!;
      const endMs = this.table.moveTo(ms);
      const end = this.areMany
        ? this.table.endInSpan(times, rows, at, to)
        : lastMs < endMs
        ? to
        : endOfTimes(times, rows, at, to, endMs);
      this.addRun(source, rows, at, end, ms);
      at = end;
    }
  }

  /** Takes rows of one series and span of time; `ms` is the time of one of them. */
  private addRun(source: SliceSource, rows: Rows, from: number, to: number, ms: number): void {
    if (this.measured === undefined) this.addTogether(source, rows, from, to, this.groupAt(ms));
    else this.addMeasured(this.measured, { source, rows, from, to }, ms);
  }

  /** Takes rows of one group. */
  private addTogether(source: SliceSource, rows: Rows, from: number, to: number, group: number): void {
    const isPage = rows === undefined && to - from === source.rowCount;
    if (rows === undefined && !isPage) {
      if (!this.batch.takes(source, from)) this.foldBatch();
      this.batch.add(source, from, to, group);
    } else {
      this.foldBatch();
      let answered = 0;
      for (let i = 0; i < this.states.length; i++) {
        if (isPage && this.addPage(source, i, group)) answered++;
        else this.states[i]!.add(source, rows, from, to, group);
      }
      if (answered === this.states.length) this.usesStatistics = true;
    }
    if (this.order === undefined) return;
    const { times } = source;
    this.order.add(
      group,
      times[rows === undefined ? from : rows[from]!]!,
      times[rows === undefined ? to - 1 : rows[to - 1]!]!,
    );
  }

  /** Folds the runs that were gathered; asked once all rows are in. */
  foldBatch(): void {
    const { batch } = this;
    if (batch.count === 0) return;
    for (const state of this.states) state.addRuns(batch);
    batch.clear();
  }

  /** What is known of a whole page may be all that an output needs. */
  private addPage(source: SliceSource, output: number, group: number): boolean {
    const asked = this.fragment.outputs[output]!;
    const page = "path" in asked ? source.page(asked.path) : undefined;
    return this.states[output]!.addPage(page, group);
  }

  /** As `addRun`, of rows whose groups depend on their values. */
  private addMeasured(measured: MeasuredGroups, run: Slice, ms: number): void {
    const { source, rows, from, to } = run;
    const group = measured.read(run, this.table.group(ms), this.meta, ms);
    this.reserve(measured.greatest);
    if (group !== NOT_THERE) return this.addTogether(source, rows, from, to, group);
    if (this.onlyCounts) {
      for (const state of this.states) (state as CountState).addEach(measured.groups, to - from);
      return;
    }
    measured.part(rows, from, to, this.groups);
    const { partGroups, partEnds, partCount } = measured;
    for (let part = 0, start = 0; part < partCount; part++) {
      const end = partEnds[part]!;
      this.addTogether(source, measured.rows, start, end, partGroups[part]!);
      start = end;
    }
  }

  partial(output: number, group: number): Value {
    return this.states[output]!.partial(group);
  }

  result(output: number, group: number): Value {
    return this.states[output]!.result(group);
  }

  private addRows({ source, rows, from, to }: Slice): void {
    this.foldBatch();
    for (let k = from; k < to; k++) {
      const row = rows === undefined ? k : rows[k]!;
      const document = source.documentAt(row);
      if (!this.fragment.matches(document)) continue;
      this.enterSeries();
      const ms = source.times[row]!;
      const group = this.groupOfRow(document, ms);
      for (const state of this.states) state.addRow(document, group, ms);
      this.order?.add(group, ms, ms);
    }
  }

  private enterSeries(): void {
    if (this.isEntered) return;
    this.isEntered = true;
    const meta = this.meta = this.needsMeta ? this.metaOf(this.series) : undefined;
    this.table.enter(this.series, meta);
    if (this.perSeries.length === 0) return;
    // What was gathered is of the series before.
    this.foldBatch();
    for (const state of this.perSeries) state.enter(meta);
  }

  private groupAt(ms: number): number {
    return this.reserve(this.table.group(ms));
  }

  private groupOfRow(row: Document, ms: number): number {
    const { measured } = this.fragment.keys;
    if (measured !== undefined) return this.reserve(measured.groupOfRow(row, ms));
    this.table.moveTo(ms);
    return this.groupAt(ms);
  }

  /** Makes room for a group. */
  private reserve(group: number): number {
    if (group >= this.groups) {
      this.groups = group + 1;
      if (this.groups > this.room) {
        this.room = Math.max(INITIAL_GROUPS, this.room * 2, this.groups);
        for (const state of this.states) state.reserve(this.room);
        this.order?.reserve(this.room);
      }
    }
    return group;
  }
}

function rowAt({ rows }: Slice, place: number): number {
  return rows === undefined ? place : rows[place]!;
}

/** Where the rows of the series end that the one at a place is of. */
function endOfPart(slice: Slice, place: number): number {
  const { source, rows, to } = slice;
  const end = source.endOfSeries!(rowAt(slice, place));
  if (rows === undefined) return Math.min(to, end);
  let next = place + 1;
  while (next < to && rows[next]! < end) next++;
  return next;
}

function stateOf(output: Output, timeOrder: Direction | undefined): OutputState {
  switch (output.kind) {
    case "count":
      return new CountState();
    case "sum":
      return new SumState(output, false);
    case "average":
      return new SumState(output, true);
    case "minimum":
      return new ExtremeState(output, false);
    case "maximum":
      return new ExtremeState(output, true);
    case "first":
    case "last":
      return new ColumnPositionState(output, output.kind === "first", timeOrder, output.path);
    case "deviation":
      return new DeviationState(output);
    case "set":
      return new SetState(output, output.path);
    case "values":
      return new ValueState(output, output.path);
    case "row":
      return new RowPositionState(output, timeOrder);
    case "series":
      return timeOrder !== undefined && output.end !== undefined
        ? new SeriesPositionState(output, output.end === "first", timeOrder, output.of)
        : new SeriesState(output, output.of, output.once);
  }
}
