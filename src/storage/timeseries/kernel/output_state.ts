/** What the groups of a fragment hold of one output. Groups are numbered from 0. */
import type { Document, Value } from "../../../bson/mod.ts";
import { NO_TYPE } from "../../../column/mod.ts";
import type { Page } from "../row_group.ts";
import { type ColumnView, locate, type Located, valueOf } from "./column_view.ts";
import type { Accumulator, AnyOutput } from "./fragment.ts";
import type { Runs } from "./run_batch.ts";
import type { SliceSource } from "./slice_source.ts";

export interface OutputState {
  /** Makes room for groups below `groups`. */
  reserve(groups: number): void;
  /** Takes the rows `[from, to)` of a source, or those that `rows[from, to)` name, in that order. */
  add(source: SliceSource, rows: Int32Array | undefined, from: number, to: number, group: number): void;
  /** As `add`, of neighbouring rows of several groups. */
  addRuns(runs: Runs): void;
  /** Takes a row that has to be read as a document. @param ms its time */
  addRow(row: Document, group: number, ms: number): void;
  /** Takes a whole page, if what is known of it is enough. @returns whether it was */
  addPage(page: Page | undefined, group: number): boolean;
  /** What a group holds, as the accumulator's `partial` gives it. */
  partial(group: number): Value;
  /** The accumulator's `result` for a group; undefined where the accumulator itself has to say it, from the partial. */
  result(group: number): Value;
  /** Whether a group holds, to the bit, what it would hold of the same rows in any other order. */
  isOrderFree(group: number): boolean;
}

/** Where the values of the run stand that is being taken. */
const LOCATED: Located = { indexes: undefined, from: 0, to: 0 };

/**
 * An output over the values at a path. Groups hold numbers in arrays of their own for as long as those can say what the
 * accumulator would hold; from the first other value on a group has an accumulator.
 */
export abstract class FoldedState implements OutputState {
  /** Made for the first group that has one. */
  private accumulators: (Accumulator | undefined)[] | undefined;

  constructor(private readonly output: AnyOutput, protected readonly path: number) {}

  abstract reserve(groups: number): void;

  /** Folds numbers: `[from, to)`, at least one, or those that `indexes` name. @returns false to get them one by one instead */
  protected abstract fold(
    view: ColumnView,
    indexes: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): boolean;

  /** What a group without an accumulator holds. */
  protected abstract foldedPartial(group: number): Value;

  /** As `result`, of a group without an accumulator. */
  protected foldedResult(_group: number): Value {
    return undefined;
  }

  addPage(_page: Page | undefined, _group: number): boolean {
    return false;
  }

  add(source: SliceSource, rows: Int32Array | undefined, from: number, to: number, group: number): void {
    this.addView(source.view(this.path, rows, from, to), rows, from, to, group);
  }

  addRuns(runs: Runs): void {
    const { source, starts, ends, groups, count } = runs;
    const view = source.view(this.path, undefined, starts[0]!, ends[count - 1]!);
    if (view.type === NO_TYPE) return;
    if (view.numbers !== undefined && view.places === undefined && this.foldRuns(view, runs)) return;
    for (let i = 0; i < count; i++) this.addView(view, undefined, starts[i]!, ends[i]!, groups[i]!);
  }

  /** Folds runs of numbers, one a row. @returns false to get them run by run instead */
  protected foldRuns(_view: ColumnView, _runs: Runs): boolean {
    return false;
  }

  protected addView(
    view: ColumnView,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): void {
    locate(view, rows, from, to, LOCATED);
    const { indexes, from: first, to: end } = LOCATED;
    if (first === end) return;
    if (view.numbers !== undefined && !this.hasAccumulator(group)) {
      if (this.fold(view, indexes, first, end, group)) return;
    }
    const accumulator = this.accumulatorOf(group);
    for (let k = first; k < end; k++) {
      accumulator.add(valueOf(view, indexes === undefined ? k : indexes[k]!));
    }
  }

  addRow(row: Document, group: number): void {
    this.accumulatorOf(group).add(this.output.read(row));
  }

  partial(group: number): Value {
    return this.accumulators?.[group]?.partial() ?? this.foldedPartial(group);
  }

  result(group: number): Value {
    return this.hasAccumulator(group) ? undefined : this.foldedResult(group);
  }

  isOrderFree(group: number): boolean {
    return !this.hasAccumulator(group) && this.isFoldedOrderFree(group);
  }

  /** As `isOrderFree`, of a group without an accumulator. */
  protected isFoldedOrderFree(_group: number): boolean {
    return false;
  }

  /** Whether a group has gone over to an accumulator. */
  protected hasAccumulator(group: number): boolean {
    return this.accumulators !== undefined && this.accumulators[group] !== undefined;
  }

  /** The accumulator that a group holds from now on. */
  private accumulatorOf(group: number): Accumulator {
    const accumulators = this.accumulators ??= [];
    const known = accumulators[group];
    if (known !== undefined) return known;
    const made = this.output.create(group);
    made.merge(this.foldedPartial(group));
    return accumulators[group] = made;
  }
}
