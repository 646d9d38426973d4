/**
 * How a value of each type lies in a column. The numbers are the type bytes of BSON (bsonspec.org), so that bytes move in
 * and out without a table; this room knows no more of BSON than that.
 *
 * Types of a fixed size lie in 32-bit words, little-endian: a double or int64 takes two, an ObjectId three. Types
 * without content (null) take none. All others are bytes of any length.
 */
import { assert } from "../base/mod.ts";

/** Types this room treats in ways of their own. */
export const ValueType = {
  Double: 1,
  String: 2,
  Object: 3,
  Array: 4,
  Binary: 5,
  Undefined: 6,
  ObjectId: 7,
  Boolean: 8,
  Date: 9,
  Null: 10,
  Int32: 16,
  Timestamp: 17,
  Int64: 18,
  Decimal128: 19,
  MaxKey: 127,
  MinKey: 255,
} as const;

/** What `wordsOfType` says of a type whose values are bytes of any length. */
export const BYTES = -1;

const WORDS = new Int8Array(256).fill(BYTES);
const SIZES = new Int8Array(256).fill(BYTES);
for (
  const [type, words, size] of [
    [ValueType.Double, 2, 8],
    [ValueType.Date, 2, 8],
    [ValueType.Timestamp, 2, 8],
    [ValueType.Int64, 2, 8],
    [ValueType.Int32, 1, 4],
    [ValueType.Boolean, 1, 1],
    [ValueType.ObjectId, 3, 12],
    [ValueType.Decimal128, 4, 16],
    [ValueType.Null, 0, 0],
    [ValueType.Undefined, 0, 0],
    [ValueType.MinKey, 0, 0],
    [ValueType.MaxKey, 0, 0],
  ] as const
) {
  WORDS[type] = words;
  SIZES[type] = size;
}

/** 32-bit words that a value takes in a column of its type; `BYTES` when it has no fixed size. */
export function wordsOfType(type: number): number {
  return WORDS[type]!;
}

/** Bytes that a value takes outside a column; `BYTES` when it has no fixed size. */
export function sizeOfType(type: number): number {
  return SIZES[type]!;
}

/** The bit that stands for a type in a set of types: 1–19 their own, 20 for MinKey, 21 for MaxKey. */
export function typeBit(type: number): number {
  if (type === ValueType.MinKey) return 1 << 20;
  if (type === ValueType.MaxKey) return 1 << 21;
  return 1 << type;
}

// Words are read from and written to disk as they lie in memory.
assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, "the machine is little-endian");
