/**
 * What MongoDB says of a value that a `$jsonSchema` refuses: a list of rules that are not satisfied, in an order of its
 * own, each with what it says itself about the values in it.
 */
import {
  aliasOfType,
  BuiltDocument,
  Document,
  Int32,
  isArray,
  typeOf,
  typeOfAlias,
  type Value,
} from "../../bson/mod.ts";
import { fieldValues, hasField, propertyTest, schemaTest, unorderedKey } from "../filter/json_schema.ts";
import { parseJsonSchema } from "../filter/parse_json_schema.ts";
import { textTest } from "../filter/regex.ts";

/** The details of a document that a whole schema refuses. */
export function schemaDetails(schema: Document, document: Document): Document {
  if (refusesDocuments(schema)) return alwaysFalse(schema);
  return BuiltDocument.of({
    operatorName: "$jsonSchema",
    ...annotations(schema),
    schemaRulesNotSatisfied: failures(schema, document, true),
  });
}

/** Whether a schema's type leaves no document. */
function refusesDocuments(schema: Document): boolean {
  return !isTypeStated(schema, "object");
}

function alwaysFalse(schema: Document): Document {
  return BuiltDocument.of({
    operatorName: "$jsonSchema",
    specifiedAs: BuiltDocument.of({ $jsonSchema: schema }),
    reason: "expression always evaluates to false",
  });
}

/** One rule of a schema. @returns what is to be told of a value, which it refuses */
type RuleDetails = (rule: Rule) => Readonly<Record<string, Value>>;

interface Rule {
  readonly keyword: string;
  readonly schema: Document;
  readonly argument: Value;
  readonly value: Value;
  /** The keyword and its argument, with what belongs to it. */
  readonly specifiedAs: Document;
  /** Whether the value is the whole document. */
  readonly isRoot: boolean;
}

/** The rules of a schema that a value does not satisfy. */
function failures(schema: Document, value: Value, isRoot = false): readonly Document[] {
  return RULES.flatMap(([keyword, details, type]) => {
    const argument = schema.get(keyword);
    if (argument === undefined) return [];
    // A rule about values that the stated type excludes is none.
    if (type !== undefined && !isTypeStated(schema, type)) return [];
    const specifiedAs = ruleOf(schema, keyword);
    if (schemaTest(parseJsonSchema(specifiedAs))(value)) return [];
    const told = details({ keyword, schema, argument, value, specifiedAs: shownRule(specifiedAs), isRoot });
    return [BuiltDocument.of({ operatorName: keyword, ...told })];
  });
}

/** Keywords that say how another one is meant. */
const COMPANIONS: Readonly<Record<string, readonly string[]>> = {
  additionalItems: ["items"],
  additionalProperties: ["properties", "patternProperties"],
  maximum: ["exclusiveMaximum"],
  minimum: ["exclusiveMinimum"],
};

/** A schema of one rule. */
function ruleOf(schema: Document, keyword: string): Document {
  const names = [keyword, ...(COMPANIONS[keyword] ?? []).filter((name) => schema.has(name))];
  return new BuiltDocument(names, names.map((name) => ruleArgument(schema, keyword, name)));
}

/** Of the fields and places that other rules speak of, only which they are. */
function ruleArgument(schema: Document, keyword: string, name: string): Value {
  const argument = schema.get(name);
  if (name === keyword || keyword === "maximum" || keyword === "minimum") return argument;
  if (isArray(argument)) return argument.map(() => BuiltDocument.EMPTY);
  if (name === "items" || !(argument instanceof Document)) return BuiltDocument.EMPTY;
  return new BuiltDocument(argument.names(), argument.names().map(() => BuiltDocument.EMPTY));
}

function shownRule(rule: Document): Document {
  const names = rule.names().filter((name, i) => i === 0 || name.startsWith("exclusive"));
  return new BuiltDocument(names, names.map((name) => rule.get(name)));
}

function isTypeStated(schema: Document, type: string): boolean {
  const stated = schema.get("bsonType") ?? schema.get("type");
  if (stated === undefined) return true;
  const aliases = isArray(stated) ? stated : [stated];
  if (type === "number") return aliases.some((alias) => NUMBERS.has(String(alias)));
  return aliases.some((alias) => alias === type || typeOfAlias(String(alias)) === typeOfAlias(type));
}

const NUMBERS: ReadonlySet<string> = new Set(["number", "int", "long", "double", "decimal"]);

function annotations(schema: Document): Readonly<Record<string, Value>> {
  return { title: schema.get("title"), description: schema.get("description") };
}

const about = (reason: string): RuleDetails => ({ specifiedAs, value }) => ({
  specifiedAs,
  reason,
  consideredValue: value,
});
const compared = about("comparison failed");
const ofLength = about("specified string length was not satisfied");

const typed: RuleDetails = (rule) => ({
  ...about("type did not match")(rule),
  consideredType: aliasOfType(typeOf(rule.value)),
});

const counted: RuleDetails = (rule) => ({
  ...about("array did not match specified length")(rule),
  numberOfItems: Int32.of(itemsOf(rule.value).length),
});

const ofCount: RuleDetails = ({ specifiedAs, value }) => ({
  specifiedAs,
  reason: "specified number of properties was not satisfied",
  numberOfProperties: Int32.of(fieldsOf(value).names().length),
});

/** All rules in the order in which they are told, with the type of value that they speak of. */
const RULES: readonly (readonly [keyword: string, details: RuleDetails, type?: string])[] = [
  ["pattern", about("regular expression did not match"), "string"],
  ["multipleOf", about("considered value is not a multiple of the specified value"), "number"],
  ["maximum", compared, "number"],
  ["minimum", compared, "number"],
  ["maxLength", ofLength, "string"],
  ["minLength", ofLength, "string"],
  ["minItems", counted, "array"],
  ["maxItems", counted, "array"],
  ["uniqueItems", duplicated, "array"],
  ["items", items, "array"],
  ["additionalItems", additionalItems, "array"],
  ["properties", properties, "object"],
  ["additionalProperties", additionalProperties, "object"],
  ["patternProperties", patternProperties, "object"],
  ["required", required, "object"],
  ["minProperties", ofCount, "object"],
  ["maxProperties", ofCount, "object"],
  ["dependencies", dependencies],
  ["allOf", branches],
  ["anyOf", branches],
  ["oneOf", oneOf],
  ["not", () => ({ reason: "child expression matched" })],
  ["enum", about("value was not found in enum")],
  ["bsonType", typed],
  ["type", typed],
];

function itemsOf(value: Value): readonly Value[] {
  return isArray(value) ? value : [];
}

function fieldsOf(value: Value): Document {
  return value instanceof Document ? value : BuiltDocument.EMPTY;
}

function test(schema: Document): (value: Value) => boolean {
  return schemaTest(parseJsonSchema(schema));
}

function duplicated(rule: Rule): Readonly<Record<string, Value>> {
  const seen = new Set<unknown>();
  const duplicatedValue = itemsOf(rule.value).find((item) => {
    const key = unorderedKey(item);
    return seen.size === seen.add(key).size;
  });
  return { ...about("found a duplicate item")(rule), duplicatedValue };
}

function items({ argument, value }: Rule): Readonly<Record<string, Value>> {
  if (argument instanceof Document) {
    const passes = test(argument);
    const index = itemsOf(value).findIndex((item) => !passes(item));
    return {
      reason: "At least one item did not match the sub-schema",
      itemIndex: Int32.of(index),
      details: failures(argument, itemsOf(value)[index]),
    };
  }
  const details = itemsOf(argument).flatMap((schema, index) => {
    const item = itemsOf(value)[index];
    if (!(schema instanceof Document) || item === undefined || test(schema)(item)) return [];
    return [BuiltDocument.of({
      itemIndex: BigInt(index),
      details: failures(schema, item),
    })];
  });
  return { details };
}

function additionalItems({ schema, argument, value, specifiedAs }: Rule): Readonly<Record<string, Value>> {
  const from = itemsOf(schema.get("items")).length;
  const rest = itemsOf(value).slice(from);
  if (!(argument instanceof Document)) {
    return { specifiedAs, reason: "found additional items", additionalItems: rest };
  }
  const passes = test(argument);
  const index = rest.findIndex((item) => !passes(item));
  return {
    ...annotations(argument),
    reason: "At least one additional item did not match the sub-schema",
    itemIndex: Int32.of(from + index),
    details: failures(argument, rest[index]),
  };
}

function properties({ argument, value }: Rule): Readonly<Record<string, Value>> {
  const schemas = fieldsOf(argument);
  const propertiesNotSatisfied = schemas.names().flatMap((propertyName) => {
    const schema = schemas.get(propertyName);
    if (!(schema instanceof Document)) return [];
    if (propertyTest(propertyName, parseJsonSchema(schema))(fieldsOf(value))) return [];
    const values = fieldValues(fieldsOf(value), propertyName);
    const passes = test(schema);
    const field = values.find((each) => !passes(each)) ?? values[0];
    return [BuiltDocument.of({ propertyName, ...annotations(schema), details: failures(schema, field) })];
  });
  return { propertiesNotSatisfied };
}

function additionalProperties(rule: Rule): Readonly<Record<string, Value>> {
  const { schema, argument, value, specifiedAs } = rule;
  const named = fieldsOf(schema.get("properties"));
  const patterns = fieldsOf(schema.get("patternProperties")).names().map((pattern) => textTest(pattern, ""));
  const document = fieldsOf(value);
  const others = document.names().filter((name) =>
    !named.has(name) && !patterns.some((matches) => matches(name))
  );
  if (!(argument instanceof Document)) return { specifiedAs, additionalProperties: others };
  const passes = test(argument);
  const failing = others.find((name) => !passes(document.get(name)))!;
  return {
    ...annotations(argument),
    reason: "at least one additional property did not match the subschema",
    failingProperty: failing,
    details: failures(argument, document.get(failing)),
  };
}

function patternProperties({ argument, value }: Rule): Readonly<Record<string, Value>> {
  const schemas = fieldsOf(argument);
  const document = fieldsOf(value);
  const details = schemas.names().flatMap((regexMatched) => {
    const schema = schemas.get(regexMatched);
    if (!(schema instanceof Document)) return [];
    const matches = textTest(regexMatched, "");
    const passes = test(schema);
    return document.names()
      .filter((name) => matches(name) && !passes(document.get(name)))
      .map((propertyName) =>
        BuiltDocument.of({
          propertyName,
          ...annotations(schema),
          regexMatched,
          details: failures(schema, document.get(propertyName)),
        })
      );
  });
  return { details };
}

function required({ argument, value, specifiedAs }: Rule): Readonly<Record<string, Value>> {
  const missingProperties = itemsOf(argument).filter((name) => !hasField(fieldsOf(value), String(name)));
  return { specifiedAs, missingProperties };
}

function dependencies({ argument, value }: Rule): Readonly<Record<string, Value>> {
  const rules = fieldsOf(argument);
  const document = fieldsOf(value);
  const failingDependencies = rules.names().flatMap((conditionalProperty) => {
    if (!hasField(document, conditionalProperty)) return [];
    const needed = rules.get(conditionalProperty);
    if (needed instanceof Document) {
      if (test(needed)(document)) return [];
      return [BuiltDocument.of({ conditionalProperty, details: failures(needed, document) })];
    }
    const missingProperties = itemsOf(needed).filter((name) => !hasField(document, String(name)));
    if (missingProperties.length === 0) return [];
    return [BuiltDocument.of({ conditionalProperty, missingProperties })];
  });
  return { failingDependencies };
}

function branches({ argument, value, isRoot }: Rule): Readonly<Record<string, Value>> {
  const schemasNotSatisfied = itemsOf(argument).flatMap((schema, index) => {
    if (!(schema instanceof Document) || test(schema)(value)) return [];
    const details = isRoot && refusesDocuments(schema)
      ? alwaysFalse(schema)
      : failures(schema, value, isRoot);
    return [BuiltDocument.of({ index: Int32.of(index), ...annotations(schema), details })];
  });
  return { schemasNotSatisfied };
}

function oneOf(rule: Rule): Readonly<Record<string, Value>> {
  const matching = itemsOf(rule.argument).flatMap((schema, index) =>
    schema instanceof Document && test(schema)(rule.value) ? [Int32.of(index)] : []
  );
  if (matching.length === 0) return branches(rule);
  return { reason: "more than one subschema matched", matchingSchemaIndexes: matching };
}
