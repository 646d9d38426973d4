/** Which rows of a slice pass a condition: masks of one byte a row, then the rows that are left. */
import { takeLongWork } from "../../../base/mod.ts";
import type { Document, Value } from "../../../bson/mod.ts";
import { type Column, NO_TYPE, ValueType } from "../../../column/mod.ts";
import type { Page } from "../row_group.ts";
import { type ColumnView, comparableNumbers, indexOfRow, type NumberArray, valueOf } from "./column_view.ts";
import { type Bounds, selectNumbers } from "./select_numbers.ts";
import type { Slice } from "./series_runs.ts";
import type { SliceSource } from "./slice_source.ts";
import { TextVerdicts } from "./text_verdicts.ts";

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

/** Of the rows of a source, so many are judged slice by slice; once more were asked for, all of them are at once. */
const ASKED_SHARE = 1 / 8;
/** So few rows are judged at once anyway. */
const LEAST_SLICES = 8;

/** What is known of the rows of one source. */
interface JudgedSource {
  /** All pass, none does, or undefined. */
  readonly verdict: boolean | undefined;
  /** Rows that were asked for. */
  asked: number;
  /** 1 for each row that passes, once all have been judged. */
  passing: Uint8Array | undefined;
}

/** Keeps the rows of slices that pass. */
export class RowFilter {
  private readonly masks: Uint8Array[] = [];
  private readonly sources = new WeakMap<SliceSource, JudgedSource>();
  /** Slices of one source mostly follow each other. */
  private recentSource: SliceSource | undefined;
  private recent: JudgedSource | undefined;
  private readonly texts = new Map<(value: Value) => boolean, TextVerdicts>();
  /** Whether the series of a row makes a difference. */
  readonly dependsOnSeries: boolean;
  private rows = new Int32Array(0);
  private series = 0;
  private judged = 0;
  private isLong = false;

  /** @param metaOf the metaField's value of a series: read only where the condition asks for it */
  constructor(private readonly condition: Condition, private readonly metaOf: (series: number) => Value) {
    this.dependsOnSeries = dependsOnSeries(condition);
  }

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
    const { source, from, to } = slice;
    const all = to - from;
    this.judged = all;
    this.isLong = false;
    const known = this.knownOf(source);
    if (known.verdict === false) return undefined;
    if (known.verdict === true) return slice;
    if (this.rows.length < all) this.rows = new Int32Array(Math.max(4096, all));
    const kept = this.keepPassing(slice, known);
    if (kept === all) return slice;
    return kept === 0 ? undefined : { source, rows: this.rows, from: 0, to: kept };
  }

  /** Puts the rows that pass into `rows`; answers how many. */
  private keepPassing(slice: Slice, known: JudgedSource): number {
    const { rows, from, to } = slice;
    const passing = this.passingOf(slice, known);
    if (passing !== undefined) {
      return rows === undefined
        ? keep(passing, from, from, to, this.rows)
        : keepNamed(passing, rows, from, to, this.rows);
    }
    const selected = rows === undefined ? this.selectNumbers(slice) : undefined;
    if (selected !== undefined) return selected;
    const mask = this.maskOf(0, to - from);
    this.evaluate(this.condition, slice, mask, 1);
    const end = from + this.judged;
    return rows === undefined
      ? keep(mask, 0, from, end, this.rows)
      : keepOf(mask, rows, from, end, this.rows);
  }

  /** As `keepPassing`, of one comparison with numbers that rows without one do not pass; undefined for anything else. */
  private selectNumbers(slice: Slice): number | undefined {
    const { condition, rows } = this;
    if (condition.kind !== "compare") return undefined;
    const view = viewOfSlice(slice, condition.path);
    const numbers = view.type === NO_TYPE ? undefined : comparableNumbers(view);
    if (numbers === undefined) return undefined;
    const { places } = view;
    const bounds = boundsOf(condition);
    if (places === undefined) return selectNumbers(numbers, slice, bounds, rows);
    if (condition.test(undefined)) return undefined;
    const values = { from: places[slice.from]!, to: places[slice.to]! };
    const count = selectNumbers(numbers, values, bounds, rows);
    rowsOfValues(rows, count, places, slice.from);
    return count;
  }

  private knownOf(source: SliceSource): JudgedSource {
    if (source === this.recentSource) return this.recent!;
    let known = this.sources.get(source);
    if (known === undefined) {
      known = { verdict: verdictOn(this.condition, source), asked: 0, passing: undefined };
      this.sources.set(source, known);
    }
    this.recentSource = source;
    return this.recent = known;
  }

  /**
   * Which rows of the slice's source pass, where it is read in small slices, as that of many series is: then its columns
   * are better walked through once. Undefined where they are not, or a test takes long.
   */
  private passingOf({ source, from, to }: Slice, known: JudgedSource): Uint8Array | undefined {
    const { rowCount } = source;
    if (known.passing !== undefined || this.dependsOnSeries || (to - from) * LEAST_SLICES > rowCount) {
      return known.passing;
    }
    known.asked += to - from;
    if (known.asked < rowCount * ASKED_SHARE) return undefined;
    const passing = new Uint8Array(rowCount);
    this.evaluate(this.condition, { source, rows: undefined, from: 0, to: rowCount }, passing, 1);
    if (!this.isLong) return known.passing = passing;
    known.asked = -Infinity;
    this.judged = to - from;
    this.isLong = false;
    return undefined;
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
        compare(viewOfSlice(slice, condition.path), slice, condition, mask);
    }
  }

  private test(slice: Slice, { path, test }: Extract<Condition, { kind: "test" }>, mask: Uint8Array): void {
    const view = viewOfSlice(slice, path);
    const verdicts = view.column !== undefined && view.type === ValueType.String
      ? this.textsOf(test)
      : undefined;
    const tested = verdicts?.isUseful === true
      ? testTexts(view, view.column!, slice, verdicts, test, mask)
      : testValues(view, slice, test, mask);
    if (tested > 0) return;
    this.isLong = true;
    this.judged = Math.min(this.judged, -tested);
  }

  private textsOf(test: (value: Value) => boolean): TextVerdicts {
    let verdicts = this.texts.get(test);
    if (verdicts === undefined) this.texts.set(test, verdicts = new TextVerdicts(test));
    return verdicts;
  }

  private maskOf(depth: number, count: number): Uint8Array {
    const known = this.masks[depth];
    if (known !== undefined && known.length >= count) return known;
    return this.masks[depth] = new Uint8Array(Math.max(4096, count));
  }
}

function viewOfSlice({ source, rows, from, to }: Slice, path: number): ColumnView {
  return source.view(path, rows, from, to);
}

function dependsOnSeries(condition: Condition): boolean {
  switch (condition.kind) {
    case "and":
    case "or":
      return condition.conditions.some(dependsOnSeries);
    case "not":
      return dependsOnSeries(condition.condition);
    case "series":
      return true;
    case "test":
    case "compare":
      return false;
  }
}

/**
 * Puts the rows that values are of into the places of these.
 *
 * @param values their places among the values, ascending
 * @param places how many values stand before each row
 * @param first a row that none of them is before
 */
function rowsOfValues(values: Int32Array, count: number, places: Int32Array, first: number): void {
  let row = first;
  for (let k = 0; k < count; k++) {
    const value = values[k]!;
    // Each value before it takes a row: by steps that double, then halves.
    row += value - places[row]!;
    let step = 1;
    while (places[row + step]! <= value) {
      row += step;
      step *= 2;
    }
    while (step > 1) {
      step >>= 1;
      if (places[row + step]! <= value) row += step;
    }
    values[k] = row;
  }
}

/** Of the rows `[from, to)` those whose mask is set; that of row `from` stands at `maskAt`. */
function keep(mask: Uint8Array, maskAt: number, from: number, to: number, out: Int32Array): number {
  let kept = 0;
  let row = from;
  if (maskAt % 4 === 0) {
    // Where few rows pass, most fours have none.
    const fours = new Uint32Array(mask.buffer, mask.byteOffset + maskAt, (to - from) >> 2);
    for (let four = 0, at = maskAt; four < fours.length; four++, row += 4, at += 4) {
      if (fours[four] === 0) continue;
      out[kept] = row;
      kept += mask[at]!;
      out[kept] = row + 1;
      kept += mask[at + 1]!;
      out[kept] = row + 2;
      kept += mask[at + 2]!;
      out[kept] = row + 3;
      kept += mask[at + 3]!;
    }
  }
  for (; row < to; row++) {
    out[kept] = row;
    kept += mask[row - from + maskAt]!;
  }
  return kept;
}

/** Of the rows `rows[from, to)` those whose mask, by number of the row, is set. */
function keepNamed(mask: Uint8Array, rows: Int32Array, from: number, to: number, out: Int32Array): number {
  let kept = 0;
  for (let k = from; k < to; k++) {
    const row = rows[k]!;
    out[kept] = row;
    kept += mask[row]!;
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

/** As `testValues`, for a column of texts. */
function testTexts(
  view: ColumnView,
  column: Column,
  slice: Slice,
  verdicts: TextVerdicts,
  test: (value: Value) => boolean,
  mask: Uint8Array,
): number {
  const { rows, from, to } = slice;
  const ofNone = test(undefined);
  for (let k = from; k < to; k++) {
    const index = indexOfRow(view, rows === undefined ? k : rows[k]!);
    mask[k - from] = (index < 0 ? ofNone : verdicts.of(column, index)) ? 1 : 0;
    if (takeLongWork()) return from - k - 1;
  }
  return to - from;
}

/** Numbers are compared as they are; all else, missing values too, by the test. */
function compare(view: ColumnView, slice: Slice, condition: Comparison, mask: Uint8Array): void {
  const { places } = view;
  const numbers = comparableNumbers(view);
  if (numbers === undefined) {
    testValues(view, slice, condition.test, mask);
    return;
  }
  const isNone = view.type === NO_TYPE;
  const ofMissing = isNone || places !== undefined ? Number(condition.test(undefined)) : 0;
  if (isNone) mask.fill(ofMissing, 0, slice.to - slice.from);
  else if (places === undefined) compareDense(numbers, slice, condition, mask);
  else compareSparse(numbers, places, ofMissing, slice, condition, mask);
}

/** NaN fails every comparison with a number. */
function compareDense(
  numbers: NumberArray,
  { rows, from, to }: Slice,
  condition: Comparison,
  mask: Uint8Array,
): void {
  const { least, greatest, excluded } = boundsOf(condition);
  if (rows === undefined) {
    for (let row = from; row < to; row++) {
      const value = numbers[row]!;
      mask[row - from] = value >= least && value <= greatest && value !== excluded ? 1 : 0;
    }
    return;
  }
  for (let k = from; k < to; k++) {
    const value = numbers[rows[k]!]!;
    mask[k - from] = value >= least && value <= greatest && value !== excluded ? 1 : 0;
  }
}

/** @param places as in `ColumnView`. @param ofMissing the verdict on rows without a value */
function compareSparse(
  numbers: NumberArray,
  places: Int32Array,
  ofMissing: number,
  { rows, from, to }: Slice,
  condition: Comparison,
  mask: Uint8Array,
): void {
  const { least, greatest, excluded } = boundsOf(condition);
  for (let k = from; k < to; k++) {
    const row = rows === undefined ? k : rows[k]!;
    const place = places[row]!;
    if (place === places[row + 1]) {
      mask[k - from] = ofMissing;
      continue;
    }
    const value = numbers[place]!;
    mask[k - from] = value >= least && value <= greatest && value !== excluded ? 1 : 0;
  }
}

/** Values pass from `least` to `greatest`, but for `excluded`: NaN, which no value is the same as, for none. */
function boundsOf({ operator, number }: Comparison): Bounds {
  switch (operator) {
    case "$eq":
      return { least: number, greatest: number, excluded: NaN };
    case "$lt":
      return { least: -Infinity, greatest: number, excluded: number };
    case "$lte":
      return { least: -Infinity, greatest: number, excluded: NaN };
    case "$gt":
      return { least: number, greatest: Infinity, excluded: number };
    case "$gte":
      return { least: number, greatest: Infinity, excluded: NaN };
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
