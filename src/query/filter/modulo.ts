/** `$mod: [divisor, remainder]`: both cut to whole numbers of 64 bits, as is the value; one beyond them has no remainder. */
import { CommandError } from "../../base/mod.ts";
import { Decimal128, decimalParts, Int32, isArray, isNumber, type Value } from "../../bson/mod.ts";
import type { Filter, ModFilter, Path } from "./filter.ts";
import type { ValueTest } from "./path.ts";

const INT64_MAX = 9223372036854775807n;

export function parseMod(path: Path, value: Value): Filter {
  if (!isArray(value)) throw malformed("needs to be an array");
  if (value.length < 2) throw malformed("not enough elements");
  if (value.length > 2) throw malformed("too many elements");
  const divisor = parsePart("divisor", value[0]);
  const remainder = parsePart("remainder", value[1]);
  if (divisor === 0n) throw new CommandError("BadValue", "divisor cannot be 0");
  return { kind: "mod", path, divisor, remainder };
}

function parsePart(part: string, value: Value): bigint {
  if (!isNumber(value)) throw malformed(`${part} not a number`);
  const integer = truncate(value);
  if (integer === undefined) {
    throw malformed(`${part} value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type`);
  }
  if (!isInt64(integer)) {
    throw malformed(`${part} value is invalid :: caused by :: Out of bounds coercing to integral value`);
  }
  return integer;
}

function isInt64(integer: bigint): boolean {
  return integer <= INT64_MAX && integer >= -INT64_MAX - 1n;
}

function malformed(what: string): CommandError {
  return new CommandError("BadValue", `malformed mod, ${what}`);
}

/** The whole part of a number; undefined for NaN and infinities. */
function truncate(value: number | bigint | Int32 | Decimal128): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (value instanceof Int32) return BigInt(value.value);
  if (typeof value === "number") return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  const parts = decimalParts(value);
  if (parts.kind !== "finite") return undefined;
  const { coefficient, exponent } = parts;
  return exponent >= 0 ? coefficient * 10n ** BigInt(exponent) : coefficient / 10n ** BigInt(-exponent);
}

export function modTest({ divisor, remainder }: ModFilter): ValueTest {
  const smallDivisor = Number(divisor);
  const smallRemainder = Number(remainder);
  const isSmall = Number.isSafeInteger(smallDivisor);
  return (value) => {
    if (isSmall && value instanceof Int32) return value.value % smallDivisor === smallRemainder;
    if (!isNumber(value)) return false;
    const integer = truncate(value);
    return integer !== undefined && isInt64(integer) && integer % divisor === remainder;
  };
}
