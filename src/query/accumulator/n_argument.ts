/** The argument `{input, n}` of `$firstN`, `$lastN`, `$maxN` and `$minN`, and what `n` may be. */
import { CommandError } from "../../base/mod.ts";
import { Document, isNumber, type Value } from "../../bson/mod.ts";
import type { ParseContext } from "../expression/expression.ts";
import { renderElement, renderValue } from "../expression/message.ts";
import { asInt64, coerceToLong } from "../expression/number.ts";
import type { Parse } from "../expression/operator.ts";
import type { AccumulatorNode } from "./accumulator.ts";

/**
 * The two parts of the argument, not yet parsed.
 *
 * @throws CommandError 5787900, 5787901, 5787906, 5787907
 */
export function splitWithN(name: string, value: Value): { readonly input: Value; readonly n: Value } {
  if (!(value instanceof Document)) {
    throw new CommandError(
      5787900,
      `specification must be an object; found ${name}: ${renderElement(value)}`,
    );
  }
  const unknown = value.names().find((field) => field !== "input" && field !== "n");
  if (unknown !== undefined) {
    throw new CommandError(5787901, `Unknown argument for 'n' operator: ${unknown}`);
  }
  if (!value.has("n")) throw new CommandError(5787906, "Missing value for 'n'");
  if (!value.has("input")) throw new CommandError(5787907, "Missing value for 'input'");
  return { input: value.get("input"), n: value.get("n") };
}

/** Parses `{input, n}`. @throws CommandError */
export function parseWithN(name: string, value: Value, context: ParseContext, parse: Parse): AccumulatorNode {
  const { input, n } = splitWithN(name, value);
  return { kind: "accumulator", name, n: parse(n, context), input: parse(input, context) };
}

/**
 * How many values to keep.
 *
 * @throws CommandError 5787902 when it is no number, 5787903 when it is not whole, 5787908 when it is not positive
 */
export function countOf(n: Value): number {
  if (!isNumber(n)) {
    throw new CommandError(5787902, `Value for 'n' must be of integral type, but found ${renderValue(n)}`);
  }
  const whole = coerceToLong(n);
  if (asInt64(n) === undefined) {
    throw new CommandError(5787903, `Value for 'n' must be of integral type, but found ${renderValue(n)}`);
  }
  if (whole <= 0n) throw new CommandError(5787908, `'n' must be greater than 0, found ${whole}`);
  return Number(whole);
}
