/**
 * `$first` and `$last`: of each group where the value stands, read when it is asked for. The first row is the one that came
 * first; where rows are to count in order of time, or of time backwards, the first in that order, and of several of one time
 * the one that came first.
 *
 *     group g        value indexes[g] of origins[g]; no origin while it has no rows
 */
import type { Document, Value } from "../../../bson/mod.ts";
import { grownDoubles, grownInt32s, NO_DOUBLES, NO_INT32S } from "../../../column/mod.ts";
import type { Direction } from "../run.ts";
import { type ColumnView, indexOfRow, valueOf } from "./column_view.ts";
import type { AnyOutput, RowOutput } from "./fragment.ts";
import type { OutputState } from "./output_state.ts";
import { addEachRun, type Runs } from "./run_batch.ts";
import type { SliceSource } from "./slice_source.ts";

type Origin = ColumnView | { readonly value: Value };

const MISSING: Origin = { value: null };

export abstract class PositionState implements OutputState {
  private readonly origins: (Origin | undefined)[] = [];
  private indexes: Int32Array = NO_INT32S;
  /** Of the rows held, where order is that of time. */
  private times = NO_DOUBLES;
  /** Whether the row of the earliest time is asked for: without an order of time, the one that came first. */
  private readonly takesEarliest: boolean;

  /** @param timeOrder the order in which rows are to count; undefined for that in which they come */
  constructor(
    private readonly output: AnyOutput,
    private readonly isFirst: boolean,
    private readonly timeOrder: Direction | undefined,
  ) {
    this.takesEarliest = isFirst === (timeOrder !== -1);
  }

  /** Holds the value of a row. */
  protected abstract hold(source: SliceSource, row: number, group: number): void;

  protected holdValue(value: Value, group: number): void {
    this.origins[group] = value === undefined ? MISSING : { value };
  }

  protected holdCell(view: ColumnView, index: number, group: number): void {
    this.origins[group] = view;
    this.indexes[group] = index;
  }

  reserve(groups: number): void {
    this.indexes = grownInt32s(this.indexes, groups);
    if (this.timeOrder !== undefined) this.times = grownDoubles(this.times, groups);
  }

  add(source: SliceSource, rows: Int32Array | undefined, from: number, to: number, group: number): void {
    const row = this.rowOf(source, rows, from, to, group);
    if (row >= 0) this.hold(source, row, group);
  }

  /** Of rows as `add` has them the one whose value is held from now on; -1 for none. */
  protected rowOf(
    source: SliceSource,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): number {
    if (this.isFirst && this.timeOrder === undefined && this.origins[group] !== undefined) return -1;
    const { times } = source;
    let k = this.takesEarliest ? from : to - 1;
    if (this.timeOrder !== undefined) {
      const ms = times[rows === undefined ? k : rows[k]!]!;
      if (!this.takes(group, ms)) return -1;
      if (this.timeOrder === -1) {
        // Rows of one time still count in the order in which they come.
        const step = this.isFirst ? -1 : 1;
        const end = this.isFirst ? from - 1 : to;
        while (k + step !== end && times[rows === undefined ? k + step : rows[k + step]!] === ms) k += step;
      }
    }
    return rows === undefined ? k : rows[k]!;
  }

  addRuns(runs: Runs): void {
    addEachRun(this, runs);
  }

  addRow(row: Document, group: number, ms: number): void {
    if (this.takes(group, ms)) this.holdRow(row, group);
  }

  /** Holds the value of a row that is read as a document. */
  protected holdRow(row: Document, group: number): void {
    this.holdValue(this.output.read(row), group);
  }

  addPage(): boolean {
    return false;
  }

  /** Whether a row of that time takes the place of the one held. */
  private takes(group: number, ms: number): boolean {
    if (this.origins[group] !== undefined) {
      if (this.timeOrder === undefined) return !this.isFirst;
      const known = this.times[group]!;
      const isBetter = this.takesEarliest ? ms < known : ms > known;
      if (!isBetter && (this.isFirst || ms !== known)) return false;
    }
    if (this.timeOrder !== undefined) this.times[group] = ms;
    return true;
  }

  partial(group: number): Value {
    const origin = this.origins[group];
    if (origin === undefined) return null;
    return "value" in origin ? origin.value : valueOf(origin, this.indexes[group]!);
  }

  result(group: number): Value {
    return this.partial(group);
  }

  /** Of one time the order is always that of series. */
  isOrderFree(): boolean {
    return this.timeOrder !== undefined;
  }
}

/** Of the values at a path. */
export class ColumnPositionState extends PositionState {
  constructor(
    output: AnyOutput,
    isFirst: boolean,
    timeOrder: Direction | undefined,
    private readonly path: number,
  ) {
    super(output, isFirst, timeOrder);
  }

  override addRuns({ source, starts, ends, groups, count }: Runs): void {
    const view = source.view(this.path, undefined, starts[0]!, ends[count - 1]!);
    for (let i = 0; i < count; i++) {
      const row = this.rowOf(source, undefined, starts[i]!, ends[i]!, groups[i]!);
      if (row >= 0) this.holdIn(view, row, groups[i]!);
    }
  }

  protected override hold(source: SliceSource, row: number, group: number): void {
    this.holdIn(source.view(this.path, undefined, row, row + 1), row, group);
  }

  private holdIn(view: ColumnView, row: number, group: number): void {
    const index = indexOfRow(view, row);
    if (index < 0) this.holdValue(undefined, group);
    else this.holdCell(view, index, group);
  }
}

/** Of the rows themselves: copies of them. */
export class RowPositionState extends PositionState {
  private readonly keep: RowOutput["keep"];
  private readonly copies: Document[] = [];

  constructor(output: RowOutput, timeOrder: Direction | undefined) {
    super(output, output.end === "first", timeOrder);
    this.keep = output.keep;
  }

  protected override hold(source: SliceSource, row: number, group: number): void {
    this.holdRow(source.documentAt(row), group);
  }

  protected override holdRow(row: Document, group: number): void {
    const copy = this.copies[group] = this.keep(row, this.copies[group]);
    this.holdValue(copy, group);
  }
}

/** Of a value that all rows of a series share. */
export class SeriesPositionState extends PositionState {
  private value: Value = undefined;

  constructor(
    output: AnyOutput,
    isFirst: boolean,
    timeOrder: Direction,
    private readonly of: (meta: Value) => Value,
  ) {
    super(output, isFirst, timeOrder);
  }

  /** Rows of this meta follow. */
  enter(meta: Value): void {
    this.value = this.of(meta);
  }

  protected override hold(_source: SliceSource, _row: number, group: number): void {
    this.holdValue(this.value, group);
  }
}
