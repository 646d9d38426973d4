/** `$bitAnd`, `$bitOr`, `$bitXor`, `$bitNot`: int32 and int64, the wider of the two as the result. */
import { CommandError } from "../../base/mod.ts";
import { Int32, isNullish, type Value } from "../../bson/mod.ts";
import { typeName } from "./message.ts";
import { asBigInt } from "./number.ts";
import { type OperatorDefinition, unary } from "./operator.ts";

function bitwise(
  name: string,
  start: number,
  ofInts: (a: number, b: number) => number,
  ofLongs: (a: bigint, b: bigint) => bigint,
): OperatorDefinition {
  return {
    name,
    arity: [0, Infinity],
    compile: ({ args }) => (scope) => {
      let result: Int32 | bigint = Int32.of(start);
      for (const arg of args) {
        const value = arg(scope);
        if (isNullish(value)) return null;
        if (!(value instanceof Int32) && typeof value !== "bigint") {
          throw new CommandError(
            "TypeMismatch",
            `${name} only supports int and long operands, not ${typeName(value)}.`,
          );
        }
        result = value instanceof Int32 && result instanceof Int32
          ? Int32.of(ofInts(result.value, value.value))
          : ofLongs(asBigInt(result), asBigInt(value));
      }
      return result;
    },
  };
}

const BIT_NOT = unary("$bitNot", (value: Value) => {
  if (isNullish(value)) return null;
  if (value instanceof Int32) return Int32.of(~value.value);
  if (typeof value === "bigint") return ~value;
  throw new CommandError("TypeMismatch", `$bitNot only supports int and long, not ${typeName(value)}.`);
});

export const BITWISE: readonly OperatorDefinition[] = [
  bitwise("$bitAnd", -1, (a, b) => a & b, (a, b) => a & b),
  BIT_NOT,
  bitwise("$bitOr", 0, (a, b) => a | b, (a, b) => a | b),
  bitwise("$bitXor", 0, (a, b) => a ^ b, (a, b) => a ^ b),
];
