/** Errors that say where they happened, as MongoDB does: `Invalid $project :: caused by :: …`. */
import { CommandError } from "../base/mod.ts";

/** Runs `action`; a CommandError that it throws gets `context` in front, its code stays. */
export function inContext<T>(context: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw withContext(context, error);
  }
}

/** The error with `context` in front, if it is a CommandError; else the error as it is. */
export function withContext(context: string, error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  const { code, errorLabels, extra } = error;
  return new CommandError(code, `${context} :: caused by :: ${error.message}`, { errorLabels, extra });
}
