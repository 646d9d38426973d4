/** `$count`: one document with the number of rows; none when there are no rows. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Int32, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import type { Rows } from "../source.ts";

const INT32_MAX = 2 ** 31 - 1;

export interface CountStage {
  readonly kind: "count";
  /** The field that holds the number. */
  readonly field: string;
}

export function parseCount(value: Value): CountStage {
  if (typeof value !== "string") {
    throw new CommandError(40156, "the count field must be a non-empty string");
  }
  if (value === "") throw new CommandError(40157, "the count field must be a non-empty string");
  if (value.startsWith("$")) throw new CommandError(40158, "the count field cannot be a $-prefixed path");
  if (value.includes("\0")) throw new CommandError(40159, "the count field cannot contain a null byte");
  if (value.includes(".")) throw new CommandError(40160, "the count field cannot contain '.'");
  if (value === "_id") throw new CommandError(15948, "a group's _id may only be specified once");
  return { kind: "count", field: value };
}

export async function* runCount(stage: CountStage, input: Rows, context: QueryContext): Rows {
  let count = 0;
  for await (const batch of input) {
    count += batch.length;
    await context.checkpoint();
  }
  if (count > 0) yield [BuiltDocument.of({ [stage.field]: countValue(count) })];
}

/** A count as MongoDB types it: an int32 as long as it fits. */
export function countValue(count: number): Value {
  return count <= INT32_MAX ? Int32.of(count) : BigInt(count);
}
