/** `$linearFill`, `$locf`: a value for rows without one: on the line between its neighbours, or the last there was. */
import { CommandError } from "../../base/mod.ts";
import { compareValues, isNullish, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import { add, divide, multiply, subtract } from "../expression/arithmetic.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { UNBOUNDED } from "./bounds.ts";
import type { Column } from "./partition.ts";
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

const carryForward: WindowDefinition["compute"] = function* (_, input, partition) {
  let last: Value = null;
  for (let row = 0; row < partition.length; row++) {
    const value = input(partition.scope(row));
    if (!isNullish(value)) last = value;
    yield last;
  }
};

const interpolate: WindowDefinition["compute"] = function* (_, input, partition) {
  const { length, sortValues: places } = partition;
  const values = inputValues(input, partition);
  for (let row = 0; row < length; row++) {
    checkPlace(places.at(row), row === 0 ? undefined : places.at(row - 1));
  }
  let left = -1;
  for (let right = 0; right < length; right++) {
    const value = values.at(right);
    if (isNullish(value)) continue;
    // Before the value itself is judged, as in MongoDB: across a gap the error is another one.
    for (let gap = left + 1; gap < right; gap++) {
      yield left < 0 ? null : between(places, values, left, gap, right);
    }
    if (!isNumber(value)) {
      throw new CommandError(
        "TypeMismatch",
        `Value to be filled must be numeric or nullish, but found ${typeName(value)}`,
      );
    }
    left = right;
    yield value;
  }
  for (let gap = left + 1; gap < length; gap++) yield null;
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
  places: Column,
  values: Column,
  left: number,
  at: number,
  right: number,
): Value {
  const rise = subtract(values.at(right), values.at(left));
  const run = subtract(places.at(right), places.at(left));
  const way = subtract(places.at(at), places.at(left));
  return add(values.at(left), multiply(way, divide(rise, run)));
}

export const FILL: readonly WindowDefinition[] = [
  { name: "$linearFill", parse, compute: interpolate },
  { name: "$locf", parse, compute: carryForward },
];
