/** A server over real loopback sockets with arrays for storage, and raw clients for it. */
import { MemoryBudget, SILENT_LOGGER } from "../../src/base/mod.ts";
import { BuiltDocument } from "../../src/bson/mod.ts";
import { LogRing, type Services } from "../../src/command/mod.ts";
import { type Clock, type Network, SystemClock, TcpNetwork } from "../../src/io/mod.ts";
import { MongoServer } from "../../src/server/mod.ts";
import { WireClient } from "../support/wire_client.ts";
import { ArrayRouter } from "./array_router.ts";

export interface TestServer {
  readonly server: MongoServer;
  readonly router: ArrayRouter;
  readonly port: number;
  readonly fatalErrors: unknown[];
}

export interface TestServerOptions {
  readonly network?: Network;
  readonly insecure?: boolean;
  readonly clock?: Clock;
  /** Whether there are fail points. */
  readonly testCommands?: boolean;
}

export function testServices(
  router: ArrayRouter,
  clock: Clock,
  fatalErrors: unknown[] = [],
  testCommands = false,
): Services {
  return {
    router,
    clock,
    logger: SILENT_LOGGER,
    version: "0.0.0-test",
    startedAtMs: clock.nowMs(),
    processId: 1,
    nodeUuid: "00000000-0000-4000-8000-000000000000",
    replicaSet: undefined,
    testCommands,
    port: 27017,
    host: {
      hostname: "test",
      cpuCores: 2,
      cpuArch: "x86_64",
      memoryBytes: 2 ** 30,
      osType: "Linux",
      osName: "test",
      osVersion: "1",
    },
    memory: new MemoryBudget(2 ** 28),
    memoryUsage: () => ({ residentBytes: 2 ** 27, virtualBytes: 2 ** 28, heapUsedBytes: 2 ** 26 }),
    diskUsage: () => ({ usedBytes: 2 ** 30, totalBytes: 2 ** 31 }),
    commandLine: { argv: ["chronogo"], parsed: BuiltDocument.EMPTY },
    logLines: new LogRing(),
    onFatal: (error) => fatalErrors.push(error),
  };
}

export function startTestServer(options: TestServerOptions = {}): TestServer {
  const router = new ArrayRouter();
  const fatalErrors: unknown[] = [];
  const server = MongoServer.listen({
    network: options.network ?? new TcpNetwork(),
    hostname: "127.0.0.1",
    port: 0,
    insecure: options.insecure ?? false,
    services: testServices(
      router,
      options.clock ?? new SystemClock(),
      fatalErrors,
      options.testCommands ?? false,
    ),
    logger: SILENT_LOGGER,
  });
  return { server, router, port: server.address.port, fatalErrors };
}

/** Runs a test against a server of its own and stops both afterwards. */
export async function withServer(
  test: (context: TestServer & { readonly client: WireClient }) => Promise<void>,
  options: TestServerOptions = {},
): Promise<void> {
  const started = startTestServer(options);
  const client = await WireClient.connect(started.port);
  try {
    await test({ ...started, client });
  } finally {
    client.close();
    await started.server.stop(1000);
  }
}

/** Resolves once `condition` holds. @throws Error after some seconds */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`did not happen: ${what}`);
}
