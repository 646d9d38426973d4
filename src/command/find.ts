/** `find`: documents of one collection that match a filter, sorted, cut and projected. */
import { CommandError } from "../base/mod.ts";
import type { BsonWriter } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import { type FindSpec, type ParseContext, parseFind, type Pipeline } from "../query/mod.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { queryRows } from "./config_database.ts";
import { replyFirstBatch } from "./cursor_reply.ts";
import { parseFindArguments } from "./find_arguments.ts";
import { replyById } from "./find_by_id.ts";
import { type BoundedFind, withKeyBounds } from "./key_bounds.ts";
import { letVariables } from "./let_variables.ts";
import { namespaceToRead } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { allowsDiskUse, checkHint, withHint } from "./query_options.ts";
import { replyTailable } from "./tailable.ts";

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
