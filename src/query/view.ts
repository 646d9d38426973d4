/** Pipelines over views: the view's stages come first, and all of it is an aggregate then, whatever the command. */
import type { Value } from "../bson/mod.ts";
import { NO_COLLECTIONS } from "./collections.ts";
import { builtIn, type CommandContext } from "./context.ts";
import { runStages } from "./execute.ts";
import { collationOf } from "./expression/expression.ts";
import type { Pipeline } from "./pipeline.ts";
import { noRows } from "./rows.ts";
import { parseStages } from "./stages.ts";

/**
 * The pipeline with a view's stages, not yet parsed, before its own.
 *
 * @throws CommandError when a constant of a find or distinct fails: these are looked at before the view is
 */
export function onView(pipeline: Pipeline, stages: readonly Value[], context: CommandContext): Pipeline {
  if (stages.length === 0) return pipeline;
  const { command } = pipeline;
  if (command === "find" || command === "distinct") {
    runStages(pipeline.stages, noRows(), { ...context, collections: NO_COLLECTIONS });
  }
  const own = parseStages(stages, { ...builtIn(context), ...collationOf(pipeline) });
  const { distinct: _, ...whole } = pipeline;
  return { ...whole, command: "aggregate", stages: [...own, ...pipeline.stages] };
}
