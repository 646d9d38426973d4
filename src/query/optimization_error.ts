/** How MongoDB words the failure of a constant expression, which it finds before the first row is read. */
import { withContext } from "./error_context.ts";
import { compileFilter } from "./filter/compile.ts";
import type { Pipeline } from "./pipeline.ts";

const CONTEXT = "Failed to optimize pipeline";

/** An error that the start of a pipeline threw, with the contexts that MongoDB puts in front. */
export function optimizationError(error: unknown, pipeline: Pipeline, isTimeSeries: boolean): unknown {
  const { command } = pipeline;
  if (command === "count") return isTimeSeries ? withContext(CONTEXT, error) : error;
  if (command !== "aggregate") return error;
  // What follows the unpacking of buckets is optimized once more, as its end; a leading $match, but for an $or, is taken before that.
  const once = withContext(CONTEXT, error);
  return isTimeSeries && !failsInLeadingMatch(pipeline) ? withContext(CONTEXT, once) : once;
}

function failsInLeadingMatch({ stages: [first] }: Pipeline): boolean {
  if (first?.kind !== "match" || first.filter.kind === "or") return false;
  try {
    compileFilter(first.filter);
    return false;
  } catch {
    return true;
  }
}
