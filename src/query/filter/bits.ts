/** `$bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear`: bits of integers (two's complement) and binary data. */
import { CommandError } from "../../base/mod.ts";
import { Binary, Decimal128, decimalParts, isArray, isNumber, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { readInteger, readNonNegativeInteger } from "./argument.ts";
import type { BitsFilter, BitsOperator, Filter, Path } from "./filter.ts";
import type { ValueTest } from "./path.ts";

const MAX_POSITION = 2n ** 31n - 1n;

export function parseBits(path: Path, operator: BitsOperator, value: Value): Filter {
  return { kind: "bits", path, operator, positions: readPositions(path, operator, value) };
}

function readPositions(path: Path, operator: string, value: Value): readonly number[] {
  if (isArray(value)) return value.map((item, i) => readPosition(String(i), item));
  if (value instanceof Binary) return positionsOfBytes(value.value());
  if (!isNumber(value)) {
    throw new CommandError(
      "BadValue",
      `${path.join(".")} takes an Array, a number, or a BinData but received: ${
        elementText(operator, value)
      }`,
    );
  }
  const mask = readNonNegativeInteger(operator, value);
  if (typeof mask === "string") throw new CommandError("FailedToParse", mask);
  return positionsOfMask(mask);
}

function readPosition(name: string, value: Value): number {
  const position = readNonNegativeInteger(name, value);
  if (typeof position === "string") throw badPosition(position);
  if (position > MAX_POSITION) throw badPosition(`Cannot represent ${elementText(name, value)} in an int`);
  return Number(position);
}

function badPosition(reason: string): CommandError {
  return new CommandError("BadValue", `Failed to parse bit position. ${reason}`);
}

function positionsOfMask(mask: bigint): readonly number[] {
  const positions: number[] = [];
  for (let i = 0; mask > 0n; i++, mask >>= 1n) {
    if (mask & 1n) positions.push(i);
  }
  return positions;
}

function positionsOfBytes(bytes: Uint8Array): readonly number[] {
  const positions: number[] = [];
  for (let i = 0; i < bytes.length * 8; i++) {
    if (bytes[i >> 3]! & (1 << (i & 7))) positions.push(i);
  }
  return positions;
}

export function bitsTest({ operator, positions }: BitsFilter): ValueTest {
  return (value) => {
    const isSet = bitReader(value);
    if (isSet === undefined) return false;
    switch (operator) {
      case "$bitsAllSet":
        return positions.every(isSet);
      case "$bitsAllClear":
        return !positions.some(isSet);
      case "$bitsAnySet":
        return positions.some(isSet);
      case "$bitsAnyClear":
        return !positions.every(isSet);
    }
  };
}

const INT64_MIN = -(2n ** 63n);

/** To the nearest integer, halves to the even one; what fits no 64 bits has the bits of the least one. */
function roundDecimal(value: Decimal128): bigint {
  const parts = decimalParts(value);
  if (parts.kind !== "finite" || parts.exponent > MAX_INT64_DIGITS) return INT64_MIN;
  const { coefficient, exponent } = parts;
  const integer = exponent >= 0
    ? coefficient * 10n ** BigInt(exponent)
    : divideToEven(coefficient, 10n ** BigInt(-exponent));
  return integer >= -INT64_MIN || integer < INT64_MIN ? INT64_MIN : integer;
}

const MAX_INT64_DIGITS = 19;

function divideToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const isUp = twice > divisor || (twice === divisor && quotient % 2n !== 0n);
  return isUp ? quotient + (dividend < 0n ? -1n : 1n) : quotient;
}

/** Reads bits of a value; undefined for one that has none: no number, or a double that is no 64-bit integer. */
function bitReader(value: Value): ((position: number) => boolean) | undefined {
  if (value instanceof Binary) {
    const bytes = value.value();
    return (position) => (bytes[position >> 3] ?? 0) >> (position & 7) & 1 ? true : false;
  }
  if (!isNumber(value)) return undefined;
  const integer = value instanceof Decimal128 ? roundDecimal(value) : readInteger("", value);
  if (typeof integer === "string") return undefined;
  return (position) => (integer >> BigInt(Math.min(position, 63)) & 1n) === 1n;
}
