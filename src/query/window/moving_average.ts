/**
 * `$expMovingAvg`: each number counts `alpha`, the average before it 1 − alpha; `N` stands for alpha = 2 / (N + 1). Rows
 * without a number show the average as it is. It is a decimal in between, as in MongoDB (1 − 2/3 as doubles is not 1/3), and
 * shown as a double where no decimal went in.
 */
import { CommandError } from "../../base/mod.ts";
import { Decimal128, Document, isNumber, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { divide } from "../expression/arithmetic.ts";
import * as decimals from "../expression/decimal_arithmetic.ts";
import { typeName } from "../expression/message.ts";
import { asDecimal, asDouble, asInt64, type NumberValue } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { UNBOUNDED } from "./bounds.ts";
import { type WindowDefinition, type WindowNode, type WindowSpec } from "./window.ts";

const ONE = decimals.fromInteger(1n);
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

const compute: WindowDefinition["compute"] = function* ({ alpha }, input, partition) {
  const weight = asDecimal(alpha as NumberValue);
  const oldWeight = decimals.subtract(ONE, weight);
  let average: decimals.Decimal | undefined;
  let isDecimal = false;
  let shown: Value = null;
  for (let row = 0; row < partition.length; row++) {
    const value = input(partition.scope(row));
    if (isNumber(value)) {
      if (value instanceof Decimal128) isDecimal = true;
      const fresh = asDecimal(value);
      average = average === undefined
        ? fresh
        : decimals.add(decimals.multiply(fresh, weight), decimals.multiply(average, oldWeight));
      shown = isDecimal ? decimals.putTogether(average) : decimals.toDouble(average);
    }
    yield shown;
  }
};

export const MOVING_AVERAGE: WindowDefinition = { name: "$expMovingAvg", parse, compute };
