/** `$linearFill`, `$locf`: a value for rows without one: on the line between its neighbours, or the last there was. */
import { CommandError } from "../../base/mod.ts";
import { compareValues, isNullish, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import { add, divide, multiply, subtract } from "../expression/arithmetic.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { UNBOUNDED } from "./bounds.ts";
import { inputValues, type WindowDefinition, type WindowNode, type WindowSpec } from "./window.ts";

function parse({ name, argument, window, sortBy, context }: WindowSpec): WindowNode {
  if (name === "$linearFill" && sortBy.length !== 1) {
    throw new CommandError(
      605001,
      "$linearFill must be specified with a top level sortBy expression with exactly one element",
    );
  }
  if (window !== undefined) {
    throw new CommandError("FailedToParse", `'window' field is not allowed in ${name}`);
  }
  return { kind: "window", name, input: parseExpression(argument, context), bounds: UNBOUNDED };
}

const carryForward: WindowDefinition["compute"] = (_, input, partition) => {
  let last: Value = null;
  return inputValues(input, partition).map((value) => {
    if (!isNullish(value)) last = value;
    return last;
  });
};

const interpolate: WindowDefinition["compute"] = (_, input, partition) => {
  const places = partition.sortValues();
  const values = inputValues(input, partition);
  places.forEach((place, i) => checkPlace(place, i === 0 ? undefined : places[i - 1]));
  const filled = values.map((value): Value => isNullish(value) ? null : value);
  let left = -1;
  values.forEach((value, right) => {
    if (isNullish(value)) return;
    // Before the value itself is judged, as in MongoDB: across a gap the error is another one.
    for (let i = left + 1; left >= 0 && i < right; i++) filled[i] = between(places, values, left, i, right);
    if (!isNumber(value)) {
      throw new CommandError(
        "TypeMismatch",
        `Value to be filled must be numeric or nullish, but found ${typeName(value)}`,
      );
    }
    left = right;
  });
  return filled;
};

function checkPlace(place: Value, before: Value): void {
  if (!isNumber(place) && !(place instanceof UtcDate)) {
    throw new CommandError(
      "TypeMismatch",
      `Value of the sortBy field must be numeric or a date, but found ${typeName(place)}`,
    );
  }
  if (before !== undefined && compareValues(place, before) === 0) {
    throw new CommandError(6050106, "There can be no repeated values in the sort field");
  }
}

function between(
  places: readonly Value[],
  values: readonly Value[],
  left: number,
  at: number,
  right: number,
): Value {
  const rise = subtract(values[right], values[left]);
  const run = subtract(places[right], places[left]);
  const way = subtract(places[at], places[left]);
  return add(values[left], multiply(way, divide(rise, run)));
}

export const FILL: readonly WindowDefinition[] = [
  { name: "$linearFill", parse, compute: interpolate },
  { name: "$locf", parse, compute: carryForward },
];
