/** Comparison in BSON order: values of all types compare, a missing value stands before null. */
import { Int32, type Value, valueOrder } from "../../bson/mod.ts";
import type { OperatorDefinition } from "./operator.ts";

/** @param result what the operator makes of an order, negative, zero or positive */
function comparison(name: string, result: (order: number) => Value): OperatorDefinition {
  return {
    name,
    arity: [2, 2],
    compile: ({ args, node }) => {
      const [left, right] = args;
      const compare = valueOrder(node.collation);
      return (scope) => result(compare(left!(scope), right!(scope)));
    },
  };
}

export const COMPARISON: readonly OperatorDefinition[] = [
  comparison("$cmp", (order) => Int32.of(Math.sign(order))),
  comparison("$eq", (order) => order === 0),
  comparison("$gt", (order) => order > 0),
  comparison("$gte", (order) => order >= 0),
  comparison("$lt", (order) => order < 0),
  comparison("$lte", (order) => order <= 0),
  comparison("$ne", (order) => order !== 0),
];
