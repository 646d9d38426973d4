/**
 * The values of `distinct`: those at a dotted path, arrays opened, each once, in BSON order.
 *
 * A path goes into the documents of an array; a number in it picks an element instead. An array at the end gives its
 * elements, and those that are arrays stay whole.
 */
import {
  BsonUndefined,
  type Collation,
  Document,
  isArray,
  type Value,
  type ValueKey,
  valueKeys,
  valueOrder,
} from "../bson/mod.ts";
import { arrayOffset } from "./filter/path.ts";
import type { Rows } from "./source.ts";

/** Collects the values of `key` over all rows; of those that are equal under the collation the first one. */
export async function distinctValues(
  rows: Rows,
  key: string,
  collation?: Collation,
): Promise<readonly Value[]> {
  const keyOf = valueKeys(collation);
  const path = key.split(".");
  const found = new Map<ValueKey, Value>();
  const visit = (value: Value) => {
    if (value === undefined || value === BsonUndefined.VALUE) return;
    const valueKey = keyOf(value);
    if (!found.has(valueKey)) found.set(valueKey, value);
  };
  for await (const batch of rows) {
    for (const row of batch) visitPath(row, path, 0, visit);
  }
  return [...found.values()].sort(valueOrder(collation));
}

function visitPath(value: Value, path: readonly string[], at: number, visit: (value: Value) => void): void {
  if (at === path.length) {
    if (isArray(value)) value.forEach(visit);
    else visit(value);
  } else if (value instanceof Document) {
    visitPath(value.get(path[at]!), path, at + 1, visit);
  } else if (isArray(value)) {
    visitArray(value, path, at, visit);
  }
}

function visitArray(
  array: readonly Value[],
  path: readonly string[],
  at: number,
  visit: (value: Value) => void,
): void {
  if (/^\d+$/.test(path[at]!)) {
    const offset = arrayOffset(path[at]!);
    if (offset >= 0) visitPath(array[offset], path, at + 1, visit);
    return;
  }
  for (const element of array) {
    if (element instanceof Document) visitPath(element, path, at, visit);
  }
}
