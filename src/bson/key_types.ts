/**
 * What the index key of a value (index_key.ts) does not say of it: 1, 1.0 and NumberLong(1) have one key. One byte for each
 * value whose key leaves something open, in the order in which keys are read; null where all are zero, as most are, and
 * zeros at the end are left out.
 *
 *     0  what the key looks like: a text; int32 where it is such a number, else a double, else int64
 *     1  a double        2  int64        3  what follows, as a document with one field: decimals, −0,
 *                                       symbols, code with scope, dates beyond ±2⁵³
 *
 * MongoDB's index keys have such type bits behind them, too.
 */
import { BuiltDocument, Document } from "./document.ts";
import { BsonType } from "./type.ts";
import {
  BSONSymbol,
  Code,
  Decimal128,
  Int32,
  isArray,
  isNumber,
  ObjectId,
  typeOf,
  UtcDate,
  type Value,
} from "./value.ts";
import { encodeDocument } from "./writer.ts";

export const PLAIN = 0;
export const DOUBLE = 1;
export const INT64 = 2;
export const WHOLE = 3;
/** The one field of what stands behind a `WHOLE`. */
export const WHOLE_FIELD = "";

const MAX_INT32 = 2 ** 31 - 1;
const MIN_INT32 = -(2 ** 31);

/** Of the values of a key, which stand one behind the other; a missing one has the key of null. */
export function encodeKeyTypes(values: readonly Value[]): Uint8Array | null {
  // Most keys are of one value, and say all of it: a write has one for each of its indexes.
  if (values.every(isPlain)) return null;
  const [only] = values;
  if (values.length === 1 && typeof only === "number" && only !== 0) return ONE_DOUBLE;
  if (values.length === 1 && typeof only === "bigint") return ONE_INT64;
  const types: Types = { bytes: [], used: 0 };
  for (const value of values) addTypes(types, value);
  if (types.used === 0) return null;
  const bytes = new Uint8Array(types.used);
  for (let i = 0; i < bytes.length; i++) bytes[i] = types.bytes[i]!;
  return bytes;
}

/** Not to be written to. */
const ONE_DOUBLE = Uint8Array.of(DOUBLE);
const ONE_INT64 = Uint8Array.of(INT64);

/** Whether a value, which holds no others, needs no type. */
function isPlain(value: Value): boolean {
  if (typeof value === "number") return !looksLikeInt32(value);
  if (typeof value === "bigint") return !isDouble(value);
  if (value instanceof UtcDate) return Number.isSafeInteger(value.ms);
  return value === undefined || value === null || typeof value === "string" || typeof value === "boolean" ||
    value instanceof Int32 || value instanceof ObjectId;
}

interface Types {
  readonly bytes: number[];
  /** Without the zeros at the end. */
  used: number;
}

function addTypes(types: Types, value: Value): void {
  if (typeof value === "string") types.bytes.push(PLAIN);
  else if (isNumber(value)) addNumber(types, value);
  else if (value instanceof Document) value.values().forEach((each) => addTypes(types, each));
  else if (isArray(value)) value.forEach((each) => addTypes(types, each));
  else if (value instanceof UtcDate && !Number.isSafeInteger(value.ms)) addWhole(types, value);
  else if (value instanceof BSONSymbol) addWhole(types, value);
  else if (value instanceof Code && typeOf(value) === BsonType.CodeWithScope) addWhole(types, value);
}

function addNumber(types: Types, value: number | bigint | Int32 | Decimal128): void {
  if (value instanceof Int32) types.bytes.push(PLAIN);
  else if (value instanceof Decimal128 || Object.is(value, -0)) addWhole(types, value);
  else if (typeof value === "bigint") addNumberType(types, isDouble(value) ? INT64 : PLAIN);
  else addNumberType(types, looksLikeInt32(value) ? DOUBLE : PLAIN);
}

function addNumberType(types: Types, type: number): void {
  types.bytes.push(type);
  if (type !== PLAIN) types.used = types.bytes.length;
}

function isDouble(value: bigint): boolean {
  const nearest = Number(value);
  return Number.isSafeInteger(nearest) || BigInt(nearest) === value;
}

function addWhole(types: Types, value: Value): void {
  types.bytes.push(WHOLE);
  for (const byte of encodeDocument(new BuiltDocument([WHOLE_FIELD], [value]))) types.bytes.push(byte);
  types.used = types.bytes.length;
}

/** Whether a number that a key has looks like an int32. */
export function looksLikeInt32(value: number): boolean {
  return Number.isInteger(value) && value >= MIN_INT32 && value <= MAX_INT32;
}
