/** `$unionWith`: after the rows of the pipeline those of another collection, or what a pipeline makes of them. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import type { ParseContext } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import type { Rows } from "../source.ts";
import {
  checkOwnDocuments,
  checkSubPipeline,
  openForeign,
  type ParseStages,
  stageValues,
  type SubPipelines,
  whileOptimizing,
} from "./sub_pipeline.ts";

export interface UnionWithStage<Stage> {
  readonly kind: "unionWith";
  /** The other collection; undefined where the pipeline brings its own documents. */
  readonly coll: string | undefined;
  readonly pipeline: readonly Stage[];
  /** As written, for `explain`. */
  readonly source: Value;
}

export function parseUnionWith<Stage>(
  value: Value,
  context: ParseContext,
  parseStages: ParseStages<Stage>,
): UnionWithStage<Stage> {
  if (typeof value === "string") return { kind: "unionWith", coll: value, pipeline: [], source: value };
  if (!(value instanceof Document)) {
    throw new CommandError(
      "FailedToParse",
      `the $unionWith stage specification must be an object or string, but found ${typeName(value)}`,
    );
  }
  const { coll, stages } = readSpec(value);
  if (coll === undefined) checkOwnDocuments("$unionWith", stages);
  checkSubPipeline("$unionWith", 31441, stages);
  return { kind: "unionWith", coll, pipeline: parseStages(stages, context), source: value };
}

function readSpec(document: Document): { coll: string | undefined; stages: readonly Document[] } {
  let coll: string | undefined;
  let stages: readonly Document[] = [];
  const values = document.values();
  document.names().forEach((name, i) => {
    const value = values[i];
    if (name === "coll") {
      if (typeof value !== "string") throw wrongType(name, value, "string");
      coll = value;
    } else if (name === "pipeline") {
      if (!isArray(value)) throw wrongType(name, value, "array");
      stages = stageValues(value);
    } else {
      throw new CommandError(40415, `BSON field '$unionWith.${name}' is an unknown field.`);
    }
  });
  return { coll, stages };
}

function wrongType(name: string, value: Value, expected: string): CommandError {
  return new CommandError(
    "TypeMismatch",
    `BSON field '$unionWith.${name}' is the wrong type '${typeName(value)}', expected type '${expected}'`,
  );
}

/** @throws CommandError when a constant expression of its pipeline fails */
export function runUnionWith<Stage>(
  stage: UnionWithStage<Stage>,
  input: Rows,
  context: QueryContext,
  pipelines: SubPipelines<Stage>,
): Rows {
  if (stage.coll === "") return thenRefused(input, context);
  const foreign = openForeign(stage.coll, context, pipelines);
  const others = whileOptimizing(() =>
    pipelines.run([...foreign.stages, ...stage.pipeline], foreign.source, context)
  );
  return chain(input, others);
}

async function* chain(first: Rows, second: Rows): Rows {
  yield* first;
  yield* second;
}

async function* thenRefused(input: Rows, { collections }: QueryContext): Rows {
  yield* input;
  throw new CommandError("InvalidNamespace", `Namespace ${collections.db}. is not a valid collection name`);
}
