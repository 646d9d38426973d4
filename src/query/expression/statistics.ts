/**
 * Accumulators used as expressions: over their arguments, or over the items of the array that is their only argument
 * (`{$avg: "$temperatures"}`); `$firstN` and its like over the items of `input`.
 */
import { CommandError } from "../../base/mod.ts";
import { type Collation, isArray, type Value } from "../../bson/mod.ts";
import type { Accumulator } from "../accumulator/accumulator.ts";
import { createDeviation } from "../accumulator/deviation.ts";
import { createExtreme, createExtremes } from "../accumulator/extremes.ts";
import { countOf, splitWithN } from "../accumulator/n_argument.ts";
import { createPercentiles, ranksOf, splitPercentile } from "../accumulator/percentile.ts";
import { createFirstN, createLastN } from "../accumulator/position.ts";
import { createAverage, createSum } from "../accumulator/sum.ts";
import { namedNode } from "./expression.ts";
import type { OperatorDefinition } from "./operator.ts";

function over(name: string, create: (collation: Collation | undefined) => Accumulator): OperatorDefinition {
  return {
    name,
    arity: [0, Infinity],
    compile: ({ args, node: { collation } }) => {
      const only = args.length === 1 ? args[0] : undefined;
      return (scope) => {
        const accumulator = create(collation);
        if (only === undefined) {
          for (const arg of args) accumulator.add(arg(scope));
        } else {
          addAll(accumulator, only(scope));
        }
        return accumulator.result();
      };
    },
  };
}

function addAll(accumulator: Accumulator, value: Value): void {
  if (!isArray(value)) return accumulator.add(value);
  for (const item of value) accumulator.add(item);
}

function overN(
  name: string,
  create: (n: number, collation: Collation | undefined) => Accumulator,
): OperatorDefinition {
  return {
    name,
    unfolded: "arguments",
    parse: (value, context, parse) => {
      const { n, input } = splitWithN(name, value);
      return namedNode(name, { n: parse(n, context), input: parse(input, context) });
    },
    compile: ({ named, node: { collation } }) => {
      const n = named["n"]!;
      const input = named["input"]!;
      return (scope) => {
        const accumulator = create(countOf(n(scope)), collation);
        const items = input(scope);
        if (!isArray(items)) throw new CommandError(5788200, "Input must be an array");
        for (const item of items) accumulator.add(item);
        return accumulator.result();
      };
    },
  };
}

/** Over the numbers in an array; a single number counts as itself. */
function overPercentiles(name: "$median" | "$percentile"): OperatorDefinition {
  return {
    name,
    parse: (value, context, parse) => {
      const { input, p } = splitPercentile(name, value);
      const named = { input: parse(input, context) };
      return namedNode(name, name === "$median" ? named : { ...named, p: parse(p, context) });
    },
    compile: ({ named }) => {
      const input = named["input"]!;
      const p = named["p"];
      return (scope) => {
        const accumulator = createPercentiles(p === undefined ? undefined : ranksOf(p(scope)));
        addAll(accumulator, input(scope));
        return accumulator.result();
      };
    },
  };
}

export const STATISTICS: readonly OperatorDefinition[] = [
  over("$avg", () => createAverage()),
  overN("$firstN", (n) => createFirstN(n)),
  overN("$lastN", (n) => createLastN(n)),
  over("$max", (collation) => createExtreme(-1, collation)),
  overN("$maxN", (n, collation) => createExtremes(-1, n, collation)),
  overPercentiles("$median"),
  over("$min", (collation) => createExtreme(1, collation)),
  overN("$minN", (n, collation) => createExtremes(1, n, collation)),
  overPercentiles("$percentile"),
  over("$stdDevPop", () => createDeviation(0)),
  over("$stdDevSamp", () => createDeviation(1)),
  over("$sum", () => createSum()),
];
