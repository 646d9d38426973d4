/** `top`: how often each collection was used since the start, and for how long. MongoDB's router does not have it; this one does. */
import { type BsonWriter, BuiltDocument, type Document } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { splitNamespace } from "./namespace.ts";
import { type NamespaceUsage, type Usage, USES } from "./namespace_usage.ts";
import { int64OrInt32 } from "./numbers.ts";

export const top: Command = {
  name: "top",
  help: "usage by collection, in microseconds",
  adminOnly: true,
  run: ({ state }: CommandCall, reply: BsonWriter) => {
    const { counters, services: { router } } = state;
    const usages = counters.usage.all().filter(([text]) => {
      const namespace = splitNamespace(text);
      return namespace !== undefined && router.collection(namespace) !== undefined;
    });
    const totals = [["note", "all times in microseconds"], ...usages.map(shown)] as const;
    reply.value(
      "totals",
      new BuiltDocument(totals.map(([name]) => name), totals.map(([, value]) => value)),
    );
  },
};

function shown([namespace, { reads, writes, uses }]: readonly [string, NamespaceUsage]) {
  const all = Object.values(uses);
  const total = {
    count: all.reduce((sum, { count }) => sum + count, 0),
    micros: all.reduce((sum, { micros }) => sum + micros, 0),
  };
  const kinds = USES.map((use) => [use, usageDocument(uses[use])] as const);
  const document = BuiltDocument.of({
    total: usageDocument(total),
    readLock: usageDocument(reads),
    writeLock: usageDocument(writes),
    ...Object.fromEntries(kinds),
  });
  return [namespace, document] as const;
}

function usageDocument({ micros, count }: Usage): Document {
  return BuiltDocument.of({ time: int64OrInt32(micros), count: int64OrInt32(count) });
}
