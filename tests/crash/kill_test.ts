/**
 * A server process is killed (SIGKILL) and started again on its folder: everything that it acknowledged is there and right.
 * 100 hosts report ten metrics every 10 seconds for a day: 864,000 rows. What must come out is known from a second walk
 * of the seeded generator. Kill -9 leaves the page cache to the system, so this shows recovery, not the syncing itself:
 * that is for the power cuts beside this file.
 */
import assert from "node:assert/strict";
import { CpuWorkload, METRICS } from "../data/cpu_workload.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { decodeReply, type Document, encodeSequence, WireClient } from "../support/wire_client.ts";

const DATABASE = "benchmark";
const COLLECTION = "cpu";
const START_MS = Date.UTC(2024, 0, 1);
const INTERVAL_MS = 10_000;
const ROWS_PER_HOST = 8640;
const BATCH_ROWS = 2000;

function workload(hosts: number, firstHost: number): CpuWorkload {
  return new CpuWorkload({
    hosts,
    firstHost,
    startMs: START_MS,
    intervalMs: INTERVAL_MS,
    seed: 42 + firstHost,
  });
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-crash-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function createCollection(port: number): Promise<void> {
  const client = await WireClient.connect(port);
  await client.must({
    create: COLLECTION,
    timeseries: { timeField: "timestamp", metaField: "tags", granularity: "seconds" },
    $db: DATABASE,
  });
  client.close();
}

/** Inserts the next batch; true when the server acknowledged all of it, false when the connection broke. */
async function insertBatch(client: WireClient, rows: CpuWorkload): Promise<boolean> {
  const { bytes, count } = rows.next(BATCH_ROWS);
  const message = encodeSequence({ insert: COLLECTION, ordered: false, $db: DATABASE }, "documents", bytes);
  let reply: Document;
  try {
    reply = decodeReply(await client.roundTrip(message));
  } catch {
    return false;
  }
  assert.equal(Number(reply["n"]), count, JSON.stringify(reply));
  assert.ok(!("writeErrors" in reply));
  return true;
}

/** Checks the rows of a workload's hosts up to the acknowledged ones; a batch in flight at the kill may be there as well. */
async function checkAcknowledged(
  server: ServerProcess,
  writer: CpuWorkload,
  acknowledged: number,
): Promise<void> {
  const expected = new CpuWorkload(writer.shape);
  expected.advanceTo(acknowledged);
  const client = await WireClient.connect(server.port);
  const hosts = Array.from({ length: writer.shape.hosts }, (_, host) => writer.hostName(host));
  const before = new Date(expected.timeOf(acknowledged));
  const ours = { "tags.hostname": { $in: hosts }, timestamp: { $lt: before } };
  const groups = await client.documents({
    aggregate: COLLECTION,
    pipeline: [{ $match: ours }, {
      $group: { _id: "$tags.hostname", rows: { $sum: 1 }, ...sumsOfMetrics() },
    }],
    cursor: {},
    $db: DATABASE,
  });
  const byHost = new Map(groups.map((group) => [String(group["_id"]), group]));
  for (const [host, name] of hosts.entries()) {
    const group = byHost.get(name);
    assert.equal(Number(group?.["rows"]), acknowledged / hosts.length, `rows of ${name}`);
    for (const [metric, field] of METRICS.entries()) {
      assert.equal(
        Number(group?.[field]),
        expected.sums[host * METRICS.length + metric],
        `${field} of ${name}`,
      );
    }
  }
  await checkNewestRows(client, expected);
  client.close();
}

function sumsOfMetrics(): Document {
  return Object.fromEntries(METRICS.map((metric) => [metric, { $sum: `$${metric}` }]));
}

/** The last acknowledged rows, field by field: those most likely to be lost. */
async function checkNewestRows(client: WireClient, expected: CpuWorkload): Promise<void> {
  const timestamp = new Date(expected.timeOf(expected.rowCount - 1));
  const hosts = Array.from({ length: expected.shape.hosts }, (_, host) => expected.hostName(host));
  const documents = await client.documents({
    find: COLLECTION,
    filter: { timestamp, "tags.hostname": { $in: hosts } },
    $db: DATABASE,
  });
  assert.equal(documents.length, hosts.length);
  for (const document of documents) {
    const host = hosts.indexOf(document["tags"]["hostname"]);
    const values = METRICS.map((metric) => document[metric].value);
    const wanted = expected.values.subarray(host * METRICS.length, (host + 1) * METRICS.length);
    assert.deepEqual(values, [...wanted]);
    assert.deepEqual(Object.keys(document), ["_id", "timestamp", "tags", ...METRICS]);
  }
}

async function countAll(server: ServerProcess): Promise<number> {
  const client = await WireClient.connect(server.port);
  const reply = await client.must({ count: COLLECTION, $db: DATABASE });
  client.close();
  return Number(reply["n"]);
}

Deno.test("864,000 rows are there after a kill right after the last acknowledgement", async () => {
  await withFolder(async (folder) => {
    const dataDir = `${folder}/data`;
    const rows = workload(100, 0);
    const total = 100 * ROWS_PER_HOST;
    {
      await using server = await startServerProcess({ dataDir });
      await createCollection(server.port);
      const client = await WireClient.connect(server.port);
      while (rows.rowCount < total) assert.ok(await insertBatch(client, rows));
      await server.kill9();
      client.close();
    }
    await using server = await startServerProcess({ dataDir });
    assert.equal(await countAll(server), total);
    await checkAcknowledged(server, rows, total);
  });
});

Deno.test("what four writers had acknowledged is there after a kill under load, and the server goes on", async () => {
  await withFolder(async (folder) => {
    const dataDir = `${folder}/data`;
    const writers = [0, 25, 50, 75].map((firstHost) => ({ rows: workload(25, firstHost), acknowledged: 0 }));
    const enough = 25 * 2000;
    {
      await using server = await startServerProcess({ dataDir });
      await createCollection(server.port);
      let killed: Promise<void> | undefined;
      await Promise.all(writers.map(async (writer) => {
        const client = await WireClient.connect(server.port);
        while (await insertBatch(client, writer.rows)) {
          writer.acknowledged = writer.rows.rowCount;
          if (writer.acknowledged >= enough) killed ??= server.kill9();
        }
        client.close();
      }));
      await killed;
    }
    await using server = await startServerProcess({ dataDir });
    const acknowledged = writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
    const count = await countAll(server);
    assert.ok(count >= acknowledged && count <= acknowledged + writers.length * BATCH_ROWS, `${count} rows`);
    for (const writer of writers) await checkAcknowledged(server, writer.rows, writer.acknowledged);

    const client = await WireClient.connect(server.port);
    const later = new CpuWorkload({ ...workload(10, 1000).shape, startMs: START_MS + 86_400_000 });
    assert.ok(await insertBatch(client, later));
    client.close();
    assert.equal(await countAll(server), count + BATCH_ROWS);
  });
});
