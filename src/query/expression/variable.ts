/** Names of variables: which may be bound, which are built in, and what is wrong with the rest. */
import { CommandError } from "../../base/mod.ts";
import type { ParseContext } from "./expression.ts";

/** Variables that every expression may use. */
const BUILT_IN: ReadonlySet<string> = new Set([
  "CLUSTER_TIME",
  "CURRENT",
  "DESCEND",
  "KEEP",
  "NOW",
  "PRUNE",
  "REMOVE",
  "ROOT",
]);

/** @throws CommandError when `$$name` may not be used here */
export function checkVariableUse(name: string, context: ParseContext): void {
  if (name === "") throw new CommandError("FailedToParse", "empty variable names are not allowed");
  if (BUILT_IN.has(name) || context.variables.has(name)) return;
  checkReadableName(name);
  throw new CommandError(17276, `Use of undefined variable: ${name}`);
}

function checkReadableName(name: string): void {
  const first = name.charCodeAt(0);
  if (!isLetter(first) && first < 0x80) {
    throw new CommandError(
      "FailedToParse",
      `'${name}' starts with an invalid character for a user variable name`,
    );
  }
  checkTail(name);
}

/** @throws CommandError unless a user may bind that name: a lower-case letter first, or exactly CURRENT */
export function checkVariableBinding(name: string): void {
  if (name === "") throw new CommandError("FailedToParse", "empty variable names are not allowed");
  if (name === "CURRENT") return;
  const first = name.charCodeAt(0);
  if (!(first >= 0x61 && first <= 0x7a) && first < 0x80) {
    throw new CommandError(
      "FailedToParse",
      `'${name}' starts with an invalid character for a user variable name`,
    );
  }
  checkTail(name);
}

function checkTail(name: string): void {
  for (let i = 1; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (isLetter(unit) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f || unit >= 0x80) continue;
    throw new CommandError(
      "FailedToParse",
      `'${name}' contains an invalid character for a variable name: '${name[i]}'`,
    );
  }
}

function isLetter(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a);
}
