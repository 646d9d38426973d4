/** The registry of expression operators: all families joined, and those of MongoDB 8.0 that are known and missing. */
import { CommandError } from "../../base/mod.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { ARRAY } from "./array.ts";
import { ARRAY_EACH } from "./array_each.ts";
import { BINARY_DATA } from "./binary_data.ts";
import { BITWISE } from "./bitwise.ts";
import { BOOLEAN } from "./boolean.ts";
import { COMPARISON } from "./comparison.ts";
import { CONDITIONAL } from "./conditional.ts";
import { CONVERSION } from "./conversion.ts";
import { PLACES } from "./distance.ts";
import { DATE } from "./date.ts";
import { DATE_BUILD } from "./date_build.ts";
import { DATE_FORMAT } from "./date_format.ts";
import { DATE_PART } from "./date_part.ts";
import { HASHED_KEY } from "./hashed_key.ts";
import { LITERAL } from "./literal.ts";
import { META } from "./meta.ts";
import { OBJECT } from "./object.ts";
import { POWER } from "./power.ts";
import { RANDOM } from "./random.ts";
import { REGEX } from "./regex.ts";
import { SET } from "./set.ts";
import { STATISTICS } from "./statistics.ts";
import { STRING } from "./string.ts";
import { TRIGONOMETRY } from "./trigonometry.ts";
import type { OperatorDefinition } from "./operator.ts";

/** Operators of MongoDB 8.0 that ChronoGo knows and does not have. */
const MISSING: ReadonlySet<string> = new Set([
  "$encStrContains",
  "$encStrEndsWith",
  "$encStrNormalizedEq",
  "$encStrStartsWith",
  "$function",
]);

const OPERATORS: ReadonlyMap<string, OperatorDefinition> = new Map(
  [
    ...ARITHMETIC,
    ...ARRAY,
    ...ARRAY_EACH,
    ...BINARY_DATA,
    ...BITWISE,
    ...BOOLEAN,
    ...COMPARISON,
    ...CONDITIONAL,
    ...CONVERSION,
    ...DATE,
    ...DATE_BUILD,
    ...DATE_FORMAT,
    ...DATE_PART,
    ...HASHED_KEY,
    ...LITERAL,
    ...META,
    ...OBJECT,
    ...PLACES,
    ...POWER,
    ...RANDOM,
    ...REGEX,
    ...SET,
    ...STATISTICS,
    ...STRING,
    ...TRIGONOMETRY,
  ]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map((definition) => [definition.name, definition]),
);

/**
 * The definition of an operator.
 *
 * @throws CommandError InvalidPipelineOperator (168) when no MongoDB has it, NotImplemented (238) when we have it not
 */
export function findOperator(name: string): OperatorDefinition {
  const definition = OPERATORS.get(name);
  if (definition !== undefined) return definition;
  if (MISSING.has(name)) {
    throw new CommandError("NotImplemented", `the expression ${name} is not implemented`);
  }
  throw new CommandError("InvalidPipelineOperator", `Unrecognized expression '${name}'`);
}

/** The names of all operators that are known, those that are missing included, sorted. */
export function operatorNames(): readonly string[] {
  // What begins with an underscore is written by stages only.
  return [...OPERATORS.keys(), ...MISSING].filter((name) => !name.startsWith("$_")).sort();
}
