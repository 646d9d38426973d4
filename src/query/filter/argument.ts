/** How the matcher reads its arguments: truth, and whole numbers with the wording of what is wrong with them. */
import { Decimal128, decimalParts, Int32, isNullish, isNumber, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";

const INT64_LIMIT = 9223372036854775808;

/** BSON's truth (`BSONElement::trueValue`): false, zero, null, undefined and missing are not true. */
export function isTrue(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (isNullish(value)) return false;
  return !isNumber(value) || toDouble(value) !== 0;
}

/** A numeric value as the nearest double. */
export function toDouble(value: number | bigint | Int32 | Decimal128): number {
  if (typeof value === "number") return value;
  if (value instanceof Int32) return value.value;
  if (typeof value === "bigint") return Number(value);
  return Number(value.toString());
}

/**
 * A whole number of 64 bits, from any numeric type.
 *
 * @returns the number, or what is wrong in MongoDB's words: `Expected an integer: $size: 1.5`
 */
export function readInteger(name: string, value: Value): bigint | string {
  if (!isNumber(value)) return `Expected a number in: ${elementText(name, value)}`;
  if (typeof value === "bigint") return value;
  if (value instanceof Int32) return BigInt(value.value);
  if (value instanceof Decimal128) return readDecimal(name, value);
  if (Number.isNaN(value)) return `Expected an integer, but found NaN in: ${elementText(name, value)}`;
  if (value >= INT64_LIMIT || value < -INT64_LIMIT) {
    return `Cannot represent as a 64-bit integer: ${elementText(name, value)}`;
  }
  if (!Number.isInteger(value)) return `Expected an integer: ${elementText(name, value)}`;
  return BigInt(value);
}

function readDecimal(name: string, value: Decimal128): bigint | string {
  const parts = decimalParts(value);
  const asDouble = Number(value.toString());
  if (parts.kind !== "finite" || Math.abs(asDouble) >= INT64_LIMIT) {
    return `Cannot represent as a 64-bit integer: ${elementText(name, value)}`;
  }
  const { coefficient, exponent } = parts;
  if (exponent >= 0) return coefficient * 10n ** BigInt(exponent);
  const scale = 10n ** BigInt(-exponent);
  if (coefficient % scale !== 0n) return `Cannot represent as a 64-bit integer: ${elementText(name, value)}`;
  return coefficient / scale;
}

/** As `readInteger`, and not below zero. */
export function readNonNegativeInteger(name: string, value: Value): bigint | string {
  const integer = readInteger(name, value);
  if (typeof integer === "string" || integer >= 0n) return integer;
  return `Expected a non-negative number in: ${elementText(name, value)}`;
}
