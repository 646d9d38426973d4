/** Comparison in BSON order: values of all types compare, a missing value stands before null. */
import { compareValues, Int32 } from "../../bson/mod.ts";
import { binary, type OperatorDefinition } from "./operator.ts";

function comparison(name: string, holds: (order: number) => boolean): OperatorDefinition {
  return binary(name, (a, b) => holds(compareValues(a, b)));
}

export const COMPARISON: readonly OperatorDefinition[] = [
  binary("$cmp", (a, b) => Int32.of(Math.sign(compareValues(a, b)))),
  comparison("$eq", (order) => order === 0),
  comparison("$gt", (order) => order > 0),
  comparison("$gte", (order) => order >= 0),
  comparison("$lt", (order) => order < 0),
  comparison("$lte", (order) => order <= 0),
  comparison("$ne", (order) => order !== 0),
];
