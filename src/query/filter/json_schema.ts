/**
 * `$jsonSchema`: MongoDB's draft 4 of JSON Schema, which says of each type what its values may be. A keyword asks nothing of
 * values of other types: `{maximum: 5}` lets a string pass. Schemas compile to one closure over a value.
 */
import {
  BuiltDocument,
  Document,
  isArray,
  isNumber,
  keyOf,
  typeOf,
  type Value,
  type ValueKey,
} from "../../bson/mod.ts";
import * as decimals from "../expression/decimal_arithmetic.ts";
import { asDecimal, type NumberValue } from "../expression/number.ts";
import { comparisonTest } from "./comparison.ts";
import type { ValueTest } from "./path.ts";
import { textTest } from "./regex.ts";
import type { ArraySchema, NumberSchema, ObjectSchema, Range, Schema, TextSchema } from "./schema.ts";

/** The question that a schema asks of a value that is there. */
export function schemaTest(schema: Schema): ValueTest {
  const tests: ValueTest[] = [];
  const { types, values, all, any, one, not } = schema;
  if (types !== undefined) tests.push((value) => types.has(typeOf(value)));
  if (values !== undefined) tests.push(enumTest(values));
  tests.push(...numberTests(schema.numbers), ...textTests(schema.text));
  tests.push(...arrayTests(schema.array), ...objectTests(schema.object));
  tests.push(...all.map(schemaTest));
  if (any !== undefined) {
    const branches = any.map(schemaTest);
    tests.push((value) => branches.some((test) => test(value)));
  }
  if (one !== undefined) {
    const branches = one.map(schemaTest);
    tests.push((value) => branches.filter((test) => test(value)).length === 1);
  }
  if (not !== undefined) {
    const refused = schemaTest(not);
    tests.push((value) => !refused(value));
  }
  return (value) => tests.every((test) => test(value));
}

function enumTest(values: readonly Value[]): ValueTest {
  const keys = new Set(values.map(unorderedKey));
  return (value) => keys.has(unorderedKey(value));
}

/** A key that is the same for values equal but for the order of fields in documents. */
export function unorderedKey(value: Value): ValueKey {
  return keyOf(withSortedFields(value));
}

function withSortedFields(value: Value): Value {
  if (isArray(value)) return value.map(withSortedFields);
  if (!(value instanceof Document)) return value;
  const names = [...value.names()].sort();
  return new BuiltDocument(names, names.map((name) => withSortedFields(value.get(name))));
}

function numberTests(schema: NumberSchema): ValueTest[] {
  const { least, greatest, excludesLeast, excludesGreatest, multipleOf } = schema;
  const tests: ValueTest[] = [];
  const compare = (operator: "$gt" | "$gte" | "$lt" | "$lte", value: Value) =>
    tests.push(comparisonTest({ kind: "comparison", path: [], operator, value }));
  if (least !== undefined) compare(excludesLeast ? "$gt" : "$gte", least);
  if (greatest !== undefined) compare(excludesGreatest ? "$lt" : "$lte", greatest);
  if (multipleOf !== undefined) {
    const divisor = asDecimal(multipleOf);
    tests.push((value) => decimals.isZero(decimals.remainder(asDecimal(value as NumberValue), divisor)));
  }
  return tests.map((test) => (value) => !isNumber(value) || test(value));
}

function textTests({ length, pattern }: TextSchema): ValueTest[] {
  const tests: ((text: string) => boolean)[] = [];
  const isLength = rangeTest(length);
  if (isLength !== undefined) tests.push((text) => isLength([...text].length));
  if (pattern !== undefined) {
    tests.push(textTest(pattern, ""));
  }
  return tests.map((test) => (value) => typeof value !== "string" || test(value));
}

function rangeTest({ least, greatest }: Range<number>): ((count: number) => boolean) | undefined {
  if (least === undefined && greatest === undefined) return undefined;
  const from = least ?? 0;
  const to = greatest ?? Infinity;
  return (count) => count >= from && count <= to;
}

function arrayTests({ length, unique, first, rest }: ArraySchema): ValueTest[] {
  const tests: ((array: readonly Value[]) => boolean)[] = [];
  const isLength = rangeTest(length);
  if (isLength !== undefined) tests.push((array) => isLength(array.length));
  if (unique) tests.push((array) => new Set(array.map(unorderedKey)).size === array.length);
  if (first.length > 0 || rest !== undefined) {
    const byPlace = first.map(schemaTest);
    const others = testOfOthers(rest);
    tests.push((array) => array.every((element, i) => (byPlace[i] ?? others)(element)));
  }
  return tests.map((test) => (value) => !isArray(value) || test(value));
}

function testOfOthers(schema: Schema | false | undefined): ValueTest {
  if (schema === undefined) return () => true;
  return schema === false ? () => false : schemaTest(schema);
}

function objectTests(schema: ObjectSchema): ValueTest[] {
  const { count, required } = schema;
  const tests: ((document: Document) => boolean)[] = [];
  const isCount = rangeTest(count);
  if (isCount !== undefined) tests.push((document) => isCount(document.names().length));
  if (required.length > 0) tests.push((document) => required.every((name) => document.has(name)));
  tests.push(...fieldTests(schema), ...schema.dependencies.map(dependencyTest));
  return tests.map((test) => (value) => !(value instanceof Document) || test(value));
}

function fieldTests({ properties, patterns, others }: ObjectSchema): ((document: Document) => boolean)[] {
  const named = [...properties].map(([name, schema]) => [name, schemaTest(schema)] as const);
  const matching = patterns.map(([pattern, schema]) => [textTest(pattern, ""), schemaTest(schema)] as const);
  const tests: ((document: Document) => boolean)[] = named.map(([name, test]) => (document) => {
    const value = document.get(name);
    return value === undefined || test(value);
  });
  if (matching.length === 0 && others === undefined) return tests;
  const otherTest = testOfOthers(others);
  tests.push((document) => {
    const values = document.values();
    return document.names().every((name, i) => {
      const own = matching.filter(([matches]) => matches(name));
      if (own.length === 0 && !properties.has(name)) return otherTest(values[i]);
      return own.every(([, test]) => test(values[i]));
    });
  });
  return tests;
}

function dependencyTest([name, schema]: readonly [string, Schema]): (document: Document) => boolean {
  const test = schemaTest(schema);
  return (document) => !document.has(name) || test(document);
}
