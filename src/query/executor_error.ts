/** Errors that come up while a plan is carried out: MongoDB says in front of them in which command. */
import { CommandError, ErrorCode } from "../base/mod.ts";
import { withContext } from "./error_context.ts";
import type { Pipeline } from "./pipeline.ts";

/** Where errors of rows happen: these words for each command. */
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
