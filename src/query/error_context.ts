/** Errors that say where they happened, as MongoDB does: `Invalid $project :: caused by :: …`. */
import { CommandError, ErrorCode } from "../base/mod.ts";
import type { Pipeline } from "./pipeline.ts";

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

/** MongoDB says in front of an error where it happened: these words for each command. */
const PLACES: Readonly<Record<Pipeline["command"], string>> = {
  aggregate: "PlanExecutor error during aggregation",
  count: "Executor error during count command",
  distinct: "Executor error during distinct command",
  find: "Executor error during find command",
};

/** No errors of the plan: they pass as they are. */
const INTERRUPTIONS: ReadonlySet<number> = new Set([
  ErrorCode.CappedPositionLost,
  ErrorCode.CursorNotFound,
  ErrorCode.ExceededTimeLimit,
  ErrorCode.InterruptedAtShutdown,
  ErrorCode.QueryPlanKilled,
]);
/** Being killed or out of time, which only a count does not tell the place of. */
const STOPS: ReadonlySet<number> = new Set([ErrorCode.Interrupted, ErrorCode.MaxTimeMSExpired]);

/**
 * An error from a row, named by the command.
 *
 * @param isContinued whether it came up behind the first batch, in a getMore
 */
export function named(error: unknown, command: Pipeline["command"], isContinued = false): unknown {
  if (!(error instanceof CommandError) || INTERRUPTIONS.has(error.code)) return error;
  if (command === "count" && STOPS.has(error.code)) return error;
  return withContext(isContinued ? "Executor error during getMore" : PLACES[command], error);
}
