/** MongoDB as a peer: a standalone mongod, found as the oracle finds it, journalled writes for the single inserts. */
import { startMongod } from "../tests/support/mongod.ts";
import { WireClient } from "../tests/support/wire_client.ts";
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

export const MONGODB: Peer = { name: "MongoDB 6.0.5", start };

async function start(scenario: Scenario): Promise<Instance> {
  const mongod = await startMongod();
  await createCollections(mongod.port, scenario);
  // From 6.3 on MongoDB makes an index on meta and time itself; TSBS has this one.
  await command(mongod.port, {
    createIndexes: COLLECTION,
    indexes: [{ key: scenario.indexKey, name: "series_and_time" }],
  });
  let client = await WireClient.connect(mongod.port);
  return {
    cpuSeconds: () => cpuSecondsOf(mongod.pid),
    load: (workload, size, progress) => loadOverWire(mongod.port, workload, size, progress),
    async diskBytes() {
      await command(mongod.port, { fsync: 1, $db: "admin" });
      const stats = await command(mongod.port, { collStats: `system.buckets.${COLLECTION}` });
      return {
        data: Number(stats["storageSize"]) + Number(stats["totalIndexSize"]),
        // Each bucket holds ids as one column of many.
        ids: undefined,
        log: folderBytes(`${mongod.dbPath}/journal`),
      };
    },
    async restart() {
      client.close();
      await mongod.restart();
      client = await WireClient.connect(mongod.port);
    },
    ping: () => pingOverWire(client),
    runQuery: (query) => runOverWire(client, query),
    answer: (query) => answerOverWire(client, query),
    insertSingly: (workload, size) => {
      return insertSinglyOverWire(mongod.port, workload, size, { w: 1, j: true });
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await mongod.stop();
    },
  };
}

function folderBytes(path: string): number {
  return [...Deno.readDirSync(path)].reduce(
    (sum, { name }) => sum + Deno.statSync(`${path}/${name}`).size,
    0,
  );
}
