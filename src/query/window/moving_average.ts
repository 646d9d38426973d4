/**
 * `$expMovingAvg`: each number counts `alpha`, the average before it 1 − alpha; `N` stands for alpha = 2 / (N + 1). Rows
 * without a number show the average as it is.
 */
import { CommandError } from "../../base/mod.ts";
import { Decimal128, Document, isNumber, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { add, divide, multiply, subtract } from "../expression/arithmetic.ts";
import { typeName } from "../expression/message.ts";
import { asDouble, asInt64, type NumberValue } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { UNBOUNDED } from "./bounds.ts";
import { inputValues, type WindowDefinition, type WindowNode, type WindowSpec } from "./window.ts";

const ONE = Decimal128.fromString("1");
const TWO = Decimal128.fromString("2");

function parse({ name, argument, window, sortBy, context }: WindowSpec): WindowNode {
  if (sortBy.length === 0) throw failure("$expMovingAvg requires an explicit 'sortBy'");
  if (window !== undefined || !(argument instanceof Document)) {
    throw failure("$expMovingAvg must have exactly one argument that is an object");
  }
  const hasOneWeight = argument.has("N") !== argument.has("alpha");
  if (argument.names().length !== 2 || !argument.has("input") || !hasOneWeight) {
    throw failure(
      "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field",
    );
  }
  const input = parseExpression(argument.get("input"), context);
  const alpha = argument.has("N") ? alphaOfCount(argument.get("N")) : alphaOf(argument.get("alpha"));
  return { kind: "window", name, input, bounds: UNBOUNDED, alpha };
}

function alphaOfCount(value: Value): Value {
  if (!isNumber(value)) throw failure(`'N' field must be an integer, but found type ${typeName(value)}`);
  const count = asInt64(value);
  if (count === undefined) {
    throw failure(
      `'N' field must be an integer, but found  ${
        elementText("N", value)
      }. To use a non-integer, use the 'alpha' ` +
        "argument instead",
    );
  }
  if (count <= 0n) throw failure(`'N' must be greater than zero. Got ${count}`);
  return divide(TWO, count + 1n);
}

function alphaOf(value: Value): Value {
  if (!isNumber(value)) throw failure("'alpha' must be a number");
  const alpha = asDouble(value);
  if (!(alpha > 0 && alpha < 1)) {
    throw failure(`'alpha' must be between 0 and 1 (exclusive), found ${elementText("alpha", value)}`);
  }
  return value;
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

const compute: WindowDefinition["compute"] = ({ alpha }, input, partition) => {
  const weight = alpha as NumberValue;
  const doubleWeight = asDouble(weight);
  // As a decimal first: 1 - 2/3 as doubles is not 1/3.
  const oldWeight = asDouble(subtract(ONE, weight) as Decimal128);
  let average: number | Decimal128 | undefined;
  return inputValues(input, partition).map((value): Value => {
    if (!isNumber(value)) return average ?? null;
    if (average instanceof Decimal128 || value instanceof Decimal128) {
      return average = mixDecimals(value, average, weight);
    }
    const double = asDouble(value);
    return average = average === undefined ? double : double * doubleWeight + average * oldWeight;
  });
};

function mixDecimals(value: NumberValue, average: NumberValue | undefined, weight: NumberValue): Decimal128 {
  const fresh = add(value, Decimal128.fromString("0"));
  if (average === undefined) return fresh as Decimal128;
  const old = multiply(average, subtract(ONE, weight));
  return add(multiply(fresh, weight), old) as Decimal128;
}

export const MOVING_AVERAGE: WindowDefinition = { name: "$expMovingAvg", parse, compute };
