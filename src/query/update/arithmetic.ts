/**
 * `$inc`, `$mul`, `$min`, `$max`, `$bit`. Sums and products widen from int32 over int64 and double to decimal, as in
 * expressions; but an int64 that does not fit is an error here, not a double.
 */
import { CommandError } from "../../base/mod.ts";
import {
  type Collation,
  compareValues,
  Document,
  identicalValues,
  Int32,
  isNumber,
  type Value,
  valueOrder,
} from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import * as decimals from "../expression/decimal_arithmetic.ts";
import { typeName } from "../expression/message.ts";
import {
  asBigInt,
  asDecimal,
  asDouble,
  DECIMAL,
  DOUBLE,
  intOrLong,
  isLongRange,
  LONG,
  type NumberValue,
  rankOf,
} from "../expression/number.ts";
import { idText } from "./id_text.ts";
import type { Operation, OperationContext, Place } from "./operation.ts";

type Arithmetic = (a: NumberValue, b: NumberValue) => Value;

export function parseInc(path: string, value: Value): Operation {
  if (!isNumber(value)) {
    throw new CommandError(
      "TypeMismatch",
      `Cannot increment with non-numeric argument: {${elementText(path, value)}}`,
    );
  }
  return arithmetic("$inc", add, value, value);
}

export function parseMul(path: string, value: Value): Operation {
  if (!isNumber(value)) {
    throw new CommandError(
      "TypeMismatch",
      `Cannot multiply with non-numeric argument: {${elementText(path, value)}}`,
    );
  }
  return arithmetic("$mul", multiply, value, multiply(value, Int32.of(0)));
}

function arithmetic(name: string, compute: Arithmetic, operand: NumberValue, initial: Value): Operation {
  return (old, place) => {
    if (old === undefined) return initial;
    if (!isNumber(old)) {
      throw new CommandError(
        "TypeMismatch",
        `Cannot apply ${name} to a value of non-numeric type. {${idText(place.root)}} has the field ` +
          `'${place.name}' of non-numeric type ${typeName(old)}`,
      );
    }
    const result = compute(old, operand);
    if (result === undefined) {
      throw new CommandError(
        "BadValue",
        `Failed to apply ${name} operations to current value (${safeNumberText(old)}) for document ` +
          `{${idText(place.root)}}`,
      );
    }
    if (isSameNumber(old, result as NumberValue)) return old;
    // MongoDB finds NaN never identical.
    if (Number.isNaN(asDouble(result as NumberValue))) place.touch();
    return result;
  };
}

/** Whether MongoDB calls the result no change: equal by value in one type, so −0 is 0 and 2.50 is 2.5, but NaN not NaN. */
function isSameNumber(a: NumberValue, b: NumberValue): boolean {
  return rankOf(a) === rankOf(b) && !Number.isNaN(asDouble(a)) && compareValues(a, b) === 0;
}

/** @returns undefined when an int64 does not hold the sum */
function add(a: NumberValue, b: NumberValue): Value {
  const rank = Math.max(rankOf(a), rankOf(b));
  if (rank === DECIMAL) return decimals.putTogether(decimals.add(asDecimal(a), asDecimal(b)));
  if (rank === DOUBLE) return asDouble(a) + asDouble(b);
  return integer(asBigInt(a as Int32 | bigint) + asBigInt(b as Int32 | bigint), rank);
}

function multiply(a: NumberValue, b: NumberValue): Value {
  const rank = Math.max(rankOf(a), rankOf(b));
  if (rank === DECIMAL) return decimals.putTogether(decimals.multiply(asDecimal(a), asDecimal(b)));
  if (rank === DOUBLE) return asDouble(a) * asDouble(b);
  return integer(asBigInt(a as Int32 | bigint) * asBigInt(b as Int32 | bigint), rank);
}

function integer(value: bigint, rank: number): Value {
  if (!isLongRange(value)) return undefined;
  return rank === LONG ? value : intOrLong(value);
}

/** A number as MongoDB's SafeNum shows itself. */
function safeNumberText(value: NumberValue): string {
  if (value instanceof Int32) return `(NumberInt)${value.value}`;
  return typeof value === "bigint" ? `(NumberLong)${value}` : `(NumberDouble)${asDouble(value)}`;
}

export function parseMin(_path: string, value: Value, { collation }: OperationContext): Operation {
  return extreme(value, 1, collation);
}

export function parseMax(_path: string, value: Value, { collation }: OperationContext): Operation {
  return extreme(value, -1, collation);
}

/** @param sign 1 to take the value when the old one stands behind it in BSON order, −1 when before */
function extreme(value: Value, sign: number, collation: Collation | undefined): Operation {
  const compare = valueOrder(collation);
  return (old) => old === undefined || sign * compare(old, value) > 0 ? value : old;
}

type BitOperator = "and" | "or" | "xor";
type BitStep = readonly [BitOperator, Int32 | bigint];

export function parseBit(_path: string, value: Value): Operation {
  const steps = bitSteps(value);
  return (old, place) => {
    if (old !== undefined && !(old instanceof Int32) && typeof old !== "bigint") {
      throw nonIntegral(old, place);
    }
    const result = steps.reduce(applyBits, old ?? Int32.of(0));
    return identicalValues(old, result) ? old : result;
  };
}

function bitSteps(value: Value): readonly BitStep[] {
  if (!(value instanceof Document)) {
    throw new CommandError(
      "BadValue",
      `The $bit modifier is not compatible with a ${
        typeName(value)
      }. You must pass in an embedded document: ` +
        "{$bit: {field: {and/or/xor: #}}",
    );
  }
  const values = value.values();
  const steps = value.names().map((name, i) => bitStep(name, values[i]));
  if (steps.length > 0) return steps;
  throw new CommandError(
    "BadValue",
    "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}",
  );
}

function bitStep(name: string, value: Value): BitStep {
  if (name !== "and" && name !== "or" && name !== "xor") {
    throw new CommandError(
      "BadValue",
      `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: ` +
        `{${elementText(name, value)}}`,
    );
  }
  if (value instanceof Int32 || typeof value === "bigint") return [name, value];
  throw new CommandError(
    "BadValue",
    `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(value)}' is not supported here: ` +
      `{${elementText(name, value)}}`,
  );
}

function applyBits(old: Int32 | bigint, [operator, operand]: BitStep): Int32 | bigint {
  const bits = bitwise(operator, asBigInt(old), asBigInt(operand));
  return old instanceof Int32 && operand instanceof Int32 ? intOrLong(bits) : bits;
}

function bitwise(operator: BitOperator, a: bigint, b: bigint): bigint {
  switch (operator) {
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
  }
}

function nonIntegral(old: Value, { root, name }: Place): CommandError {
  return new CommandError(
    "BadValue",
    `Cannot apply $bit to a value of non-integral type.${
      idText(root)
    } has the field ${name} of non-integer ` +
      `type ${typeName(old)}`,
  );
}
