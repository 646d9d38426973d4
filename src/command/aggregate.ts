/** `aggregate`: a pipeline over a collection, or over nothing (`aggregate: 1`). */
import { CommandError, type ErrorCodeLike } from "../base/mod.ts";
import { type BsonWriter, Document, isArray, isNumber, type Value } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import { EMPTY_SOURCE, parsePipeline, type Source } from "../query/mod.ts";
import { type Arguments, checkFields, type FieldTable, missingField, numberOf } from "./arguments.ts";
import { batchSizeOf } from "./batch_size.ts";
import { changeStreamPlan, isChangeStream, runChangeStream } from "./change_stream.ts";
import { checkForeignViews, collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { queryRows } from "./config_database.ts";
import { firstStageOf } from "./first_stage.ts";
import { replyFirstBatch, rowsOf } from "./cursor_reply.ts";
import { explainInto, writePlan } from "./explain_reply.ts";
import { withGeoKeys } from "./geo_key.ts";
import { isGenericArgument } from "./generic.ts";
import { letVariables } from "./let_variables.ts";
import { namespaceToRead } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { allowsDiskUse, checkHint, withHint } from "./query_options.ts";

const FIELDS: FieldTable = {
  aggregate: "any",
  pipeline: "any",
  cursor: "any",
  explain: "any",
  allowDiskUse: "boolean",
  bypassDocumentValidation: "flag",
  collation: "object",
  hint: "any",
  let: "object",
  collectionUUID: "binData",
  isMapReduceCommand: "bool",
  needsMerge: "bool",
  fromMongos: "bool",
};
/** What `aggregate: 1` is named in answers. */
const NO_COLLECTION = "$cmd.aggregate";

/** The stage that brings its own documents. */
const OWN_DOCUMENTS = "$documents";

export const aggregate: Command = {
  name: "aggregate",
  help: "run an aggregation pipeline",
  stableApi: true,
  takesWriteConcern: true,
  kind: "read",
  readConcerns: ["available", "majority", "linearizable", "snapshot"],
  run: runAggregate,
};

async function runAggregate(call: CommandCall, reply: BsonWriter): Promise<void> {
  const { args } = call;
  const stages = parseAggregateArguments(args);
  const explain = args.get("explain");
  if (explain !== undefined && typeof explain !== "boolean") {
    throw new CommandError("TypeMismatch", "explain must be a boolean");
  }
  if (call.transaction !== undefined) checkStagesInTransaction(stages);
  const batchSize = batchSizeOf(args, "aggregate");
  if (explain !== true) requireCursor(args);
  refuseLinearizableWrite(call, stages);
  if (isChangeStream(stages)) {
    checkDatabaseTarget(args);
    if (explain === true) return writePlan(call, reply, changeStreamPlan(call, stages), args.body);
    return await runChangeStream(call, reply, stages, batchSize);
  }
  if (isNumber(args.get("aggregate"))) return await runWithoutCollection(call, reply, stages, batchSize);
  const namespace = namespaceToRead(call);
  const variables = letVariables(args, call.operation, collationFor(call, namespace));
  checkHint(call, namespace);
  const work = pipelineWork(call, variables.values);
  const { router } = call.state.services;
  const own = firstStageOf(stages, call.generic);
  own?.stage.check(namespace.db, namespace.collection, own.spec);
  if (own !== undefined && explain !== true) {
    const source = sourceOf(await own.stage.documents(call, namespace, own.spec));
    const rest = parsePipeline(stages, variables.context, 1);
    const rows = router.queryRows(namespace.db, source, rest, work);
    return await replyFirstBatch(call, reply, { namespace: namespaceText(namespace), rows, work, batchSize });
  }
  checkHasCollection(stages);
  checkForeignViews(call, stages, variables.context);
  const keyed = withGeoKeys(router, namespace, stages);
  const pipeline = withHint(parsePipeline(keyed, variables.context), args);
  if (explain === true) {
    return await explainInto(call, reply, {
      namespace,
      pipeline,
      work,
      verbosity: "queryPlanner",
      command: args.body,
    });
  }
  await replyFirstBatch(call, reply, {
    namespace: namespaceText(namespace),
    rows: queryRows(call, namespace, pipeline, work),
    work,
    batchSize,
  });
}

/** Stages that bring documents of the server's own. */
const SERVER_STAGES: ReadonlySet<string> = new Set(["$changeStream", "$currentOp", "$listLocalSessions"]);
const COLLECTION_STAGES: ReadonlySet<string> = new Set([
  "$collStats",
  "$indexStats",
  "$listSessions",
  "$planCacheStats",
  "$unionWith",
]);

/** @throws CommandError OperationNotSupportedInTransaction for stages that MongoDB does not have there */
function checkStagesInTransaction(stages: readonly Value[]): void {
  for (const stage of stages) {
    const name = stage instanceof Document ? stage.names()[0] ?? "" : "";
    if (name === "$out" || name === "$merge") {
      throw notInTransaction(`${name} cannot be used in a transaction`);
    }
    if (COLLECTION_STAGES.has(name)) {
      throw notInTransaction(`Stage not supported inside of a multi-document transaction: ${name}`);
    }
    if (SERVER_STAGES.has(name)) {
      throw notInTransaction(
        `Operation not permitted in transaction :: caused by :: Aggregation stage ${name} cannot run within a ` +
          "multi-document transaction.",
      );
    }
  }
}

function notInTransaction(message: string): CommandError {
  return fail("OperationNotSupportedInTransaction", message);
}

function pipelineWork({ operation, args }: CommandCall, variables: ReadonlyMap<string, Value>): QueryWork {
  return new QueryWork(operation, variables, allowsDiskUse(args), args.flag("bypassDocumentValidation"));
}

/** The stages. @throws CommandError when a field of the command is bad */
export function parseAggregateArguments(args: Arguments): readonly Value[] {
  if (!args.has("pipeline")) throw missingField("aggregate.pipeline");
  const stages = args.get("pipeline");
  if (!isArray(stages)) {
    throw new CommandError("TypeMismatch", "'pipeline' option must be specified as an array");
  }
  if (!stages.every((stage) => stage instanceof Document)) {
    throw new CommandError("TypeMismatch", "Each element of the 'pipeline' array must be an object");
  }
  checkFields(args, "aggregate", FIELDS, isGenericArgument);
  return stages;
}

/** @throws CommandError InvalidOptions when a pipeline that writes asks to read what is linearizable */
function refuseLinearizableWrite({ generic }: CommandCall, stages: readonly Value[]): void {
  if (generic.readConcern.level !== "linearizable") return;
  const last = stages.at(-1);
  const name = last instanceof Document ? last.names()[0] : undefined;
  if (name !== "$out" && name !== "$merge") return;
  throw fail(
    "InvalidOptions",
    'Command aggregate does not support { readConcern: { level: "linearizable", provenance: "clientSupplied" } } ' +
      `:: caused by :: ${name} cannot be used with a 'linearizable' read concern level`,
  );
}

/** @throws CommandError when the `cursor` argument is not there */
export function requireCursor(args: Arguments): void {
  if (args.has("cursor")) return;
  throw new CommandError(
    "FailedToParse",
    "The 'cursor' option is required, except for aggregate with the explain argument",
  );
}

/** `aggregate: 1`: the first stage brings its own documents. */
async function runWithoutCollection(
  call: CommandCall,
  reply: BsonWriter,
  stages: readonly Value[],
  batchSize: number | undefined,
): Promise<void> {
  checkDatabaseTarget(call.args);
  const namespace: Namespace = { db: call.db, collection: NO_COLLECTION };
  const first = stages[0];
  if (!(first instanceof Document)) {
    throw fail("InvalidNamespace", "{aggregate: 1} is not valid for an empty pipeline.");
  }
  const variables = letVariables(call.args, call.operation, collationFor(call, namespace));
  const work = pipelineWork(call, variables.values);
  const { router } = call.state.services;
  const own = firstStageOf(stages, call.generic);
  own?.stage.check(call.db, undefined, own.spec);
  const isOwn = own !== undefined;
  const pipeline = parsePipeline(stages, variables.context, isOwn ? 1 : 0);
  const name = first.names()[0] ?? "";
  if (!isOwn && name !== OWN_DOCUMENTS) {
    throw fail("InvalidNamespace", `{aggregate: 1} is not valid for '${name}'; a collection is required.`);
  }
  const source = isOwn ? sourceOf(await own.stage.documents(call, namespace, own.spec)) : EMPTY_SOURCE;
  const rows = router.queryRows(call.db, source, pipeline, work);
  await replyFirstBatch(call, reply, { namespace: namespaceText(namespace), rows, work, batchSize });
}

/** @throws CommandError when the command names a number other than 1 */
function checkDatabaseTarget(args: Arguments): void {
  const target = args.get("aggregate");
  if (!isNumber(target) || numberOf(target) === 1) return;
  throw fail(
    "FailedToParse",
    "Invalid command format: the 'aggregate' field must specify a collection name or 1",
  );
}

/** @throws CommandError when a pipeline over a collection brings its own documents */
function checkHasCollection(stages: readonly Value[]): void {
  const first = stages[0];
  if (!(first instanceof Document) || !first.has(OWN_DOCUMENTS)) return;
  throw fail("InvalidNamespace", `'${OWN_DOCUMENTS}' can only be run with {aggregate: 1}`);
}

/** Documents at hand, as a source. */
function sourceOf(documents: readonly Document[]): Source {
  return { shape: { kind: "documents" }, scan: () => rowsOf(documents) };
}

function fail(code: ErrorCodeLike, message: string): CommandError {
  return new CommandError(code, message);
}
