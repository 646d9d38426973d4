/**
 * Arithmetic: `$add` to `$trunc`. Types widen from int32 over int64 and double to decimal; int32 results that do not fit
 * become int64, int64 results that do not fit become double. A missing or null operand makes the result null.
 */
import { CommandError } from "../../base/mod.ts";
import { Decimal128, Int32, isNullish, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import * as decimals from "./decimal_arithmetic.ts";
import { typeName } from "./message.ts";
import {
  asBigInt,
  asDecimal,
  asDouble,
  asInt32,
  coerceToLong,
  DECIMAL,
  DOUBLE,
  isLongRange,
  LONG,
  LONG_MIN,
  longOfDecimal,
  numberToIntOrLong,
  type NumberValue,
  rankOf,
} from "./number.ts";
import { binary, type OperatorDefinition, unary } from "./operator.ts";
import { Summation } from "./summation.ts";
import type { Evaluator } from "./expression.ts";

const ADD: OperatorDefinition = {
  name: "$add",
  associative: "commutative",
  arity: [0, Infinity],
  compile: ({ args }) =>
    args.length === 2 ? addTwo(args[0]!, args[1]!) : (scope) => sumOf(args.length, (i) => args[i]!(scope)),
};

function addTwo(left: Evaluator, right: Evaluator): Evaluator {
  return (scope) => {
    const a = left(scope);
    if (typeof a === "number") {
      const b = right(scope);
      if (typeof b === "number") return a + b;
      if (b instanceof Int32) return a + b.value;
      return add(a, b);
    }
    if (a instanceof Int32) {
      const b = right(scope);
      if (b instanceof Int32) return numberToIntOrLong(a.value + b.value);
      if (typeof b === "number") return a.value + b;
      return add(a, b);
    }
    return sumOf(2, (i) => i === 0 ? a : right(scope));
  };
}

/** As `$add` of two. */
export function add(a: Value, b: Value): Value {
  return sumOf(2, (i) => i === 0 ? a : b);
}

/** @param valueAt gives a summand; none is asked for behind one that is null */
function sumOf(count: number, valueAt: (i: number) => Value): Value {
  const total = new Summation();
  let dated = false;
  for (let i = 0; i < count; i++) {
    const value = valueAt(i);
    if (isNumber(value)) {
      total.add(value);
    } else if (value instanceof UtcDate) {
      if (dated) throw new CommandError(16612, "only one date allowed in an $add expression");
      dated = true;
      total.add(value.exactMs);
    } else if (isNullish(value)) {
      return null;
    } else {
      throw new CommandError(16554, `$add only supports numeric or date types, not ${typeName(value)}`);
    }
  }
  return dated ? dateOfSum(total) : total.result();
}

function dateOfSum(total: Summation): UtcDate {
  const ms = total.isDecimal ? longOfDecimal(total.toDecimal()) : total.nearestLong();
  if (ms === undefined) throw new CommandError("Overflow", "date overflow in $add");
  return UtcDate.of(ms);
}

/** `$subtract`. @throws CommandError TypeMismatch */
export function subtract(a: Value, b: Value): Value {
  if (typeof a === "number") {
    if (typeof b === "number") return a - b;
    if (b instanceof Int32) return a - b.value;
  } else if (a instanceof Int32) {
    if (b instanceof Int32) return numberToIntOrLong(a.value - b.value);
    if (typeof b === "number") return a.value - b;
  }
  if (isNullish(a) || isNullish(b)) return null;
  if (isNumber(a) && isNumber(b)) return subtractWide(a, b);
  if (a instanceof UtcDate) {
    if (b instanceof UtcDate) return a.exactMs - b.exactMs;
    if (isNumber(b)) return subtractFromDate(a, b);
  }
  throw new CommandError(
    "TypeMismatch",
    `can't $subtract ${typeName(b)} from ${a instanceof UtcDate ? "Date" : typeName(a)}`,
  );
}

function subtractWide(a: NumberValue, b: NumberValue): Value {
  const rank = Math.max(rankOf(a), rankOf(b));
  if (rank === DECIMAL) return decimals.putTogether(decimals.subtract(asDecimal(a), asDecimal(b)));
  if (rank === DOUBLE) return asDouble(a) - asDouble(b);
  const exact = asBigInt(a as bigint | Int32) - asBigInt(b as bigint | Int32);
  return isLongRange(exact) ? exact : asDouble(a) - asDouble(b);
}

function subtractFromDate(date: UtcDate, amount: NumberValue): UtcDate {
  const subtrahend = coerceToLong(amount);
  // What no long can say of a decimal is the least one.
  if (subtrahend === LONG_MIN) {
    throw new CommandError("DurationOverflow", "Cannot negate the minimum duration");
  }
  const ms = date.exactMs - subtrahend;
  if (!isLongRange(ms)) throw new CommandError("Overflow", "date overflow in $subtract");
  return UtcDate.of(ms);
}

const MULTIPLY: OperatorDefinition = {
  name: "$multiply",
  associative: "commutative",
  arity: [0, Infinity],
  compile: ({ args }) => {
    if (args.length !== 2) return (scope) => productOf(args.length, (i) => args[i]!(scope));
    const [left, right] = args as [Evaluator, Evaluator];
    return (scope) => {
      const a = left(scope);
      if (typeof a !== "number") return productOf(2, (i) => i === 0 ? a : right(scope));
      const b = right(scope);
      return typeof b === "number" ? a * b : multiply(a, b);
    };
  },
};

/** As `$multiply` of two. */
export function multiply(a: Value, b: Value): Value {
  return productOf(2, (i) => i === 0 ? a : b);
}

/**
 * A product of whole numbers is exact; one that becomes a double is that of all factors so far as doubles, as MongoDB keeps it
 * beside: 0 · −1 · 2.5 is −0.
 *
 * @param valueAt gives a factor; none is asked for behind one that is null
 */
function productOf(count: number, valueAt: (i: number) => Value): Value {
  let product: NumberValue = Int32.of(1);
  let doubles = 1;
  for (let i = 0; i < count; i++) {
    const value = valueAt(i);
    if (isNumber(value)) {
      if (rankOf(value) !== DECIMAL) doubles *= asDouble(value);
      product = multiplyTwo(product, value, doubles);
    } else if (isNullish(value)) return null;
    else {
      throw new CommandError("TypeMismatch", `$multiply only supports numeric types, not ${typeName(value)}`);
    }
  }
  return product;
}

/** @param doubles what the product is as a double */
function multiplyTwo(a: NumberValue, b: NumberValue, doubles: number): NumberValue {
  const rank = Math.max(rankOf(a), rankOf(b));
  if (rank === DECIMAL) return decimals.putTogether(decimals.multiply(asDecimal(a), asDecimal(b)));
  if (rank === DOUBLE) return doubles;
  if (rank < LONG) {
    const product = (a as Int32).value * (b as Int32).value;
    if (Number.isSafeInteger(product)) return numberToIntOrLong(product + 0);
  }
  const exact = asBigInt(a as bigint | Int32) * asBigInt(b as bigint | Int32);
  return isLongRange(exact) ? exact : doubles;
}

/** As `$divide`. */
export function divide(a: Value, b: Value): Value {
  if (typeof a === "number" && typeof b === "number" && b !== 0) return a / b;
  if (isNumber(a) && isNumber(b)) {
    if (rankOf(a) === DECIMAL || rankOf(b) === DECIMAL) {
      const divisor = asDecimal(b);
      if (decimals.isZero(divisor)) throw divisionByZero();
      return decimals.putTogether(decimals.divide(asDecimal(a), divisor));
    }
    const divisor = asDouble(b);
    if (divisor === 0) throw divisionByZero();
    return asDouble(a) / divisor;
  }
  if (isNullish(a) || isNullish(b)) return null;
  throw new CommandError(
    "TypeMismatch",
    `$divide only supports numeric types, not ${typeName(a)} and ${typeName(b)}`,
  );
}

function divisionByZero(): CommandError {
  return new CommandError("BadValue", "can't $divide by zero");
}

function modulo(a: Value, b: Value): Value {
  if (!isNumber(a) || !isNumber(b)) {
    if (isNullish(a) || isNullish(b)) return null;
    throw new CommandError(16611, `$mod only supports numeric types, not ${typeName(a)} and ${typeName(b)}`);
  }
  if (a instanceof Decimal128 || b instanceof Decimal128) {
    const divisor = asDecimal(b);
    if (decimals.isZero(divisor)) throw new CommandError(5733415, "can't $mod by zero");
    return decimals.putTogether(decimals.remainder(asDecimal(a), divisor));
  }
  if (asDouble(b) === 0) throw new CommandError(16610, "can't $mod by zero");
  // A whole double as divisor does not widen an integer.
  const divisor = typeof b === "number" ? asInt32(b) : b;
  if (typeof a === "number" || divisor === undefined) return asDouble(a) % asDouble(b);
  if (a instanceof Int32 && typeof divisor !== "bigint") {
    return Int32.of(a.value % (typeof divisor === "number" ? divisor : divisor.value) + 0);
  }
  return asBigInt(a) % (typeof divisor === "number" ? BigInt(divisor) : asBigInt(divisor));
}

/** An operator on one number: null for missing and null, error 28765 for what is no number. */
export function numeric(name: string, apply: (value: NumberValue) => Value): OperatorDefinition {
  return unary(name, (value) => {
    if (isNumber(value)) return apply(value);
    if (isNullish(value)) return null;
    throw new CommandError(28765, `${name} only supports numeric types, not ${typeName(value)}`);
  });
}

function abs(value: NumberValue): Value {
  if (typeof value === "number") return Math.abs(value);
  if (value instanceof Int32) return numberToIntOrLong(Math.abs(value.value));
  if (value instanceof Decimal128) return decimals.putTogether(decimals.absolute(decimals.takeApart(value)));
  if (value === LONG_MIN) throw new CommandError(28680, "can't take $abs of long long min");
  return value < 0n ? -value : value;
}

function ceilOrFloor(
  toward: (x: number) => number,
  rounding: decimals.Rounding,
): (value: NumberValue) => Value {
  return (value) => {
    if (typeof value === "number") return toward(value);
    if (!(value instanceof Decimal128)) return value;
    const decimal = decimals.takeApart(value);
    const whole = decimals.quantize(decimal, 0, rounding);
    // What is too large for 34 digits has no fraction to lose.
    return decimals.putTogether(whole.kind === "nan" ? decimal : whole);
  };
}

export const ARITHMETIC: readonly OperatorDefinition[] = [
  numeric("$abs", abs),
  ADD,
  numeric("$ceil", ceilOrFloor(Math.ceil, "ceiling")),
  binary("$divide", divide, "right"),
  numeric("$floor", ceilOrFloor(Math.floor, "floor")),
  binary("$mod", modulo),
  MULTIPLY,
  binary("$subtract", subtract, "right"),
];
