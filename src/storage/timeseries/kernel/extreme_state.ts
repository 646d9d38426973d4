/**
 * `$min` and `$max` over numbers and dates: of each group the best value and its type; of equal ones the first. A page whose
 * bounds say that no value in it is better than what its groups have is passed over, and need not be read.
 */
import { Int32, UtcDate, type Value } from "../../../bson/mod.ts";
import {
  grownBytes,
  grownDoubles,
  MIXED,
  newBytes,
  NO_BYTES,
  NO_DOUBLES,
  ValueType,
} from "../../../column/mod.ts";
import type { Page } from "../row_group.ts";
import { type ColumnView, isExactPageOf, type NumberArray } from "./column_view.ts";
import { maximaOf, maximumOf, minimaOf, minimumOf } from "./dense_loops.ts";
import type { FoldedOutput } from "./fragment.ts";
import { FoldedState } from "./output_state.ts";
import { MAX_RUNS, type Runs } from "./run_batch.ts";
import type { SliceSource } from "./slice_source.ts";

/** A group without a value. */
const NOTHING = 0;
/** Of runs. */
const BESTS = new Float64Array(MAX_RUNS);

export class ExtremeState extends FoldedState {
  private types = NO_BYTES;
  private values = NO_DOUBLES;
  /** 1 for groups that have met equal values of several types, or may have: which came first shows. Made for the first one. */
  private mixed: Uint8Array | undefined;

  constructor(output: FoldedOutput, private readonly isMaximum: boolean) {
    super(output, output.path);
  }

  override reserve(groups: number): void {
    this.types = grownBytes(this.types, groups);
    this.values = grownDoubles(this.values, groups);
    this.mixed &&= grownBytes(this.mixed, groups);
  }

  override add(
    source: SliceSource,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): void {
    if (this.hasBest(group, source.page(this.path))) return;
    super.add(source, rows, from, to, group);
  }

  override addRuns(runs: Runs): void {
    const { source, groups, count } = runs;
    const page = source.page(this.path);
    let run = 0;
    while (run < count && this.hasBest(groups[run]!, page)) run++;
    if (run < count) super.addRuns(runs);
  }

  /** Whether no value of a page is better than what a group has, and all are of its type. */
  private hasBest(group: number, page: Page | undefined): boolean {
    const type = this.types[group]!;
    if (page === undefined || (type !== ValueType.Int32 && type !== ValueType.Double)) return false;
    if (page.typeSet !== 1 << type || page.nans > 0 || this.hasAccumulator(group)) return false;
    const best = this.values[group]!;
    return this.isMaximum ? best >= page.max : best <= page.min;
  }

  override addPage(page: Page | undefined, group: number): boolean {
    if (page === undefined || this.hasAccumulator(group)) return false;
    if (page.count === 0) return true;
    // Of int32 alone: equal doubles may differ in their bits.
    if (!isExactPageOf(page, ValueType.Int32)) return false;
    return this.take(group, this.isMaximum ? page.max : page.min, ValueType.Int32);
  }

  protected override fold(
    view: ColumnView,
    indexes: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): boolean {
    const numbers = view.numbers!;
    const best = this.best(view, indexes, from, to);
    if (view.type !== MIXED) return this.take(group, best, view.type);
    // The first of the equal ones says the type.
    let k = from;
    let index = indexes === undefined ? k : indexes[k]!;
    while (isAbove(numbers[index]!, best) || isAbove(best, numbers[index]!)) {
      k++;
      index = indexes === undefined ? k : indexes[k]!;
    }
    this.setMixed(group);
    return this.take(group, numbers[index]!, view.column!.typeAt(index));
  }

  protected override foldRuns(view: ColumnView, runs: Runs): boolean {
    const { type } = view;
    if (type === MIXED) return false;
    const { starts, ends, groups, count } = runs;
    if (this.isMaximum) maximaOf(view, runs, BESTS);
    else minimaOf(view, runs, BESTS);
    for (let i = 0; i < count; i++) {
      const group = groups[i]!;
      if (this.hasAccumulator(group) || !this.take(group, BESTS[i]!, type)) {
        this.addView(view, undefined, starts[i]!, ends[i]!, group);
      }
    }
    return true;
  }

  private best(view: ColumnView, indexes: Int32Array | undefined, from: number, to: number): number {
    if (indexes === undefined) return this.isMaximum ? maximumOf(view, from, to) : minimumOf(view, from, to);
    const numbers = view.numbers!;
    return this.isMaximum ? maximumAt(numbers, indexes, from, to) : minimumAt(numbers, indexes, from, to);
  }

  /** Keeps the better one; false when the two are not of one kind. */
  private take(group: number, value: number, type: number): boolean {
    const known = this.types[group]!;
    if (known !== NOTHING) {
      if ((known === ValueType.Date) !== (type === ValueType.Date)) return false;
      if (known !== type) this.setMixed(group);
      const best = this.values[group]!;
      if (this.isMaximum ? !isAbove(value, best) : !isAbove(best, value)) return true;
    }
    this.types[group] = type;
    this.values[group] = value;
    return true;
  }

  private setMixed(group: number): void {
    const mixed = this.mixed ??= newBytes(this.types.length);
    mixed[group] = 1;
  }

  protected override foldedPartial(group: number): Value {
    return numberOfType(this.types[group]!, this.values[group]!);
  }

  /** Zeros of both signs are equal, too, and NaN has many forms. */
  protected override isFoldedOrderFree(group: number): boolean {
    const best = this.values[group]!;
    return this.mixed?.[group] !== 1 &&
      (this.types[group] !== ValueType.Double || (best !== 0 && best === best));
  }

  protected override foldedResult(group: number): Value {
    return this.foldedPartial(group);
  }
}

function numberOfType(type: number, value: number): Value {
  switch (type) {
    case NOTHING:
      return null;
    case ValueType.Int32:
      return Int32.of(value);
    case ValueType.Int64:
      return BigInt(value);
    case ValueType.Date:
      return new UtcDate(value);
    default:
      return value;
  }
}

/** In BSON order: NaN stands below all numbers. */
function isAbove(a: number, b: number): boolean {
  return a > b || (b !== b && a === a);
}

function maximumAt(numbers: NumberArray, indexes: Int32Array, from: number, to: number): number {
  let best = numbers[indexes[from]!]!;
  for (let k = from + 1; k < to; k++) {
    const value = numbers[indexes[k]!]!;
    if (value > best || best !== best) best = value;
  }
  return best;
}

function minimumAt(numbers: NumberArray, indexes: Int32Array, from: number, to: number): number {
  let best = numbers[indexes[from]!]!;
  for (let k = from + 1; k < to; k++) {
    const value = numbers[indexes[k]!]!;
    if (value < best) best = value;
    else if (value !== value) return value;
  }
  return best;
}
