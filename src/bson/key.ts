/**
 * The key under which a value stands in a `Map` or `Set`: equal for exactly the values that `equalValues` calls equal.
 *
 * The common values stand for themselves (a number of any type is the double where that is exact, a string is itself,
 * as are booleans and null), all others are tagged strings that start with a zero character.
 */
import type { Collation } from "./collation.ts";
import { decimalParts, doubleParts } from "./decimal.ts";
import { Document } from "./document.ts";
import { BsonType } from "./type.ts";
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

/** A primitive that a `Map` tells apart. */
export type ValueKey = string | number | boolean | null | undefined;

/** The keys of values that are equal under a collation; those of `keyOf` without. */
export function valueKeys(collation: Collation | undefined): (value: Value) => ValueKey {
  return collation === undefined ? keyOf : (value) => keyOf(collation.representative(value));
}

/** The key of a value; `undefined` for a missing one (and for BSON undefined, which equals it). */
export function keyOf(value: Value): ValueKey {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "string":
      return value.charCodeAt(0) === 0 ? `\0s${value}` : value;
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : keyOfLarge(value);
  }
  if (value === null) return null;
  if (value instanceof Int32) return value.value;
  if (value instanceof UtcDate) return `\0d${value.ms}`;
  if (value instanceof ObjectId) return `\0o${value.toHexString()}`;
  if (value instanceof Document) return keyOfDocument(value);
  if (isArray(value)) return `\0[${value.map(nestedKey).join("")}`;
  return keyOfRare(value);
}

function keyOfRare(value: Exclude<Value, readonly Value[] | Document | undefined | null | number>): ValueKey {
  if (value instanceof Decimal128) return keyOfDecimal(value);
  if (value instanceof BSONSymbol) return keyOf(value.value);
  if (value instanceof Binary) return `\0b${value.sub_type}:${value.toString("hex")}`;
  if (value instanceof Timestamp) return `\0t${value.toString()}`;
  if (value instanceof BSONRegExp) return `\0r${value.pattern}\0${value.options}`;
  if (value instanceof Code) return `\0c${typeOf(value)}${value.code}`;
  if (value instanceof DBPointer) return `\0p${value.collection}\0${value.oid.toHexString()}`;
  const type = typeOf(value);
  return type === BsonType.Undefined ? undefined : `\0k${type}`;
}

/** Integers beyond 2⁵³: a double of the same value has the same key. */
function keyOfLarge(value: bigint): ValueKey {
  const asDouble = Number(value);
  return BigInt(asDouble) === value ? asDouble : `\0n${value}e0`;
}

function keyOfDecimal(value: Decimal128): ValueKey {
  const parts = decimalParts(value);
  if (parts.kind === "nan") return NaN;
  if (parts.kind !== "finite") return parts.kind === "positiveInfinity" ? Infinity : -Infinity;
  let { coefficient, exponent } = parts;
  if (coefficient === 0n) return 0;
  const asDouble = Number(`${coefficient}e${exponent}`);
  if (Number.isFinite(asDouble) && isExactly(asDouble, coefficient, exponent)) return asDouble;
  while (coefficient % 10n === 0n) {
    coefficient /= 10n;
    exponent++;
  }
  while (exponent > 0) {
    coefficient *= 10n;
    exponent--;
  }
  return `\0n${coefficient}e${exponent}`;
}

function isExactly(double: number, coefficient: bigint, exponent: number): boolean {
  const parts = doubleParts(double);
  if (parts.kind !== "finite") return false;
  const shift = exponent - parts.exponent;
  return shift >= 0
    ? coefficient * 10n ** BigInt(shift) === parts.coefficient
    : coefficient === parts.coefficient * 10n ** BigInt(-shift);
}

function keyOfDocument(document: Document): string {
  const values = document.values();
  return `\0{${document.names().map((name, i) => `${name}\0${nestedKey(values[i])}`).join("")}`;
}

/** A key that cannot run into its neighbour: type and length stand before it. */
function nestedKey(value: Value): string {
  const key = keyOf(value);
  const text = String(key);
  return `${typeof key === "string" ? "s" : key === null ? "z" : typeof key}${text.length}:${text}`;
}
