/** `distinct`: the values of a path, each once, those in arrays one by one. */
import { CommandError, MAX_DISTINCT_BYTES } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, encodeDocument, Timestamp } from "../bson/mod.ts";
import { type DistinctSpec, distinctValues, named, parseDistinct } from "../query/mod.ts";
import { type Arguments, checkFields, type FieldTable } from "./arguments.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { queryRows } from "./config_database.ts";
import { isGenericArgument } from "./generic.ts";
import { letVariables } from "./let_variables.ts";
import { namespaceToRead } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { checkHint, withHint } from "./query_options.ts";

const FIELDS: FieldTable = {
  distinct: "any",
  key: "string!",
  query: "object",
  collation: "object",
  hint: "any",
  collectionUUID: "binData",
};

export const distinct: Command = {
  name: "distinct",
  help: "distinct values of a field",
  kind: "read",
  readConcerns: ["available", "majority", "linearizable", "snapshot"],
  run: runDistinct,
};

async function runDistinct(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToRead(call, "InvalidNamespace");
  const spec = parseDistinctArguments(call.args);
  const { context } = letVariables(call.args, call.operation, collationFor(call, namespace));
  checkHint(call, namespace);
  const work = new QueryWork(call.operation);
  const pipeline = withHint(parseDistinct(spec, context), call.args);
  const rows = queryRows(call, namespace, pipeline, work);
  const values = await distinctValues(rows, spec.key, context.collation);
  if (encodeDocument(new BuiltDocument(["values"], [values])).length > MAX_DISTINCT_BYTES) {
    throw named(new CommandError(17217, "distinct too big, 16mb cap"), "distinct");
  }
  reply.value("values", values);
  if (call.atClusterTime !== undefined) reply.value("atClusterTime", new Timestamp(call.atClusterTime));
}

/** The fields of a distinct, checked. @throws CommandError */
export function parseDistinctArguments(args: Arguments): DistinctSpec {
  checkFields(args, "distinct", FIELDS, isGenericArgument);
  return { key: checkKey(args.string("key")!), query: args.document("query") };
}

function checkKey(key: string): string {
  if (key.includes("\0")) throw new CommandError(31032, "Key field cannot contain an embedded null byte");
  return key;
}
