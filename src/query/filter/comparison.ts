/**
 * `$eq $ne $lt $lte $gt $gte $in $nin` and the implicit equality.
 *
 * Type bracketing: values of different ranks in BSON order are unordered and unequal, but for three cases: missing,
 * undefined and null are one for a null operand; everything is above MinKey and below MaxKey; NaN equals only NaN
 * and is unordered with all else.
 */
import { CommandError } from "../../base/mod.ts";
import {
  BSONRegExp,
  BsonUndefined,
  type Collation,
  Decimal128,
  Document,
  Int32,
  isArray,
  isNullish,
  keyOf,
  MaxKey,
  MinKey,
  rankOfType,
  typeOf,
  UtcDate,
  type Value,
  type ValueKey,
  valueOrder,
} from "../../bson/mod.ts";
import { collationOf, type ParseContext } from "../expression/expression.ts";
import type { ComparisonFilter, ComparisonOperator, Filter, InFilter, Path, RegExpSpec } from "./filter.ts";
import type { ValueTest } from "./path.ts";
import { isSamePattern, regexSpecOf, regexTest } from "./regex.ts";

export function parseComparison(
  path: Path,
  operator: ComparisonOperator,
  value: Value,
  context: ParseContext,
): Filter {
  if (operator !== "$eq" && value instanceof BSONRegExp) {
    throw new CommandError(
      "BadValue",
      `Can't have RegEx as arg to predicate over field '${path.join(".")}'.`,
    );
  }
  if (value === BsonUndefined.VALUE) throw new CommandError("BadValue", "cannot compare to undefined");
  return { kind: "comparison", path, operator, value, ...collationOf(context) };
}

export function parseNotEqual(path: Path, value: Value, context: ParseContext): Filter {
  if (value instanceof BSONRegExp) throw new CommandError("BadValue", "Can't have regex as arg to $ne.");
  return { kind: "not", filter: parseComparison(path, "$eq", value, context) };
}

/** @param operator `$in` or `$nin`, for the error's text */
export function parseIn(path: Path, operator: string, value: Value, context: ParseContext): Filter {
  if (!isArray(value)) throw new CommandError("BadValue", `${operator} needs an array`);
  const patterns: RegExpSpec[] = [];
  const values: Value[] = [];
  for (const item of value) {
    if (item instanceof Document && item.names()[0]?.startsWith("$") && !isReference(item)) {
      throw new CommandError("BadValue", "cannot nest $ under $in");
    }
    if (item === BsonUndefined.VALUE) {
      throw new CommandError("BadValue", "InMatchExpression equality cannot be undefined");
    }
    if (item instanceof BSONRegExp) patterns.push(regexSpecOf(item));
    else values.push(item);
  }
  return { kind: "in", path, values, patterns, ...collationOf(context) };
}

/** Whether a document is a DBRef ({$ref, $id}), which is a value although its names look like operators. */
export function isReference(document: Document): boolean {
  return document.has("$ref") && document.has("$id");
}

export function comparisonTest({ operator, value, collation }: ComparisonFilter): ValueTest {
  if (typeof value === "number" || value instanceof Int32) {
    return numberTest(
      operator,
      value instanceof Int32 ? value.value : value,
      slowTest(operator, value, collation),
    );
  }
  if (value instanceof UtcDate) return dateTest(operator, value.ms, slowTest(operator, value, collation));
  if (typeof value === "string" && operator === "$eq" && collation === undefined) {
    const slow = slowTest(operator, value, collation);
    return (other) => typeof other === "string" ? other === value : slow(other);
  }
  return slowTest(operator, value, collation);
}

/** Doubles and int32s against a number without a detour; the rest by `slow`. */
function numberTest(operator: ComparisonOperator, operand: number, slow: ValueTest): ValueTest {
  if (Number.isNaN(operand)) return slow;
  const compare = NUMBER_TESTS[operator];
  return (other) => {
    if (typeof other === "number") return compare(other, operand);
    return other instanceof Int32 ? compare(other.value, operand) : slow(other);
  };
}

/** Dates against a date, likewise. */
function dateTest(operator: ComparisonOperator, ms: number, slow: ValueTest): ValueTest {
  const compare = NUMBER_TESTS[operator];
  return (other) => other instanceof UtcDate ? compare(other.ms, ms) : slow(other);
}

const NUMBER_TESTS: Readonly<Record<ComparisonOperator, (a: number, b: number) => boolean>> = {
  $eq: (a, b) => a === b,
  $lt: (a, b) => a < b,
  $lte: (a, b) => a <= b,
  $gt: (a, b) => a > b,
  $gte: (a, b) => a >= b,
};

function slowTest(
  operator: ComparisonOperator,
  operand: Value,
  collation: Collation | undefined,
): ValueTest {
  const compare = valueOrder(collation);
  const rank = rankOfType(typeOf(operand));
  const allowsEqual = operator === "$eq" || operator === "$lte" || operator === "$gte";
  const acceptsOtherTypes = (operand instanceof MaxKey && (operator === "$lt" || operator === "$lte")) ||
    (operand instanceof MinKey && (operator === "$gt" || operator === "$gte"));
  if (operand === null) return (value) => allowsEqual && isNullish(value);
  if (isNaNValue(operand)) return (value) => allowsEqual && isNaNValue(value);
  return (value) => {
    if (rankOfType(typeOf(value)) !== rank) return acceptsOtherTypes;
    return !isNaNValue(value) && ORDER_TESTS[operator](compare(value, operand));
  };
}

const ORDER_TESTS: Readonly<Record<ComparisonOperator, (order: number) => boolean>> = {
  $eq: (order) => order === 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
};

function isNaNValue(value: Value): boolean {
  return Number.isNaN(value) || (value instanceof Decimal128 && Number.isNaN(keyOf(value)));
}

export function inTest({ values, patterns, collation }: InFilter): ValueTest {
  const isIn = collation === undefined ? keyTest(values) : orderedTest(values, collation);
  const matchesMissing = values.includes(null);
  const tests = patterns.map(regexTest);
  return (value) => {
    if (value === undefined || value === BsonUndefined.VALUE) return matchesMissing;
    if (isIn(value)) return true;
    return tests.some((test, i) => test(value) || isSamePattern(value, patterns[i]!));
  };
}

function keyTest(values: readonly Value[]): ValueTest {
  const keys = new Set<ValueKey>(values.map(keyOf));
  return (value) => keys.has(keyOf(value));
}

/** By binary search: no key is made of a collated text, of which rows may bring any number. */
function orderedTest(values: readonly Value[], collation: Collation): ValueTest {
  const compare = valueOrder(collation);
  const sorted = [...values].sort(compare);
  return (value) => {
    let from = 0;
    let to = sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const order = compare(sorted[middle], value);
      if (order === 0) return true;
      if (order < 0) from = middle + 1;
      else to = middle;
    }
    return false;
  };
}
