/** `compact`: returns when all of a collection is in segments and these are merged. */
import { CommandError } from "../base/mod.ts";
import type { BsonWriter } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { collectionOfBuckets, namespaceOf } from "./namespace.ts";
import { int64OrInt32 } from "./numbers.ts";

export const compact: Command = {
  name: "compact",
  help: "write a collection's measurements to segments and merge these: {compact: name}",
  run: runCompact,
};

async function runCompact(call: CommandCall, reply: BsonWriter): Promise<void> {
  const named = namespaceOf(call, "InvalidNamespace");
  const namespace = collectionOfBuckets(named) ?? named;
  const { router } = call.state.services;
  if (router.collection(namespace) === undefined) {
    throw new CommandError("NamespaceNotFound", "collection does not exist");
  }
  const before = router.stats(namespace).storageBytes;
  await router.compact(namespace);
  // What was in memory only makes it larger.
  reply.value("bytesFreed", int64OrInt32(Math.max(0, before - router.stats(namespace).storageBytes)));
}
