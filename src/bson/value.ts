/**
 * A BSON value in memory, its type kept exactly:
 *
 * | BSON                | here                                   |
 * |---------------------|----------------------------------------|
 * | (field not there)   | `undefined`                            |
 * | double              | `number`                               |
 * | int32               | `Int32`                                |
 * | int64               | `bigint`                               |
 * | decimal128          | `Decimal128`                           |
 * | string, bool, null  | `string`, `boolean`, `null`            |
 * | date                | `UtcDate`                              |
 * | document            | `Document` (see `document.ts`)         |
 * | array               | `readonly Value[]`                     |
 * | all else            | the class of `npm:bson`                |
 */
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef as DBPointer,
  Decimal128,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from "bson";
import { BsonType } from "./type.ts";
import { Document } from "./document.ts";

export { Binary, BSONRegExp, BSONSymbol, Code, DBPointer, Decimal128, MaxKey, MinKey, ObjectId, Timestamp };

/** A 32-bit integer, told apart from the double of the same value. */
export class Int32 {
  constructor(readonly value: number) {}

  /** The shared object of a small value, a new one otherwise; `value` must be a 32-bit integer. */
  static of(value: number): Int32 {
    return SMALL_INTS[value + SMALL_INT_OFFSET] ?? new Int32(value);
  }
}

const SMALL_INT_OFFSET = 128;
const SMALL_INTS: readonly Int32[] = Array.from({ length: 1152 }, (_, i) => new Int32(i - SMALL_INT_OFFSET));

/**
 * A date: milliseconds since 1970-01-01T00:00Z in BSON's 64-bit range. Dates are compared by `ms`, which beyond ±2⁵³ is
 * the nearest double.
 */
export class UtcDate {
  constructor(readonly ms: number) {}

  /** @param ms within 64 bits */
  static of(ms: bigint): UtcDate {
    const near = Number(ms);
    return Number.isSafeInteger(near) ? new UtcDate(near) : new FarDate(near, ms);
  }

  /** All 64 bits, of whole milliseconds. */
  get exactMs(): bigint {
    return this.ms < 2 ** 63 ? BigInt(Math.floor(this.ms)) : 2n ** 63n - 1n;
  }
}

/** A date that no double holds, such as the last one of all, which programs take for "never". */
class FarDate extends UtcDate {
  constructor(ms: number, private readonly exact: bigint) {
    super(ms);
  }

  override get exactMs(): bigint {
    return this.exact;
  }
}

/** BSON's deprecated type 6. Not the same as a missing field. */
export class BsonUndefined {
  static readonly VALUE = new BsonUndefined();
  /** Tells the class from all others by its shape, which an empty class would not. */
  readonly type = BsonType.Undefined;
  private constructor() {}
}

/** A present value that is neither document nor array. */
export type Scalar =
  | null
  | boolean
  | number
  | bigint
  | string
  | Int32
  | Decimal128
  | ObjectId
  | UtcDate
  | Timestamp
  | Binary
  | BSONRegExp
  | BSONSymbol
  | Code
  | DBPointer
  | MinKey
  | MaxKey
  | BsonUndefined;

/** Any BSON value; `undefined` is the field that is not there. */
export type Value = undefined | Scalar | Document | readonly Value[];

/** The BSON type of a value; `Missing` for `undefined`. */
export function typeOf(value: Value): BsonType {
  switch (typeof value) {
    case "number":
      return BsonType.Double;
    case "string":
      return BsonType.String;
    case "boolean":
      return BsonType.Boolean;
    case "bigint":
      return BsonType.Int64;
    case "undefined":
      return BsonType.Missing;
  }
  if (value === null) return BsonType.Null;
  if (value instanceof Int32) return BsonType.Int32;
  if (value instanceof Document) return BsonType.Object;
  if (isArray(value)) return BsonType.Array;
  if (value instanceof UtcDate) return BsonType.Date;
  if (value instanceof ObjectId) return BsonType.ObjectId;
  return typeOfRare(value);
}

function typeOfRare(
  value: Exclude<Value, readonly Value[] | Document | undefined>,
): BsonType {
  if (value instanceof Decimal128) return BsonType.Decimal128;
  if (value instanceof Binary) return BsonType.Binary;
  if (value instanceof Timestamp) return BsonType.Timestamp;
  if (value instanceof BSONRegExp) return BsonType.Regex;
  if (value instanceof Code) return value.scope ? BsonType.CodeWithScope : BsonType.Code;
  if (value instanceof BSONSymbol) return BsonType.Symbol;
  if (value instanceof MinKey) return BsonType.MinKey;
  if (value instanceof MaxKey) return BsonType.MaxKey;
  if (value instanceof DBPointer) return BsonType.DBPointer;
  return BsonType.Undefined;
}

/** `Array.isArray`, for our read-only arrays. */
export function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Whether a value is an int32, int64, double or decimal128. */
export function isNumber(value: Value): value is number | bigint | Int32 | Decimal128 {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Int32 ||
    value instanceof Decimal128;
}

/** Whether a field is missing, null or BSON undefined: what most of the language treats alike. */
export function isNullish(value: Value): value is undefined | null | BsonUndefined {
  return value === undefined || value === null || value === BsonUndefined.VALUE;
}
