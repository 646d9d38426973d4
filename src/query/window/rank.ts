/** `$rank`, `$denseRank`, `$documentNumber`: the place of a row in its partition. */
import { CommandError } from "../../base/mod.ts";
import { Document, equalValues, Int32, type Value } from "../../bson/mod.ts";
import { collationOf, constant } from "../expression/expression.ts";
import { UNBOUNDED } from "./bounds.ts";
import type { Partition } from "./partition.ts";
import type { WindowDefinition, WindowNode, WindowSpec } from "./window.ts";

function parse({ name, argument, window, sortBy, context }: WindowSpec): WindowNode {
  if (window !== undefined) {
    throw new CommandError(5371601, "Rank style window functions take no other arguments");
  }
  if (sortBy.length !== 1) {
    throw new CommandError(
      5371602,
      `${name} must be specified with a top level sortBy expression with exactly one element`,
    );
  }
  if (!(argument instanceof Document) || !argument.isEmpty()) {
    throw new CommandError(5371603, "(None) must be specified with '{}' as the value");
  }
  return { kind: "window", name, input: constant(null), bounds: UNBOUNDED, ...collationOf(context) };
}

/** @param next the rank of a row whose sort value is new, from the last such rank and the row's place */
function* ranks(
  { collation }: WindowNode,
  { length, sortValues }: Partition,
  next: (rank: number, place: number) => number,
): Iterable<Value> {
  let rank = 0;
  let last: Value;
  for (let row = 0; row < length; row++) {
    const value = sortValues.at(row);
    if (row === 0 || !equalValues(value, last, collation)) rank = next(rank, row + 1);
    last = value;
    yield Int32.of(rank);
  }
}

function* numbers({ length }: Partition): Iterable<Value> {
  for (let row = 0; row < length; row++) yield Int32.of(row + 1);
}

export const RANK: readonly WindowDefinition[] = [
  {
    name: "$denseRank",
    parse,
    compute: (node, _input, partition) => ranks(node, partition, (rank) => rank + 1),
  },
  {
    name: "$documentNumber",
    parse,
    compute: (_node, _input, partition) => numbers(partition),
  },
  { name: "$rank", parse, compute: (node, _input, partition) => ranks(node, partition, (_, place) => place) },
];
