/** How stages that have pipelines of their own parse and run them; `Stage` is every stage: the union stands above. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { builtIn, type QueryContext } from "../context.ts";
import { withContext } from "../error_context.ts";
import { collationOf, type ParseContext } from "../expression/expression.ts";
import { EMPTY_SOURCE, type Rows, type Source } from "../source.ts";

/** Parses the stages of a pipeline. @throws CommandError */
export type ParseStages<Stage> = (values: readonly Value[], context: ParseContext) => readonly Stage[];

export interface SubPipelines<Stage> {
  readonly parse: ParseStages<Stage>;
  /** Plans stages over a source and starts them. */
  readonly run: (stages: readonly Stage[], source: Source, context: QueryContext) => Rows;
}

/** A collection of the pipeline's database, and the stages of the view that it may be. */
export interface Foreign<Stage> {
  readonly source: Source;
  readonly stages: readonly Stage[];
}

/** @param name undefined where the pipeline brings its own documents */
export function openForeign<Stage>(
  name: string | undefined,
  context: QueryContext,
  pipelines: SubPipelines<Stage>,
): Foreign<Stage> {
  if (name === undefined) return { source: EMPTY_SOURCE, stages: [] };
  const { db, open } = context.collections;
  const { source, stages } = open({ db, collection: name });
  return { source, stages: pipelines.parse(stages, { ...builtIn(context), ...collationOf(context) }) };
}

/** The stages of a `pipeline` argument, not yet parsed. */
export function stageValues(value: Value): readonly Document[] {
  if (!isArray(value)) {
    throw new CommandError("TypeMismatch", "'pipeline' option must be specified as an array");
  }
  return value.map((stage) => {
    if (stage instanceof Document) return stage;
    throw new CommandError("TypeMismatch", "Each element of the 'pipeline' array must be an object");
  });
}

/** Stages that write, or follow a collection, and so cannot stand in another stage's pipeline. */
const TOP_LEVEL_ONLY: ReadonlySet<string> = new Set(["$changeStream", "$merge", "$out"]);

/** @throws CommandError `code` for a stage that may not stand in the pipeline of `owner` */
export function checkSubPipeline(owner: string, code: number, stages: readonly Document[]): void {
  for (const stage of stages) {
    const name = stage.names()[0] ?? "";
    if (TOP_LEVEL_ONLY.has(name)) {
      throw new CommandError(code, `${name} is not allowed within a ${owner}'s sub-pipeline`);
    }
  }
}

/** @throws CommandError unless the pipeline, which names no collection, brings its own documents */
export function checkOwnDocuments(owner: string, stages: readonly Document[] | undefined): void {
  if (stages?.[0]?.names()[0] === "$documents") return;
  throw new CommandError(
    "FailedToParse",
    `${owner} stage without explicit collection must have a pipeline with $documents as first stage`,
  );
}

/** Starts a pipeline within another one: what fails is how it is optimized. That no plan can be made shows when it is read. */
export function whileOptimizing(start: () => Rows): Rows {
  try {
    return start();
  } catch (error) {
    if (error instanceof CommandError && error.codeName === "NoQueryExecutionPlans") return failed(error);
    throw withContext("Failed to optimize pipeline", error);
  }
}

// deno-lint-ignore require-yield
async function* failed(error: CommandError): Rows {
  throw error;
}
