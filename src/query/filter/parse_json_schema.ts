/** `$jsonSchema` from BSON to its tree, with MongoDB's words for what is wrong. */
import { CommandError } from "../../base/mod.ts";
import {
  BsonType,
  BuiltDocument,
  Document,
  isArray,
  isNumber,
  typeOfAlias,
  type Value,
} from "../../bson/mod.ts";
import { typeName } from "../expression/message.ts";
import { type NumberValue, signOf } from "../expression/number.ts";
import { readNonNegativeInteger } from "./argument.ts";
import { NUMBER_TYPES } from "./element.ts";
import { unorderedKey } from "./json_schema.ts";
import { compilePattern } from "../pattern/pattern.ts";
import type { ArraySchema, NumberSchema, ObjectSchema, Range, Schema, TextSchema } from "./schema.ts";

const KEYWORDS: ReadonlySet<string> = new Set([
  "additionalItems",
  "additionalProperties",
  "allOf",
  "anyOf",
  "bsonType",
  "dependencies",
  "description",
  "enum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "items",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "multipleOf",
  "not",
  "oneOf",
  "pattern",
  "patternProperties",
  "properties",
  "required",
  "title",
  "type",
  "uniqueItems",
]);
/** Of JSON Schema's draft 4 or of encryption; a schema that relies on one of them would say less than it reads. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  "$ref",
  "$schema",
  "default",
  "definitions",
  "encrypt",
  "encryptMetadata",
  "format",
  "id",
]);
const JSON_TYPES: ReadonlyMap<string, readonly BsonType[]> = new Map<string, readonly BsonType[]>([
  ["array", [BsonType.Array]],
  ["boolean", [BsonType.Boolean]],
  ["null", [BsonType.Null]],
  ["number", NUMBER_TYPES],
  ["object", [BsonType.Object]],
  ["string", [BsonType.String]],
]);

/** @throws CommandError FailedToParse, TypeMismatch, BadValue */
export function parseJsonSchema(value: Value): Schema {
  if (!(value instanceof Document)) throw mismatch("$jsonSchema must be an object");
  return parseSchema(value);
}

function parseSchema(schema: Document): Schema {
  for (const name of schema.names()) checkKeyword(name);
  for (const name of ["title", "description"]) {
    if (schema.has(name) && typeof schema.get(name) !== "string") {
      throw mismatch(`${keyword(name)} must be of type string`);
    }
  }
  return {
    types: parseTypes(schema),
    numbers: parseNumbers(schema),
    text: parseText(schema),
    object: parseObject(schema),
    array: parseArray(schema),
    values: parseEnum(schema),
    all: parseBranches(schema, "allOf") ?? [],
    any: parseBranches(schema, "anyOf"),
    one: parseBranches(schema, "oneOf"),
    not: parseNot(schema),
  };
}

function checkKeyword(name: string): void {
  if (KEYWORDS.has(name)) return;
  throw UNSUPPORTED.has(name)
    ? failure(`${keyword(name)} is not currently supported`)
    : failure(`Unknown $jsonSchema keyword: ${name}`);
}

function parseTypes(schema: Document): ReadonlySet<BsonType> | undefined {
  if (schema.has("type") && schema.has("bsonType")) {
    throw failure("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  }
  const name = schema.has("type") ? "type" : "bsonType";
  const value = schema.get(name);
  if (value === undefined) return undefined;
  const aliases = isArray(value) ? value : [value];
  if (!isArray(value) && typeof value !== "string") {
    throw mismatch(`${keyword(name)} must be either a string or an array of strings`);
  }
  if (aliases.length === 0) throw failure(`${keyword(name)} must name at least one type`);
  const types = new Set<BsonType>();
  const seen = new Set<Value>();
  for (const alias of aliases) {
    if (typeof alias !== "string") throw mismatch(`${keyword(name)} array elements must be strings`);
    if (seen.has(alias)) throw failure(`${keyword(name)} has duplicate value: ${alias}`);
    seen.add(alias);
    typesOf(name, alias).forEach((type) => types.add(type));
  }
  return types;
}

function typesOf(name: string, alias: string): readonly BsonType[] {
  if (alias === "integer") throw failure("$jsonSchema type 'integer' is not currently supported.");
  if (name === "type") {
    const types = JSON_TYPES.get(alias);
    if (types !== undefined) return types;
  } else {
    if (alias === "number") return NUMBER_TYPES;
    const type = typeOfAlias(alias);
    if (type !== undefined) return [type];
  }
  throw new CommandError("BadValue", `Unknown type name alias: ${alias}`);
}

function parseNumbers(schema: Document): NumberSchema {
  return {
    greatest: number(schema, "maximum"),
    excludesGreatest: exclusion(schema, "maximum", "exclusiveMaximum"),
    least: number(schema, "minimum"),
    excludesLeast: exclusion(schema, "minimum", "exclusiveMinimum"),
    multipleOf: parseMultipleOf(schema),
  };
}

function number(schema: Document, name: string): NumberValue | undefined {
  const value = schema.get(name);
  if (value === undefined || isNumber(value)) return value;
  throw mismatch(`${keyword(name)} must be a number`);
}

function exclusion(schema: Document, bound: string, name: string): boolean {
  const value = schema.get(name);
  if (value === undefined) return false;
  if (!schema.has(bound)) throw failure(`${keyword(bound)} must be a present if ${name} is present`);
  return boolean(schema, name);
}

function boolean(schema: Document, name: string): boolean {
  const value = schema.get(name);
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  throw mismatch(`${keyword(name)} must be a boolean`);
}

function parseMultipleOf(schema: Document): NumberValue | undefined {
  const value = number(schema, "multipleOf");
  if (value === undefined || signOf(value) > 0) return value;
  throw failure(`${keyword("multipleOf")} must have a positive value`);
}

function parseText(schema: Document): TextSchema {
  const pattern = schema.get("pattern");
  if (pattern !== undefined && typeof pattern !== "string") {
    throw mismatch(`${keyword("pattern")} must be a string`);
  }
  if (pattern !== undefined) compilePattern(pattern, "");
  return { length: range(schema, "minLength", "maxLength"), pattern };
}

function range(schema: Document, least: string, greatest: string): Range<number> {
  return { greatest: count(schema, greatest), least: count(schema, least) };
}

function count(schema: Document, name: string): number | undefined {
  const value = schema.get(name);
  if (value === undefined) return undefined;
  const integer = readNonNegativeInteger(name, value);
  if (typeof integer === "string") throw failure(integer);
  return Number(integer);
}

function parseObject(schema: Document): ObjectSchema {
  return {
    required: names(schema, "required"),
    properties: new Map(parseProperties(schema)),
    patterns: parsePatterns(schema),
    others: schemaOrBoolean(schema, "additionalProperties", "must be an object or a boolean"),
    count: range(schema, "minProperties", "maxProperties"),
    dependencies: parseDependencies(schema),
  };
}

function names(schema: Document, name: string): readonly string[] {
  const value = schema.get(name);
  if (value === undefined) return [];
  if (!isArray(value)) {
    throw mismatch(`${keyword(name)} must be an array, but found an element of type ${typeName(value)}`);
  }
  if (value.length === 0) throw failure(`${keyword(name)} cannot be an empty array`);
  const fields = value.map((each) => {
    if (typeof each === "string") return each;
    throw mismatch(
      `${keyword(name)} must be an array of strings, but found an element of type: ${typeName(each)}`,
    );
  });
  if (new Set(fields).size < fields.length) {
    throw failure(`${keyword(name)} array cannot contain duplicate values`);
  }
  return fields;
}

function parseProperties(schema: Document): readonly (readonly [string, Schema])[] {
  return fieldsOfObject(schema, "properties").map(([name, value]) => {
    if (value instanceof Document) return [name, parseSchema(value)];
    throw mismatch(`Nested schema for $jsonSchema property '${name}' must be an object`);
  });
}

function parsePatterns(schema: Document): readonly (readonly [string, Schema])[] {
  return fieldsOfObject(schema, "patternProperties").map(([pattern, value]) => {
    if (!(value instanceof Document)) {
      throw mismatch(
        `${keyword("patternProperties")} has property '${pattern}' which is not an object`,
      );
    }
    compilePattern(pattern, "");
    return [pattern, parseSchema(value)];
  });
}

function fieldsOfObject(schema: Document, name: string): readonly (readonly [string, Value])[] {
  const value = schema.get(name);
  if (value === undefined) return [];
  if (!(value instanceof Document)) throw mismatch(`${keyword(name)} must be an object`);
  const values = value.values();
  return value.names().map((field, i) => [field, values[i]]);
}

function schemaOrBoolean(schema: Document, name: string, expected: string): Schema | false | undefined {
  const value = schema.get(name);
  if (value === undefined || value === true) return undefined;
  if (value === false) return false;
  if (value instanceof Document) return parseSchema(value);
  throw mismatch(`${keyword(name)} ${expected}`);
}

function parseDependencies(schema: Document): readonly (readonly [string, Schema])[] {
  return fieldsOfObject(schema, "dependencies").map(([name, value]) => {
    const where = keyword("dependencies");
    if (value instanceof Document) return [name, parseSchema(value)];
    if (!isArray(value)) {
      throw mismatch(`property '${name}' in ${where} must be either an object or an array`);
    }
    if (value.length === 0) throw failure(`property '${name}' in ${where} cannot be an empty array`);
    const needed = new Set<string>();
    for (const each of value) {
      if (typeof each !== "string") {
        throw mismatch(
          `array '${name}' in ${where} can only contain strings, but found element of type: ${
            typeName(each)
          }`,
        );
      }
      if (needed.has(each)) throw failure(`array '${name}' in ${where} contains duplicate element: ${each}`);
      needed.add(each);
    }
    return [name, parseSchema(BuiltDocument.of({ required: [...needed] }))];
  });
}

function parseArray(schema: Document): ArraySchema {
  const items = schema.get("items");
  const isList = isArray(items);
  if (items !== undefined && !isList && !(items instanceof Document)) {
    throw mismatch(`${keyword("items")} must be an array or an object, not ${typeName(items)}`);
  }
  const others = schema.get("additionalItems");
  const rest = schemaOrBoolean(
    schema,
    "additionalItems",
    `must be either an object or a boolean, but got a ${typeName(others)}`,
  );
  return {
    length: range(schema, "minItems", "maxItems"),
    unique: boolean(schema, "uniqueItems"),
    first: isList ? items.map(parseItem) : [],
    // Without a list of items all of them are the first, and there are no additional ones.
    rest: isList ? rest : items === undefined ? undefined : parseSchema(items),
  };
}

function parseItem(item: Value): Schema {
  if (item instanceof Document) return parseSchema(item);
  throw mismatch(
    `${keyword("items")} requires that each element of the array is an object, but found a ${typeName(item)}`,
  );
}

function parseEnum(schema: Document): readonly Value[] | undefined {
  const value = schema.get("enum");
  if (value === undefined) return undefined;
  if (!isArray(value)) {
    throw mismatch(`${keyword("enum")} must be an array, but found an element of type ${typeName(value)}`);
  }
  if (value.length === 0) throw failure(`${keyword("enum")} cannot be an empty array`);
  if (new Set(value.map(unorderedKey)).size < value.length) {
    throw failure(`${keyword("enum")} array cannot contain duplicate values.`);
  }
  return value;
}

function parseBranches(schema: Document, name: string): readonly Schema[] | undefined {
  const value = schema.get(name);
  if (value === undefined) return undefined;
  if (!isArray(value)) throw mismatch(`${keyword(name)} must be an array`);
  if (value.length === 0) {
    throw new CommandError("BadValue", `${keyword(name)} must be a non-empty array`);
  }
  return value.map((branch) => {
    if (branch instanceof Document) return parseSchema(branch);
    throw mismatch(
      `${keyword(name)} must be an array of objects, but found an element of type ${typeName(branch)}`,
    );
  });
}

function parseNot(schema: Document): Schema | undefined {
  const value = schema.get("not");
  if (value === undefined) return undefined;
  if (value instanceof Document) return parseSchema(value);
  throw mismatch(`${keyword("not")} must be an object, but found an element of type ${typeName(value)}`);
}

function keyword(name: string): string {
  return `$jsonSchema keyword '${name}'`;
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

function mismatch(message: string): CommandError {
  return new CommandError("TypeMismatch", message);
}
