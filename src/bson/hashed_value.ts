/**
 * The number under which a hashed index keeps a value (MongoDB's `BSONElementHasher::hash64`):
 *
 *     the first eight bytes, as int64, of MD5 over
 *       int32 seed (0) | element
 *     element   int32 rank of the type | (in documents: name | 0x00) | value
 *     value     numbers: int64, cut to whole ones | documents and arrays: their elements, then int32 0
 *               | all others: their bytes in BSON
 */
import { createHash } from "node:crypto";
import { rankOfType } from "./compare.ts";
import { decimalParts } from "./decimal.ts";
import { BuiltDocument, Document } from "./document.ts";
import { RawDocument, skipElement, valueStart } from "./raw.ts";
import { type BsonType } from "./type.ts";
import { Decimal128, Int32, isArray, isNumber, typeOf, type Value } from "./value.ts";
import { BsonWriter, encodeDocument } from "./writer.ts";

const SEED = 0;
const END_RANK = 0;
const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);
/** Of a decimal. */
const MAX_DIGITS = 34;

/** The key of a value; a missing one counts as null. */
export function hashedValue(value: Value): bigint {
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
function wholeNumber(value: number | bigint | Int32 | Decimal128): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Decimal128) return wholeDecimal(value);
  const double = value instanceof Int32 ? value.value : value;
  if (Number.isNaN(double)) return 0n;
  if (double >= 2 ** 63) return LONG_MAX;
  return double < -(2 ** 63) ? LONG_MIN : BigInt(Math.trunc(double));
}

/** Half to even; what is beyond int64, or no number, is the least one. */
function wholeDecimal(value: Decimal128): bigint {
  const parts = decimalParts(value);
  if (parts.kind !== "finite") return LONG_MIN;
  const { coefficient, exponent } = parts;
  // Beyond this, digits are all of int64's, or none.
  if (exponent > MAX_DIGITS) return coefficient === 0n ? 0n : LONG_MIN;
  if (exponent < -MAX_DIGITS) return 0n;
  const whole = exponent >= 0
    ? coefficient * 10n ** BigInt(exponent)
    : roundedQuotient(coefficient, 10n ** BigInt(-exponent));
  return whole > LONG_MAX || whole < LONG_MIN ? LONG_MIN : whole;
}

function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  const size = twice < 0n ? -twice : twice;
  const isUp = size > divisor || (size === divisor && quotient % 2n !== 0n);
  return isUp ? quotient + (dividend < 0n ? -1n : 1n) : quotient;
}
