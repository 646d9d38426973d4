/**
 * Accumulators over windows. Where a window only grows (from the partition's start) one accumulator takes row after row;
 * sums, averages and deviations of windows that slide take rows in and out; all others are computed afresh for each row.
 */
import { isArray, type Value } from "../../bson/mod.ts";
import { createAccumulator, parseWindowAccumulator } from "../accumulator/accumulators.ts";
import type { Accumulator } from "../accumulator/accumulator.ts";
import type { Evaluator } from "../expression/expression.ts";
import { parseBounds, type WindowEnds, windowEnds } from "./bounds.ts";
import { SlidingDeviation } from "./sliding_deviation.ts";
import { SlidingSum } from "./sliding_sum.ts";
import {
  inputValues,
  type Partition,
  type WindowDefinition,
  type WindowNode,
  type WindowSpec,
} from "./window.ts";

function parse(spec: WindowSpec): WindowNode {
  const bounds = parseBounds(spec.window, spec.sortBy);
  const accumulator = parseWindowAccumulator(spec.name, spec.argument, spec.context);
  return { kind: "window", name: spec.name, input: accumulator.input, bounds, accumulator };
}

function compute(node: WindowNode, input: Evaluator, partition: Partition): readonly Value[] {
  const values = inputValues(input, partition);
  const ends = windowEnds(node.bounds, partition);
  if (node.bounds.lower === undefined) return growing(node, values, ends);
  return sliding(node, values, ends);
}

function growing(node: WindowNode, values: readonly Value[], { to }: WindowEnds): readonly Value[] {
  const accumulator = createAccumulator(node.accumulator!);
  let taken = 0;
  let result: Value;
  return values.map((_, i) => {
    if (i > 0 && taken === to[i]) return result;
    for (; taken < to[i]!; taken++) accumulator.add(values[taken]);
    return result = settled(accumulator);
  });
}

/** An accumulator goes on with the array that it gave: it is copied. */
function settled(accumulator: Accumulator): Value {
  const result = accumulator.result();
  return isArray(result) ? result.slice() : result;
}

function sliding(node: WindowNode, values: readonly Value[], { from, to }: WindowEnds): readonly Value[] {
  return values.map((_, i) => {
    const accumulator = createAccumulator(node.accumulator!);
    for (let at = from[i]!; at < to[i]!; at++) accumulator.add(values[at]);
    return accumulator.result();
  });
}

function computeSum(node: WindowNode, input: Evaluator, partition: Partition): readonly Value[] {
  return computeSums(node, input, partition, (sum) => sum.result());
}

function computeAverage(node: WindowNode, input: Evaluator, partition: Partition): readonly Value[] {
  return computeSums(node, input, partition, (sum) => sum.average());
}

function computeSums(
  node: WindowNode,
  input: Evaluator,
  partition: Partition,
  resultOf: (sum: SlidingSum) => Value,
): readonly Value[] {
  if (node.bounds.lower === undefined) return compute(node, input, partition);
  const { from, to } = windowEnds(node.bounds, partition);
  const sum = new SlidingSum(inputValues(input, partition));
  return partition.rows.map((_, i) => resultOf(sum.moveTo(from[i]!, to[i]!)));
}

/** Unlike as an accumulator, a missing value stays missing. */
function computeEnd(
  pick: (from: number, to: number) => number,
): WindowDefinition["compute"] {
  return (node, input, partition) => {
    const { from, to } = windowEnds(node.bounds, partition);
    return partition.rows.map((_, i) =>
      from[i]! >= to[i]! ? null : input(partition.scope(pick(from[i]!, to[i]!)))
    );
  };
}

function computeDeviation(node: WindowNode, input: Evaluator, partition: Partition): readonly Value[] {
  if (node.bounds.lower === undefined) return compute(node, input, partition);
  const { from, to } = windowEnds(node.bounds, partition);
  const lost = node.name === "$stdDevSamp" ? 1 : 0;
  const deviation = new SlidingDeviation(inputValues(input, partition), lost);
  return partition.rows.map((_, i) => deviation.moveTo(from[i]!, to[i]!).result());
}

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
