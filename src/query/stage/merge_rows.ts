/**
 * How `$merge` writes. Rows come in the batches in which MongoDB writes them: all of one are written, then the first error
 * ends the stage. A batch is statements, one a row, each by itself.
 */
import { CommandError, ErrorCode, MAX_DOCUMENT_BYTES, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import {
  BuiltDocument,
  Document,
  encodeDocument,
  isArray,
  isNullish,
  keyOf,
  ObjectId,
  RawDocument,
  type Value,
  type ValueKey,
} from "../../bson/mod.ts";
import type { CollectionName, Collections, UpdateRequest } from "../collections.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { withContext } from "../error_context.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, Scope } from "../expression/expression.ts";
import { renderDocument } from "../expression/message.ts";
import { noRowsAfter } from "../rows.ts";
import type { Rows } from "../source.ts";
import { checkLeavingSize } from "../too_large.ts";
import type { MergeStage } from "./merge.ts";
import { INTERNAL_DATABASES } from "./out.ts";

/** Rows that MongoDB writes at once, at most. */
const MAX_BATCH_ROWS = 100_000;

export function runMerge(stage: MergeStage, input: Rows, context: QueryContext): Rows {
  const writer = new MergeWriter(stage, context);
  return noRowsAfter(async () => {
    writer.checkPlace();
    for await (const batch of inBatches(input, stage.on)) {
      let failure: unknown;
      for (let at = 0; at < batch.length; at += PIPELINE_BATCH_ROWS) {
        // The others of the batch are written all the same.
        failure ??= await writer.write(batch.slice(at, at + PIPELINE_BATCH_ROWS));
        await context.checkpoint();
      }
      if (failure !== undefined) throw failure;
    }
  });
}

/** Rows, checked and as bytes, in the batches in which MongoDB writes them: an error shows where one ends. */
async function* inBatches(input: Rows, on: readonly string[]): Rows {
  let batch: RawDocument[] = [];
  let bytes = 0;
  for await (const rows of input) {
    for (const row of rows) {
      const document = new RawDocument(encodeDocument(on.includes("_id") ? withId(row) : row));
      checkLeavingSize(document, document.sizeBytes);
      checkKey(document, on);
      if (batch.length > 0 && (bytes > MAX_DOCUMENT_BYTES || batch.length >= MAX_BATCH_ROWS)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(document);
      bytes += document.sizeBytes;
    }
  }
  if (batch.length > 0) yield batch;
}

/** Writes rows into the target, by the stage's modes. */
class MergeWriter {
  private readonly collections: Collections;
  private readonly target: CollectionName;
  private readonly variables: Scope["variables"];
  private readonly lets: readonly { readonly name: string; readonly evaluate: Evaluator }[];

  constructor(private readonly stage: MergeStage, context: QueryContext) {
    this.collections = context.collections;
    this.target = { db: stage.db ?? this.collections.db, collection: stage.collection };
    this.variables = scopeVariables(context);
    this.lets = stage.lets.map(({ name, expression }) => ({ name, evaluate: compileExpression(expression) }));
  }

  /** @throws CommandError where nothing can be merged into the target */
  checkPlace(): void {
    const { db, collection } = this.target;
    if (collection.includes("$")) {
      throw new CommandError("InvalidNamespace", `Invalid collection name: ${collection}`);
    }
    if (INTERNAL_DATABASES.has(db)) {
      throw new CommandError(31320, `Cannot $merge to internal database: ${db}`);
    }
    if (this.collections.kindOf(this.target) !== "view") return;
    throw new CommandError(
      "CommandNotSupportedOnView",
      `Namespace ${db}.${collection} is a view, not a collection`,
    );
  }

  /** @returns what the stage fails with once its batch is written; undefined for nothing */
  write(rows: readonly Document[]): Promise<unknown> {
    if (this.stage.whenMatched !== "fail") return this.update(rows);
    // Measurements may have equal ids: whether one is there must be asked for.
    return this.collections.kindOf(this.target) === "timeseries"
      ? this.insertMissing(rows)
      : this.insertNew(rows);
  }

  private async update(rows: readonly Document[]): Promise<unknown> {
    const { stage, collections, target } = this;
    let matchesAll = true;
    let failure: CommandError | undefined;
    // A pipeline makes nothing of a document that is not there: the row itself is stored, behind the updates of its turn.
    const storesRows = stage.whenMatched === "pipeline" && stage.whenNotMatched === "insert";
    for (const turn of storesRows ? inTurns(rows, stage.on) : [rows]) {
      const results = await collections.update(
        target,
        turn.map((row) => this.requestOf(row, stage.whenMatched)),
      );
      const errors = results.map(({ error }) => error);
      const unmatched = results.flatMap(({ matched, upserted, error }, i) => {
        return matched || upserted || error !== undefined ? [] : [i];
      });
      if (storesRows && unmatched.length > 0) {
        const refused = await collections.insert(target, unmatched.map((i) => turn[i]!));
        for (const { index, error } of refused) errors[unmatched[index]!] = error;
      }
      failure ??= errors.find((error) => error !== undefined);
      matchesAll &&= unmatched.length === 0;
    }
    if (failure !== undefined) return explained(failure);
    return !matchesAll && stage.whenNotMatched === "fail" ? noMatch() : undefined;
  }

  private requestOf(row: Document, whenMatched: MergeStage["whenMatched"]): UpdateRequest {
    const { on, whenNotMatched, pipeline } = this.stage;
    const filter = new BuiltDocument(on, on.map((field) => BuiltDocument.of({ $eq: keyValue(row, field) })));
    const upsert = whenNotMatched === "insert";
    if (whenMatched === "replace") return { filter, update: row, upsert };
    if (whenMatched === "merge") return { filter, update: BuiltDocument.of({ $set: row }), upsert };
    if (whenMatched === "keepExisting") {
      return { filter, update: BuiltDocument.of({ $setOnInsert: row }), upsert };
    }
    const scope = { root: row, variables: this.variables };
    const constants = new Map<string, Value>([["new", row]]);
    for (const { name, evaluate } of this.lets) constants.set(name, evaluate(scope) ?? null);
    return {
      filter,
      update: pipeline,
      upsert: false,
      constants: new BuiltDocument([...constants.keys()], [...constants.values()]),
    };
  }

  private async insertNew(rows: readonly Document[]): Promise<unknown> {
    const error = (await this.collections.insert(this.target, rows))[0]?.error;
    return error?.code === ErrorCode.DuplicateKey ? withContext(FOUND_MESSAGE, error) : error;
  }

  private async insertMissing(rows: readonly Document[]): Promise<unknown> {
    const requests = rows.map((row) => this.requestOf(row, "keepExisting"));
    const results = await this.collections.update(this.target, requests);
    const first = results.findIndex(({ matched, error }) => matched || error !== undefined);
    if (first < 0) return undefined;
    const { error } = results[first]!;
    if (error !== undefined) return error;
    const { db, collection } = this.target;
    const id = renderDocument(BuiltDocument.of({ _id: rows[first]!.get("_id") }));
    return withContext(
      FOUND_MESSAGE,
      new CommandError("DuplicateKey", `a measurement of ${db}.${collection} has the id already: ${id}`),
    );
  }
}

const FOUND_MESSAGE =
  "$merge with whenMatched: fail found an existing document with the same values for the 'on' fields";

/** The row with an _id, which is to be found by it. Where others find it, the store gives a missing one. */
function withId(row: Document): Document {
  if (row.has("_id")) return row;
  return new BuiltDocument(["_id", ...row.names()], [new ObjectId(), ...row.values()]);
}

function checkKey(row: Document, on: readonly string[]): void {
  for (const field of on) {
    const value = keyValue(row, field);
    if (isArray(value)) {
      throw new CommandError(51185, `$merge write error: 'on' field '${field}' is an array`);
    }
    if (isNullish(value)) {
      throw new CommandError(
        51132,
        `$merge write error: 'on' field '${field}' cannot be missing, null, undefined or an array`,
      );
    }
  }
}

/** What a row has at a path, through documents only. */
function keyValue(row: Document, path: string): Value {
  return path.split(".").reduce<Value>(
    (value, name) => value instanceof Document ? value.get(name) : undefined,
    row,
  );
}

/** Rows in their order, cut where the values of the fields `on` come again: the second may meet what the first made. */
function inTurns(rows: readonly Document[], on: readonly string[]): Document[][] {
  const turns: Document[][] = [];
  let met = new Set<ValueKey>();
  for (const row of rows) {
    const key = keyOf(new BuiltDocument(on, on.map((field) => keyValue(row, field))));
    if (turns.length === 0 || met.has(key)) {
      turns.push([]);
      met = new Set();
    }
    met.add(key);
    turns.at(-1)!.push(row);
  }
  return turns;
}

function noMatch(): CommandError {
  return new CommandError(
    "MergeStageNoMatchingDocument",
    "$merge could not find a matching document in the target collection for at least one document in the source collection",
  );
}

function explained(error: CommandError): unknown {
  switch (error.code) {
    case ErrorCode.DuplicateKey:
      return withContext("$merge failed due to a DuplicateKey error", error);
    case ErrorCode.ImmutableField:
      return withContext(
        "$merge failed to update the matching document, did you attempt to modify the _id or the shard key?",
        error,
      );
    default:
      return error;
  }
}
