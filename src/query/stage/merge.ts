/**
 * `$merge`: the rows of the pipeline go into a collection, each by itself: `whenMatched` says what becomes of a document
 * with the same values of the fields `on` (the _id, or those of a unique index), `whenNotMatched` what happens where there is none.
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
import type { Evaluator, Expression, ParseContext, Scope } from "../expression/expression.ts";
import { renderDocument, typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { checkVariableBinding } from "../expression/variable.ts";
import { noRowsAfter } from "../rows.ts";
import type { Rows } from "../source.ts";
import { INTERNAL_DATABASES } from "./out.ts";

type WhenMatched = "replace" | "keepExisting" | "merge" | "fail" | "pipeline";
type WhenNotMatched = "insert" | "discard" | "fail";

export interface MergeStage {
  readonly kind: "merge";
  /** Undefined for the pipeline's own. */
  readonly db: string | undefined;
  readonly collection: string;
  /** The fields by which a document is found. */
  readonly on: readonly string[];
  readonly whenMatched: WhenMatched;
  readonly whenNotMatched: WhenNotMatched;
  /** For `whenMatched: pipeline`: stages as written, and the variables that they may read beside `new`, the row. */
  readonly pipeline: readonly Value[];
  readonly lets: readonly { readonly name: string; readonly expression: Expression }[];
  /** As written, for `explain`. */
  readonly source: Value;
}

/** Rows that MongoDB writes at once, at most. */
const MAX_BATCH_ROWS = 100_000;
const FIELDS: ReadonlySet<string> = new Set(["into", "let", "on", "whenMatched", "whenNotMatched"]);
const MATCHED_MODES: ReadonlySet<string> = new Set(["fail", "keepExisting", "merge", "replace"]);
const NOT_MATCHED_MODES: ReadonlySet<string> = new Set(["discard", "fail", "insert"]);

export function parseMerge(value: Value, context: ParseContext): MergeStage {
  const spec = typeof value === "string" ? BuiltDocument.of({ into: value }) : value;
  if (!(spec instanceof Document)) {
    throw new CommandError(
      "TypeMismatch",
      `$merge requires a string or object argument, but found ${typeName(spec)}`,
    );
  }
  const unknown = spec.names().find((name) => !FIELDS.has(name));
  if (unknown !== undefined) {
    throw new CommandError(40415, `BSON field '$merge.${unknown}' is an unknown field.`);
  }
  if (!spec.has("into")) {
    throw new CommandError(40414, "BSON field '$merge.into' is missing but a required field");
  }
  const target = parseInto(spec.get("into"));
  const on = parseOn(spec.get("on"));
  const { whenMatched, pipeline } = parseWhenMatched(spec.get("whenMatched"));
  const whenNotMatched = parseWhenNotMatched(spec.get("whenNotMatched"));
  checkModes(whenMatched, whenNotMatched);
  const lets = parseLet(spec.get("let"), whenMatched, context);
  return { kind: "merge", ...target, on, whenMatched, whenNotMatched, pipeline, lets, source: spec };
}

function parseInto(value: Value): Pick<MergeStage, "db" | "collection"> {
  if (typeof value === "string") return checkTarget(undefined, value);
  if (!(value instanceof Document)) {
    throw new CommandError(
      51178,
      `$merge 'into' field  must be either a string or an object, but found ${typeName(value)}`,
    );
  }
  const db = value.get("db");
  const coll = value.get("coll");
  if (typeof coll !== "string" || coll === "") {
    throw new CommandError(
      5786801,
      "$merge 'into' field must specify a 'coll' that is not empty, null or undefined",
    );
  }
  return checkTarget(typeof db === "string" && db !== "" ? db : undefined, coll);
}

function checkTarget(db: string | undefined, collection: string): Pick<MergeStage, "db" | "collection"> {
  if (collection === "") {
    throw new CommandError("InvalidNamespace", "Invalid $merge target namespace: ''");
  }
  if (db !== undefined && INTERNAL_DATABASES.has(db)) {
    throw new CommandError(31320, `Cannot $merge to internal database: ${db}`);
  }
  return { db, collection };
}

function parseOn(value: Value): readonly string[] {
  if (value === undefined) return ["_id"];
  const fields = typeof value === "string" ? [value] : value;
  if (!isArray(fields)) {
    throw new CommandError(
      51186,
      `$merge 'on' field  must be either a string or an array of strings, but found ${typeName(value)}`,
    );
  }
  if (fields.length === 0) {
    throw new CommandError(
      51187,
      "If explicitly specifying $merge 'on', must include at least one field",
    );
  }
  return fields.map((field, i) => {
    if (typeof field !== "string") {
      throw new CommandError(
        51134,
        `$merge 'on' array elements must be strings, but found ${typeName(field)}`,
      );
    }
    if (fields.indexOf(field) !== i) throw new CommandError(31465, `Found a duplicate field '${field}'`);
    return field;
  });
}

/** @throws CommandError 51183 where the target may have two documents that a row would match */
export function checkMergeKey({ db, collection, on }: MergeStage, context: QueryContext): void {
  const { collections, collation } = context;
  if (collections.hasUniqueKey({ db: db ?? collections.db, collection }, on, collation)) return;
  throw new CommandError(51183, "Cannot find index to verify that join fields will be unique");
}

function parseWhenMatched(value: Value): {
  readonly whenMatched: WhenMatched;
  readonly pipeline: readonly Value[];
} {
  if (value === undefined) return { whenMatched: "merge", pipeline: [] };
  if (isArray(value)) return { whenMatched: "pipeline", pipeline: value };
  if (typeof value !== "string") {
    throw new CommandError(
      51191,
      `$merge 'whenMatched' field  must be either a string or an array, but found ${typeName(value)}`,
    );
  }
  if (!MATCHED_MODES.has(value)) throw unknownMode("whenMatched", value);
  return { whenMatched: value as WhenMatched, pipeline: [] };
}

function parseWhenNotMatched(value: Value): WhenNotMatched {
  if (value === undefined) return "insert";
  if (typeof value !== "string") {
    throw new CommandError(
      "TypeMismatch",
      `BSON field '$merge.whenNotMatched' is the wrong type '${typeName(value)}', expected type 'string'`,
    );
  }
  if (!NOT_MATCHED_MODES.has(value)) throw unknownMode("$merge.whenNotMatched", value);
  return value as WhenNotMatched;
}

function unknownMode(field: string, value: string): CommandError {
  return new CommandError(
    "BadValue",
    `Enumeration value '${value}' for field '${field}' is not a valid value.`,
  );
}

function checkModes(matched: WhenMatched, notMatched: WhenNotMatched): void {
  if ((matched !== "keepExisting" && matched !== "fail") || notMatched === "insert") return;
  throw new CommandError(
    51181,
    `Combination of $merge modes 'whenMatched: ${matched}' and 'whenNotMatched: ${notMatched}' is not supported`,
  );
}

function parseLet(value: Value, whenMatched: WhenMatched, context: ParseContext): MergeStage["lets"] {
  if (value === undefined) return [];
  if (!(value instanceof Document)) {
    throw new CommandError(
      "TypeMismatch",
      `BSON field '$merge.let' is the wrong type '${typeName(value)}', expected type 'object'`,
    );
  }
  if (whenMatched !== "pipeline") {
    throw new CommandError(51199, `Cannot use 'let' variables with 'whenMatched: ${whenMatched}' mode`);
  }
  const values = value.values();
  return value.names().map((name, i) => {
    if (name === "new" && values[i] !== "$$ROOT") {
      throw new CommandError(
        51273,
        "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'",
      );
    }
    checkVariableBinding(name);
    return { name, expression: parseExpression(values[i], context) };
  });
}

export function runMerge(stage: MergeStage, input: Rows, context: QueryContext): Rows {
  const lets = stage.lets.map(({ name, expression }) => ({ name, evaluate: compileExpression(expression) }));
  return noRowsAfter(() => mergeRows(stage, lets, input, context));
}

interface CompiledLet {
  readonly name: string;
  readonly evaluate: Evaluator;
}

async function mergeRows(
  stage: MergeStage,
  lets: readonly CompiledLet[],
  input: Rows,
  context: QueryContext,
): Promise<void> {
  const { collections } = context;
  const target = { db: stage.db ?? collections.db, collection: stage.collection };
  checkPlace(target, collections);
  const variables = scopeVariables(context);
  for await (const batch of inBatches(input, stage.on)) {
    let failure: unknown;
    for (let at = 0; at < batch.length; at += PIPELINE_BATCH_ROWS) {
      const rows = batch.slice(at, at + PIPELINE_BATCH_ROWS);
      // The others of the batch are written all the same.
      failure ??= await writeRows(stage, lets, target, rows, variables, collections);
      await context.checkpoint();
    }
    if (failure !== undefined) throw failure;
  }
}

/** Rows, checked and as bytes, in the batches in which MongoDB writes them: an error shows where one ends. */
async function* inBatches(input: Rows, on: readonly string[]): Rows {
  let batch: RawDocument[] = [];
  let bytes = 0;
  for await (const rows of input) {
    for (const row of rows) {
      const document = new RawDocument(encodeDocument(on.includes("_id") ? withId(row) : row));
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

/** @returns what the stage fails with once its batch is written; undefined for nothing */
async function writeRows(
  stage: MergeStage,
  lets: readonly CompiledLet[],
  target: CollectionName,
  rows: readonly Document[],
  variables: Scope["variables"],
  collections: Collections,
): Promise<unknown> {
  if (stage.whenMatched === "fail") {
    // Measurements may have equal ids: whether one is there must be asked for.
    const write = collections.kindOf(target) === "timeseries" ? insertMissing : insertNew;
    return await write(target, rows, collections);
  }
  let matchesAll = true;
  let failure: CommandError | undefined;
  // A pipeline makes nothing of a document that is not there: the row itself is stored, behind the updates of its turn.
  const storesRows = stage.whenMatched === "pipeline" && stage.whenNotMatched === "insert";
  for (const turn of storesRows ? inTurns(rows, stage.on) : [rows]) {
    const requests = turn.map((row) => requestOf(stage, lets, row, { root: row, variables }));
    const results = await collections.update(target, requests);
    const errors = results.map(({ error }) => error);
    const unmatched = results.flatMap(({ matched, upserted, error }, i) => {
      return matched || upserted || error !== undefined ? [] : [i];
    });
    if (storesRows && unmatched.length > 0) {
      const refused = await collections.insert(target, unmatched.map((i) => withId(turn[i]!)));
      for (const { index, error } of refused) errors[unmatched[index]!] = error;
    }
    failure ??= errors.find((error) => error !== undefined);
    matchesAll &&= unmatched.length === 0;
  }
  if (failure !== undefined) return explained(failure);
  return !matchesAll && stage.whenNotMatched === "fail" ? noMatch() : undefined;
}

function checkPlace(target: CollectionName, collections: Collections): void {
  if (target.collection.includes("$")) {
    throw new CommandError("InvalidNamespace", `Invalid collection name: ${target.collection}`);
  }
  if (INTERNAL_DATABASES.has(target.db)) {
    throw new CommandError(31320, `Cannot $merge to internal database: ${target.db}`);
  }
  if (collections.kindOf(target) !== "view") return;
  throw new CommandError(
    "CommandNotSupportedOnView",
    `Namespace ${target.db}.${target.collection} is a view, not a collection`,
  );
}

/** The row with an _id; a missing one is generated. */
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

async function insertNew(
  target: CollectionName,
  rows: readonly Document[],
  collections: Collections,
): Promise<unknown> {
  const error = (await collections.insert(target, rows.map(withId)))[0]?.error;
  return error?.code === ErrorCode.DuplicateKey ? withContext(FOUND_MESSAGE, error) : error;
}

const FOUND_MESSAGE =
  "$merge with whenMatched: fail found an existing document with the same values for the 'on' fields";

async function insertMissing(
  target: CollectionName,
  rows: readonly Document[],
  collections: Collections,
): Promise<unknown> {
  const requests = rows.map((row): UpdateRequest => ({
    filter: BuiltDocument.of({ _id: BuiltDocument.of({ $eq: row.get("_id") }) }),
    update: BuiltDocument.of({ $setOnInsert: row }),
    upsert: true,
  }));
  const results = await collections.update(target, requests);
  const first = results.findIndex(({ matched, error }) => matched || error !== undefined);
  if (first < 0) return undefined;
  const { error } = results[first]!;
  if (error !== undefined) return error;
  const { db, collection } = target;
  const id = renderDocument(BuiltDocument.of({ _id: rows[first]!.get("_id") }));
  return withContext(
    FOUND_MESSAGE,
    new CommandError("DuplicateKey", `a measurement of ${db}.${collection} has the id already: ${id}`),
  );
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

function requestOf(
  stage: MergeStage,
  lets: readonly CompiledLet[],
  row: Document,
  scope: Scope,
): UpdateRequest {
  const filter = new BuiltDocument(
    stage.on,
    stage.on.map((field) => BuiltDocument.of({ $eq: keyValue(row, field) })),
  );
  const upsert = stage.whenNotMatched === "insert";
  if (stage.whenMatched === "replace") return { filter, update: row, upsert };
  if (stage.whenMatched === "merge") {
    return { filter, update: BuiltDocument.of({ $set: row }), upsert };
  }
  if (stage.whenMatched === "keepExisting") {
    return { filter, update: BuiltDocument.of({ $setOnInsert: row }), upsert };
  }
  const constants = new Map<string, Value>([["new", row]]);
  for (const { name, evaluate } of lets) constants.set(name, evaluate(scope) ?? null);
  return {
    filter,
    update: stage.pipeline,
    upsert: false,
    constants: new BuiltDocument([...constants.keys()], [...constants.values()]),
  };
}
