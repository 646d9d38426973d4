/**
 * The database `config` as a router shows its cluster in it, for `sh.status()` and tools: collections that nobody wrote. All
 * others of that database are what clients make them.
 */
import { BuiltDocument, type Document, Int32, UtcDate } from "../bson/mod.ts";
import type { Namespace } from "../cluster/mod.ts";
import type { Pipeline, Rows } from "../query/mod.ts";
import type { CommandCall } from "./command.ts";
import { rowsOf } from "./cursor_reply.ts";
import { int64 } from "./numbers.ts";
import type { QueryWork } from "./operation.ts";
import { idOf } from "./replica_set.ts";
import type { Services } from "./services.ts";
import { MONGODB_VERSION } from "./version.ts";

const CONFIG = "config";
/** What the only shard is called. */
export const SHARD = "chronogo";
/** Databases that are nobody's data. */
const INTERNAL: ReadonlySet<string> = new Set(["admin", CONFIG, "local"]);

const COLLECTIONS: Readonly<Record<string, (services: Services) => readonly Document[]>> = {
  databases: databaseDocuments,
  mongos: routerDocuments,
  shards: shardDocuments,
  version: (services) => [BuiltDocument.of({ _id: Int32.of(1), clusterId: idOf(services) })],
};

/** Runs a pipeline over a collection, or what stands for it here. */
export function queryRows(
  call: CommandCall,
  namespace: Namespace,
  pipeline: Pipeline,
  work: QueryWork,
): Rows {
  const { services } = call.state;
  if (!isShown(services, namespace)) return services.router.query(namespace, pipeline, work);
  const documents = COLLECTIONS[namespace.collection]!(services);
  const source = { shape: { kind: "documents" }, scan: () => rowsOf(documents) } as const;
  return services.router.queryRows(namespace.db, source, pipeline, work);
}

function isShown({ replicaSet }: Services, { db, collection }: Namespace): boolean {
  return replicaSet === undefined && db === CONFIG && Object.hasOwn(COLLECTIONS, collection);
}

/** The cluster's shards: the node itself. */
export function shardDocuments(services: Services): readonly Document[] {
  return [BuiltDocument.of({ _id: SHARD, host: hostOf(services), state: Int32.of(1) })];
}

function routerDocuments(services: Services): readonly Document[] {
  const nowMs = Math.floor(services.clock.nowMs());
  return [BuiltDocument.of({
    _id: hostOf(services),
    advisoryHostFQDNs: [],
    created: new UtcDate(Math.floor(services.startedAtMs)),
    mongoVersion: MONGODB_VERSION,
    ping: new UtcDate(nowMs),
    up: int64(Math.max(0, (nowMs - services.startedAtMs) / 1000)),
    waiting: true,
  })];
}

function databaseDocuments({ router }: Services): readonly Document[] {
  return router.databaseNames().filter((name) => !INTERNAL.has(name)).map((name) =>
    BuiltDocument.of({ _id: name, primary: SHARD, partitioned: false })
  );
}

function hostOf({ host, port }: Services): string {
  return `${host.hostname}:${port}`;
}
