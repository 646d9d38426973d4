/**
 * "Evaluating matches" of the unified test format: an expected value, which may hold operators such as {$$exists: true},
 * against an actual one. A root document may have more fields than are expected; one inside it may not.
 */
import { driver, EJSON } from "./driver.mjs";
import { expect, Mismatch, Unrunnable } from "./outcome.mjs";

const { Binary, BSONRegExp, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } =
  driver;

/**
 * @param entities the test's entities, for operators that name one
 * @param isRoot whether more fields than the expected ones may be there
 * @throws Mismatch that names the path
 */
export function match(expected, actual, entities, isRoot = true, path = "$") {
  if (isPlainObject(expected)) return matchDocument(expected, actual, entities, isRoot, path);
  if (Array.isArray(expected)) {
    expect(Array.isArray(actual), `${path}: expected an array, got ${show(actual)}`);
    expect(
      actual.length === expected.length,
      `${path}: expected ${expected.length} elements, got ${actual.length}: ${show(actual)}`,
    );
    expected.forEach((value, i) => match(value, actual[i], entities, false, `${path}[${i}]`));
    return;
  }
  expect(sameValue(expected, actual), `${path}: expected ${show(expected)}, got ${show(actual)}`);
}

/** Whether the values match. */
export function matches(expected, actual, entities, isRoot = true) {
  try {
    match(expected, actual, entities, isRoot);
    return true;
  } catch (error) {
    if (error instanceof Mismatch) return false;
    throw error;
  }
}

function matchDocument(expected, actual, entities, isRoot, path) {
  const operator = operatorOf(expected);
  if (operator !== undefined) {
    return matchOperator(operator, expected[operator], actual, entities, isRoot, path);
  }
  expect(isDocument(actual), `${path}: expected a document, got ${show(actual)}`);
  for (const [name, value] of Object.entries(expected)) {
    match(value, fieldOf(actual, name), entities, false, `${path}.${name}`);
  }
  if (isRoot) return;
  const more = fieldNames(actual).filter((name) => !(name in expected));
  expect(more.length === 0, `${path}: unexpected fields ${more.join(", ")} in ${show(actual)}`);
}

function matchOperator(operator, operand, actual, entities, isRoot, path) {
  switch (operator) {
    case "$$exists":
      return expect(
        (actual !== undefined) === operand,
        `${path}: expected ${operand ? "a value" : "nothing"}, got ${show(actual)}`,
      );
    case "$$type": {
      const types = [operand].flat();
      return expect(
        types.some((type) => isOfType(type, actual)),
        `${path}: expected ${types.join(" or ")}, got ${show(actual)}`,
      );
    }
    case "$$unsetOrMatches":
      if (actual !== undefined && actual !== null) match(operand, actual, entities, isRoot, path);
      return;
    case "$$matchesEntity":
      return match(entities.value(operand), actual, entities, isRoot, path);
    case "$$matchesHexBytes":
      return expect(
        Buffer.isBuffer(actual) && actual.toString("hex") === operand.toLowerCase(),
        `${path}: expected the bytes ${operand}, got ${show(actual)}`,
      );
    case "$$sessionLsid":
      return match(entities.sessionId(operand), actual, entities, false, path);
    case "$$lte":
      return expect(
        numberOf(actual) <= numberOf(operand),
        `${path}: expected at most ${operand}, got ${show(actual)}`,
      );
    case "$$matchAsDocument":
      expect(typeof actual === "string", `${path}: expected extended JSON, got ${show(actual)}`);
      return match(operand, EJSON.parse(actual), entities, false, path);
    case "$$matchAsRoot":
      return match(operand, actual, entities, true, path);
    default:
      throw new Unrunnable(`the runner does not know ${operator}`);
  }
}

/** The name of the operator, if the document is one. */
function operatorOf(document) {
  const names = Object.keys(document);
  return names.length === 1 && names[0].startsWith("$$") ? names[0] : undefined;
}

/** Whether two values that hold no operators are alike; numbers by their value, documents in any order of fields. */
export function sameValue(a, b) {
  if (isNumeric(a) && isNumeric(b)) return numberOf(a) === numberOf(b);
  if (a === undefined || b === undefined || a === null || b === null) return a === b;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, i) => sameValue(value, b[i]));
  }
  if (isPlainObject(a) && isDocument(b)) {
    const names = Object.keys(a);
    return names.length === fieldNames(b).length &&
      names.every((name) => sameValue(a[name], fieldOf(b, name)));
  }
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  return EJSON.stringify({ a: plainBinary(a) }, { relaxed: false }) ===
    EJSON.stringify({ a: plainBinary(b) }, { relaxed: false });
}

/** Buffers, UUIDs and Binaries of the same bytes are alike. */
function plainBinary(value) {
  if (Buffer.isBuffer(value)) return new Binary(value);
  return value instanceof UUID ? value.toBinary() : value;
}

function isPlainObject(value) {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Whether the value has fields: a plain object, or what the driver makes of an answer. */
function isDocument(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    value._bsontype === undefined &&
    !(value instanceof Date) && !(value instanceof RegExp) && !Buffer.isBuffer(value);
}

function fieldOf(document, name) {
  return document instanceof Map ? document.get(name) : document[name];
}

function fieldNames(document) {
  const names = document instanceof Map ? [...document.keys()].map(String) : Object.keys(document);
  return names.filter((name) => fieldOf(document, name) !== undefined);
}

function isNumeric(value) {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Int32 ||
    value instanceof Double ||
    (value instanceof Long && !(value instanceof Timestamp));
}

export function numberOf(value) {
  return isNumeric(value) ? Number(value.valueOf()) : NaN;
}

function isOfType(type, value) {
  const isWhole = typeof value === "number" && Number.isInteger(value);
  switch (type) {
    case "double":
      return typeof value === "number" || value instanceof Double;
    case "int":
      return value instanceof Int32 || (isWhole && Math.abs(value) <= 2 ** 31);
    case "long":
      return (value instanceof Long && !(value instanceof Timestamp)) || typeof value === "bigint" || isWhole;
    case "number":
      return isNumeric(value) || value instanceof Decimal128;
    case "string":
      return typeof value === "string";
    case "object":
      return isDocument(value);
    case "array":
      return Array.isArray(value);
    case "binData":
      return value instanceof Binary || Buffer.isBuffer(value);
    case "undefined":
      return value === undefined;
    case "objectId":
      return value instanceof ObjectId;
    case "bool":
      return typeof value === "boolean";
    case "date":
      return value instanceof Date;
    case "null":
      return value === null;
    case "regex":
      return value instanceof RegExp || value instanceof BSONRegExp;
    case "timestamp":
      return value instanceof Timestamp;
    case "decimal":
      return value instanceof Decimal128;
    case "minKey":
      return value instanceof MinKey;
    case "maxKey":
      return value instanceof MaxKey;
    default:
      throw new Unrunnable(`the runner does not know the type ${type}`);
  }
}

/** A value as a message shows it. */
export function show(value) {
  if (value === undefined) return "nothing";
  try {
    const text = EJSON.stringify({ value }, { relaxed: true }).slice('{"value":'.length, -1);
    return text.length > 300 ? `${text.slice(0, 300)}…` : text;
  } catch {
    return String(value);
  }
}
