/**
 * ChronoGo inside another Deno program: the same server as the executable's, in the program's own isolate and with the
 * program's own rights.
 */
import {
  DEFAULT_LOG_RETENTION,
  DEFAULT_MEMORY_LIMIT_BYTES,
  Logger,
  type LogLevel,
  SILENT_LOGGER,
} from "../base/mod.ts";
import { LogRing } from "../command/mod.ts";
import { SystemClock } from "../io/mod.ts";
import { addressText, localAddress, parseListenAddress } from "./address.ts";
import { readHost } from "./host.ts";
import type { Found } from "./message.ts";
import { startServer } from "./server.ts";

export interface EmbedOptions {
  /** The data folder; made if need be. One process at a time. */
  readonly dataDir: string;
  /** Where drivers connect, `host:port`; by default a free port on this machine only. */
  readonly mongoAddr?: string;
  /** Where /health answers; by default a free port on this machine only. */
  readonly httpAddr?: string;
  /** Serves peers on other machines without access control. */
  readonly insecure?: boolean;
  /** `commit` (the default): synced before the answer; `interval`: within 100 ms. */
  readonly durability?: "commit" | "interval";
  /**
   * What the whole program's resident memory keeps to, in bytes, as far as it is the server's doing; 1 GB by default.
   * What is resident when the server opens counts as the program's own.
   */
  readonly memoryLimitBytes?: number;
  /** The replica set whose one member the server says that it is; by default it answers as a router. */
  readonly replicaSet?: string;
  /** Gets the server's log, a line at a time; by default nobody does. */
  readonly onLogLine?: (line: string, level: LogLevel) => void;
  /** Called when an invariant of ChronoGo broke; by default the error is thrown, uncaught. */
  readonly onFatal?: (error: unknown) => void;
}

/** A server that serves until it is closed. */
export interface EmbeddedServer {
  /** What a driver connects to: `mongodb://127.0.0.1:27017`. */
  readonly uri: string;
  /** The address of /health and what else is served by HTTP. */
  readonly httpUrl: string;
  readonly found: Found;
  /** Lets running commands finish, syncs, closes. */
  close(): Promise<void>;
}

/**
 * Opens a data folder and serves it.
 *
 * @throws StartError or DataFolderError for what a person can mend, CorruptionError for damaged data
 */
export async function openServer(options: EmbedOptions): Promise<EmbeddedServer> {
  const clock = new SystemClock();
  const logRing = new LogRing();
  const { onLogLine } = options;
  const logger = onLogLine === undefined
    ? SILENT_LOGGER
    : new Logger("server", "debug", (line, level) => onLogLine(line, level), () => clock.nowMs());
  const settings = {
    dataDir: options.dataDir,
    mongo: parseListenAddress(options.mongoAddr ?? "127.0.0.1:0"),
    http: parseListenAddress(options.httpAddr ?? "127.0.0.1:0"),
    insecure: options.insecure ?? false,
    durability: options.durability ?? "commit",
    blockCompressor: "zstd",
    memoryLimitBytes: options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES,
    logRetention: DEFAULT_LOG_RETENTION,
    replicaSet: options.replicaSet,
    advertise: undefined,
    parameters: {},
    logLevel: "debug",
    nodeId: undefined,
    clusterId: undefined,
  } as const;
  const running = await startServer(
    { settings, host: readHost(() => undefined), argv: [] },
    { clock, logger, logRing, onFatal: options.onFatal ?? throwUncaught },
  );
  return {
    uri: `mongodb://${addressText(localAddress(running.started.mongo))}`,
    httpUrl: `http://${addressText(localAddress(running.started.http))}`,
    found: running.started.found,
    close: () => running.stop(),
  };
}

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
