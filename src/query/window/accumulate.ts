/**
 * Accumulators over windows. Where a window only grows (from the partition's start) one accumulator takes row after row;
 * sums, averages and deviations of windows that slide take rows in and out; all others are computed afresh for each row.
 */
import { CommandError, MAX_BLOCKING_STAGE_BYTES } from "../../base/mod.ts";
import { isArray, type Value } from "../../bson/mod.ts";
import { createAccumulator, parseWindowAccumulator } from "../accumulator/accumulators.ts";
import type { Accumulator } from "../accumulator/accumulator.ts";
import { parseBounds, type WindowEnds, windowEnds } from "./bounds.ts";
import { SlidingDeviation } from "./sliding_deviation.ts";
import { SlidingSum } from "./sliding_sum.ts";
import type { Column } from "./partition.ts";
import {
  eachWindow,
  inputValues,
  PAUSE,
  PAUSE_ROWS,
  type WindowDefinition,
  type WindowNode,
  type WindowSpec,
} from "./window.ts";

function parse(spec: WindowSpec): WindowNode {
  const bounds = parseBounds(spec.window, spec.sortBy);
  const accumulator = parseWindowAccumulator(spec.name, spec.argument, spec.context);
  return { kind: "window", name: spec.name, input: accumulator.input, bounds, accumulator };
}

const compute: WindowDefinition["compute"] = (node, input, partition) => {
  const values = inputValues(input, partition);
  const ends = windowEnds(node.bounds, partition);
  return node.bounds.lower === undefined
    ? growing(node, values, ends, partition.length)
    : sliding(node, values, ends, partition.length);
};

function* growing(
  node: WindowNode,
  values: Column,
  ends: WindowEnds,
  rows: number,
): Iterable<Value | typeof PAUSE> {
  const accumulator = createAccumulator(node.accumulator!);
  let taken = 0;
  let result: Value;
  for (let row = 0; row < rows; row++) {
    ends.moveTo(row);
    if (row === 0 || taken < ends.to) {
      for (; taken < ends.to; taken++) {
        addTo(accumulator, values.at(taken));
        if (taken % PAUSE_ROWS === PAUSE_ROWS - 1) yield PAUSE;
      }
      result = settled(accumulator);
    }
    yield result;
  }
}

/** What an accumulator keeps of a window stays in memory. @throws CommandError 5414201 */
function addTo(accumulator: Accumulator, value: Value): void {
  accumulator.add(value);
  const { keptBytes = 0 } = accumulator;
  if (keptBytes <= MAX_BLOCKING_STAGE_BYTES) return;
  throw new CommandError(
    5414201,
    `Exceeded memory limit in DocumentSourceSetWindowFields, used ${keptBytes} bytes but max allowed is ${MAX_BLOCKING_STAGE_BYTES}`,
  );
}

/** An accumulator goes on with the array that it gave: it is copied. */
function settled(accumulator: Accumulator): Value {
  const result = accumulator.result();
  return isArray(result) ? result.slice() : result;
}

function* sliding(node: WindowNode, values: Column, ends: WindowEnds, rows: number): Iterable<Value> {
  for (let row = 0; row < rows; row++) {
    ends.moveTo(row);
    const accumulator = createAccumulator(node.accumulator!);
    for (let at = ends.from; at < ends.to; at++) addTo(accumulator, values.at(at));
    yield accumulator.result();
  }
}

/** @param start gives what makes of each window that slides its value; windows that grow are accumulated */
function computeSliding(
  start: (node: WindowNode, values: Column) => (from: number, to: number) => Value,
): WindowDefinition["compute"] {
  return (node, input, partition) => {
    if (node.bounds.lower === undefined) return compute(node, input, partition);
    return eachWindow(
      windowEnds(node.bounds, partition),
      partition,
      start(node, inputValues(input, partition)),
    );
  };
}

/** Unlike as an accumulator, a missing value stays missing. */
function computeEnd(pick: (from: number, to: number) => number): WindowDefinition["compute"] {
  return (node, input, partition) =>
    eachWindow(
      windowEnds(node.bounds, partition),
      partition,
      (from, to) => from >= to ? null : input(partition.scope(pick(from, to))),
    );
}

const computeSum = computeSliding((_, values) => {
  const sum = new SlidingSum(values);
  return (from, to) => sum.moveTo(from, to).result();
});

const computeAverage = computeSliding((_, values) => {
  const sum = new SlidingSum(values);
  return (from, to) => sum.moveTo(from, to).average();
});

const computeDeviation = computeSliding(({ name }, values) => {
  const deviation = new SlidingDeviation(values, name === "$stdDevSamp" ? 1 : 0);
  return (from, to) => deviation.moveTo(from, to).result();
});

const NAMES = [
  "$addToSet",
  "$bottom",
  "$bottomN",
  "$count",
  "$firstN",
  "$lastN",
  "$max",
  "$maxN",
  "$median",
  "$min",
  "$minN",
  "$percentile",
  "$push",
  "$top",
  "$topN",
] as const;

export const ACCUMULATE: readonly WindowDefinition[] = [
  ...NAMES.map((name) => ({ name, parse, compute })),
  { name: "$avg", parse, compute: computeAverage },
  { name: "$first", parse, compute: computeEnd((from) => from) },
  { name: "$last", parse, compute: computeEnd((_, to) => to - 1) },
  { name: "$stdDevPop", parse, compute: computeDeviation },
  { name: "$stdDevSamp", parse, compute: computeDeviation },
  { name: "$sum", parse, compute: computeSum },
];
