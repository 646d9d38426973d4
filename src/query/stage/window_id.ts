/**
 * The `_id` of a window: `{timestamp: <start>, …own fields, partition: <value>}`. The fields of a partition that is a
 * document stand in it themselves, so none of them may have the name of one of the window's own.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, type Collation, Document, UtcDate, type Value, valueOrder } from "../../bson/mod.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { parseExpression } from "../expression/parse.ts";

/** Names of the window's own fields, the start first. */
export const START_FIELD = "timestamp";
export const END_FIELD = "end";
export const STATE_FIELD = "state";

/** Parses `partitionBy`. @throws CommandError when it surely gives a document with one of the window's own fields */
export function parsePartition(
  value: Value,
  own: readonly string[],
  context: ParseContext,
): Expression {
  const expression = parseExpression(value, context);
  if (expression.kind === "object") checkNames(expression.names, own);
  return expression;
}

/**
 * @param own values of the window's own fields by name
 * @param partition undefined where there are no partitions
 */
export function windowId(own: Readonly<Record<string, Value>>, partition: Value): Document {
  const names = Object.keys(own);
  const values = Object.values(own);
  if (partition === undefined) return new BuiltDocument(names, values);
  if (!(partition instanceof Document)) {
    return new BuiltDocument([...names, "partition"], [...values, partition]);
  }
  checkNames(partition.names(), names);
  return new BuiltDocument([...names, ...partition.names()], [...values, ...partition.values()]);
}

function checkNames(names: readonly string[], own: readonly string[]): void {
  const taken = own.find((name) => names.includes(name));
  if (taken === undefined) return;
  throw new CommandError(
    "FailedToParse",
    "$timeWindow puts the fields of an object that 'partitionBy' gives into _id, where " +
      `'${taken}' is the window's own: the object must not have a field of that name`,
  );
}

/** Where a window stands among others. */
export interface PlacedWindow {
  readonly startMs: number;
  readonly partition: Value;
}

/** Order of windows: by time, then by partition in BSON order. */
export function windowOrder(collation: Collation | undefined): (a: PlacedWindow, b: PlacedWindow) => number {
  const compare = valueOrder(collation);
  return (a, b) => a.startMs - b.startMs || compare(a.partition, b.partition);
}

/** The place of a window as a value that can be put aside: `[start]`, or `[start, partition]`. */
export function placeValue({ startMs, partition }: PlacedWindow): Value {
  return partition === undefined ? [new UtcDate(startMs)] : [new UtcDate(startMs), partition];
}

/** The way back from `placeValue`. */
export function placeOf(value: Value): PlacedWindow {
  const [start, partition] = value as readonly Value[];
  return { startMs: (start as UtcDate).ms, partition };
}
