/** Which rows of a slice pass a condition: masks of one byte a row, then the rows that are left. */
import { takeLongWork } from "../../../base/mod.ts";
import type { Document, Value } from "../../../bson/mod.ts";
import { ValueType } from "../../../column/mod.ts";
import type { Page } from "../row_group.ts";
import { type ColumnView, indexOfRow, type NumberArray, valueOf } from "./column_view.ts";
import type { Slice } from "./series_runs.ts";
import type { SliceSource } from "./slice_source.ts";

/** A condition on rows, by columns; the twins of `RowCondition` and `Condition` in query/source.ts. */
export interface RowCondition {
  readonly paths: readonly (readonly string[])[];
  readonly condition: Condition;
  readonly matches: (row: Document) => boolean;
}

export type Condition =
  | { readonly kind: "and" | "or"; readonly conditions: readonly Condition[] }
  | { readonly kind: "not"; readonly condition: Condition }
  | { readonly kind: "series"; readonly matches: (meta: Value) => boolean }
  | { readonly kind: "test"; readonly path: number; readonly test: (value: Value) => boolean }
  | {
    readonly kind: "compare";
    readonly path: number;
    readonly operator: "$eq" | "$lt" | "$lte" | "$gt" | "$gte";
    readonly number: number;
    readonly test: (value: Value) => boolean;
  };

type Comparison = Extract<Condition, { kind: "compare" }>;

const NUMBER_TYPES = (1 << ValueType.Int32) | (1 << ValueType.Double) | (1 << ValueType.Int64);

/** Keeps the rows of slices that pass. */
export class RowFilter {
  private readonly masks: Uint8Array[] = [];
  private rows = new Int32Array(0);
  private series = 0;
  private judged = 0;
  private isLong = false;

  /** @param metaOf the metaField's value of a series: read only where the condition asks for it */
  constructor(private readonly condition: Condition, private readonly metaOf: (series: number) => Value) {}

  /** Rows of this series follow. */
  enter(series: number): void {
    this.series = series;
  }

  /** Rows that the last call of `apply` judged: fewer than the slice has where a test took long. The rest is to be given anew. */
  get judgedCount(): number {
    return this.judged;
  }

  /** Whether the last call of `apply` ended with a test that took long. */
  get tookLong(): boolean {
    return this.isLong;
  }

  /** The rows of the slice that pass, as far as they are judged, good until the next call; undefined when none does. */
  apply(slice: Slice): Slice | undefined {
    const { source, rows, from, to } = slice;
    this.judged = to - from;
    this.isLong = false;
    const verdict = verdictOn(this.condition, source);
    if (verdict === false) return undefined;
    if (verdict === true) return slice;
    const all = to - from;
    const mask = this.judge(slice);
    const count = this.judged;
    const kept = rows === undefined
      ? keep(mask, from, from + count, this.rows)
      : keepOf(mask, rows, from, from + count, this.rows);
    if (kept === all) return slice;
    return kept === 0 ? undefined : { source, rows: this.rows, from: 0, to: kept };
  }

  private judge(slice: Slice): Uint8Array {
    const count = slice.to - slice.from;
    if (this.rows.length < count) this.rows = new Int32Array(Math.max(4096, count));
    const mask = this.maskOf(0, count);
    this.evaluate(this.condition, slice, mask, 1);
    return mask;
  }

  /** Fills in `mask`: 1 for each row of the slice that passes. Masks from `depth` on are free. */
  private evaluate(condition: Condition, slice: Slice, mask: Uint8Array, depth: number): void {
    const count = slice.to - slice.from;
    switch (condition.kind) {
      case "and":
      case "or": {
        const isAnd = condition.kind === "and";
        mask.fill(isAnd ? 1 : 0, 0, count);
        const part = this.maskOf(depth, count);
        for (const each of condition.conditions) {
          this.evaluate(each, slice, part, depth + 1);
          if (isAnd) { for (let i = 0; i < count; i++) mask[i]! &= part[i]!; }
          else for (let i = 0; i < count; i++) mask[i]! |= part[i]!;
        }
        return;
      }
      case "not":
        this.evaluate(condition.condition, slice, mask, depth);
        for (let i = 0; i < count; i++) mask[i]! ^= 1;
        return;
      case "series":
        mask.fill(condition.matches(this.metaOf(this.series)) ? 1 : 0, 0, count);
        return;
      case "test":
        this.test(slice, condition, mask);
        return;
      case "compare":
        compare(slice.source.view(condition.path), slice, condition, mask);
    }
  }

  private test(slice: Slice, { path, test }: Extract<Condition, { kind: "test" }>, mask: Uint8Array): void {
    const tested = testValues(slice.source.view(path), slice, test, mask);
    if (tested > 0) return;
    this.isLong = true;
    this.judged = Math.min(this.judged, -tested);
  }

  private maskOf(depth: number, count: number): Uint8Array {
    const known = this.masks[depth];
    if (known !== undefined && known.length >= count) return known;
    return this.masks[depth] = new Uint8Array(Math.max(4096, count));
  }
}

function keep(mask: Uint8Array, from: number, to: number, out: Int32Array): number {
  let kept = 0;
  for (let row = from; row < to; row++) {
    out[kept] = row;
    kept += mask[row - from]!;
  }
  return kept;
}

function keepOf(mask: Uint8Array, rows: Int32Array, from: number, to: number, out: Int32Array): number {
  let kept = 0;
  for (let k = from; k < to; k++) {
    out[kept] = rows[k]!;
    kept += mask[k - from]!;
  }
  return kept;
}

/** How many rows are tested; where the last of them took long, that number below zero, and no more are. */
function testValues(
  view: ColumnView,
  slice: Slice,
  test: (value: Value) => boolean,
  mask: Uint8Array,
): number {
  const { rows, from, to } = slice;
  for (let k = from; k < to; k++) {
    const index = indexOfRow(view, rows === undefined ? k : rows[k]!);
    mask[k - from] = test(index < 0 ? undefined : valueOf(view, index)) ? 1 : 0;
    if (takeLongWork()) return from - k - 1;
  }
  return to - from;
}

/** Numbers are compared as they are; all else, missing values too, by the test. */
function compare(view: ColumnView, slice: Slice, condition: Comparison, mask: Uint8Array): void {
  const { numbers } = view;
  if (numbers === undefined || view.type === ValueType.Date || view.places !== undefined) {
    testValues(view, slice, condition.test, mask);
    return;
  }
  if (numbers.length === 0) {
    mask.fill(condition.test(undefined) ? 1 : 0, 0, slice.to - slice.from);
    return;
  }
  compareNumbers(numbers, slice.rows, slice.from, slice.to, condition, mask);
}

function compareNumbers(
  numbers: NumberArray,
  rows: Int32Array | undefined,
  from: number,
  to: number,
  { operator, number }: Comparison,
  mask: Uint8Array,
): void {
  // One loop for dense rows, where it counts; NaN fails every comparison with a number.
  const { least, greatest } = boundsOf(operator, number);
  if (rows === undefined) {
    for (let row = from; row < to; row++) {
      const value = numbers[row]!;
      mask[row - from] = value >= least && value <= greatest ? 1 : 0;
    }
  } else {
    for (let k = from; k < to; k++) {
      const value = numbers[rows[k]!]!;
      mask[k - from] = value >= least && value <= greatest ? 1 : 0;
    }
  }
  if (operator === "$lt" || operator === "$gt") excludeBound(numbers, rows, from, to, number, mask);
}

function boundsOf(
  operator: Comparison["operator"],
  number: number,
): { readonly least: number; readonly greatest: number } {
  switch (operator) {
    case "$eq":
      return { least: number, greatest: number };
    case "$lt":
    case "$lte":
      return { least: -Infinity, greatest: number };
    case "$gt":
    case "$gte":
      return { least: number, greatest: Infinity };
  }
}

function excludeBound(
  numbers: NumberArray,
  rows: Int32Array | undefined,
  from: number,
  to: number,
  bound: number,
  mask: Uint8Array,
): void {
  for (let k = from; k < to; k++) {
    if (numbers[rows === undefined ? k : rows[k]!] === bound) mask[k - from] = 0;
  }
}

/** What is known of all rows of a source without looking at them: all pass, none does, or undefined. */
function verdictOn(condition: Condition, source: SliceSource): boolean | undefined {
  switch (condition.kind) {
    case "and": {
      const verdicts = condition.conditions.map((each) => verdictOn(each, source));
      if (verdicts.includes(false)) return false;
      return verdicts.every((verdict) => verdict === true) ? true : undefined;
    }
    case "or": {
      const verdicts = condition.conditions.map((each) => verdictOn(each, source));
      if (verdicts.includes(true)) return true;
      return verdicts.every((verdict) => verdict === false) ? false : undefined;
    }
    case "not": {
      const verdict = verdictOn(condition.condition, source);
      return verdict === undefined ? undefined : !verdict;
    }
    case "compare":
      return verdictByStatistics(condition, source.page(condition.path), source.rowCount);
    case "series":
    case "test":
      return undefined;
  }
}

/** By the bounds of a page of numbers of which each row has one. */
function verdictByStatistics(
  { operator, number }: Comparison,
  page: Page | undefined,
  rowCount: number,
): boolean | undefined {
  if (page === undefined || page.count < rowCount || page.count === 0) return undefined;
  if ((page.typeSet & ~NUMBER_TYPES) !== 0 || !page.isExact || page.nans > 0) return undefined;
  const { min, max } = page;
  switch (operator) {
    case "$eq":
      return number < min || number > max ? false : min === max ? true : undefined;
    case "$lt":
      return max < number ? true : min >= number ? false : undefined;
    case "$lte":
      return max <= number ? true : min > number ? false : undefined;
    case "$gt":
      return min > number ? true : max <= number ? false : undefined;
    case "$gte":
      return min >= number ? true : max < number ? false : undefined;
  }
}
