/** `$and`, `$or`, `$not`: evaluated left to right, and no further than the answer needs. */
import { isNullish, isNumber, type Value } from "../../bson/mod.ts";
import { constant, NO_SCOPE } from "./expression.ts";
import { signOf } from "./number.ts";
import { type OperatorDefinition, unary } from "./operator.ts";

/** Whether a value counts as true: all but missing, null, undefined, false and the zeros. */
export function isTruthy(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (isNumber(value)) return signOf(value) !== 0;
  return !isNullish(value);
}

/**
 * Asks one argument after the other until one decides; but a constant that decides does so before any of them, as where MongoDB
 * has folded it.
 */
function connective(name: "$and" | "$or", deciding: boolean): OperatorDefinition {
  return {
    name,
    arity: [0, Infinity],
    standsFor: ({ args }, constantOf) => {
      const decides = args.map(constantOf).some((found) =>
        found !== undefined && isTruthy(found.value) === deciding
      );
      return decides ? constant(deciding) : undefined;
    },
    compile: ({ args, isConstant }) => {
      const asked = args.filter((_, i) => !isConstant(i));
      const constants = args.filter((_, i) => isConstant(i));
      if (constants.some((arg) => isTruthy(arg(NO_SCOPE)) === deciding)) return () => deciding;
      return (scope) => {
        for (const arg of asked) {
          if (isTruthy(arg(scope)) === deciding) return deciding;
        }
        return !deciding;
      };
    },
  };
}

export const BOOLEAN: readonly OperatorDefinition[] = [
  connective("$and", false),
  unary("$not", (value) => !isTruthy(value)),
  connective("$or", true),
];
