/** The registry of accumulators, and how they are parsed and made. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import { compileExpression } from "../expression/compile.ts";
import { constant, type Evaluator, type ParseContext } from "../expression/expression.ts";
import { parseExpression } from "../expression/parse.ts";
import type { Accumulator, AccumulatorDefinition, AccumulatorNode } from "./accumulator.ts";
import { COLLECTION } from "./collection.ts";
import { DEVIATION } from "./deviation.ts";
import { DISTRIBUTION } from "./distribution.ts";
import { EXTREMES } from "./extremes.ts";
import { countOf } from "./n_argument.ts";
import { OVER_TIME } from "./over_time.ts";
import { PERCENTILE } from "./percentile.ts";
import { POSITION } from "./position.ts";
import { RANKED } from "./ranked.ts";
import { createCount, SUM } from "./sum.ts";

const COUNT: AccumulatorDefinition = {
  name: "$count",
  parse: (name, value) => {
    if (!(value instanceof Document) || !value.isEmpty()) {
      throw new CommandError("TypeMismatch", "$count takes no arguments, i.e. $count:{}");
    }
    return { kind: "accumulator", name, input: constant(null) };
  },
  create: createCount,
};

/** Accumulators of MongoDB 8.0 that ChronoGo knows and does not have. */
const MISSING: ReadonlySet<string> = new Set(["$accumulator"]);

const ACCUMULATORS: ReadonlyMap<string, AccumulatorDefinition> = new Map(
  [
    ...COLLECTION,
    COUNT,
    ...DEVIATION,
    ...DISTRIBUTION,
    ...EXTREMES,
    ...OVER_TIME,
    ...PERCENTILE,
    ...POSITION,
    ...RANKED,
    ...SUM,
  ]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map((definition) => [definition.name, definition]),
);

/** Whether `$group` and windows know an accumulator of that name (dollar sign included). */
export function isAccumulator(name: string): boolean {
  return ACCUMULATORS.has(name) || MISSING.has(name);
}

/**
 * Parses `{<name>: <value>}`, a field of `$group`.
 *
 * @throws CommandError 15952 for an unknown accumulator, 40237 for a list where one argument is due, 238 for one that is missing
 */
export function parseAccumulator(name: string, value: Value, context: ParseContext): AccumulatorNode {
  return collated(parseNode(name, value, context), context);
}

function collated(node: AccumulatorNode, { collation }: ParseContext): AccumulatorNode {
  return collation === undefined ? node : { ...node, collation };
}

function parseNode(name: string, value: Value, context: ParseContext): AccumulatorNode {
  const definition = ACCUMULATORS.get(name);
  if (definition?.parse !== undefined) return definition.parse(name, value, context, parseExpression);
  if (MISSING.has(name)) {
    throw new CommandError("NotImplemented", `the accumulator ${name} is not implemented`);
  }
  if (isArray(value)) {
    throw new CommandError(40237, `The ${name} accumulator is a unary operator`);
  }
  if (definition === undefined) throw new CommandError(15952, `unknown group operator '${name}'`);
  return { kind: "accumulator", name, input: parseExpression(value, context) };
}

/**
 * Parses an accumulator where it is a window function: unlike in `$group`, a list is one value.
 *
 * @throws CommandError
 */
export function parseWindowAccumulator(name: string, value: Value, context: ParseContext): AccumulatorNode {
  const parse = ACCUMULATORS.get(name)?.parse;
  const node: AccumulatorNode = parse === undefined
    ? { kind: "accumulator", name, input: parseExpression(value, context) }
    : parse(name, value, context, parseExpression);
  return collated(node, context);
}

/** What an accumulator takes from each row: compile once a stage, hand its value to `add`. */
export function accumulatorInput(node: AccumulatorNode): Evaluator {
  return compileExpression(node.input);
}

/**
 * A new, empty accumulator.
 *
 * @param groupId the group's _id: `n` of `$topN` and its like may depend on it
 * @throws CommandError when `n` is no positive whole number
 */
export function createAccumulator(node: AccumulatorNode, groupId?: Value): Accumulator {
  const definition = ACCUMULATORS.get(node.name)!;
  return definition.create(node, node.n === undefined ? 1 : evaluateCount(node, groupId));
}

function evaluateCount({ n }: AccumulatorNode, groupId: Value): number {
  if (n === undefined) return 1;
  if (n.kind === "constant") return countOf(n.value);
  const root = groupId instanceof Document ? groupId : BuiltDocument.EMPTY;
  return countOf(compileExpression(n)({ root, variables: new Map() }));
}

/** The names of all accumulators that are known, those that are missing included, sorted. */
export function accumulatorNames(): readonly string[] {
  return [...ACCUMULATORS.keys(), ...MISSING].sort();
}
