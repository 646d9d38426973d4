/** `$facet`: several pipelines over the same rows, each one's result an array of one document. */
import { CommandError, MAX_BLOCKING_STAGE_BYTES } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { elementText } from "../element_text.ts";
import { inContext } from "../error_context.ts";
import { checkFieldName } from "../expression/field_path.ts";
import { typeName } from "../expression/message.ts";
import { withoutKey } from "../keyed_row.ts";
import { MemoryMeter } from "../memory.ts";
import { RowBuffer } from "../row_buffer.ts";
import type { Rows } from "../source.ts";

/** `Stage` is every stage: the union stands above this file. */
export interface FacetStage<Stage> {
  readonly kind: "facet";
  readonly names: readonly string[];
  readonly pipelines: readonly (readonly Stage[])[];
  /** As written, for `explain`. */
  readonly source: Document;
}

const MEMORY_MESSAGE = "Exceeded memory limit for $facet, but didn't allow external spilling;" +
  " pass allowDiskUse:true to opt in";

/** Stages that need the collection itself or write: not on the rows of another pipeline. */
const REFUSED = new Set([
  "$changeStream",
  "$collStats",
  "$currentOp",
  "$documents",
  "$facet",
  "$geoNear",
  "$indexStats",
  "$listLocalSessions",
  "$listSessions",
  "$merge",
  "$out",
  "$planCacheStats",
]);

export function parseFacet<Stage>(
  value: Value,
  parseStages: (values: readonly Value[]) => readonly Stage[],
): FacetStage<Stage> {
  if (!(value instanceof Document) || value.isEmpty()) {
    throw new CommandError(
      40169,
      `the $facet specification must be a non-empty object, but found: ${elementText("$facet", value)}`,
    );
  }
  const values = value.values();
  const pipelines = value.names().map((name, i) => {
    checkFieldName(name);
    const stages = values[i];
    if (!isArray(stages)) {
      throw new CommandError(
        40170,
        `arguments to $facet must be arrays, ${name} is type ${typeName(stages)}`,
      );
    }
    stages.forEach((stage, at) => checkStage(name, stage, at));
    stages.filter((stage) => nameOf(stage) !== "$facet").forEach(checkAllowed);
    // A nested $facet is refused too, but only once its own specification is found to be right.
    const parsed = parseStages(stages);
    stages.forEach(checkAllowed);
    return parsed;
  });
  return { kind: "facet", names: value.names(), pipelines, source: value };
}

function checkStage(facet: string, stage: Value, at: number): void {
  if (!(stage instanceof Document) || stage.isEmpty()) {
    throw new CommandError(
      40171,
      `elements of arrays in $facet spec must be non-empty objects, ${facet} argument contained an ` +
        `element of type ${typeName(stage)}: ${elementText(String(at), stage)}`,
    );
  }
}

function nameOf(stage: Value): string {
  return stage instanceof Document ? stage.names()[0]! : "";
}

function checkAllowed(stage: Value): void {
  const name = nameOf(stage);
  if (REFUSED.has(name)) {
    throw new CommandError(40600, `${name} is not allowed to be used within a $facet stage`);
  }
}

/** @throws CommandError when a constant expression fails */
export function runFacet<Stage>(
  stage: FacetStage<Stage>,
  input: Rows,
  context: QueryContext,
  runStages: (stages: readonly Stage[], input: Rows, context: QueryContext) => Rows,
): Rows {
  const rows = new RowBuffer(MEMORY_MESSAGE, context);
  const outputs = inContext(
    "Failed to optimize pipeline",
    () => stage.pipelines.map((stages) => runStages(stages, rows.read(), context)),
  );
  return collectOutputs(stage.names, outputs, rows, input, context);
}

async function* collectOutputs(
  names: readonly string[],
  outputs: readonly Rows[],
  rows: RowBuffer,
  input: Rows,
  context: QueryContext,
): Rows {
  for await (const batch of input) {
    for (const row of batch) rows.add(withoutKey(row));
    await context.checkpoint();
  }
  const size = new ResultSize();
  const results: (readonly Document[])[] = [];
  for (const output of outputs) results.push(await collectWithin(output, size));
  rows.free();
  yield [new BuiltDocument(names, results)];
}

/** What the one document takes, about: all of it is in memory. */
class ResultSize {
  private readonly meter = new MemoryMeter("");

  /** @throws CommandError 4031700 */
  add(row: Document): void {
    if (this.meter.tryAdd(this.meter.rowBytes(row))) return;
    throw new CommandError(
      4031700,
      `document constructed by $facet is ${this.meter.heldBytes} bytes, which exceeds the limit of ` +
        `${MAX_BLOCKING_STAGE_BYTES} bytes`,
    );
  }
}

async function collectWithin(output: Rows, size: ResultSize): Promise<readonly Document[]> {
  const all: Document[] = [];
  for await (const batch of output) {
    for (const row of batch) {
      size.add(row);
      all.push(row);
    }
  }
  return all;
}
