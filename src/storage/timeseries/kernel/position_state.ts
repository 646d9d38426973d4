/**
 * `$first` and `$last`: of each group where the value stands, read when it is asked for. The first row is the one that came
 * first; where rows are to count in order of time, the earliest, and of several of one time the one that came first.
 */
import type { Document, Value } from "../../../bson/mod.ts";
import { type ColumnView, indexOfRow, valueOf } from "./column_view.ts";
import type { AnyOutput } from "./fragment.ts";
import { grownDoubles, type OutputState } from "./output_state.ts";
import type { SliceSource } from "./slice_source.ts";

/** A value, or where it is. */
type Held = { readonly value: Value } | { readonly view: ColumnView; readonly index: number };

const MISSING: Held = { value: null };

export class PositionState implements OutputState {
  private readonly held: (Held | undefined)[] = [];
  /** Of the rows held, where order is that of time. */
  private times = new Float64Array(0);

  constructor(
    private readonly output: AnyOutput,
    private readonly path: number,
    private readonly isFirst: boolean,
    private readonly isInTimeOrder: boolean,
  ) {}

  reserve(groups: number): void {
    if (this.isInTimeOrder) this.times = grownDoubles(this.times, groups);
  }

  add(source: SliceSource, rows: Int32Array | undefined, from: number, to: number, group: number): void {
    const k = this.isFirst ? from : to - 1;
    const row = rows === undefined ? k : rows[k]!;
    if (!this.takes(group, source.times[row]!)) return;
    const view = source.view(this.path);
    const index = indexOfRow(view, row);
    this.held[group] = index < 0 ? MISSING : { view, index };
  }

  addRow(row: Document, group: number, ms: number): void {
    if (!this.takes(group, ms)) return;
    const value = this.output.read(row);
    this.held[group] = { value: value === undefined ? null : value };
  }

  addPage(): boolean {
    return false;
  }

  /** Whether a row of that time takes the place of the one held. */
  private takes(group: number, ms: number): boolean {
    if (this.held[group] === undefined) {
      if (this.isInTimeOrder) this.times[group] = ms;
      return true;
    }
    if (!this.isInTimeOrder) return !this.isFirst;
    const known = this.times[group]!;
    if (this.isFirst ? ms >= known : ms < known) return false;
    this.times[group] = ms;
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
    return this.isInTimeOrder;
  }
}
