/** `drop`: a collection with all that is in it. Dropping what is not there succeeds, as since MongoDB 7.0. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32 } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { indexesOf } from "./indexes.ts";
import { collectionOfBuckets, namespaceOf } from "./namespace.ts";
import { PROFILE_COLLECTION } from "./profiler.ts";

const FIELDS: FieldTable = { drop: "any", collectionUUID: "binData" };

export const drop: Command = {
  name: "drop",
  help: "drop a collection",
  stableApi: true,
  takesWriteConcern: true,
  run: runDrop,
};

async function runDrop(call: CommandCall, reply: BsonWriter): Promise<void> {
  checkFields(call.args, "drop", FIELDS, isGenericArgument);
  const namespace = dropTarget(namespaceOf(call));
  const { router } = call.state.services;
  if (namespace.collection === PROFILE_COLLECTION && call.state.profiler.levelOf(namespace.db) > 0) {
    throw new CommandError(
      "IllegalOperation",
      "turn off profiling before dropping system.profile collection",
    );
  }
  const info = router.collection(namespace);
  if (info === undefined || !await router.dropCollection(namespace)) return;
  if (info.view === undefined) reply.value("nIndexesWas", Int32.of(indexesOf(info).length));
  reply.value("ns", namespaceText(namespace));
}

/** Dropping the buckets drops the time-series collection. */
function dropTarget(namespace: Namespace): Namespace {
  return collectionOfBuckets(namespace) ?? namespace;
}
