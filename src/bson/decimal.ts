/**
 * Decimal128 taken apart (IEEE 754-2008, binary integer significand): sign, 113 bits of coefficient, exponent in
 * [−6176, 6111].
 */
import { Decimal128 } from "bson";

const EXPONENT_BIAS = 6176;
const COEFFICIENT_LIMIT = 10n ** 34n;

/** A number as coefficient · 10^exponent; −0 is a coefficient of zero. */
export type DecimalParts =
  | { readonly kind: "finite"; readonly coefficient: bigint; readonly exponent: number }
  | { readonly kind: "nan" | "positiveInfinity" | "negativeInfinity" };

/** Takes a decimal apart, exactly. */
export function decimalParts(value: Decimal128): DecimalParts {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16);
  const high = view.getBigUint64(8, true);
  const low = view.getBigUint64(0, true);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 31n);
  if (combination === 31) return { kind: "nan" };
  if (combination === 30) return { kind: negative ? "negativeInfinity" : "positiveInfinity" };
  // A combination that begins with two set bits encodes coefficients above 2^113: not canonical, and read as zero.
  if (combination >> 3 === 3) {
    return { kind: "finite", coefficient: 0n, exponent: Number((high >> 47n) & 0x3fffn) - EXPONENT_BIAS };
  }
  const exponent = Number((high >> 49n) & 0x3fffn) - EXPONENT_BIAS;
  const magnitude = ((high & 0x1ffffffffffffn) << 64n) | low;
  const coefficient = magnitude < COEFFICIENT_LIMIT ? magnitude : 0n;
  return { kind: "finite", coefficient: negative ? -coefficient : coefficient, exponent };
}

/** Takes a double apart, exactly: every finite double is a decimal of at most 1,074 places. */
export function doubleParts(value: number): DecimalParts {
  if (Number.isNaN(value)) return { kind: "nan" };
  if (!Number.isFinite(value)) return { kind: value > 0 ? "positiveInfinity" : "negativeInfinity" };
  if (Number.isInteger(value)) return { kind: "finite", coefficient: BigInt(value), exponent: 0 };
  let places = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    places++;
  }
  // value = scaled / 2^places = scaled · 5^places / 10^places
  return { kind: "finite", coefficient: BigInt(scaled) * 5n ** BigInt(places), exponent: -places };
}
