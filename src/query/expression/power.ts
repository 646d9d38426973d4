/** `$sqrt`, `$pow`, `$exp`, logarithms, and rounding to places: `$round`, `$trunc`. */
import { CommandError } from "../../base/mod.ts";
import { Decimal128, Int32, isNullish, isNumber, type Value } from "../../bson/mod.ts";
import { numeric } from "./arithmetic.ts";
import * as decimals from "./decimal_arithmetic.ts";
import * as functions from "./decimal_functions.ts";
import { log10 } from "./log10.ts";
import { renderValue, typeName } from "./message.ts";
import {
  asBigInt,
  asDecimal,
  asDouble,
  asInt32,
  coerceToLong,
  DECIMAL,
  DOUBLE,
  INT,
  intOrLong,
  isLongRange,
  type NumberValue,
  rankOf,
  signOf,
} from "./number.ts";
import { formatDouble } from "./number_text.ts";
import { binary, type OperatorDefinition, stepwise } from "./operator.ts";

/** A function that doubles have and decimals have their own way for; integers count as doubles. */
export function realFunction(
  name: string,
  ofDouble: (x: number) => number,
  ofDecimal: (x: decimals.Decimal) => decimals.Decimal,
  check?: (value: NumberValue) => void,
): OperatorDefinition {
  return numeric(name, (value) => {
    check?.(value);
    if (value instanceof Decimal128) return decimals.putTogether(ofDecimal(decimals.takeApart(value)));
    return ofDouble(asDouble(value));
  });
}

function checkNotNegative(value: NumberValue): void {
  if (signOf(value) < 0) {
    throw new CommandError(28714, "$sqrt's argument must be greater than or equal to 0");
  }
}

function positive(name: string, code: number): (value: NumberValue) => void {
  return (value) => {
    if (signOf(value) <= 0) {
      throw new CommandError(
        code,
        `${name}'s argument must be a positive number, but is ${formatDouble(asDouble(value))}`,
      );
    }
  };
}

/** The logarithm of a decimal that is no number is a double, as MongoDB has it. */
function logarithm(
  name: string,
  ofDouble: (x: number) => number,
  ofDecimal: (x: decimals.Decimal) => decimals.Decimal,
  code: number,
): OperatorDefinition {
  const check = positive(name, code);
  return numeric(name, (value) => {
    if (isNotANumber(value)) return NaN;
    check(value);
    if (value instanceof Decimal128) return decimals.putTogether(ofDecimal(decimals.takeApart(value)));
    return ofDouble(asDouble(value));
  });
}

function isNotANumber(value: NumberValue): boolean {
  return Number.isNaN(asDouble(value));
}

const LOG = binary("$log", (argument, base) => {
  if (isNullish(argument) || isNullish(base)) return null;
  if (!isNumber(argument)) {
    throw new CommandError(28756, `$log's argument must be numeric, not ${typeName(argument)}`);
  }
  if (!isNumber(base)) throw new CommandError(28757, `$log's base must be numeric, not ${typeName(base)}`);
  positive("$log", 28758)(argument);
  const baseValue = asDouble(base);
  if (baseValue <= 0 || baseValue === 1) {
    throw new CommandError(
      28759,
      `$log's base must be a positive number not equal to 1, but is ${formatDouble(baseValue)}`,
    );
  }
  if (
    !isNotANumber(argument) && !isNotANumber(base) &&
    (rankOf(argument) === DECIMAL || rankOf(base) === DECIMAL)
  ) {
    return decimals.putTogether(functions.logarithmToBase(asDecimal(argument), asDecimal(base)));
  }
  return Math.log(asDouble(argument)) / Math.log(baseValue);
});

const POW = binary("$pow", (base, exponent) => {
  if (isNullish(base) || isNullish(exponent)) return null;
  if (!isNumber(base)) throw new CommandError(28762, `$pow's base must be numeric, not ${typeName(base)}`);
  if (!isNumber(exponent)) {
    throw new CommandError(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`);
  }
  if (signOf(base) === 0 && signOf(exponent) < 0) {
    throw new CommandError(28764, "$pow cannot take a base of 0 and a negative exponent");
  }
  const rank = Math.max(rankOf(base), rankOf(exponent));
  if (rank === DECIMAL) return decimals.putTogether(functions.power(asDecimal(base), asDecimal(exponent)));
  if (rank === DOUBLE) return Math.pow(asDouble(base), asDouble(exponent));
  const exact = integerPower(asBigInt(base as bigint | Int32), asBigInt(exponent as bigint | Int32));
  if (exact === undefined) return Math.pow(asDouble(base), asDouble(exponent));
  return rank === INT ? intOrLong(exact) : exact;
});

/** An exact power that int64 holds, or undefined. */
function integerPower(base: bigint, exponent: bigint): bigint | undefined {
  if (base === 1n || (base === 0n && exponent > 0n) || exponent === 0n) return exponent === 0n ? 1n : base;
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n;
  if (exponent < 0n || exponent > 63n) return undefined;
  const power = base ** exponent;
  return isLongRange(power) ? power : undefined;
}

const LEAST_PLACES = -20n;
const MOST_PLACES = 100n;

function rounding(name: "$round" | "$trunc", how: decimals.Rounding): OperatorDefinition {
  return stepwise(name, [1, 2], (argument, count) => {
    const value = argument(0);
    if (isNullish(value)) return null;
    if (!isNumber(value)) {
      throw new CommandError(51081, `${name} only supports numeric types, not ${typeName(value)}`);
    }
    if (count === 1) return roundToPlaces(name, value, 0, how, [value]);
    const precision = argument(1);
    if (isNullish(precision)) return null;
    return roundToPlaces(name, value, placesOf(name, precision), how, [value, precision]);
  });
}

function placesOf(name: string, precision: Value): number {
  if (!isNumber(precision)) {
    throw new CommandError(16004, `can't convert from BSON type ${typeName(precision)} to long`);
  }
  const places = coerceToLong(precision);
  if (asInt32(precision) === undefined) {
    throw new CommandError(51082, `precision argument to  ${name} must be a integral value`);
  }
  if (places < LEAST_PLACES || places > MOST_PLACES) {
    throw new CommandError(
      51083,
      `cannot apply ${name} with precision value ${places} value must be in [-20, 100]`,
    );
  }
  return Number(places);
}

function roundToPlaces(
  name: string,
  value: NumberValue,
  places: number,
  how: decimals.Rounding,
  values: readonly Value[],
): Value {
  if (value instanceof Decimal128) {
    return decimals.putTogether(roundDecimal(decimals.takeApart(value), places, how));
  }
  if (typeof value === "number") return roundDouble(value, places, how);
  if (places >= 0) return value;
  const rounded = decimals.toInteger(
    decimals.quantize(decimals.fromInteger(asBigInt(value)), -places, how),
  );
  if (rounded === undefined || !isLongRange(rounded)) {
    throw new CommandError(
      51080,
      `invalid conversion from Decimal128 result in ${name} resulting from arguments: [${
        values.map(renderValue).join(", ")
      }]`,
    );
  }
  return value instanceof Int32 ? intOrLong(rounded) : rounded;
}

/** A number too long for the places asked for gets as many as it can have. */
function roundDecimal(value: decimals.Decimal, places: number, how: decimals.Rounding): decimals.Decimal {
  const rounded = decimals.quantize(value, -places, how);
  if (rounded.kind !== "nan" || value.kind === "nan") return rounded;
  return functions.fill(value);
}

/** By way of the exact decimal of the double, as MongoDB: 1.005 to two places is 1. */
function roundDouble(value: number, places: number, how: decimals.Rounding): number {
  if (!Number.isFinite(value)) return value;
  if (places === 0) return how === "down" ? Math.trunc(value) : roundHalfEven(value);
  return decimals.toDouble(roundDecimal(decimals.fromDouble(value), places, how));
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? keepSign(down, value) : keepSign(down + 1, value);
  return keepSign(down % 2 === 0 ? down : down + 1, value);
}

function keepSign(rounded: number, value: number): number {
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

export const POWER: readonly OperatorDefinition[] = [
  realFunction("$exp", Math.exp, functions.exponential),
  logarithm("$ln", Math.log, functions.naturalLogarithm, 28766),
  LOG,
  logarithm("$log10", log10, functions.decimalLogarithm, 28761),
  POW,
  rounding("$round", "halfEven"),
  realFunction("$sqrt", Math.sqrt, functions.squareRoot, checkNotNegative),
  rounding("$trunc", "down"),
];
