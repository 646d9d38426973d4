/**
 * Which element of an array a filter met: what `$` stands for in an update and in a projection. Of an array on the way that is
 * looked into, the outermost counts; of conditions that must all hold, the last one that met an element (`MatchDetails` of
 * MongoDB's matcher): for an update in MongoDB's own order of them, for a projection as they are written.
 */
import { type Collation, Document, isArray, type Value } from "../../bson/mod.ts";
import { elementTest, valueTest } from "./compile.ts";
import type { Filter, InFilter, Path, PathFilter } from "./filter.ts";
import { arrayOffset, isEnd, someOfLeafArray, someValueAt, type ValueTest } from "./path.ts";
import type { Schema } from "./schema.ts";

/** The place of the element that the filter met in a document that passes it; undefined where it met none. */
export function matchedPosition(
  filter: Filter,
  document: Document,
  order: "canonical" | "written",
): number | undefined {
  switch (filter.kind) {
    case "and": {
      let found: number | undefined;
      for (const branch of order === "written" ? filter.filters : inCanonicalOrder(filter.filters)) {
        found = matchedPosition(branch, document, order) ?? found;
      }
      return found;
    }
    case "or": {
      const single = asOneIn(filter.filters);
      return single === undefined ? undefined : matchedPosition(single, document, order);
    }
    case "nor":
    case "not":
    case "constant":
    case "sampleRate":
    case "expr":
      return undefined;
    case "jsonSchema":
      return matchedPosition(requiredFields(filter.schema), document, order);
    default:
      return positionAtPath(filter, document);
  }
}

/** That a schema requires fields is a condition like any other; what it says of their values looks into no array. */
function requiredFields({ object, all }: Schema): Filter {
  const exists = object.required.map((name): Filter => ({ kind: "exists", path: [name] }));
  return { kind: "and", filters: [...exists, ...all.map(requiredFields)] };
}

/** Equalities of one field, any of which may hold, are one `$in` to MongoDB. */
function asOneIn(branches: readonly Filter[]): Filter | undefined {
  if (branches.length === 1) return branches[0];
  const values: Value[] = [];
  let path: Path | undefined;
  let collation: Collation | undefined;
  for (const branch of branches) {
    if (branch.kind !== "comparison" || branch.operator !== "$eq") return undefined;
    if (path !== undefined && path.join(".") !== branch.path.join(".")) return undefined;
    path = branch.path;
    collation = branch.collation;
    values.push(branch.value);
  }
  if (path === undefined) return undefined;
  return { kind: "in", path, values, patterns: [], ...(collation && { collation }) } satisfies InFilter;
}

const KIND_ORDER: readonly Filter["kind"][] = [
  "and",
  "or",
  "elemMatchObject",
  "elemMatchValue",
  "size",
  "comparison",
  "regex",
  "mod",
  "exists",
  "in",
  "bits",
  "not",
  "nor",
  "type",
  "geo",
  "near",
];
const COMPARISON_ORDER = ["$eq", "$lte", "$lt", "$gt", "$gte"];

function inCanonicalOrder(filters: readonly Filter[]): readonly Filter[] {
  return [...filters].sort((a, b) => {
    const byKind = KIND_ORDER.indexOf(a.kind) - KIND_ORDER.indexOf(b.kind);
    if (byKind !== 0) return byKind;
    if (a.kind === "comparison" && b.kind === "comparison") {
      const byOperator = COMPARISON_ORDER.indexOf(a.operator) - COMPARISON_ORDER.indexOf(b.operator);
      if (byOperator !== 0) return byOperator;
    }
    const [left, right] = [pathText(a), pathText(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

function pathText(filter: Filter): string {
  return "path" in filter ? filter.path.join(".") : "";
}

function positionAtPath(filter: PathFilter, document: Document): number | undefined {
  const isElementMatch = filter.kind === "elemMatchObject" || filter.kind === "elemMatchValue";
  const leafArrays = filter.kind !== "size" && !isElementMatch;
  const test = valueTest(filter);
  const outer = outermost(document, filter.path, 0, test, leafArrays);
  if (outer !== undefined || !isElementMatch) return outer;
  const isMatch = elementTest(filter);
  let found: number | undefined;
  someValueAt(document, filter.path, (value) => {
    if (!isArray(value)) return false;
    const place = value.findIndex((element) => isMatch(element));
    if (place >= 0) found = place;
    return place >= 0;
  }, false);
  return found;
}

/** The place in the first array that the path goes through, of the element in which `test` holds. */
function outermost(
  document: Document,
  path: Path,
  from: number,
  test: ValueTest,
  leafArrays: boolean,
): number | undefined {
  let current: Value = document;
  for (let i = from; i < path.length; i++) {
    if (!(current instanceof Document)) return undefined;
    current = current.get(path[i]!);
    if (!isArray(current)) continue;
    const array: readonly Value[] = current;
    const next = i + 1;
    if (isEnd(path, next)) {
      const place = leafArrays ? array.findIndex((element) => test(element)) : -1;
      return place < 0 ? undefined : place;
    }
    const rest = path.slice(next);
    const offset = arrayOffset(path[next]!);
    for (let at = 0; at < array.length; at++) {
      const element = array[at];
      if (element instanceof Document && someValueAt(element, rest, test, leafArrays)) return at;
      if (at === offset) return afterOffset(element, path, next + 1, test, leafArrays);
    }
    return undefined;
  }
  return undefined;
}

/** A number in the path names an element without meeting one; an array behind it may be met. */
function afterOffset(
  element: Value,
  path: Path,
  next: number,
  test: ValueTest,
  leafArrays: boolean,
): number | undefined {
  if (element instanceof Document) return outermost(element, path, next, test, leafArrays);
  const isLookedInto = next === path.length ? leafArrays : isEnd(path, next);
  if (!isArray(element) || !isLookedInto || !someOfLeafArray(element, test)) return undefined;
  const place = element.findIndex((inner) => test(inner));
  return place < 0 ? undefined : place;
}
