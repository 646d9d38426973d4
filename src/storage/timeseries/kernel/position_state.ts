/**
 * `$first` and `$last`: of each group where the value stands, read when it is asked for. The first row is the one that came
 * first; where rows are to count in order of time, or of time backwards, the first in that order, and of several of one time
 * the one that came first.
 */
import type { Document, Value } from "../../../bson/mod.ts";
import type { Direction } from "../run.ts";
import { type ColumnView, indexOfRow, valueOf } from "./column_view.ts";
import type { AnyOutput } from "./fragment.ts";
import { grownDoubles, type OutputState } from "./output_state.ts";
import type { SliceSource } from "./slice_source.ts";

/** A value, or where it is. */
type Held = { readonly value: Value } | { readonly view: ColumnView; readonly index: number };

const MISSING: Held = { value: null };

export abstract class PositionState implements OutputState {
  private readonly held: (Held | undefined)[] = [];
  /** Of the rows held, where order is that of time. */
  private times = new Float64Array(0);
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

  /** The value of a row, or where it is. */
  protected abstract at(source: SliceSource, row: number): Held;

  reserve(groups: number): void {
    if (this.timeOrder !== undefined) this.times = grownDoubles(this.times, groups);
  }

  add(source: SliceSource, rows: Int32Array | undefined, from: number, to: number, group: number): void {
    const { times } = source;
    let k = this.takesEarliest ? from : to - 1;
    const ms = times[rows === undefined ? k : rows[k]!]!;
    if (!this.takes(group, ms)) return;
    if (this.timeOrder === -1) {
      // Rows of one time still count in the order in which they come.
      const step = this.isFirst ? -1 : 1;
      const end = this.isFirst ? from - 1 : to;
      while (k + step !== end && times[rows === undefined ? k + step : rows[k + step]!] === ms) k += step;
    }
    this.held[group] = this.at(source, rows === undefined ? k : rows[k]!);
  }

  addRow(row: Document, group: number, ms: number): void {
    if (!this.takes(group, ms)) return;
    const value = this.output.read(row);
    this.held[group] = value === undefined ? MISSING : { value };
  }

  addPage(): boolean {
    return false;
  }

  /** Whether a row of that time takes the place of the one held. */
  private takes(group: number, ms: number): boolean {
    if (this.held[group] !== undefined) {
      if (this.timeOrder === undefined) return !this.isFirst;
      const known = this.times[group]!;
      const isBetter = this.takesEarliest ? ms < known : ms > known;
      if (!isBetter && (this.isFirst || ms !== known)) return false;
    }
    if (this.timeOrder !== undefined) this.times[group] = ms;
    return true;
  }

  partial(group: number): Value {
    const held = this.held[group];
    if (held === undefined) return null;
    return "value" in held ? held.value : valueOf(held.view, held.index);
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

  protected override at(source: SliceSource, row: number): Held {
    const view = source.view(this.path, undefined, row, row + 1);
    const index = indexOfRow(view, row);
    return index < 0 ? MISSING : { view, index };
  }
}

/** Of a value that all rows of a series share. */
export class SeriesPositionState extends PositionState {
  private value: Held = MISSING;

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
    const value = this.of(meta);
    this.value = value === undefined ? MISSING : { value };
  }

  protected override at(): Held {
    return this.value;
  }
}
