/** Comparison in BSON order: values of all types compare, a missing value stands before null. */
import { compareValues, Int32, type Value } from "../../bson/mod.ts";
import { binary, type OperatorDefinition } from "./operator.ts";

function comparison(name: string, holds: (order: number) => boolean): OperatorDefinition {
  return binary(name, (a, b) => holds(compareWithMissing(a, b)));
}

/** BSON order in which a missing value and BSON's undefined stay apart, as the aggregation has them. */
export function compareWithMissing(a: Value, b: Value): number {
  if (a === undefined || b === undefined) {
    if (a === b) return 0;
    const order = compareValues(a, b);
    return order !== 0 ? order : a === undefined ? -1 : 1;
  }
  return compareValues(a, b);
}

export const COMPARISON: readonly OperatorDefinition[] = [
  binary("$cmp", (a, b) => Int32.of(Math.sign(compareWithMissing(a, b)))),
  comparison("$eq", (order) => order === 0),
  comparison("$gt", (order) => order > 0),
  comparison("$gte", (order) => order >= 0),
  comparison("$lt", (order) => order < 0),
  comparison("$lte", (order) => order <= 0),
  comparison("$ne", (order) => order !== 0),
];
