/**
 * Values as MongoDB's error messages show them, in its two hands: `renderDocument` as BSON prints itself
 * (`{ a: 1, b: [ 1, 2 ] }`) and `renderValue` as a value of the aggregation prints itself (`{a: 1, b: [1, 2]}`).
 */
import {
  aliasOfType,
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  Code,
  Decimal128,
  Document,
  Int32,
  isArray,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  typeOf,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { formatDouble } from "./number_text.ts";

/** `{ a: 1, b: "x" }`, as BSON prints itself. */
export function renderDocument(document: Document): string {
  const values = document.values();
  const fields = document.names().map((name, i) => `${name}: ${renderElement(values[i])}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/** A value as it stands in a rendered document. */
export function renderElement(value: Value): string {
  if (value instanceof Document) return renderDocument(value);
  if (isArray(value)) return value.length === 0 ? "[]" : `[ ${value.map(renderElement).join(", ")} ]`;
  if (typeof value === "string") return renderText(value);
  if (typeof value === "number") return renderDouble(value);
  if (value instanceof UtcDate) return `new Date(${value.exactMs})`;
  if (value instanceof Int32) return String(value.value);
  return renderScalar(value);
}

/** Texts of so many characters are cut, after the first of them. */
const LONG_TEXT = 160;
const SHOWN_OF_LONG_TEXT = 150;

function renderText(text: string): string {
  return text.length < LONG_TEXT ? `"${text}"` : `"${text.slice(0, SHOWN_OF_LONG_TEXT)}..."`;
}

/** With a point in any case, which makes `nan.0` of what is no number, and `1e+300.0`. */
function renderDouble(value: number): string {
  const text = formatDouble(value, 16);
  return text.includes(".") ? text : `${text}.0`;
}

/** `{a: 1, b: "x"}`, as a value of the aggregation prints itself. */
export function renderValue(value: Value): string {
  if (value === undefined) return "MISSING";
  if (value instanceof Document) {
    const values = value.values();
    return `{${value.names().map((name, i) => `${name}: ${renderValue(values[i])}`).join(", ")}}`;
  }
  if (isArray(value)) return `[${value.map(renderValue).join(", ")}]`;
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "number") return formatDouble(value);
  if (value instanceof Int32) return String(value.value);
  if (value instanceof UtcDate) return renderDate(value.ms);
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Binary) return `BinData(${value.sub_type}, "${value.toString("hex").toUpperCase()}")`;
  return renderScalar(value);
}

/** The largest moment that JavaScript's own Date knows. */
const LAST_DATE_MS = 8.64e15;

function renderDate(ms: number): string {
  return Math.abs(ms) <= LAST_DATE_MS ? new Date(ms).toISOString() : String(ms);
}

function renderScalar(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof Timestamp) {
    return `Timestamp(${value.getHighBitsUnsigned()}, ${value.getLowBitsUnsigned()})`;
  }
  if (value instanceof Binary) return `BinData(${value.sub_type}, ${value.toString("hex").toUpperCase()})`;
  if (value instanceof MinKey) return "MinKey";
  if (value instanceof MaxKey) return "MaxKey";
  if (value instanceof BSONSymbol) return `Symbol("${value.value}")`;
  if (value instanceof Code) return `Code("${value.code}")`;
  if (value instanceof BsonUndefined) return "undefined";
  return aliasOfType(typeOf(value));
}

/** `int`, `string`, `missing`: the type of a value as messages name it. */
export function typeName(value: Value): string {
  return aliasOfType(typeOf(value));
}
