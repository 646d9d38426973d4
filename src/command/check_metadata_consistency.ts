/**
 * `checkMetadataConsistency`: what the shards and the router hold differently of a collection, a database or, on `admin`, all.
 * There is one catalog, so that nothing can differ.
 */
import type { BsonWriter } from "../bson/mod.ts";
import { namespaceText } from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import { batchSizeOf } from "./batch_size.ts";
import type { Command, CommandCall } from "./command.ts";
import { replyFirstBatch, rowsOf } from "./cursor_reply.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = {
  checkMetadataConsistency: "any",
  cursor: "object",
  checkIndexes: "bool",
  checkRangeDeletionIndexes: "bool",
};

export const checkMetadataConsistency: Command = {
  name: "checkMetadataConsistency",
  help: "inconsistencies between the catalogs of the shards: there is one catalog",
  run: runCheckMetadataConsistency,
};

async function runCheckMetadataConsistency(call: CommandCall, reply: BsonWriter): Promise<void> {
  const { args, db, name } = call;
  checkFields(args, name, FIELDS, isGenericArgument);
  const target = args.get(name);
  const collection = typeof target === "string" ? target : "$cmd.aggregate";
  await replyFirstBatch(call, reply, {
    namespace: namespaceText({ db, collection }),
    rows: rowsOf([]),
    batchSize: batchSizeOf(args, name) ?? Infinity,
  });
}
