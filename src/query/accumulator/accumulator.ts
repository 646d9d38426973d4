/**
 * Accumulators: what `$group` and windows compute over many rows. An accumulator takes one value a row; what it holds
 * can travel as a BSON value (`partial`) and be merged elsewhere, so that every shard does its own part.
 */
import type { Collation, Value } from "../../bson/mod.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import type { Parse } from "../expression/operator.ts";

/** An accumulator, parsed. */
export interface AccumulatorNode {
  readonly kind: "accumulator";
  /** With its dollar sign: `$sum`. */
  readonly name: string;
  /**
   * What it takes from each row. For `$top` and its like an array of the output and the array of the sort keys.
   */
  readonly input: Expression;
  /** How many values it keeps, for `$topN` and its like: evaluated once a group, with the group's _id as the row. */
  readonly n?: Expression;
  /** 1 or −1 for each sort key of `$top` and its like. */
  readonly directions?: readonly (1 | -1)[];
  /** Which percentiles, in [0, 1], for `$percentile`. */
  readonly ranks?: readonly number[];
  /** The unit of time of `$rate`. */
  readonly unit?: string;
  /** What `$twa` takes the values between two rows for. */
  readonly method?: string;
  /** Where the bins of `$histogram` begin and end, ascending. */
  readonly boundaries?: readonly number[];
  /** How it compares texts; undefined for by their bytes. */
  readonly collation?: Collation;
}

/** What one group holds of one accumulator. */
export interface Accumulator {
  /** Bytes of the values that it keeps, about, where it may keep many. */
  readonly keptBytes?: number;
  /** Whether no later value counts: the input is then no longer computed, so that it cannot fail either. */
  readonly isDone?: boolean;
  /** Takes the value that `node.input` has for a row. @throws CommandError */
  add(value: Value): void;
  /** All it holds so far, to be merged elsewhere. */
  partial(): Value;
  /** Takes what another accumulator of the same node holds; those that keep an order take it as what follows. */
  merge(partial: Value): void;
  /** The value for the group; never missing. */
  result(): Value;
}

/** One entry of the registry. */
export interface AccumulatorDefinition {
  readonly name: string;
  /** Parses an argument that is more than one expression. */
  readonly parse?: (name: string, value: Value, context: ParseContext, parse: Parse) => AccumulatorNode;
  /** A new, empty accumulator; `n` is what the node's `n` evaluated to. */
  readonly create: (node: AccumulatorNode, n: number) => Accumulator;
}
