/**
 * BSON order and equality, as MongoDB sorts and matches: types by rank first, all numbers in one rank and exact
 * across their types, strings by UTF-8 bytes.
 */
import { BsonType } from "./type.ts";
import { type DecimalParts, decimalParts, doubleParts } from "./decimal.ts";
import { Document } from "./document.ts";
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBPointer,
  Decimal128,
  Int32,
  isArray,
  ObjectId,
  Timestamp,
  typeOf,
  UtcDate,
  type Value,
} from "./value.ts";

const RANK: Readonly<Record<number, number>> = {
  [BsonType.MinKey]: -1,
  [BsonType.Missing]: 0,
  [BsonType.Undefined]: 0,
  [BsonType.Null]: 5,
  [BsonType.Double]: 10,
  [BsonType.Int32]: 10,
  [BsonType.Int64]: 10,
  [BsonType.Decimal128]: 10,
  [BsonType.String]: 15,
  [BsonType.Symbol]: 15,
  [BsonType.Object]: 20,
  [BsonType.Array]: 25,
  [BsonType.Binary]: 30,
  [BsonType.ObjectId]: 35,
  [BsonType.Boolean]: 40,
  [BsonType.Date]: 45,
  [BsonType.Timestamp]: 47,
  [BsonType.Regex]: 50,
  [BsonType.DBPointer]: 55,
  [BsonType.Code]: 60,
  [BsonType.CodeWithScope]: 65,
  [BsonType.MaxKey]: 127,
};

/** Where a type stands in BSON order; types of one rank compare by value (MongoDB's `canonicalizeBSONType`). */
export function rankOfType(type: BsonType): number {
  return RANK[type]!;
}

/** What compares texts otherwise than by their bytes: a `Collation`. */
interface TextOrder {
  compareText(a: string, b: string): number;
}

/** Negative, zero or positive as `a` stands before, with or after `b`; a missing value stands before null. */
export function compareValues(a: Value, b: Value, texts?: TextOrder): number {
  if (typeof a === "number" && typeof b === "number") return compareDoubles(a, b);
  if (typeof a === "string" && typeof b === "string") {
    return texts === undefined ? compareText(a, b) : texts.compareText(a, b);
  }
  if (a instanceof Int32 && b instanceof Int32) return a.value - b.value;
  if (a instanceof UtcDate && b instanceof UtcDate) return compareOrdered(a.ms, b.ms);
  const typeA = typeOf(a);
  const typeB = typeOf(b);
  const byRank = rankOfType(typeA) - rankOfType(typeB);
  return byRank !== 0 ? byRank : compareWithinRank(a, b, texts);
}

/** The order of values under a collation; that of their bytes without. */
export function valueOrder(texts: TextOrder | undefined): (a: Value, b: Value) => number {
  return texts === undefined ? compareValues : (a, b) => compareValues(a, b, texts);
}

/** Whether two values stand at one place of BSON order: 1, 1.0 and NumberLong(1) are equal. */
export function equalValues(a: Value, b: Value, texts?: TextOrder): boolean {
  return compareValues(a, b, texts) === 0;
}

function compareWithinRank(a: Value, b: Value, texts: TextOrder | undefined): number {
  if (a instanceof ObjectId && b instanceof ObjectId) return compareBytes(a.id, b.id);
  if (a instanceof Document && b instanceof Document) return compareDocuments(a, b, texts);
  if (isArray(a) && isArray(b)) return compareArrays(a, b, texts);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  switch (rankOfType(typeOf(a))) {
    case 10:
      return compareNumbers(a as NumberValue, b as NumberValue);
    case 15:
      return compareValues(textOf(a), textOf(b), texts);
    default:
      return compareRare(a, b);
  }
}

function compareRare(a: Value, b: Value): number {
  if (a instanceof Binary && b instanceof Binary) return compareBinary(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareOrdered(a.toBigInt(), b.toBigInt());
  if (a instanceof BSONRegExp && b instanceof BSONRegExp) {
    return compareText(a.pattern, b.pattern) || compareText(a.options, b.options);
  }
  if (a instanceof Code && b instanceof Code) return compareText(a.code, b.code);
  if (a instanceof DBPointer && b instanceof DBPointer) {
    return compareText(a.collection, b.collection) || compareBytes(a.oid.id, b.oid.id);
  }
  return 0;
}

function textOf(value: Value): string {
  return value instanceof BSONSymbol ? value.value : value as string;
}

type NumberValue = number | bigint | Int32 | Decimal128;

/** Exact over all four numeric types; NaN stands before every number and equals itself. */
export function compareNumbers(a: NumberValue, b: NumberValue): number {
  if (a instanceof Decimal128 || b instanceof Decimal128) return compareParts(partsOf(a), partsOf(b));
  const x = a instanceof Int32 ? a.value : a;
  const y = b instanceof Int32 ? b.value : b;
  if (typeof x === "number" && typeof y === "number") return compareDoubles(x, y);
  if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : -1;
  return Number.isNaN(y) ? 1 : compareOrdered(x, y);
}

function partsOf(value: NumberValue): DecimalParts {
  if (value instanceof Decimal128) return decimalParts(value);
  if (typeof value === "number") return doubleParts(value);
  return { kind: "finite", coefficient: value instanceof Int32 ? BigInt(value.value) : value, exponent: 0 };
}

const KIND_RANK = { nan: 0, negativeInfinity: 1, finite: 2, positiveInfinity: 3 } as const;

function compareParts(a: DecimalParts, b: DecimalParts): number {
  if (a.kind !== "finite" || b.kind !== "finite") return KIND_RANK[a.kind] - KIND_RANK[b.kind];
  const shift = a.exponent - b.exponent;
  const x = shift > 0 ? a.coefficient * 10n ** BigInt(shift) : a.coefficient;
  const y = shift < 0 ? b.coefficient * 10n ** BigInt(-shift) : b.coefficient;
  return compareOrdered(x, y);
}

/** Order of doubles with NaN first; −0 equals 0. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}

function compareOrdered<T extends number | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Order of the UTF-8 bytes of two texts: that of code points, which UTF-16 units miss above U+D7FF. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for code points above U+FFFF, behind all other units. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Order of bytes as unsigned numbers, the shorter first where one begins the other. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

function compareBinary(a: Binary, b: Binary): number {
  return a.length() - b.length() || a.sub_type - b.sub_type || compareBytes(a.value(), b.value());
}

function compareDocuments(a: Document, b: Document, texts: TextOrder | undefined): number {
  const namesA = a.names();
  const namesB = b.names();
  const valuesA = a.values();
  const valuesB = b.values();
  const length = Math.min(namesA.length, namesB.length);
  for (let i = 0; i < length; i++) {
    const order = rankOfType(typeOf(valuesA[i])) - rankOfType(typeOf(valuesB[i])) ||
      compareText(namesA[i]!, namesB[i]!) || compareValues(valuesA[i], valuesB[i], texts);
    if (order !== 0) return order;
  }
  return namesA.length - namesB.length;
}

function compareArrays(a: readonly Value[], b: readonly Value[], texts: TextOrder | undefined): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i], b[i], texts);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
