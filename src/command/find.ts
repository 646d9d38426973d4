/** `find`: documents of one collection that match a filter, sorted, cut and projected. */
import { CommandError } from "../base/mod.ts";
import { BsonType, type BsonWriter } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import { type FindSpec, type ParseContext, parseFind, type Pipeline } from "../query/mod.ts";
import { type Arguments, checkFields, type FieldTable } from "./arguments.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { queryRows } from "./config_database.ts";
import { replyFirstBatch } from "./cursor_reply.ts";
import { replyById } from "./find_by_id.ts";
import { isGenericArgument } from "./generic.ts";
import { type BoundedFind, withKeyBounds } from "./key_bounds.ts";
import { letVariables } from "./let_variables.ts";
import { namespaceToRead } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { allowsDiskUse, checkHint, withHint } from "./query_options.ts";
import { checkTailable, replyTailable } from "./tailable.ts";

const OWNER = "FindCommandRequest";
const FIELDS: FieldTable = {
  find: "any",
  filter: "plainObject",
  projection: "plainObject",
  sort: "plainObject",
  hint: "any",
  collation: "plainObject",
  skip: "number",
  limit: "number",
  batchSize: "number",
  singleBatch: "boolean",
  allowDiskUse: "boolean",
  min: "plainObject",
  max: "plainObject",
  returnKey: "boolean",
  showRecordId: "boolean",
  tailable: "boolean",
  awaitData: "boolean",
  oplogReplay: "boolean",
  noCursorTimeout: "boolean",
  allowPartialResults: "boolean",
  mirrored: "boolean",
  let: "object",
  options: "any",
  term: "any",
  readOnce: "boolean",
  allowSpeculativeMajorityRead: "boolean",
  collectionUUID: "binData",
};
export const find: Command = {
  name: "find",
  help: "query for documents",
  stableApi: true,
  kind: "read",
  readConcerns: ["available", "majority", "linearizable", "snapshot"],
  run: runFind,
};

async function runFind(call: CommandCall, reply: BsonWriter): Promise<void> {
  if (replyById(call, reply)) return;
  const namespace = namespaceToRead(call);
  const found = parseFindArguments(call.args);
  const { spec, batchSize, singleBatch } = found;
  const variables = letVariables(call.args, call.operation, collationFor(call, namespace));
  checkHint(call, namespace);
  checkShown(call, namespace, spec);
  const bounded = withKeyBounds(call, namespace, spec);
  const work = new QueryWork(call.operation, variables.values, allowsDiskUse(call.args));
  if (call.args.get("tailable") === true) {
    return await replyTailable(call, reply, namespace, found, variables.context, work);
  }
  const pipeline = withHint(findPipeline(bounded, variables.context), call.args);
  await replyFirstBatch(call, reply, {
    namespace: namespaceText(namespace),
    rows: queryRows(call, namespace, pipeline, work),
    work,
    batchSize,
    singleBatch,
    noTimeout: call.args.get("noCursorTimeout") === true,
    limit: spec.limit === 0 ? undefined : spec.limit,
  });
}

/**
 * MongoDB reads views and time series by aggregates, which show nothing of documents but their fields.
 *
 * @throws CommandError InvalidPipelineOperator; NotImplemented for the ids of a clustered collection, which are its keys
 */
export function checkShown(
  call: CommandCall,
  namespace: Namespace,
  { returnKey, showRecordId }: FindSpec,
): void {
  const option = returnKey === true ? "returnKey" : showRecordId === true ? "showRecordId" : undefined;
  const info = option && call.state.services.router.collection(namespace);
  if (info === undefined) return;
  if (info.view !== undefined || info.timeseries !== undefined) {
    throw new CommandError("InvalidPipelineOperator", `Option ${option} not supported in aggregation.`);
  }
  if (option === "showRecordId" && info.options.has("clusteredIndex")) {
    throw new CommandError("NotImplemented", "showRecordId is not implemented for clustered collections");
  }
}

/** The pipeline of a find between bounds. */
export function findPipeline({ spec, keyBounds }: BoundedFind, context: ParseContext): Pipeline {
  const pipeline = parseFind(spec, context);
  return keyBounds === undefined ? pipeline : { ...pipeline, keyBounds };
}

export interface FindArguments {
  readonly spec: FindSpec;
  readonly batchSize: number | undefined;
  readonly singleBatch: boolean;
}

/** The fields of a find, checked. @throws CommandError */
export function parseFindArguments(args: Arguments): FindArguments {
  checkFields(args, OWNER, FIELDS, isGenericArgument);
  // MongoDB's wording, missing space included.
  if (args.type("filter") === BsonType.Null) {
    throw new CommandError("TypeMismatch", "Expected field filterto be of type object");
  }
  if (args.has("awaitData") && !args.has("tailable")) {
    throw new CommandError("FailedToParse", "Cannot set 'awaitData' without also setting 'tailable'");
  }
  const found = {
    spec: {
      filter: args.document("filter"),
      sort: args.document("sort"),
      skip: args.integerFrom("skip", 0) ?? 0,
      limit: args.integerFrom("limit", 0) ?? 0,
      projection: args.document("projection"),
      returnKey: args.get("returnKey") === true,
      showRecordId: args.get("showRecordId") === true,
    },
    batchSize: args.integerFrom("batchSize", 0),
    singleBatch: args.get("singleBatch") === true,
  };
  if (args.get("tailable") === true) checkTailable(found, args.get("hint"));
  return found;
}
