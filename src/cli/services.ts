/** What the commands may know of the world, put together from the settings and the machine's facts. */
import type { Logger, MemoryBudget } from "../base/mod.ts";
import { BuiltDocument, type Document } from "../bson/mod.ts";
import type { Router } from "../cluster/mod.ts";
import type { LogRing, MemoryUsage, Services } from "../command/mod.ts";
import type { Clock } from "../io/mod.ts";
import { addressText, type ListenAddress, localAddress } from "./address.ts";
import type { ServerStart } from "./message.ts";
import { VERSION } from "./version.ts";

/** What the server has opened by the time its commands can run. */
export interface ServiceParts {
  readonly router: Router;
  readonly memory: MemoryBudget;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logRing: LogRing;
  readonly onFatal: (error: unknown) => void;
  /** Names the node for ever. */
  readonly nodeUuid: string;
  /** Where clients connect, once it listens: with the port that it got. */
  readonly mongoAddress: () => ListenAddress;
}

export function makeServices(start: ServerStart, parts: ServiceParts): Services {
  const { settings, host, argv } = start;
  return {
    router: parts.router,
    clock: parts.clock,
    logger: parts.logger,
    version: VERSION,
    startedAtMs: parts.clock.nowMs(),
    processId: Deno.pid,
    nodeUuid: parts.nodeUuid,
    testCommands: Boolean(settings.parameters["enableTestCommands"]),
    get port() {
      return parts.mongoAddress().port;
    },
    replicaSet: settings.replicaSet === undefined
      ? undefined
      : { name: settings.replicaSet, host: () => advertisedText(start, parts.mongoAddress()) },
    host,
    memory: parts.memory,
    memoryUsage,
    // The sandbox does not let the server ask for the file system's size: 0 is "unknown".
    diskUsage: () => ({ usedBytes: 0, totalBytes: 0 }),
    commandLine: { argv: ["chronogo", ...argv], parsed: parsedOptions(start) },
    logLines: parts.logRing,
    onFatal: parts.onFatal,
  };
}

/** Where a client of the replica set is told to connect. */
function advertisedText({ settings, host }: ServerStart, listening: ListenAddress): string {
  const { advertise, mongo } = settings;
  if (advertise !== undefined) return addressText({ ...advertise, port: advertise.port || listening.port });
  return addressText(
    mongo.hostname === "" ? { hostname: host.hostname, port: listening.port } : localAddress(listening),
  );
}

function memoryUsage(): MemoryUsage {
  const { rss, heapUsed } = Deno.memoryUsage();
  return { residentBytes: rss, virtualBytes: rss, heapUsedBytes: heapUsed };
}

/** The settings in force, by the names of the flags. */
function parsedOptions({ settings }: ServerStart): Document {
  return BuiltDocument.of({
    "data-dir": settings.dataDir,
    "mongo-addr": addressText(settings.mongo),
    "http-addr": addressText(settings.http),
    "insecure": settings.insecure,
    "durability": settings.durability,
    "block-compressor": settings.blockCompressor,
    "memory-limit": settings.memoryLimitBytes,
    "log-retention": `${settings.logRetention.bytes},${settings.logRetention.ms / 1000}s`,
    "replica-set": settings.replicaSet,
    "advertise": settings.advertise && addressText(settings.advertise),
    "set-parameter": Object.entries(settings.parameters).map((pair) => pair.join("=")).join(",") || undefined,
    "log-level": settings.logLevel,
    "node-id": settings.nodeId,
    "cluster-id": settings.clusterId,
  });
}
