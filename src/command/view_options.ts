/** The definition of a view, as `create` and `collMod` take it. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, BuiltDocument, Document, typeOf, type Value } from "../bson/mod.ts";
import { type CollectionSpec, type Namespace, namespaceText } from "../cluster/mod.ts";
import { parsePipeline } from "../query/mod.ts";
import type { Arguments } from "./arguments.ts";

/** Stages that write. */
const WRITERS: ReadonlySet<string> = new Set(["$merge", "$out"]);
/** An unknown stage is told without a word about the view. */
const UNKNOWN_STAGE = 40324;

/** The stages of the `pipeline` field. @param owner how errors name the command */
export function viewPipeline(args: Arguments, owner: string): readonly Document[] {
  return (args.array("pipeline") ?? []).map((stage, i) => {
    if (stage instanceof Document) return stage;
    throw new CommandError(
      "TypeMismatch",
      `BSON field '${owner}.pipeline.${i}' is the wrong type '${
        aliasOfType(typeOf(stage))
      }', expected type 'object'`,
    );
  });
}

/** @throws CommandError when a view cannot be so */
export function viewSpec(
  namespace: Namespace,
  viewOn: string,
  pipeline: readonly Document[],
  collation: Value,
): CollectionSpec {
  if (viewOn === "") throw new CommandError("BadValue", "'viewOn' cannot be empty");
  if (viewOn.includes("$") || viewOn.startsWith(".") || viewOn.includes("\0")) {
    throw new CommandError("InvalidNamespace", `invalid name for 'viewOn': ${viewOn}`);
  }
  checkPipeline(namespaceText(namespace), pipeline);
  const options = BuiltDocument.of({ viewOn, pipeline, collation });
  return { view: { viewOn, pipeline }, options };
}

function checkPipeline(namespace: string, pipeline: readonly Document[]): void {
  const context = `Invalid pipeline for view ${namespace} :: caused by :: `;
  try {
    parsePipeline(pipeline);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code === UNKNOWN_STAGE) throw error;
    throw new CommandError(error.code, context + error.message);
  }
  pipeline.forEach((stage, i) => {
    const name = stage.names()[0] ?? "";
    if (!WRITERS.has(name)) return;
    throw new CommandError(
      "OptionNotSupportedOnView",
      `${context}The aggregation stage ${name} in location ${i} of the pipeline cannot be used in the view definition ` +
        `of ${namespace} because it writes to disk`,
    );
  });
}
