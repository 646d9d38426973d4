/** `$and`, `$or`, `$not`: evaluated left to right, and no further than the answer needs. */
import { isNullish, isNumber, type Value } from "../../bson/mod.ts";
import { signOf } from "./number.ts";
import { type OperatorDefinition, unary } from "./operator.ts";

/** Whether a value counts as true: all but missing, null, undefined, false and the zeros. */
export function isTruthy(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (isNumber(value)) return signOf(value) !== 0;
  return !isNullish(value);
}

export const BOOLEAN: readonly OperatorDefinition[] = [
  {
    name: "$and",
    arity: [0, Infinity],
    compile: ({ args }) => (scope) => {
      for (const arg of args) {
        if (!isTruthy(arg(scope))) return false;
      }
      return true;
    },
  },
  unary("$not", (value) => !isTruthy(value)),
  {
    name: "$or",
    arity: [0, Infinity],
    compile: ({ args }) => (scope) => {
      for (const arg of args) {
        if (isTruthy(arg(scope))) return true;
      }
      return false;
    },
  },
];
