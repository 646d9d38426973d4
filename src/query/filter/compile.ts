/** From a filter's tree to one closure that a document passes through. */
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { inContext } from "../error_context.ts";
import { compileExpression } from "../expression/compile.ts";
import { isTrue } from "./argument.ts";
import { bitsTest } from "./bits.ts";
import { comparisonTest, inTest } from "./comparison.ts";
import { typeTest } from "./element.ts";
import type {
  ComparisonFilter,
  ElemMatchObjectFilter,
  ElemMatchValueFilter,
  Filter,
  InFilter,
  Path,
  PathFilter,
} from "./filter.ts";
import { geoTest } from "./geo.ts";
import { schemaTest } from "./json_schema.ts";
import { modTest } from "./modulo.ts";
import { nearTest } from "./near.ts";
import { arrayAsDocument, someOfLeafArray, someValueAt, type ValueTest } from "./path.ts";
import { isSamePattern, regexTest } from "./regex.ts";

export type Variables = ReadonlyMap<string, Value>;

/** Whether a document passes. @throws CommandError from an expression */
export type Matcher = (document: Document) => boolean;

/**
 * Compiles a filter.
 *
 * @param variables what `$expr` may read: those of `let`, and NOW
 * @throws CommandError when a constant expression fails, in as many contexts as there are filters around it
 */
export function compileFilter(filter: Filter, variables: Variables = new Map()): Matcher {
  return inContext("Failed to optimize expression", () => compileNode(filter, variables));
}

function compileNode(filter: Filter, variables: Variables): Matcher {
  switch (filter.kind) {
    case "and":
      return every(compileAll(filter.filters, variables));
    case "or":
      return some(equalitiesTogether(filter.filters).map((branch) => compileFilter(branch, variables)));
    case "nor":
      return negate(
        some(equalitiesTogether(filter.filters).map((branch) => compileFilter(branch, variables))),
      );
    case "not":
      return negate(compileFilter(filter.filter, variables));
    case "constant":
      return () => filter.value;
    case "sampleRate":
      return () => Math.random() < filter.rate;
    case "expr": {
      const evaluate = compileExpression(filter.expression);
      return (root) => isTrue(evaluate({ root, variables }));
    }
    case "jsonSchema":
      return schemaTest(filter.schema);
    default:
      return pathMatcher(filter);
  }
}

/** Alternatives, those of equality on one path as one `$in`: however many they are, a value is looked up once. */
function equalitiesTogether(filters: readonly Filter[]): readonly Filter[] {
  const byPath = new Map<string, ComparisonFilter[]>();
  const groups: (readonly Filter[])[] = [];
  for (const filter of filters) {
    if (filter.kind !== "comparison" || filter.operator !== "$eq") {
      groups.push([filter]);
      continue;
    }
    const path = filter.path.join(".");
    const same = byPath.get(path);
    if (same !== undefined && same[0]!.collation === filter.collation) {
      same.push(filter);
      continue;
    }
    const group = [filter];
    byPath.set(path, group);
    groups.push(group);
  }
  return groups.map((group) => group.length === 1 ? group[0]! : anyOf(group as readonly ComparisonFilter[]));
}

function anyOf(equalities: readonly ComparisonFilter[]): InFilter {
  const { path, collation } = equalities[0]!;
  const filter = { kind: "in", path, values: equalities.map(({ value }) => value), patterns: [] } as const;
  return collation === undefined ? filter : { ...filter, collation };
}

/** Compiles filters that all must pass. Neighbours on one top-level field, the bounds of a range, read it once. */
function compileAll(filters: readonly Filter[], variables: Variables): Matcher[] {
  const matchers: Matcher[] = [];
  for (let i = 0; i < filters.length; i++) {
    const filter = filters[i]!;
    const next = filters[i + 1];
    if (filter.kind === "comparison" && next?.kind === "comparison" && isOneField(filter.path, next.path)) {
      matchers.push(bothAt(filter.path[0]!, valueTest(filter), valueTest(next)));
      i++;
    } else {
      matchers.push(compileFilter(filter, variables));
    }
  }
  return matchers;
}

function isOneField(a: Path, b: Path): boolean {
  return a.length === 1 && b.length === 1 && a[0] === b[0];
}

/** Of an array's elements each test may like another one. */
function bothAt(name: string, first: ValueTest, second: ValueTest): Matcher {
  return (document) => {
    const value = document.get(name);
    if (isArray(value)) return someOfLeafArray(value, first) && someOfLeafArray(value, second);
    return first(value) && second(value);
  };
}

function every<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  if (tests.length === 1) return tests[0]!;
  if (tests.length === 2) {
    const [first, second] = tests as [(value: T) => boolean, (value: T) => boolean];
    return (value) => first(value) && second(value);
  }
  return (value) => {
    for (let i = 0; i < tests.length; i++) {
      if (!tests[i]!(value)) return false;
    }
    return true;
  };
}

function some<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  return (value) => tests.some((test) => test(value));
}

function negate<T>(test: (value: T) => boolean): (value: T) => boolean {
  return (value) => !test(value);
}

function pathMatcher(filter: PathFilter): Matcher {
  const { path } = filter;
  if (path.length !== 1) {
    const test = valueTest(filter);
    return (document) => someValueAt(document, path, test, looksIntoArrays(filter));
  }
  const test = leafTest(filter);
  const name = path[0]!;
  return (document) => test(document.get(name));
}

/** The question that a filter asks of the value at the end of its path, of an array's elements too. */
export function leafTest(filter: PathFilter): ValueTest {
  const test = valueTest(filter);
  if (!looksIntoArrays(filter)) return test;
  return (value) => isArray(value) ? someOfLeafArray(value, test) : test(value);
}

function looksIntoArrays({ kind }: PathFilter): boolean {
  return kind !== "size" && kind !== "elemMatchObject" && kind !== "elemMatchValue";
}

/** The question that a filter asks of one value. */
export function valueTest(filter: PathFilter): ValueTest {
  switch (filter.kind) {
    case "comparison":
      return comparisonTest(filter);
    case "in":
      return inTest(filter);
    case "regex": {
      const test = regexTest(filter);
      return (value) => test(value) || isSamePattern(value, filter);
    }
    case "exists":
      return (value) => value !== undefined;
    case "type":
      return typeTest(filter.types);
    case "geo":
      return geoTest(filter);
    case "mod":
      return modTest(filter);
    case "bits":
      return bitsTest(filter);
    case "near":
      return nearTest(filter);
    case "size":
      return (value) => isArray(value) && value.length === filter.size;
    case "elemMatchObject":
    case "elemMatchValue": {
      const test = elementTest(filter);
      return (value) => isArray(value) && value.some(test);
    }
  }
}

/** The question that `$elemMatch` asks of each element. */
export function elementTest(filter: ElemMatchObjectFilter | ElemMatchValueFilter): ValueTest {
  if (filter.kind === "elemMatchValue") return every(filter.filters.map(singleTest));
  const matches = compileFilter(filter.filter);
  return (element) => {
    if (element instanceof Document) return matches(element);
    return isArray(element) && matches(arrayAsDocument(element));
  };
}

/** A filter with an empty path: asked of the value as it is, arrays not looked into. */
function singleTest(filter: Filter): ValueTest {
  switch (filter.kind) {
    case "and":
      return every(filter.filters.map(singleTest));
    case "or":
      return some(filter.filters.map(singleTest));
    case "nor":
      return negate(some(filter.filters.map(singleTest)));
    case "not":
      return negate(singleTest(filter.filter));
    case "constant":
      return () => filter.value;
    case "sampleRate":
    case "expr":
    case "jsonSchema":
      return () => false;
    default:
      return valueTest(filter);
  }
}
