/** ChronoGo as a peer: the server as a process, as `deno task start` runs it, with its default durability. */
import { type ServerProcess, startServerProcess } from "../tests/support/server_process.ts";
import { type Document, WireClient } from "../tests/support/wire_client.ts";
import type { Instance, Peer } from "./peer.ts";
import type { Scenario } from "./scenario.ts";
import {
  answerOverWire,
  COLLECTION,
  command,
  cpuSecondsOf,
  createCollections,
  insertSinglyOverWire,
  loadOverWire,
  pingOverWire,
  runOverWire,
} from "./wire_instance.ts";

export const CHRONOGO: Peer = { name: "ChronoGo", start };

const LOG_FOLDER = "log";

async function start(scenario: Scenario): Promise<Instance> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-bench-" });
  let server = await startServerProcess({ dataDir: `${folder}/data` });
  await createCollections(server.port, scenario);
  let client = await WireClient.connect(server.port);
  const end = async () => {
    client.close();
    await stop(server);
  };
  const startAgain = async () => {
    server = await startServerProcess({ dataDir: server.dataDir });
    client = await WireClient.connect(server.port);
  };
  return {
    cpuSeconds: () => cpuSecondsOf(server.pid),
    load: (workload, size, progress) => loadOverWire(server.port, workload, size, progress),
    async diskBytes() {
      await command(server.port, { compact: COLLECTION });
      const ids = await bytesOfIds(server.port);
      await end();
      const bytes = { data: 0, ids, log: 0 };
      addFolder(server.dataDir, false, bytes);
      await startAgain();
      return bytes;
    },
    emptyCaches: async () => void await command(server.port, { emptyCaches: 1, $db: "admin" }),
    async restart() {
      await end();
      await startAgain();
    },
    ping: () => pingOverWire(client),
    runQuery: (query) => runOverWire(client, query),
    answer: (query) => answerOverWire(client, query),
    insertSingly: (workload, size) => insertSinglyOverWire(server.port, workload, size, undefined),
    async [Symbol.asyncDispose]() {
      await end();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function stop(server: ServerProcess): Promise<void> {
  const code = await server.stop();
  if (code !== 0) throw new Error(`ChronoGo stopped with ${code}:\n${server.stderr()}`);
}

/** What the column of ids takes in segments. */
async function bytesOfIds(port: number): Promise<number> {
  const stats = await command(port, { collStats: COLLECTION, columns: true });
  const columns: readonly Document[] = stats["timeseries"].columns;
  return Number(columns.find((column) => column["name"] === "_id")?.["storedBytes"] ?? 0);
}

/** Adds up the files below a folder; those below a folder `log` are the log's. */
function addFolder(
  path: string,
  isLog: boolean,
  bytes: { data: number; log: number },
): void {
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) addFolder(`${path}/${name}`, isLog || name === LOG_FOLDER, bytes);
    else bytes[isLog ? "log" : "data"] += Deno.statSync(`${path}/${name}`).size;
  }
}
