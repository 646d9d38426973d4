/**
 * Window functions: what `$setWindowFields` computes for a row from the rows around it in its partition. A function takes
 * a whole partition, in order, and gives one value a row, row by row.
 */
import type { Collation, Document, Value } from "../../bson/mod.ts";
import type { AccumulatorNode } from "../accumulator/accumulator.ts";
import type { Evaluator, Expression, ParseContext } from "../expression/expression.ts";
import type { SortPart } from "../stage/sort_key.ts";
import type { Bounds, WindowEnds } from "./bounds.ts";
import type { Column, Partition } from "./partition.ts";

/** A window function, parsed. */
export interface WindowNode {
  readonly kind: "window";
  /** With its dollar sign: `$shift`. */
  readonly name: string;
  /** What it takes from each row; an array of two for `$covariancePop` and its like. */
  readonly input: Expression;
  /** Which rows around count; functions that see the whole partition have UNBOUNDED. */
  readonly bounds: Bounds;
  /** For those functions that are accumulators as well. */
  readonly accumulator?: AccumulatorNode;
  /** `$shift`: how many rows away, and the value where there is none. */
  readonly by?: number;
  readonly fallback?: Value;
  /** `$derivative`, `$integral`: the length of their unit of time. */
  readonly unitMs?: number;
  /** `$expMovingAvg`: the weight of the newest value. */
  readonly alpha?: Value;
  /** `$rank` and `$denseRank`: how texts compare. */
  readonly collation?: Collation;
}

/** What an output of the stage says: `{<function>: argument, window: {…}}`. */
export interface WindowSpec {
  readonly name: string;
  readonly argument: Value;
  /** Undefined when it is not given. */
  readonly window: Document | undefined;
  readonly sortBy: readonly SortPart[];
  readonly context: ParseContext;
}

/** In the place of a value, after work of some length without one: others may run. */
export const PAUSE = Symbol("pause");
/** Rows after which a function that has no value yet pauses. */
export const PAUSE_ROWS = 1024;

/** One entry of the registry. */
export interface WindowDefinition {
  readonly name: string;
  /** @throws CommandError */
  readonly parse: (spec: WindowSpec) => WindowNode;
  /** The value of each row in turn; undefined for missing. @throws CommandError */
  readonly compute: (
    node: WindowNode,
    input: Evaluator,
    partition: Partition,
  ) => Iterable<Value | typeof PAUSE>;
}

/** What the input is for each row. */
export function inputValues(input: Evaluator, partition: Partition): Column {
  return partition.column((row) => input(partition.scope(row)));
}

/** What is made of the window of each row in turn. */
export function* eachWindow(
  ends: WindowEnds,
  { length }: Partition,
  valueOf: (from: number, to: number, row: number) => Value,
): Iterable<Value> {
  for (let row = 0; row < length; row++) {
    ends.moveTo(row);
    yield valueOf(ends.from, ends.to, row);
  }
}
