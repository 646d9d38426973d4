/** Filters as conditions on columns. */
import { BuiltDocument, Int32, isArray, type Value } from "../../bson/mod.ts";
import { compileFilter, leafTest } from "../filter/compile.ts";
import type { ComparisonFilter, Filter } from "../filter/filter.ts";
import { seriesConditionOf, touchesOnly } from "../pushdown.ts";
import type { Condition } from "../source.ts";
import type { RowFields } from "./time_spans.ts";

/** The fields that a fragment reads, each with a number. */
export class PathList {
  readonly paths: (readonly string[])[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(path: readonly string[]): number {
    const key = path.join("\0");
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.numbers.set(key, this.paths.length);
    return this.paths.push(path) - 1;
  }
}

/** Why a filter is no condition on columns; undefined when it is one. */
export function filterObstacle(filter: Filter): string | undefined {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return firstOf(filter.filters, filterObstacle);
    case "not":
      return filterObstacle(filter.filter);
    case "expr":
      return "a filter has $expr";
    case "jsonSchema":
      return "a filter has $jsonSchema";
    case "sampleRate":
      return "a filter has $sampleRate";
    default:
      return undefined;
  }
}

/** What the first item that has something to say says. */
export function firstOf<T>(
  items: readonly T[],
  say: (item: T) => string | undefined,
): string | undefined {
  for (const item of items) {
    const said = say(item);
    if (said !== undefined) return said;
  }
  return undefined;
}

/** A filter without obstacle as a condition. */
export function conditionOf(filter: Filter, fields: RowFields, paths: PathList): Condition {
  const { metaField } = fields;
  if (metaField !== undefined && filter.kind !== "constant" && touchesOnly(filter, metaField)) {
    return { kind: "series", matches: seriesConditionOf([filter], metaField)!.matches };
  }
  const all = (filters: readonly Filter[]) => filters.map((each) => conditionOf(each, fields, paths));
  switch (filter.kind) {
    case "and":
    case "or":
      return { kind: filter.kind, conditions: all(filter.filters) };
    case "nor":
      return { kind: "not", condition: { kind: "or", conditions: all(filter.filters) } };
    case "not":
      return { kind: "not", condition: conditionOf(filter.filter, fields, paths) };
    case "constant":
    case "expr":
    case "jsonSchema":
    case "sampleRate": {
      const matches = compileFilter(filter);
      return { kind: "series", matches: () => matches(BuiltDocument.EMPTY) };
    }
    case "comparison":
      return ofComparison(filter, paths);
    default:
      return { kind: "test", path: paths.numberOf(filter.path), test: leafTest(filter) };
  }
}

function ofComparison(filter: ComparisonFilter, paths: PathList): Condition {
  const path = paths.numberOf(filter.path);
  const test = leafTest(filter);
  const number = exactNumber(filter.value);
  return number === undefined
    ? { kind: "test", path, test }
    : { kind: "compare", path, operator: filter.operator, number, test };
}

/** A number that a double says exactly, NaN left out. */
function exactNumber(value: Value): number | undefined {
  if (isArray(value)) return undefined;
  if (value instanceof Int32) return value.value;
  if (typeof value === "number") return Number.isNaN(value) ? undefined : value;
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
}
