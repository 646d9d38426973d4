/**
 * The error of a second document under one key of a unique index, as MongoDB words it (captured from 6.0.5):
 *
 *     E11000 duplicate key error collection: db.coll index: _id_ dup key: { _id: { a: 1, b: [ 2.0, "x" ] } }
 *
 * Values are shown as MongoDB's `BSONElement::toString` does: nothing escaped, doubles always with a `.0` where they
 * have no point (`1e+20.0`, `nan.0`), long texts and code cut.
 */
import { CommandError } from "../../base/mod.ts";
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BuiltDocument,
  Code,
  DBPointer,
  Decimal128,
  Document,
  Int32,
  isArray,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";

const UUID_SUBTYPE = 4;

/** A key of a unique index that another document has. */
export interface TakenKey {
  /** The index's name. */
  readonly name: string;
  readonly keyPattern: Document;
  /** The values under the names of the fields. */
  readonly keyValue: Document;
}

export function takenId(id: Value): TakenKey {
  return { name: "_id_", keyPattern: ID_PATTERN, keyValue: new BuiltDocument(["_id"], [id]) };
}

const ID_PATTERN = BuiltDocument.of({ _id: Int32.of(1) });

/** @param namespace `db.collection`. @param taken without a name where the index has none to be told */
export function duplicateKeyError(
  namespace: string,
  { name, keyPattern, keyValue }: Omit<TakenKey, "name"> & { readonly name: string | undefined },
): CommandError {
  const index = name === undefined ? "" : ` index: ${name}`;
  const message = `E11000 duplicate key error collection: ${namespace}${index} dup key: ${
    shownDocument(keyValue)
  }`;
  return new CommandError("DuplicateKey", message, { extra: { keyPattern, keyValue } });
}

/** A document as MongoDB's messages show it. */
export function shownDocument(document: Document): string {
  if (document.isEmpty()) return "{}";
  const values = document.values();
  return `{ ${document.names().map((name, i) => `${name}: ${shown(values[i])}`).join(", ")} }`;
}

function shown(value: Value): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return shownText(value);
  if (typeof value === "number") return shownDouble(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Int32) return String(value.value);
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof UtcDate) return `new Date(${value.exactMs})`;
  if (value instanceof Document) return shownDocument(value);
  if (isArray(value)) return value.length === 0 ? "[]" : `[ ${value.map(shown).join(", ")} ]`;
  return shownRare(value);
}

function shownRare(value: Exclude<Value, readonly Value[] | Document | undefined | null>): string {
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof Timestamp) return `Timestamp(${value.high >>> 0}, ${value.low >>> 0})`;
  if (value instanceof Binary) return shownBinary(value);
  if (value instanceof MinKey) return "MinKey";
  if (value instanceof MaxKey) return "MaxKey";
  if (value instanceof BSONSymbol) return shownText(value.value);
  if (value instanceof Code) {
    return value.scope ? `CodeWScope( ${value.code}, ${shownScope(value.scope)})` : cut(value.code, 80, 70);
  }
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof DBPointer) return `DBRef('${value.collection}',${value.oid.toHexString()})`;
  return "undefined";
}

function shownText(text: string): string {
  return `"${cut(text, 160, 150)}"`;
}

/** MongoDB counts the zero at the end, too. */
function cut(text: string, limit: number, kept: number): string {
  return text.length + 1 > limit ? `${text.slice(0, kept)}...` : text;
}

/** The scope of code is a plain object of `npm:bson`, whose numbers have lost their type. */
function shownScope(scope: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(scope).map(([name, value]) =>
    `${name}: ${JSON.stringify(value) ?? "undefined"}`
  );
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function shownBinary(value: Binary): string {
  const hex = value.toString("hex");
  if (value.sub_type !== UUID_SUBTYPE || hex.length !== 32) {
    return `BinData(${value.sub_type}, ${hex.toUpperCase()})`;
  }
  return `UUID("${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")}")`;
}

/** C's `%.16g`, then `.0` where there is no point. */
function shownDouble(value: number): string {
  const text = Object.is(value, -0)
    ? "-0"
    : Number.isFinite(value)
    ? shortest16(value)
    : NON_FINITE[String(value)]!;
  return text.includes(".") ? text : `${text}.0`;
}

const NON_FINITE: Readonly<Record<string, string>> = { NaN: "nan", Infinity: "inf", "-Infinity": "-inf" };

function shortest16(value: number): string {
  const [mantissa, exponentText] = value.toExponential(15).split("e");
  const exponent = Number(exponentText);
  const stripped = mantissa!.replace(/\.?0+$/, "");
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${stripped}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  const fixed = value.toFixed(Math.max(0, 15 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}
