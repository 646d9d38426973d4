/** `serverStatus`: what monitoring tools read, in MongoDB's names and types, with true numbers. */
import { MAX_CONNECTIONS } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, type Document, Int32, UtcDate, type Value } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { latencyDocument } from "./latency_document.ts";
import { int64 } from "./numbers.ts";
import { helloFields } from "./replica_set.ts";
import type { ServerState } from "./state.ts";
import { MONGODB_VERSION } from "./version.ts";

const MEBIBYTE = 1024 * 1024;
const ZERO = Int32.of(0);

export const serverStatus: Command = {
  name: "serverStatus",
  help: "returns lots of administrative server statistics",
  run: runServerStatus,
};

function runServerStatus(call: CommandCall, reply: BsonWriter): void {
  const { state, args } = call;
  writeIdentity(state, reply);
  const histograms = histogramsWanted(args.document("opLatencies"));
  const sections: Readonly<Record<string, () => Value>> = {
    asserts: () => asserts(state),
    connections: () => connections(state),
    extra_info: () => BuiltDocument.of({ note: "fields vary by platform", page_faults: int64(0) }),
    globalLock: () => globalLock(state),
    logicalSessionRecordCache: () => BuiltDocument.of({ activeSessionsCount: Int32.of(state.sessions.size) }),
    mem: () => memory(state),
    metrics: () => metrics(state),
    network: () => network(state),
    opLatencies: () => latencies(state, histograms),
    opcounters: () => opcounters(state),
    repl: () => replication(state),
    storageEngine: () => storageEngine(),
  };
  for (const [name, section] of Object.entries(sections)) {
    if (!isExcluded(args.get(name))) reply.value(name, section());
  }
}

/** `{network: 0}` leaves a section out. */
function isExcluded(value: Value): boolean {
  return value === 0 || value === false || (value instanceof Int32 && value.value === 0);
}

function writeIdentity(state: ServerState, reply: BsonWriter): void {
  const { services } = state;
  const nowMs = services.clock.nowMs();
  const uptimeMs = Math.max(0, nowMs - services.startedAtMs);
  reply.value("host", `${services.host.hostname}:${services.port}`);
  reply.value("version", MONGODB_VERSION);
  reply.value("process", services.replicaSet === undefined ? "mongos" : "mongod");
  reply.value("pid", int64(services.processId));
  reply.value("uptime", Math.trunc(uptimeMs / 1000));
  reply.value("uptimeMillis", int64(uptimeMs));
  reply.value("uptimeEstimate", int64(uptimeMs / 1000));
  reply.value("localTime", new UtcDate(nowMs));
}

function asserts({ counters }: ServerState): Document {
  const { user, internal } = counters.asserts;
  return BuiltDocument.of({
    regular: Int32.of(internal),
    warning: ZERO,
    msg: ZERO,
    user: Int32.of(user),
    tripwire: ZERO,
    rollovers: ZERO,
  });
}

function connections(state: ServerState): Document {
  const { counters, topology, operations } = state;
  return BuiltDocument.of({
    current: Int32.of(state.connections),
    available: Int32.of(MAX_CONNECTIONS - state.connections),
    totalCreated: Int32.of(counters.connectionsCreated),
    rejected: Int32.of(counters.connectionsRejected),
    active: Int32.of(operations.size),
    threaded: ZERO,
    exhaustIsMaster: ZERO,
    exhaustHello: Int32.of(topology.waiters),
    awaitingTopologyChanges: Int32.of(topology.waiters),
  });
}

/** There is no global lock; its section tells the running operations. */
function globalLock({ operations, services }: ServerState): Document {
  const running = operations.all();
  const writers = running.filter(({ label }) => label.op === "insert").length;
  const readers = running.filter(({ label }) => label.op === "query" || label.op === "getmore").length;
  return BuiltDocument.of({
    totalTime: int64((services.clock.nowMs() - services.startedAtMs) * 1000),
    currentQueue: BuiltDocument.of({ total: ZERO, readers: ZERO, writers: ZERO }),
    activeClients: BuiltDocument.of({
      total: Int32.of(running.length),
      readers: Int32.of(readers),
      writers: Int32.of(writers),
    }),
  });
}

function memory({ services }: ServerState): Document {
  const usage = services.memoryUsage();
  return BuiltDocument.of({
    bits: Int32.of(64),
    resident: Int32.of(Math.round(usage.residentBytes / MEBIBYTE)),
    virtual: Int32.of(Math.round(usage.virtualBytes / MEBIBYTE)),
    supported: true,
  });
}

function metrics({ cursors, services }: ServerState): Document {
  const open = BuiltDocument.of({ noTimeout: int64(cursors.noTimeoutCount), total: int64(cursors.size) });
  const { passes, deletedDocuments } = services.router.retentionCounts;
  return BuiltDocument.of({
    cursor: BuiltDocument.of({ timedOut: int64(cursors.timedOut), totalOpened: int64(cursors.opened), open }),
    ttl: BuiltDocument.of({ deletedDocuments: int64(deletedDocuments), passes: int64(passes) }),
  });
}

function network({ counters }: ServerState): Document {
  const { bytesIn, bytesOut, physicalBytesIn, physicalBytesOut, requests } = counters.network;
  return BuiltDocument.of({
    bytesIn: int64(bytesIn),
    bytesOut: int64(bytesOut),
    physicalBytesIn: int64(physicalBytesIn),
    physicalBytesOut: int64(physicalBytesOut),
    numRequests: int64(requests),
  });
}

function histogramsWanted(option: Document | undefined): boolean {
  return option?.get("histograms") === true;
}

function latencies({ counters }: ServerState, histograms: boolean): Document {
  return latencyDocument(counters.latencies, histograms);
}

function opcounters({ counters }: ServerState): Document {
  const entries = Object.entries(counters.opcounters).map(([name, count]) => [name, int64(count)] as const);
  return BuiltDocument.of(Object.fromEntries(entries));
}

/** Of a replica set only. */
function replication({ services, topology }: ServerState): Value {
  if (services.replicaSet === undefined) return undefined;
  return BuiltDocument.of({
    topologyVersion: topology.version,
    ...helloFields(services.replicaSet, services, "isWritablePrimary"),
    rbid: Int32.of(1),
  });
}

function storageEngine(): Document {
  return BuiltDocument.of({
    name: "chronogo",
    supportsCommittedReads: true,
    readOnly: false,
    persistent: true,
    backupCursorOpen: false,
  });
}
