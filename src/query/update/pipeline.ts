/** An update that is a pipeline: the stages that turn one document into one. */
import { CommandError } from "../../base/mod.ts";
import { type Document, type Value } from "../../bson/mod.ts";
import type { ParseContext } from "../expression/expression.ts";
import type { Stage } from "../pipeline.ts";
import { projectDocument } from "../stage/project.ts";
import { replaceDocument } from "../stage/replace_root.ts";
import { namedStage, parseStages } from "../stages.ts";
import { withIdOf } from "./replacement.ts";
import type { Updater } from "./updater.ts";

export interface PipelineUpdate {
  readonly kind: "pipeline";
  readonly stages: readonly Stage[];
  /** The variables that the statement itself names. */
  readonly constants: ReadonlyMap<string, Value>;
}

const ALLOWED: ReadonlySet<string> = new Set([
  "$addFields",
  "$project",
  "$replaceRoot",
  "$replaceWith",
  "$set",
  "$unset",
]);

/** @throws CommandError with MongoDB's code and wording */
export function parseUpdatePipeline(
  stages: readonly Value[],
  constants: Document | undefined,
  context: ParseContext,
): PipelineUpdate {
  const values = constantsIn(constants);
  const variables = new Set([...context.variables, ...values.keys()]);
  const parsed = parseStages(stages, { ...context, variables });
  for (const stage of stages) {
    const [name] = namedStage(stage);
    if (ALLOWED.has(name)) continue;
    throw new CommandError("InvalidOptions", `${name} is not allowed to be used within an update`);
  }
  return { kind: "pipeline", stages: parsed, constants: values };
}

/** Unlike `let`, these are values as they stand, no expressions. */
function constantsIn(constants: Document | undefined): ReadonlyMap<string, Value> {
  const values = constants?.values() ?? [];
  return new Map(constants?.names().map((name, i) => [name, values[i]] as const) ?? []);
}

/** @param variables those of the command */
export function compileUpdatePipeline(
  update: PipelineUpdate,
  variables: ReadonlyMap<string, Value>,
): Updater {
  const all = new Map([...variables, ...update.constants]);
  let steps: readonly ((document: Document) => Document)[] | undefined;
  return (document) => {
    // MongoDB computes even a constant first where it meets a document.
    steps ??= update.stages.map((stage) => compileStage(stage, all));
    return withIdOf(document, steps.reduce((row, step) => step(row), document));
  };
}

function compileStage(
  stage: Stage,
  variables: ReadonlyMap<string, Value>,
): (document: Document) => Document {
  switch (stage.kind) {
    case "project":
      return projectDocument(stage, variables);
    case "replaceRoot":
      return replaceDocument(stage, variables, (root) => root);
    default:
      throw new CommandError("InvalidOptions", `$${stage.kind} is not allowed to be used within an update`);
  }
}
