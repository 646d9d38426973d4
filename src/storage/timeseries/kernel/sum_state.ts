/**
 * `$sum` and `$avg`: what query/expression/summation.ts holds of each group (rank of the widest type, running sum, its
 * error so far, plain sum), in arrays. Integers whose sum stays within ±2⁵³ are added up plainly, which is the same; all
 * other numbers one by one with compensation, in the order of the rows.
 */
import { Int32, type Value } from "../../../bson/mod.ts";
import { grownBytes, grownDoubles, MIXED, NO_BYTES, NO_DOUBLES, ValueType } from "../../../column/mod.ts";
import type { Page } from "../row_group.ts";
import { type ColumnView, firstDouble, isExactPageOf, type NumberArray } from "./column_view.ts";
import { sumOf, sumsOf } from "./dense_loops.ts";
import type { FoldedOutput } from "./fragment.ts";
import { FoldedState } from "./output_state.ts";
import { MAX_RUNS, type Runs } from "./run_batch.ts";

/** Ranks of types, as in query/expression/number.ts. */
const INT = 0;
const LONG = 1;
const DOUBLE = 2;
const EXACT_LIMIT = 2 ** 53;
const TWO_32 = 4294967296;
/** Of runs. */
const TOTALS = new Float64Array(MAX_RUNS);

export class SumState extends FoldedState {
  private ranks = NO_BYTES;
  private sums = NO_DOUBLES;
  /** Undefined while all sums are exact: then errors are 0, and the plain sums are the sums. */
  private addends: Float64Array | undefined;
  private plain: Float64Array | undefined;
  private counts = NO_DOUBLES;

  constructor(output: FoldedOutput, private readonly isAverage: boolean) {
    super(output, output.path);
  }

  override reserve(groups: number): void {
    this.ranks = grownBytes(this.ranks, groups);
    this.sums = grownDoubles(this.sums, groups);
    this.addends &&= grownDoubles(this.addends, groups);
    this.plain &&= grownDoubles(this.plain, groups);
    this.counts = grownDoubles(this.counts, groups);
  }

  override addPage(page: Page | undefined, group: number): boolean {
    if (page === undefined || this.hasAccumulator(group)) return false;
    if (page.count === 0) return true;
    return isExactPageOf(page, ValueType.Int32) && page.sumRest === 0 &&
      this.addExact(group, page.sum, page.count);
  }

  protected override fold(
    view: ColumnView,
    indexes: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): boolean {
    const numbers = view.numbers!;
    switch (view.type === MIXED ? typeTogether(view, indexes, from, to) : view.type) {
      case ValueType.Int32: {
        const total = indexes === undefined ? sumOf(view, from, to) : sumAt(numbers, indexes, from, to);
        this.addWholes(numbers, indexes, from, to, group, total);
        return true;
      }
      case ValueType.Double:
        this.ranks[group] = DOUBLE;
        this.addAll(numbers, indexes, from, to, group, addWhole);
        this.counts[group]! += to - from;
        return true;
      case ValueType.Int64:
        if (this.ranks[group]! < LONG) this.ranks[group] = LONG;
        this.addAll(numbers, indexes, from, to, group, addHalves);
        this.counts[group]! += to - from;
        return true;
      default:
        // Dates are no numbers.
        return true;
    }
  }

  protected override foldRuns(view: ColumnView, runs: Runs): boolean {
    if (view.type !== ValueType.Int32) return false;
    const { starts, ends, groups, count } = runs;
    sumsOf(view, runs, TOTALS);
    const numbers = view.numbers!;
    for (let i = 0; i < count; i++) {
      const group = groups[i]!;
      if (this.hasAccumulator(group)) this.addView(view, undefined, starts[i]!, ends[i]!, group);
      else this.addWholes(numbers, undefined, starts[i]!, ends[i]!, group, TOTALS[i]!);
    }
    return true;
  }

  /** Adds int32, whose sum is `total`. */
  private addWholes(
    numbers: NumberArray,
    indexes: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
    total: number,
  ): void {
    if (this.addExact(group, total, to - from)) return;
    this.addAll(numbers, indexes, from, to, group, addWhole);
    this.counts[group]! += to - from;
  }

  /** Adds the sum of `count` integers; false where compensation would have to begin. */
  private addExact(group: number, total: number, count: number): boolean {
    const next = this.sums[group]! + total;
    const isExact = this.ranks[group]! <= LONG && next < EXACT_LIMIT && next > -EXACT_LIMIT &&
      (this.addends === undefined || this.addends[group] === 0);
    if (!isExact) return false;
    this.sums[group] = next;
    if (this.plain !== undefined) this.plain[group]! += total;
    this.counts[group]! += count;
    return true;
  }

  private addAll(
    numbers: NumberArray,
    indexes: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
    add: typeof addWhole,
  ): void {
    const addends = this.addends ??= new Float64Array(this.sums.length);
    const plain = this.plain ??= this.sums.slice();
    STATE[0] = this.sums[group]!;
    STATE[1] = addends[group]!;
    STATE[2] = plain[group]!;
    add(numbers, indexes, from, to);
    this.sums[group] = STATE[0]!;
    addends[group] = STATE[1]!;
    plain[group] = STATE[2]!;
  }

  protected override foldedPartial(group: number): Value {
    const total: Value = [
      Int32.of(this.ranks[group]!),
      this.sums[group]!,
      this.addends?.[group] ?? 0,
      (this.plain ?? this.sums)[group]!,
    ];
    return this.isAverage ? [this.counts[group]!, total] : total;
  }

  /** Integers whose sums are exact. */
  protected override isFoldedOrderFree(group: number): boolean {
    return this.ranks[group]! < DOUBLE && (this.addends?.[group] ?? 0) === 0 &&
      Math.abs(this.sums[group]!) < EXACT_LIMIT;
  }

  /** As `Summation.result`: the running sum alone. */
  protected override foldedResult(group: number): Value {
    const total = this.sums[group]!;
    if (!Number.isFinite(total)) return undefined;
    if (this.isAverage) return this.counts[group] === 0 ? null : total / this.counts[group]!;
    if (this.ranks[group] === DOUBLE) return total;
    const isInt = this.ranks[group] === INT && (this.addends?.[group] ?? 0) === 0 && total === (total | 0);
    return isInt ? Int32.of(total) : undefined;
  }
}

/** The type of a sum of int32 and doubles. */
function typeTogether(view: ColumnView, indexes: Int32Array | undefined, from: number, to: number): number {
  return firstDouble(view.column!.types!, indexes, from, to) < to ? ValueType.Double : ValueType.Int32;
}

/** Running sum, its error and the plain sum, on their way in and out of the loops below. */
const STATE = new Float64Array(3);

function sumAt(numbers: NumberArray, indexes: Int32Array, from: number, to: number): number {
  let total = 0;
  for (let k = from; k < to; k++) total += numbers[indexes[k]!]!;
  return total;
}

/** As `Summation.addDouble`, many times. */
function addWhole(numbers: NumberArray, indexes: Int32Array | undefined, from: number, to: number): void {
  let total = STATE[0]!;
  let addend = STATE[1]!;
  let plain = STATE[2]!;
  for (let k = from; k < to; k++) {
    const x = indexes === undefined ? numbers[k]! : numbers[indexes[k]!]!;
    plain += x;
    const corrected = x + addend;
    const lost = addend - (corrected - x);
    const next = total + corrected;
    const part = next - total;
    addend = lost + ((total - (next - part)) + (corrected - part));
    total = next;
  }
  STATE[0] = total;
  STATE[1] = addend;
  STATE[2] = plain;
}

/** As `Summation` adds int64: low half, then high half. */
function addHalves(numbers: NumberArray, indexes: Int32Array | undefined, from: number, to: number): void {
  for (let k = from; k < to; k++) {
    const x = indexes === undefined ? numbers[k]! : numbers[indexes[k]!]!;
    const high = Math.trunc(x / TWO_32) * TWO_32;
    HALVES[0] = x - high;
    HALVES[1] = high;
    addWhole(HALVES, undefined, 0, 2);
  }
}

const HALVES = new Float64Array(2);
