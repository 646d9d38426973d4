/** Outputs that take their values one by one: those of a column, or one value for all rows of a series. */
import type { Document, Value } from "../../../bson/mod.ts";
import { indexOfRow, valueOf } from "./column_view.ts";
import type { Accumulator, AnyOutput, FoldedOutput } from "./fragment.ts";
import type { OutputState } from "./output_state.ts";
import { addEachRun, type Runs } from "./run_batch.ts";
import type { SliceSource } from "./slice_source.ts";

/** The accumulators of all groups. */
export abstract class AccumulatorState implements OutputState {
  private readonly accumulators: Accumulator[] = [];

  constructor(private readonly output: AnyOutput) {}

  abstract add(
    source: SliceSource,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): void;

  addRuns(runs: Runs): void {
    addEachRun(this, runs);
  }

  reserve(): void {}

  addRow(row: Document, group: number): void {
    this.accumulatorOf(group).add(this.output.read(row));
  }

  addPage(): boolean {
    return false;
  }

  partial(group: number): Value {
    return this.accumulatorOf(group).partial();
  }

  isOrderFree(): boolean {
    return false;
  }

  result(group: number): Value {
    return this.accumulatorOf(group).result();
  }

  protected accumulatorOf(group: number): Accumulator {
    return this.accumulators[group] ??= this.output.create(group);
  }
}

/** Missing values are handed over as well. */
export class ValueState extends AccumulatorState {
  constructor(output: AnyOutput, private readonly path: FoldedOutput["path"]) {
    super(output);
  }

  override add(
    source: SliceSource,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): void {
    const view = source.view(this.path, rows, from, to);
    const accumulator = this.accumulatorOf(group);
    for (let k = from; k < to; k++) {
      const index = indexOfRow(view, rows === undefined ? k : rows[k]!);
      accumulator.add(index < 0 ? undefined : valueOf(view, index));
    }
  }
}

/** One value for all rows of a series. */
export class SeriesState extends AccumulatorState {
  private value: Value = undefined;

  /** @param once whether many equal values do no more than one */
  constructor(
    output: AnyOutput,
    private readonly of: (meta: Value) => Value,
    private readonly once: boolean,
  ) {
    super(output);
  }

  /** Rows of this meta follow. */
  enter(meta: Value): void {
    this.value = this.of(meta);
  }

  override add(
    _source: SliceSource,
    _rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): void {
    const accumulator = this.accumulatorOf(group);
    const times = this.once ? 1 : to - from;
    for (let i = 0; i < times; i++) accumulator.add(this.value);
  }
}
