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
import { someValueAt, type ValueTest } from "./path.ts";
import { textTest } from "./regex.ts";
import type { ArraySchema, NumberSchema, ObjectSchema, Range, Schema, TextSchema } from "./schema.ts";

/** What a keyword asks of the values of the types that it speaks of. */
interface Keyword {
  readonly applies: ValueTest;
  readonly holds: ValueTest;
}

/** The question that a schema asks of a value that is there. */
export function schemaTest(schema: Schema): ValueTest {
  const ofKeyword = ({ applies, holds }: Keyword) => (value: Value) => !applies(value) || holds(value);
  return combined(schema, ofKeyword, schemaTest);
}

/** As MongoDB asks of all values that a path leads to: for each keyword one that it speaks of is enough. */
function valuesTest(schema: Schema): (values: readonly Value[]) => boolean {
  const ofKeyword = ({ applies, holds }: Keyword) => (values: readonly Value[]) => {
    const own = values.filter(applies);
    return own.length === 0 || own.some(holds);
  };
  return combined(schema, ofKeyword, valuesTest);
}

function combined<T>(
  schema: Schema,
  ofKeyword: (keyword: Keyword) => (asked: T) => boolean,
  ofSchema: (schema: Schema) => (asked: T) => boolean,
): (asked: T) => boolean {
  const { all, any, one, not } = schema;
  const tests = [...keywordsOf(schema).map(ofKeyword), ...all.map(ofSchema)];
  if (any !== undefined) {
    const branches = any.map(ofSchema);
    tests.push((asked) => branches.some((test) => test(asked)));
  }
  if (one !== undefined) {
    const branches = one.map(ofSchema);
    tests.push((asked) => branches.filter((test) => test(asked)).length === 1);
  }
  if (not !== undefined) {
    const refused = ofSchema(not);
    tests.push((asked) => !refused(asked));
  }
  return (asked) => tests.every((test) => test(asked));
}

function keywordsOf(schema: Schema): readonly Keyword[] {
  const { types, values } = schema;
  const ofAll: ValueTest[] = [];
  if (types !== undefined) ofAll.push((value) => types.has(typeOf(value)));
  if (values !== undefined) ofAll.push(enumTest(values));
  return [
    ...ofAll.map((holds) => ({ applies: () => true, holds })),
    ...numberTests(schema.numbers).map((holds) => ({ applies: isNumber, holds })),
    ...keywordsFor((value) => typeof value === "string", textTests(schema.text)),
    ...keywordsFor(isArray, arrayTests(schema.array)),
    ...keywordsFor((value) => value instanceof Document, objectTests(schema.object)),
  ];
}

/** @param applies whether a value is a `T` */
function keywordsFor<T extends Value>(
  applies: (value: Value) => value is T,
  tests: readonly ((value: T) => boolean)[],
): readonly Keyword[] {
  return tests.map((test) => ({ applies, holds: (value) => applies(value) && test(value) }));
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
  return tests;
}

function textTests({ length, pattern }: TextSchema): ((text: string) => boolean)[] {
  const tests: ((text: string) => boolean)[] = [];
  const isLength = rangeTest(length);
  if (isLength !== undefined) tests.push((text) => isLength([...text].length));
  if (pattern !== undefined) {
    tests.push(textTest(pattern, ""));
  }
  return tests;
}

function rangeTest({ least, greatest }: Range<number>): ((count: number) => boolean) | undefined {
  if (least === undefined && greatest === undefined) return undefined;
  const from = least ?? 0;
  const to = greatest ?? Infinity;
  return (count) => count >= from && count <= to;
}

function arrayTests(
  { length, unique, first, rest }: ArraySchema,
): ((array: readonly Value[]) => boolean)[] {
  const tests: ((array: readonly Value[]) => boolean)[] = [];
  const isLength = rangeTest(length);
  if (isLength !== undefined) tests.push((array) => isLength(array.length));
  if (unique) tests.push((array) => new Set(array.map(unorderedKey)).size === array.length);
  if (first.length > 0 || rest !== undefined) {
    const byPlace = first.map(schemaTest);
    const others = testOfOthers(rest);
    tests.push((array) => array.every((element, i) => (byPlace[i] ?? others)(element)));
  }
  return tests;
}

function testOfOthers(schema: Schema | false | undefined): ValueTest {
  if (schema === undefined) return () => true;
  return schema === false ? () => false : schemaTest(schema);
}

function objectTests(schema: ObjectSchema): ((document: Document) => boolean)[] {
  const { count, required } = schema;
  const tests: ((document: Document) => boolean)[] = [];
  const isCount = rangeTest(count);
  if (isCount !== undefined) tests.push((document) => isCount(document.names().length));
  if (required.length > 0) tests.push((document) => required.every((name) => hasField(document, name)));
  tests.push(...fieldTests(schema), ...schema.dependencies.map(dependencyTest));
  return tests;
}

function fieldTests({ properties, patterns, others }: ObjectSchema): ((document: Document) => boolean)[] {
  const matching = patterns.map(([pattern, schema]) => [textTest(pattern, ""), schemaTest(schema)] as const);
  const tests = [...properties].map(([name, schema]) => propertyTest(name, schema));
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
  return (document) => !hasField(document, name) || test(document);
}

/** A name with dots in it is a path, as everywhere in a filter. */
export function propertyTest(name: string, schema: Schema): (document: Document) => boolean {
  if (!name.includes(".")) {
    const test = schemaTest(schema);
    return (document) => {
      const value = document.get(name);
      return value === undefined || test(value);
    };
  }
  const test = valuesTest(schema);
  return (document) => {
    const values = fieldValues(document, name);
    return values.length === 0 || test(values);
  };
}

export function hasField(document: Document, name: string): boolean {
  return name.includes(".") ? fieldValues(document, name).length > 0 : document.has(name);
}

/** The values that a name leads to: several where its path goes through arrays. */
export function fieldValues(document: Document, name: string): readonly Value[] {
  const values: Value[] = [];
  someValueAt(document, name.split("."), (value) => {
    if (value !== undefined) values.push(value);
    return false;
  }, false);
  return values;
}
