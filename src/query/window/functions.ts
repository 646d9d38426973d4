/** The window functions by name. */
import { CommandError } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import type { ParseContext } from "../expression/expression.ts";
import type { SortPart } from "../stage/sort_key.ts";
import { ACCUMULATE } from "./accumulate.ts";
import { CALCULUS } from "./calculus.ts";
import { COVARIANCE } from "./covariance.ts";
import { FILL } from "./fill.ts";
import { MOVING_AVERAGE } from "./moving_average.ts";
import { RANK } from "./rank.ts";
import { SHIFT } from "./shift.ts";
import type { WindowDefinition, WindowNode } from "./window.ts";

const FUNCTIONS: ReadonlyMap<string, WindowDefinition> = new Map(
  [...ACCUMULATE, ...CALCULUS, ...COVARIANCE, ...FILL, MOVING_AVERAGE, ...RANK, SHIFT]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .map((definition) => [definition.name, definition]),
);

/** The names of all window functions, sorted. */
export function windowFunctionNames(): readonly string[] {
  return [...FUNCTIONS.keys()];
}

export function windowFunction(name: string): WindowDefinition {
  return FUNCTIONS.get(name)!;
}

/**
 * Parses `{<function>: argument, window: {…}}`.
 *
 * @throws CommandError with MongoDB's code and wording
 */
export function parseWindowFunction(
  spec: Document,
  sortBy: readonly SortPart[],
  context: ParseContext,
): WindowNode {
  const names = spec.names();
  const name = names.find((each) => each.startsWith("$"));
  if (name === undefined) {
    const found = names.length === 0 ? "" : `, ${names[0]}`;
    throw failure(`Expected a $-prefixed window function${found}`);
  }
  const definition = FUNCTIONS.get(name);
  if (definition === undefined) throw failure(`Unrecognized window function, ${name}`);
  let window: Value;
  for (const each of names) {
    if (each === "window") {
      window = spec.get("window");
      if (!(window instanceof Document)) throw failure("'window' field must be an object");
    } else if (each !== name) {
      throw failure(
        each.startsWith("$")
          ? "Cannot specify two functions in window function spec"
          : `Window function found an unknown argument: ${each}`,
      );
    }
  }
  return definition.parse({
    name,
    argument: spec.get(name),
    window: window instanceof Document ? window : undefined,
    sortBy,
    context,
  });
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}
