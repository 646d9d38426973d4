/** Errors that say where they happened, as MongoDB does: `Invalid $project :: caused by :: …`. */
import { CommandError } from "../base/mod.ts";

/** What a query lacks as a whole: MongoDB sees it before it looks at stages. */
const LACKS_METADATA = 40218;

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
  if (!(error instanceof CommandError) || error.code === LACKS_METADATA) return error;
  const { code, errorLabels, extra } = error;
  return new CommandError(code, `${context} :: caused by :: ${error.message}`, { errorLabels, extra });
}
