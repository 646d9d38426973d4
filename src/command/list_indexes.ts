/** `listIndexes`: the indexes of one collection, as a cursor. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument } from "../bson/mod.ts";
import { namespaceText, refuseView } from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import { batchSizeOf } from "./batch_size.ts";
import type { Command, CommandCall } from "./command.ts";
import { replyFirstBatch, rowsOf } from "./cursor_reply.ts";
import { isGenericArgument } from "./generic.ts";
import { listedIndexes } from "./indexes.ts";
import { collectionOfBuckets, namespaceOf } from "./namespace.ts";

const FIELDS: FieldTable = {
  listIndexes: "any",
  cursor: "object",
  includeIndexBuildInfo: "flag",
  includeBuildUUIDs: "flag",
};

export const listIndexes: Command = {
  name: "listIndexes",
  help: "list indexes for a collection",
  stableApi: true,
  run: runListIndexes,
};

async function runListIndexes(call: CommandCall, reply: BsonWriter): Promise<void> {
  checkFields(call.args, "listIndexes", FIELDS, isGenericArgument);
  const namespace = namespaceOf(call);
  const batchSize = batchSizeOf(call.args, "listIndexes");
  const info = call.state.services.router.collection(collectionOfBuckets(namespace) ?? namespace);
  if (info === undefined) {
    throw new CommandError("NamespaceNotFound", `ns does not exist: ${namespaceText(namespace)}`);
  }
  refuseView(info);
  const withBuilds = call.args.flag("includeIndexBuildInfo");
  if (withBuilds && call.args.flag("includeBuildUUIDs")) {
    const text = "The includeBuildUUIDs flag and includeBuildIndexInfo flag cannot both be set to true";
    throw new CommandError("InvalidOptions", text);
  }
  const indexes = listedIndexes(info);
  await replyFirstBatch(call, reply, {
    namespace: namespaceText(namespace),
    rows: rowsOf(withBuilds ? indexes.map((spec) => BuiltDocument.of({ spec })) : indexes),
    batchSize: batchSize ?? Infinity,
  });
}
