/** What the composition root hands to the commands: all that they know of the world outside. */
import type { Logger, MemoryBudget } from "../base/mod.ts";
import type { Document } from "../bson/mod.ts";
import type { Router } from "../cluster/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { LogRing } from "./log_ring.ts";

/** Facts about the machine, for `hostInfo`. */
export interface HostFacts {
  readonly hostname: string;
  readonly cpuCores: number;
  /** As MongoDB names it: `x86_64`, `aarch64`. */
  readonly cpuArch: string;
  readonly memoryBytes: number;
  /** `Linux`, `Darwin`, `Windows`. */
  readonly osType: string;
  readonly osName: string;
  readonly osVersion: string;
}

export interface MemoryUsage {
  /** The process's resident memory. */
  readonly residentBytes: number;
  readonly virtualBytes: number;
  readonly heapUsedBytes: number;
}

export interface DiskUsage {
  readonly usedBytes: number;
  readonly totalBytes: number;
}

/** The replica set whose one member the server says that it is. */
export interface ReplicaSetIdentity {
  readonly name: string;
  /** `host:port`, where clients connect. */
  readonly host: () => string;
}

export interface Services {
  readonly router: Router;
  readonly clock: Clock;
  readonly logger: Logger;
  /** ChronoGo's own version. */
  readonly version: string;
  readonly startedAtMs: number;
  readonly processId: number;
  /** Names the node for ever: a UUID. */
  readonly nodeUuid: string;
  /** Undefined where the server answers as a router. */
  readonly replicaSet: ReplicaSetIdentity | undefined;
  /** Whether commands are there that make the server fail, for tests. */
  readonly testCommands: boolean;
  /** The port that clients use, for texts that name the server. */
  readonly port: number;
  readonly host: HostFacts;
  /** Where what clients and their queries hold is counted. */
  readonly memory: MemoryBudget;
  readonly memoryUsage: () => MemoryUsage;
  /** Of the file system that holds the data. */
  readonly diskUsage: () => DiskUsage;
  /** How the server was started, for `getCmdLineOpts`. */
  readonly commandLine: { readonly argv: readonly string[]; readonly parsed: Document };
  /** The last lines of the log, for `getLog`. */
  readonly logLines: LogRing;
  /** Called once when one of ChronoGo's own invariants broke: the process must end. */
  readonly onFatal: (error: unknown) => void;
}
