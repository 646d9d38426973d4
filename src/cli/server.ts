/**
 * The composition of a server: data folder, node, MongoDB port, HTTP port. It runs inside the sandboxed Worker.
 *
 * Start: HTTP first (so that /health answers "starting" from the start), then recovery, then the MongoDB port. Stop is
 * the way back: no new requests, running ones end, data is synced and closed.
 */
import { CommandError, type Logger, type MemoryBudget } from "../base/mod.ts";
import { setBlockCompressor } from "../column/mod.ts";
import { Node } from "../cluster/mod.ts";
import { type LogRing, type Services, setStartParameters } from "../command/mod.ts";
import { HttpServer } from "../http/mod.ts";
import { type Clock, DenoDisk, DenoMemory, TcpNetwork } from "../io/mod.ts";
import { MongoServer } from "../server/mod.ts";
import { CommandWarmUp } from "./command_warm_up.ts";
import { MemoryGovernor } from "./memory_governor.ts";
import { protectionWarning } from "./banner.ts";
import { listenAt } from "./listen.ts";
import type { ServerStart, Started } from "./message.ts";
import { makeServices } from "./services.ts";
import type { Settings } from "./settings.ts";
import { usageError } from "./start_error.ts";
import { VERSION } from "./version.ts";

/** What the Worker gives to the server in it. */
export interface ServerTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logRing: LogRing;
  /** Called when the process must end. */
  readonly onFatal: (error: unknown) => void;
}

/** A server that serves. */
export interface RunningServer {
  readonly started: Started;
  /** Ends what runs, syncs, closes. */
  stop(): Promise<void>;
}

/** What must be closed, in the order in which it was opened. */
type Opened = { readonly name: string; readonly close: () => Promise<void> }[];

/** @throws StartError or DataFolderError for what a person can mend, CorruptionError for damaged data */
export async function startServer(start: ServerStart, tools: ServerTools): Promise<RunningServer> {
  const opened: Opened = [];
  try {
    return await open(start, tools, opened);
  } catch (error) {
    await closeAll(opened, tools.logger);
    throw error;
  }
}

async function open(start: ServerStart, tools: ServerTools, opened: Opened): Promise<RunningServer> {
  const { settings } = start;
  const { clock, logger } = tools;
  const http = await openHttp(start, tools);
  opened.push({ name: "http", close: () => http.close() });

  const governor = new MemoryGovernor({
    limitBytes: settings.memoryLimitBytes,
    memory: new DenoMemory(),
    clock,
    logger: logger.child("memory"),
  });
  opened.push({ name: "memory governor", close: () => Promise.resolve(governor.stop()) });

  setBlockCompressor(settings.blockCompressor);
  const node = await Node.open({
    disk: new DenoDisk(settings.dataDir),
    clock,
    logger: logger.child("node"),
    durability: settings.durability,
    logRetention: settings.logRetention,
    memory: governor.budget,
  });
  opened.push({ name: "node", close: () => node.close() });

  const mongo = await openMongo(start, tools, node, governor.budget);
  opened.push({ name: "mongo", close: () => mongo.stop() });

  const { services, counters } = mongo.state;
  const warmUp = new CommandWarmUp({
    clock,
    logger: logger.child("warm-up"),
    services,
    requests: () => counters.network.requests,
  });
  opened.push({ name: "warm-up", close: () => warmUp.stop() });

  http.setStatus("ok");
  warmUp.start();
  node.startWarmUp();
  return {
    started: { mongo: mongo.address, http: http.address, found: node.summary },
    stop: async () => {
      http.setStatus("stopping");
      await closeAll(opened, logger);
    },
  };
}

function openHttp({ settings }: ServerStart, { clock, logger }: ServerTools): Promise<HttpServer> {
  return listenAt(
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
}

async function openMongo(
  start: ServerStart,
  tools: ServerTools,
  node: Node,
  memory: MemoryBudget,
): Promise<MongoServer> {
  const { settings } = start;
  let mongoAddress = settings.mongo;
  const services = makeServices(start, {
    ...tools,
    router: node.router,
    memory,
    nodeUuid: node.uuid,
    mongoAddress: () => mongoAddress,
  });
  applyParameters(services, settings);
  const warning = protectionWarning(settings.insecure, settings.mongo);
  if (warning !== undefined) tools.logRing.addStartupWarning(warning, tools.clock.nowMs());
  const server = await listenAt(
    "--mongo-addr",
    settings.mongo,
    (hostname, port) =>
      MongoServer.listen({
        network: new TcpNetwork(),
        hostname,
        port,
        insecure: settings.insecure,
        services,
        logger: tools.logger.child("mongo"),
      }),
  );
  mongoAddress = server.address;
  return server;
}

/** @throws StartError where a parameter cannot have its value */
function applyParameters(services: Services, { parameters }: Settings): void {
  try {
    setStartParameters(services, parameters);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw usageError(`--set-parameter: ${error.message}`);
  }
}

/** Closes in reverse order, all of it even when a part fails. @throws the first failure */
async function closeAll(opened: Opened, logger: Logger): Promise<void> {
  const failures: unknown[] = [];
  for (const { name, close } of opened.splice(0).reverse()) {
    logger.debug(`closing ${name}`);
    await close().catch((error) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
