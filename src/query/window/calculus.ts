/**
 * `$derivative`: the slope from a window's first row to its last. `$integral`: the area under its rows, by the trapezoidal
 * rule. What rows are sorted by is the x; a date counts in the `unit` that must then be given.
 */
import { CommandError } from "../../base/mod.ts";
import { Document, Int32, isNullish, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { add, divide, multiply, subtract } from "../expression/arithmetic.ts";
import type { TimeUnit } from "../expression/date_arithmetic.ts";
import { typeName } from "../expression/message.ts";
import { asDouble } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { parseBounds, parseUnit, windowEnds } from "./bounds.ts";
import { SlidingSum } from "./sliding_sum.ts";
import type { Column } from "./partition.ts";
import {
  eachWindow,
  inputValues,
  type WindowDefinition,
  type WindowNode,
  type WindowSpec,
} from "./window.ts";

const UNIT_MS: Readonly<Partial<Record<TimeUnit, number>>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

function parse(spec: WindowSpec): WindowNode {
  const { name, argument, window, sortBy, context } = spec;
  if (sortBy.length === 0) throw failure(`${name} requires a sortBy`);
  if (sortBy.length > 1) throw failure(`${name} requires a non-compound sortBy`);
  if (name === "$derivative" && window === undefined) {
    throw failure(`${name} requires explicit window bounds`);
  }
  if (!(argument instanceof Document)) {
    throw failure(
      `${name} expects an object, but got a ${typeName(argument)}: ${elementText(name, argument)}`,
    );
  }
  for (const field of argument.names()) {
    if (field !== "input" && field !== "unit") throw failure(`${name} got unexpected argument: ${field}`);
  }
  if (!argument.has("input")) throw failure(`${name} requires an 'input' expression`);
  const bounds = parseBounds(window, sortBy);
  const input = parseExpression(argument.get("input"), context);
  const node: WindowNode = { kind: "window", name, input, bounds };
  return argument.has("unit") ? { ...node, unitMs: unitMsOf(argument.get("unit")) } : node;
}

function unitMsOf(value: Value): number {
  const ms = UNIT_MS[parseUnit(value)];
  if (ms === undefined) throw new CommandError(5490710, "unit must be 'week' or smaller");
  return ms;
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

const computeDerivative: WindowDefinition["compute"] = ({ bounds, unitMs }, input, partition) => {
  const times = partition.sortValues;
  return eachWindow(windowEnds(bounds, partition), partition, (first, end): Value => {
    const last = end - 1;
    if (first > last) return null;
    checkSlopeTime(times.at(first), unitMs);
    checkSlopeTime(times.at(last), unitMs);
    const [from, to] = [input(partition.scope(first)), input(partition.scope(last))];
    if (isNullish(from) || isNullish(to)) {
      throw new CommandError(5624903, "$derivative input must not be null or missing");
    }
    const rise = subtract(to, from);
    const run = subtract(times.at(last), times.at(first));
    if (isNumber(run) && asDouble(run) === 0) return null;
    const slope = divide(rise, run);
    return unitMs === undefined ? slope : multiply(slope, unitMs);
  });
};

function checkSlopeTime(time: Value, unitMs: number | undefined): void {
  if (unitMs !== undefined) {
    if (time instanceof UtcDate) return;
    throw new CommandError(5624900, "$derivative with 'unit' expects the sortBy field to be a Date");
  }
  if (time instanceof UtcDate) {
    throw new CommandError(5624901, "$derivative where the sortBy is a Date requires an 'unit'");
  }
  if (isNumber(time)) return;
  throw new CommandError(5624902, "$derivative where the sortBy is not a Date requires it to be numeric");
}

const computeIntegral: WindowDefinition["compute"] = ({ bounds, unitMs }, input, partition) => {
  const times = partition.sortValues;
  const heights = inputValues(input, partition);
  const areas = partition.column((row) => {
    checkIntegralPoint(times.at(row), heights.at(row), unitMs);
    return row === 0 ? undefined : areaBetween(row - 1, row, times, heights);
  });
  const sum = new SlidingSum(areas);
  return eachWindow(windowEnds(bounds, partition), partition, (first, end): Value => {
    // The points are judged even where no area is asked for.
    if (end > 0) areas.at(end - 1);
    if (first >= end) return null;
    // The area before the window's first row is not its own.
    const area = sum.moveTo(Math.min(first + 1, end), end).result();
    return unitMs === undefined ? area : divide(area, unitMs);
  });
};

function areaBetween(a: number, b: number, times: Column, heights: Column): Value {
  const width = subtract(times.at(b), times.at(a));
  return divide(multiply(width, add(heights.at(a), heights.at(b))), Int32.of(2));
}

function checkIntegralPoint(time: Value, height: Value, unitMs: number | undefined): void {
  const isDate = time instanceof UtcDate;
  if ((!isDate && !isNumber(time)) || !isNumber(height)) {
    throw new CommandError(
      5423900,
      "The input value of $integral window function must be a vector of 2 value, the first value must be numeric or date " +
        "type and the second must be numeric.",
    );
  }
  if (unitMs !== undefined && !isDate) {
    throw new CommandError(5423901, "$integral with 'unit' expects the sortBy field to be a Date");
  }
  if (unitMs === undefined && isDate) {
    throw new CommandError(5423902, "$integral (with no 'unit') expects the sortBy field to be numeric");
  }
}

export const CALCULUS: readonly WindowDefinition[] = [
  { name: "$derivative", parse, compute: computeDerivative },
  { name: "$integral", parse, compute: computeIntegral },
];
