/**
 * `$toHashedIndexKey`: the number under which a hashed index keeps a value (MongoDB's `BSONElementHasher::hash64`).
 *
 *     the first eight bytes, as int64, of MD5 over
 *       int32 seed (0) | element
 *     element   int32 rank of the type | (in documents: name | 0x00) | value
 *     value     numbers: int64, cut to whole ones | documents and arrays: their elements, then int32 0
 *               | all others: their bytes in BSON
 */
import { createHash } from "node:crypto";
import {
  type BsonType,
  BsonWriter,
  BuiltDocument,
  Decimal128,
  Document,
  encodeDocument,
  isArray,
  isNumber,
  rankOfType,
  RawDocument,
  skipElement,
  typeOf,
  type Value,
  valueStart,
} from "../../bson/mod.ts";
import { asDouble, coerceToLong, LONG_MAX, LONG_MIN } from "./number.ts";
import { operatorNode } from "./expression.ts";
import type { OperatorDefinition } from "./operator.ts";

const SEED = 0;
const END_RANK = 0;

/** The key of a value; a missing one counts as null. */
export function hashedKey(value: Value): bigint {
  const out = new BsonWriter();
  out.int32(SEED);
  writeElement(out, undefined, value === undefined ? null : value);
  const digest = createHash("md5").update(out.take()).digest();
  return digest.readBigInt64LE(0);
}

function writeElement(out: BsonWriter, name: string | undefined, value: Value): void {
  out.int32(rankOfType(typeOf(value) as BsonType));
  if (name !== undefined) out.cString(name);
  if (isNumber(value)) return out.int64(wholeNumber(value));
  if (value instanceof Document) return writeElements(out, value.names(), value.values());
  if (isArray(value)) return writeElements(out, value.map((_, i) => String(i)), value);
  const { bytes } = new RawDocument(encodeDocument(new BuiltDocument([""], [value])));
  const element = 4;
  out.bytes(bytes, valueStart(bytes, element), skipElement(bytes, element));
}

function writeElements(out: BsonWriter, names: readonly string[], values: readonly Value[]): void {
  names.forEach((name, i) => writeElement(out, name, values[i]));
  out.int32(END_RANK);
}

/** Doubles cut toward zero, decimals rounded, into int64; NaN is 0. */
function wholeNumber(value: Parameters<typeof asDouble>[0]): bigint {
  if (typeof value === "bigint" || value instanceof Decimal128) return coerceToLong(value);
  const double = asDouble(value);
  if (Number.isNaN(double)) return 0n;
  if (double >= 2 ** 63) return LONG_MAX;
  return double < -(2 ** 63) ? LONG_MIN : BigInt(Math.trunc(double));
}

export const HASHED_KEY: readonly OperatorDefinition[] = [{
  name: "$toHashedIndexKey",
  // A list is a value here, not a list of arguments.
  parse: (value, context, parse) => operatorNode("$toHashedIndexKey", [parse(value, context)]),
  compile: ({ args }) => (scope) => hashedKey(args[0]!(scope)),
}];
