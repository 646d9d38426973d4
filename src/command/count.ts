/** `count`: how many documents match. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, isNumber, type Value } from "../bson/mod.ts";
import { COUNT_FIELD, type CountSpec, parseCountCommand, type Rows } from "../query/mod.ts";
import { type Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { queryRows } from "./config_database.ts";
import { isGenericArgument } from "./generic.ts";
import { letVariables } from "./let_variables.ts";
import { namespaceToRead } from "./namespace.ts";
import { int64OrInt32 } from "./numbers.ts";
import { QueryWork } from "./operation.ts";
import { checkHint, withHint } from "./query_options.ts";

const FIELDS: FieldTable = {
  count: "any",
  query: "object",
  limit: "any",
  skip: "number",
  hint: "any",
  collation: "object",
  fields: "any",
  collectionUUID: "binData",
};

export const count: Command = {
  name: "count",
  help: "count objects in collection",
  stableApi: true,
  kind: "read",
  readConcerns: ["available", "majority", "linearizable"],
  run: runCount,
};

async function runCount(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToRead(call, "InvalidNamespace");
  const spec = parseCountArguments(call.args);
  const { context } = letVariables(call.args, call.operation, collationFor(call, namespace));
  checkHint(call, namespace);
  const work = new QueryWork(call.operation);
  const pipeline = withHint(parseCountCommand(spec, context), call.args);
  const rows = queryRows(call, namespace, pipeline, work);
  reply.value("n", int64OrInt32(await totalOf(rows)));
}

/** The number in the pipeline's one document; none says zero. */
async function totalOf(rows: Rows): Promise<number> {
  let total = 0;
  for await (const batch of rows) {
    for (const document of batch) total = numberOf(document.get(COUNT_FIELD));
  }
  return total;
}

/** The fields of a count, checked. @throws CommandError */
export function parseCountArguments(args: Arguments): CountSpec {
  checkFields(args, "count", FIELDS, isGenericArgument);
  return {
    query: args.document("query"),
    skip: args.integerFrom("skip", 0) ?? 0,
    limit: parseLimit(args.get("limit")),
  };
}

/** A negative limit counts as a positive one, as from the old shell. */
function parseLimit(value: Value): number {
  if (value === undefined) return 0;
  if (!isNumber(value)) throw new CommandError("BadValue", "limit value is not a valid number");
  return Math.abs(Math.trunc(numberOf(value)));
}
