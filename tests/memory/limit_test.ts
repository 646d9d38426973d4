/**
 * `--memory-limit` in a real process: data goes in as fast as it can, while others scan, for half a minute or until it is
 * ten times what the process may take of memory; then more rows are sorted than it may hold. The peak is Linux's own
 * figure (VmHWM). `deno task soak` does the same for ten minutes.
 */
import assert from "node:assert/strict";
import { CpuWorkload } from "../data/cpu_workload.ts";
import { memoryOf } from "../support/process_memory.ts";
import { startServerProcess } from "../support/server_process.ts";
import { decodeReply, type Document, encodeSequence, WireClient } from "../support/wire_client.ts";

const LIMIT_BYTES = 256 * 2 ** 20;
const LOAD_BYTES = 10 * LIMIT_BYTES;
/** The load ends then, unless there is too little yet to be sorted. */
const LOAD_MS = 30_000;
const WRITERS = 2;
const HOSTS = 100;
const BATCH_ROWS = 1000;
const START_MS = Date.UTC(2024, 0, 1);
const INTERVAL_MS = 10_000;
/** Times of all hosts, together some 290 MB of rows. */
const SORTED_TIMES = 3600;
const SCAN_PAUSE_MS = 2000;
const DB = "memory";

Deno.test("a load, scans and a sort, all larger than the limit, stay within it", async () => {
  await using server = await startServerProcess({ args: ["--memory-limit", "256MB"] });
  const client = await WireClient.connect(server.port);
  const timeseries = { timeField: "timestamp", metaField: "tags", granularity: "seconds" };
  await client.must({ create: "cpu", timeseries, $db: DB });
  let loading = true;
  const loads = Promise.all(Array.from({ length: WRITERS }, (_, writer) => load(server.port, writer)))
    .finally(() => loading = false);
  while (loading) {
    await scan(client);
    await new Promise((resolve) => setTimeout(resolve, SCAN_PAUSE_MS));
  }
  const loaded = await loads;
  const rows = loaded.reduce((sum, { count }) => sum + count, 0);
  const longestMs = Math.max(...loaded.map((each) => each.longestMs));
  assert.equal(Number((await client.must({ count: "cpu", $db: DB }))["n"]), rows);
  const afterLoad = memoryOf(server.pid).peakBytes;
  assert.equal(await sortedRows(client), SORTED_TIMES * HOSTS * WRITERS);
  const { peakBytes } = memoryOf(server.pid);
  client.close();
  assert.deepEqual([...Deno.readDirSync(`${server.dataDir}/spill`)], [], "the sort's files are gone");
  assert.equal(await server.stop(), 0);
  const figures =
    `the peak was ${afterLoad / 2 ** 20} MB in the load of ${rows} rows, ${
      peakBytes / 2 ** 20
    } MB at the end; ` +
    `the longest insert took ${Math.round(longestMs)} ms`;
  console.log(figures);
  assert.ok(peakBytes <= LIMIT_BYTES, figures);
});

interface Loaded {
  readonly count: number;
  /** The longest wait for an insert's answer. */
  readonly longestMs: number;
}

async function load(port: number, writer: number): Promise<Loaded> {
  const client = await WireClient.connect(port);
  const shape = { hosts: HOSTS, firstHost: writer * HOSTS, startMs: START_MS, intervalMs: INTERVAL_MS };
  const workload = new CpuWorkload({ ...shape, seed: writer + 1 });
  const endMs = performance.now() + LOAD_MS;
  let bytes = 0;
  let longestMs = 0;
  while (
    bytes < LOAD_BYTES / WRITERS && (workload.rowCount < SORTED_TIMES * HOSTS || performance.now() < endMs)
  ) {
    const rows = workload.next(BATCH_ROWS).bytes;
    const message = encodeSequence({ insert: "cpu", ordered: false, $db: DB }, "documents", rows);
    const sentMs = performance.now();
    const reply = decodeReply(await client.roundTrip(message));
    longestMs = Math.max(longestMs, performance.now() - sentMs);
    assert.deepEqual([Number(reply["ok"]), Number(reply["n"])], [1, BATCH_ROWS]);
    bytes += rows.length;
  }
  client.close();
  return { count: workload.rowCount, longestMs };
}

/** All rows once, grouped on columns, and the first rows of a host as documents. */
async function scan(client: WireClient): Promise<void> {
  const pipeline = [{ $group: { _id: "$tags.hostname", rows: { $sum: 1 }, mean: { $avg: "$usage_user" } } }];
  await client.documents({ aggregate: "cpu", pipeline, cursor: {}, $db: DB });
  const find = { find: "cpu", filter: { "tags.hostname": "host_7" }, batchSize: 1000, $db: DB };
  const { cursor } = await client.must(find);
  await client.must({ killCursors: "cpu", cursors: [cursor["id"]], $db: DB });
}

/** Reads a sort to its end and checks the order. @returns how many rows came */
async function sortedRows(client: WireClient): Promise<number> {
  const end = new Date(START_MS + SORTED_TIMES * INTERVAL_MS);
  const pipeline = [{ $match: { timestamp: { $lt: end } } }, { $sort: { usage_user: 1 } }];
  let { cursor }: Document = await client.must({ aggregate: "cpu", pipeline, cursor: {}, $db: DB });
  let count = 0;
  let last = -Infinity;
  for (let batch = cursor["firstBatch"]; batch !== undefined; batch = cursor["nextBatch"]) {
    for (const row of batch) {
      assert.ok(Number(row["usage_user"]) >= last);
      last = Number(row["usage_user"]);
      count++;
    }
    if (String(cursor["id"]) === "0") break;
    ({ cursor } = await client.must({ getMore: cursor["id"], collection: "cpu", $db: DB }));
  }
  return count;
}
