/** Conditions of a scan, read off the filters that every row must pass. */
import {
  BsonType,
  BuiltDocument,
  type Collation,
  isArray,
  isCollated,
  typeOf,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import type { Expression } from "./expression/expression.ts";
import { compileFilter } from "./filter/compile.ts";
import { allOf, type ComparisonFilter, type Filter, type InFilter, type Path } from "./filter/filter.ts";
import { seriesLookupOf } from "./series_lookup.ts";
import { seriesTestsOf } from "./series_tests.ts";
import type { SeriesLookup, SeriesTest } from "./source.ts";

/** Milliseconds since 1970, both ends included. Empty when `fromMs` is above `toMs`. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A condition on the metaField alone. */
export interface SeriesCondition {
  /** The filters that it joins. */
  readonly filters: readonly Filter[];
  /** Judges a series by its metaField's value. */
  readonly matches: (meta: Value) => boolean;
  /** How an index finds such series. */
  readonly lookup: SeriesLookup | undefined;
  /** What `matches` asks of single values, if that is all. */
  readonly tests: readonly SeriesTest[] | undefined;
}

const ALL_TIMES: TimeRange = { fromMs: -Infinity, toMs: Infinity };
const NO_TIMES: TimeRange = { fromMs: Infinity, toMs: -Infinity };

/** The span outside of which no row passes; undefined when the filters leave time free. */
export function timeRangeOf(conjuncts: readonly Filter[], timeField: string): TimeRange | undefined {
  let range = ALL_TIMES;
  for (const filter of conjuncts) {
    const span = spanOf(filter, timeField);
    if (span === undefined) continue;
    range = { fromMs: Math.max(range.fromMs, span.fromMs), toMs: Math.min(range.toMs, span.toMs) };
  }
  return range === ALL_TIMES ? undefined : range;
}

function spanOf(filter: Filter, timeField: string): TimeRange | undefined {
  if (filter.kind === "comparison" && isField(filter.path, timeField)) return spanOfComparison(filter);
  if (filter.kind === "in" && isField(filter.path, timeField)) return spanOfIn(filter);
  if (filter.kind === "or") return hullOf(filter.filters, timeField);
  return undefined;
}

/** The span of an `$or`: from the earliest to the latest of its branches, if each of them bounds time. */
function hullOf(branches: readonly Filter[], timeField: string): TimeRange | undefined {
  let hull = NO_TIMES;
  for (const branch of branches) {
    const span = timeRangeOf(branch.kind === "and" ? branch.filters : [branch], timeField);
    if (span === undefined) return undefined;
    hull = { fromMs: Math.min(hull.fromMs, span.fromMs), toMs: Math.max(hull.toMs, span.toMs) };
  }
  return hull;
}

function isField(path: Path, field: string): boolean {
  return path.length === 1 && path[0] === field;
}

/** A row's time is a date: it is equal and comparable to dates only, but for MinKey and MaxKey. */
function spanOfComparison({ operator, value }: ComparisonFilter): TimeRange | undefined {
  const type = typeOf(value);
  if (type === BsonType.MinKey || type === BsonType.MaxKey || isArray(value)) return undefined;
  if (!(value instanceof UtcDate)) return NO_TIMES;
  switch (operator) {
    case "$eq":
      return { fromMs: value.ms, toMs: value.ms };
    case "$lt":
      return { fromMs: -Infinity, toMs: value.ms - 1 };
    case "$lte":
      return { fromMs: -Infinity, toMs: value.ms };
    case "$gt":
      return { fromMs: value.ms + 1, toMs: Infinity };
    case "$gte":
      return { fromMs: value.ms, toMs: Infinity };
  }
}

function spanOfIn({ values, patterns }: InFilter): TimeRange | undefined {
  if (patterns.length > 0) return undefined;
  let span = NO_TIMES;
  for (const value of values) {
    if (!(value instanceof UtcDate)) continue;
    span = { fromMs: Math.min(span.fromMs, value.ms), toMs: Math.max(span.toMs, value.ms) };
  }
  return span;
}

/** What the filters say of the metaField alone; undefined when they say nothing. */
export function seriesConditionOf(
  conjuncts: readonly Filter[],
  metaField: string,
): SeriesCondition | undefined {
  const filters = conjuncts.filter((filter) => touchesOnly(filter, metaField));
  if (filters.length === 0) return undefined;
  const filter = allOf(filters);
  const matches = compileFilter(filter);
  const names = [metaField];
  return {
    filters,
    lookup: seriesLookupOf(filter),
    tests: seriesTestsOf(filter),
    matches: (meta) => matches(meta === undefined ? BuiltDocument.EMPTY : new BuiltDocument(names, [meta])),
  };
}

/** Whether a filter reads no other field. Expressions are left to the rows: they may fail or read variables. */
export function touchesOnly(filter: Filter, field: string): boolean {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return filter.filters.every((branch) => touchesOnly(branch, field));
    case "not":
      return touchesOnly(filter.filter, field);
    case "constant":
      return true;
    case "expr":
    case "jsonSchema":
    case "sampleRate":
      return false;
    default:
      return filter.path[0] === field;
  }
}

/** Whether storage, told what the filter says of time or of the metaField, gives no row that fails it. */
export function isDecidedByScan(filter: Filter, timeField: string, metaField: string | undefined): boolean {
  if (metaField !== undefined && touchesOnly(filter, metaField)) return true;
  // The span of one comparison is exact; those of $in and $or have gaps.
  return filter.kind === "comparison" && isField(filter.path, timeField) &&
    spanOfComparison(filter) !== undefined;
}

/** Whether an expression without operators reads no other field. */
export function readsOnly(expression: Expression, field: string): boolean {
  switch (expression.kind) {
    case "constant":
      return true;
    case "path":
      return (expression.variable === "CURRENT" || expression.variable === "ROOT") &&
        expression.path[0] === field;
    case "object":
      return expression.fields.every((each) => readsOnly(each, field));
    case "array":
      return expression.items.every((each) => readsOnly(each, field));
    case "operator":
      return false;
  }
}

/** The only values of `_id` that can pass; undefined when the filters do not name them. */
export function idsOf(conjuncts: readonly Filter[]): readonly Value[] | undefined {
  for (const filter of conjuncts) {
    if (filter.kind === "comparison" && filter.operator === "$eq" && isField(filter.path, "_id")) {
      if (isPlainId(filter.value, filter.collation)) return [filter.value];
    }
    if (filter.kind === "in" && isField(filter.path, "_id") && filter.patterns.length === 0) {
      if (filter.values.every((value) => isPlainId(value, filter.collation))) return filter.values;
    }
  }
  return undefined;
}

/** Null also matches a missing _id, an array also an element, a collated text also others: those are left to the rows. */
function isPlainId(value: Value, collation: Collation | undefined): boolean {
  return value !== null && !isArray(value) && (collation === undefined || !isCollated(value));
}
