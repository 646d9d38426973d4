/** What a filter says of the values at single paths: conditions, each of which every document that passes must meet. */
import { isArray } from "../bson/mod.ts";
import type { Filter, InFilter, Path } from "./filter/filter.ts";
import { conjunctsOf } from "./filter/filter.ts";
import { arrayOffset } from "./filter/path.ts";
import {
  comparisonIntervals,
  complement,
  includesMissing,
  intersection,
  type Interval,
  isPoint,
  regexIntervals,
  union,
  valuesIntervals,
} from "./index_bounds.ts";
import { regexPrefix } from "./regex_prefix.ts";

/** Of a document that passes, some value at the path lies in one of the intervals. */
export interface IndexCondition {
  readonly path: string;
  /** Ascending and apart. */
  readonly intervals: readonly Interval[];
  /** The filter that says so. */
  readonly filter: Filter;
  /** Whether a document with such a value passes it; `plain`: one without arrays on the path. */
  readonly exact: "always" | "plain" | "never";
  /** Whether documents with arrays on the path that pass have such a value. */
  readonly holdsInArrays: boolean;
  /** By the path of an array, the `$elemMatch` that one of its elements meets with that value. */
  readonly elements: ReadonlyMap<string, Filter>;
}

const NO_ELEMENTS: ReadonlyMap<string, Filter> = new Map();
/** Which condition is taken where only one can be, as MongoDB does. */
const ORDER = ["$eq", "$lte", "$lt", "$gt", "$gte"];

/** The conditions of one of the filters that must all pass. */
export function conditionsOf(filter: Filter): readonly IndexCondition[] {
  switch (filter.kind) {
    case "comparison":
    case "in":
    case "regex":
      return conditionOf(
        filter,
        filter.path,
        positiveIntervals(filter),
        isExact(filter) ? "always" : "never",
      );
    case "not":
      return negated(filter.filter, filter);
    case "or":
      return alternatives(filter.filters, filter);
    case "elemMatchValue": {
      const all = filter.filters.map(positiveIntervals).filter((each) => each !== undefined);
      if (all.length === 0) return [];
      return conditionOf(filter, filter.path, all.reduce(intersection), "never", [filter.path]);
    }
    case "elemMatchObject":
      return conjunctsOf(filter.filter).flatMap(conditionsOf)
        // An element that is an array is read as a document, which an index does not do.
        .filter(({ intervals }) => !includesMissing(intervals))
        .flatMap((inner) => {
          const path = [...filter.path, ...inner.path.split(".")];
          return conditionOf(filter, path, inner.intervals, "never", [filter.path], inner.elements);
        });
    default:
      return [];
  }
}

/** Whether the one says more for an index than the other, or comes first in MongoDB's order. */
export function compareConditions(a: IndexCondition, b: IndexCondition): number {
  return rankOf(a) - rankOf(b);
}

function rankOf({ intervals, filter }: IndexCondition): number {
  if (intervals.every(isPoint)) return -1;
  return filter.kind === "comparison" ? ORDER.indexOf(filter.operator) : ORDER.length;
}

function conditionOf(
  filter: Filter,
  path: Path,
  intervals: readonly Interval[] | undefined,
  exact: IndexCondition["exact"],
  elementsOf: readonly Path[] = [],
  inner: ReadonlyMap<string, Filter> = NO_ELEMENTS,
): readonly IndexCondition[] {
  if (intervals === undefined) return [];
  // A place in an array is also a name that its documents lack: keys do not tell.
  const isPlace = path.some((part) => arrayOffset(part) >= 0);
  const missing = includesMissing(intervals);
  const elements = elementsOf.length === 0 && inner.size === 0
    ? NO_ELEMENTS
    : new Map([...elementsOf.map((each) => [each.join("."), filter] as const), ...inner]);
  return [{
    path: path.join("."),
    intervals,
    filter,
    exact: exact === "always" && isPlace ? "plain" : exact,
    holdsInArrays: !(isPlace && (missing || elements.size > 0)),
    elements,
  }];
}

function positiveIntervals(filter: Filter): readonly Interval[] | undefined {
  switch (filter.kind) {
    case "comparison":
      return comparisonIntervals(filter);
    case "in":
      return inIntervals(filter);
    case "regex": {
      const prefix = regexPrefix(filter);
      return prefix && regexIntervals(filter, prefix.text);
    }
    default:
      return undefined;
  }
}

function inIntervals(filter: InFilter): readonly Interval[] | undefined {
  const patterns = filter.patterns.map((spec) => {
    const prefix = regexPrefix(spec);
    return prefix && regexIntervals(spec, prefix.text);
  });
  const all = [valuesIntervals(filter), ...patterns];
  return all.every((each) => each !== undefined) ? union(all.flat()) : undefined;
}

/** Whether the intervals say all that the filter does. */
function isExact(filter: Filter): boolean {
  switch (filter.kind) {
    case "comparison":
      return filter.value !== null && !isArray(filter.value);
    case "in":
      return filter.values.every((value) => value !== null && !isArray(value)) &&
        filter.patterns.every((spec) => regexPrefix(spec)?.isExact === true);
    case "regex":
      return regexPrefix(filter)?.isExact === true;
    default:
      return false;
  }
}

/** Where the intervals of what must not be say exactly that, all others remain. */
function negated(filter: Filter, whole: Filter): readonly IndexCondition[] {
  if (filter.kind !== "comparison" && filter.kind !== "in") return [];
  const values = filter.kind === "in" ? filter.values : [filter.value];
  if (values.some(isArray) || (filter.kind === "in" && filter.patterns.length > 0)) return [];
  const intervals = positiveIntervals(filter);
  const [condition] = conditionOf(whole, filter.path, intervals && complement(intervals), "plain");
  if (condition === undefined) return [];
  // An array without elements has the key of a missing value, and is none.
  return [{ ...condition, holdsInArrays: condition.holdsInArrays && !values.includes(null) }];
}

/** Filters one of which must pass, where all are about one path. */
function alternatives(filters: readonly Filter[], whole: Filter): readonly IndexCondition[] {
  const conditions = filters.map((filter) => conditionsOf(filter)[0]);
  const [first] = conditions;
  if (
    first === undefined || !filters.every((filter) => filter.kind === "comparison" || filter.kind === "in")
  ) {
    return [];
  }
  const alike = conditions.filter((each) => each?.path === first.path) as readonly IndexCondition[];
  if (alike.length < filters.length) return [];
  return [{
    ...first,
    intervals: union(alike.flatMap(({ intervals }) => intervals)),
    filter: whole,
    exact: alike.every(({ exact }) => exact === "always") ? "always" : "never",
    holdsInArrays: alike.every(({ holdsInArrays }) => holdsInArrays),
  }];
}
