/**
 * `$lookup`: beside each row an array of the rows of another collection that go with it: those that are equal in a
 * field, those that a pipeline makes, or both (the pipeline runs over the equal ones).
 *
 * Equality is one scan of the foreign collection for a batch of rows (`equality_join.ts`), not one for each. A pipeline
 * that reads nothing of the row (no `let`, no equality) runs once; any other runs for each row, with what its `$match`es
 * say of time, series and `_id` as conditions of the scan.
 */
import { CommandError } from "../../base/mod.ts";
import { type Collation, Document, type Value } from "../../bson/mod.ts";
import { ArraySource } from "../array_source.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { elementText } from "../element_text.ts";
import { compileExpression } from "../expression/compile.ts";
import { collationOf, type Evaluator, type Expression, type ParseContext } from "../expression/expression.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { boundName, withVariables } from "../expression/literal.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { checkVariableBinding } from "../expression/variable.ts";
import { MemoryMeter } from "../memory.ts";
import type { Rows, Source } from "../source.ts";
import { EqualityJoin, tooMuchFound } from "./equality_join.ts";
import type { MatchStage } from "./match.ts";
import { setAt } from "./nested_field.ts";
import { type UnwindStage, withElement, withoutElement } from "./unwind.ts";
import {
  checkOwnDocuments,
  checkSubPipeline,
  openForeign,
  type ParseStages,
  stageValues,
  type SubPipelines,
  whileOptimizing,
} from "./sub_pipeline.ts";

export interface LookupStage<Stage> {
  readonly kind: "lookup";
  /** The foreign collection; undefined where the pipeline brings its own documents. */
  readonly from: string | undefined;
  readonly as: readonly string[];
  readonly equality: Equality | undefined;
  readonly lets: readonly LetVariable[];
  readonly pipeline: readonly Stage[] | undefined;
  /** The `$unwind` of the array that comes next: then there is none, and what was found for a row may be of any size. */
  readonly unwind?: UnwindStage;
  /** As written, for `explain`. */
  readonly source: Document;
}

export interface Equality {
  readonly localField: readonly string[];
  readonly foreignField: readonly string[];
  /** Which texts are equal; undefined for those of the same bytes. */
  readonly collation?: Collation;
}

/** A variable that the pipeline may read, and what it holds for a row. */
export interface LetVariable {
  readonly name: string;
  readonly expression: Expression;
}

interface LookupSpec {
  from?: string;
  as: string;
  localField: string;
  foreignField: string;
  pipeline?: readonly Document[];
  let?: Document;
}

export function parseLookup<Stage>(
  value: Value,
  context: ParseContext,
  parseStages: ParseStages<Stage>,
): LookupStage<Stage> {
  if (!(value instanceof Document)) {
    throw failure(`the $lookup stage specification must be an object, but found ${typeName(value)}`);
  }
  const spec = readSpec(value);
  checkSpec(spec);
  const equality = spec.localField === "" ? undefined : {
    localField: parseFieldPath(spec.localField),
    foreignField: parseFieldPath(spec.foreignField),
    ...collationOf(context),
  };
  const as = parseFieldPath(spec.as);
  const lets = spec.let === undefined ? [] : parseLet(spec.let, context);
  let pipeline: readonly Stage[] | undefined;
  if (spec.pipeline !== undefined) {
    const inner = withVariables(context, lets.map(({ name }) => name));
    checkSubPipeline("$lookup", 51047, spec.pipeline);
    pipeline = parseStages(spec.pipeline, inner);
  }
  return { kind: "lookup", from: spec.from, as, equality, lets, pipeline, source: value };
}

function readSpec(document: Document): LookupSpec {
  const spec: LookupSpec = { as: "", localField: "", foreignField: "" };
  const values = document.values();
  if (!document.has("from") && !document.has("pipeline")) {
    throw failure("must specify 'pipeline' when 'from' is empty");
  }
  if (!document.has("from")) checkOwnDocuments("$lookup", stageValues(document.get("pipeline")));
  document.names().forEach((name, i) => {
    const value = values[i];
    switch (name) {
      case "pipeline":
        spec.pipeline = stageValues(value);
        return;
      case "from":
        spec.from = readFrom(value);
        return;
      case "let":
        if (!(value instanceof Document)) {
          throw failure(
            `$lookup argument '${elementText("let", value)}' must be an object, is type ${typeName(value)}`,
          );
        }
        spec.let = value;
        return;
    }
    if (typeof value !== "string") {
      throw failure(
        `$lookup argument '${name}' must be a string, found ${elementText(name, value)}: ${typeName(value)}`,
      );
    }
    if (name !== "as" && name !== "localField" && name !== "foreignField") {
      throw failure(`unknown argument to $lookup: ${name}`);
    }
    spec[name] = value;
  });
  return spec;
}

function readFrom(value: Value): string {
  if (value instanceof Document) {
    const db = value.get("db");
    const coll = value.get("coll");
    throw failure(
      "$lookup with syntax {from: {db:<>, coll:<>},..} is not supported for " +
        `db: ${typeof db === "string" ? db : ""} and coll: ${typeof coll === "string" ? coll : ""}`,
    );
  }
  if (typeof value !== "string") {
    throw failure(`$lookup 'from' field must be a string, but found ${typeName(value)}`);
  }
  if (value === "") throw new CommandError("InvalidNamespace", "invalid $lookup namespace: ''");
  return value;
}

function checkSpec(spec: LookupSpec): void {
  if (spec.from === undefined) checkOwnDocuments("$lookup", spec.pipeline);
  if (spec.as === "") throw failure("must specify 'as' field for a $lookup");
  const given = [spec.localField, spec.foreignField].filter((field) => field !== "").length;
  if (spec.pipeline !== undefined) {
    if (given === 1) {
      throw failure("$lookup requires both or neither of 'localField' and 'foreignField' to be specified");
    }
    return;
  }
  if (given < 2) {
    throw failure(
      "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
    );
  }
  if (spec.let !== undefined) throw failure("$lookup with a 'let' argument must also specify 'pipeline'");
}

function parseLet(document: Document, context: ParseContext): readonly LetVariable[] {
  const values = document.values();
  return document.names().map((name, i) => {
    checkVariableBinding(name);
    return { name: boundName(name), expression: parseExpression(values[i], context) };
  });
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

export function runLookup<Stage>(
  stage: LookupStage<Stage>,
  input: Rows,
  context: QueryContext,
  pipelines: SubPipelines<Stage | MatchStage>,
): Rows {
  return stage.equality === undefined
    ? lookUpByPipeline(stage, input, context, pipelines)
    : lookUpEqual(stage, stage.equality, input, context, pipelines);
}

async function* lookUpEqual<Stage>(
  stage: LookupStage<Stage>,
  equality: Equality,
  input: Rows,
  context: QueryContext,
  pipelines: SubPipelines<Stage | MatchStage>,
): Rows {
  const foreign = openForeign(stage.from, context, pipelines);
  const { pipeline, unwind } = stage;
  // A pipeline that begins with its own documents cannot have a condition before it.
  const [ahead, behind = []] = stage.from === undefined ? [pipeline!.slice(0, 1), pipeline!.slice(1)] : [
    foreign.stages,
    pipeline,
  ];
  const join = new EqualityJoin(
    { ...equality, from: stage.from },
    { ...foreign, stages: ahead },
    context,
    pipelines,
  );
  const contextOf = withLets(stage.lets, context);
  for await (const batch of input) {
    yield* join.joined(batch, {
      isUnwound: unwind !== undefined,
      join: async (row, found) => {
        if (behind.length === 0) return joinedRows(stage, row, found);
        const made = await collect(run(behind, new ArraySource(found), contextOf(row), pipelines), context);
        if (made === undefined) throw tooMuchFound(stage.from);
        return joinedRows(stage, row, made);
      },
      joinPart: (row, found) => {
        if (behind.length === 0) return unwoundRows(unwind!, row, found);
        const source: Source = { shape: { kind: "documents" }, scan: () => found };
        return unwoundRows(unwind!, row, run(behind, source, contextOf(row), pipelines));
      },
    });
  }
}

async function* lookUpByPipeline<Stage>(
  stage: LookupStage<Stage>,
  input: Rows,
  context: QueryContext,
  pipelines: SubPipelines<Stage | MatchStage>,
): Rows {
  const foreign = openForeign(stage.from, context, pipelines);
  const stages = [...foreign.stages, ...stage.pipeline ?? []];
  const contextOf = withLets(stage.lets, context);
  const found = (row: Document) => run(stages, foreign.source, contextOf(row), pipelines);
  const { unwind, lets } = stage;
  let same: readonly Document[] | undefined;
  let isInParts = unwind !== undefined && lets.length > 0;
  for await (const batch of input) {
    let output: Document[] = [];
    for (const row of batch) {
      const all = isInParts ? undefined : same ?? await collect(found(row), context);
      if (all !== undefined) {
        if (lets.length === 0) same = all;
        for (const made of joinedRows(stage, row, all)) output.push(made);
        await context.checkpoint();
        continue;
      }
      if (unwind === undefined) throw tooMuchFound(stage.from);
      isInParts = true;
      yield output;
      output = [];
      yield* unwoundRows(unwind, row, found(row));
    }
    yield output;
  }
}

/** What a row becomes with all that was found for it. */
function joinedRows(
  { as, unwind }: Pick<LookupStage<never>, "as" | "unwind">,
  row: Document,
  found: readonly Document[],
): readonly Document[] {
  if (unwind === undefined) return [setAt(row, as, 0, found)];
  if (found.length === 0) return unwind.preserve ? [withoutElement(unwind, row)] : [];
  return found.map((document, i) => withElement(unwind, row, document, i));
}

/** What a row becomes with each document that is found for it. */
async function* unwoundRows(unwind: UnwindStage, row: Document, found: Rows): Rows {
  let count = 0;
  for await (const batch of found) {
    yield batch.map((document) => withElement(unwind, row, document, count++));
  }
  if (count === 0 && unwind.preserve) yield [withoutElement(unwind, row)];
}

/** All rows; undefined where they are more than MongoDB allows for one row. */
async function collect(rows: Rows, context: QueryContext): Promise<readonly Document[] | undefined> {
  const meter = new MemoryMeter("");
  const all: Document[] = [];
  for await (const batch of rows) {
    for (const row of batch) {
      if (!meter.tryAdd(meter.rowBytes(row))) return undefined;
      all.push(row);
    }
    await context.checkpoint();
  }
  return all;
}

/** @throws CommandError when a constant expression fails */
function run<Stage>(
  stages: readonly Stage[],
  source: Source,
  context: QueryContext,
  pipelines: SubPipelines<Stage>,
): Rows {
  return whileOptimizing(() => pipelines.run(stages, source, context));
}

/** The context of a pipeline that sees the variables of `let` for one row. MongoDB computes even constants row by row. */
function withLets(lets: readonly LetVariable[], context: QueryContext): (root: Document) => QueryContext {
  if (lets.length === 0) return () => context;
  const outer = scopeVariables(context);
  let compiled: { readonly name: string; readonly evaluate: Evaluator }[] | undefined;
  return (root) => {
    compiled ??= lets.map(({ name, expression }) => ({ name, evaluate: compileExpression(expression) }));
    const variables = new Map(context.variables);
    for (const { name, evaluate } of compiled) variables.set(name, evaluate({ root, variables: outer }));
    return { ...context, variables };
  };
}
