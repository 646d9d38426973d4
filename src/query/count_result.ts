/** The number that a count's pipeline found. */
import { Int32, type Value } from "../bson/mod.ts";
import { COUNT_FIELD } from "./parse.ts";
import type { Rows } from "./source.ts";

/** Reads the one row of a count; no row stands for zero. */
export async function readCount(rows: Rows): Promise<Value> {
  let count: Value = Int32.of(0);
  for await (const batch of rows) {
    for (const row of batch) count = row.get(COUNT_FIELD);
  }
  return count;
}
