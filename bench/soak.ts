/**
 * `deno task soak`: full load, scans and sorts for some minutes on a server with `--memory-limit`, and the curve of its
 * memory: seconds, rows, resident and peak memory, the longest wait for an insert's answer in each stretch.
 */
import { parseArgs } from "node:util";
import { CpuWorkload } from "../tests/data/cpu_workload.ts";
import { memoryOf } from "../tests/support/process_memory.ts";
import { startServerProcess } from "../tests/support/server_process.ts";
import { decodeReply, encodeSequence, WireClient } from "../tests/support/wire_client.ts";

const { values: options } = parseArgs({
  options: {
    "minutes": { type: "string", default: "10" },
    "memory-limit": { type: "string", default: "256MB" },
    "writers": { type: "string", default: "2" },
    "batch": { type: "string", default: "1000" },
    "log-level": { type: "string", default: "info" },
  },
});
const MIB = 2 ** 20;
const DB = "soak";
const HOSTS = 100;
const START_MS = Date.UTC(2024, 0, 1);
const INTERVAL_MS = 10_000;
/** A line of the curve each. */
const STRETCH_MS = 5000;
/** Of the newest data, so much time is sorted: some 100 MB a writer. */
const SORTED_MS = 2500 * INTERVAL_MS;

const endMs = performance.now() + Number(options.minutes) * 60_000;
const batchRows = Number(options.batch);
const totals = { rows: 0, bytes: 0, scans: 0, sorts: 0, sortedRows: 0, longestMs: 0, stretchMs: 0 };
let newestMs = START_MS;

function isOver(): boolean {
  return performance.now() >= endMs;
}

async function write(port: number, writer: number): Promise<void> {
  const client = await WireClient.connect(port);
  const workload = new CpuWorkload({
    hosts: HOSTS,
    firstHost: writer * HOSTS,
    startMs: START_MS,
    intervalMs: INTERVAL_MS,
    seed: writer + 1,
  });
  while (!isOver()) {
    const message = encodeSequence(
      { insert: "cpu", ordered: false, $db: DB },
      "documents",
      workload.next(batchRows).bytes,
    );
    const sentMs = performance.now();
    const reply = decodeReply(await client.roundTrip(message));
    const ms = performance.now() - sentMs;
    if (Number(reply["ok"]) !== 1 || "writeErrors" in reply) throw new Error(JSON.stringify(reply));
    totals.longestMs = Math.max(totals.longestMs, ms);
    totals.stretchMs = Math.max(totals.stretchMs, ms);
    totals.rows += batchRows;
    totals.bytes += message.length;
    newestMs = Math.max(newestMs, workload.timeOf(workload.rowCount));
  }
  client.close();
}

async function scan(port: number): Promise<void> {
  const client = await WireClient.connect(port);
  while (!isOver()) {
    const from = new Date(newestMs - 4 * SORTED_MS);
    await client.documents({
      aggregate: "cpu",
      pipeline: [
        { $match: { timestamp: { $gte: from } } },
        {
          $group: {
            _id: { hour: { $dateTrunc: { date: "$timestamp", unit: "hour" } }, host: "$tags.hostname" },
            mean: { $avg: "$usage_user" },
            last: { $last: "$usage_system" },
          },
        },
      ],
      cursor: {},
      $db: DB,
    });
    totals.scans++;
  }
  client.close();
}

async function sort(port: number): Promise<void> {
  const client = await WireClient.connect(port);
  while (!isOver()) {
    const pipeline = [
      { $match: { timestamp: { $gte: new Date(newestMs - SORTED_MS) } } },
      { $sort: { usage_user: 1, usage_idle: -1 } },
    ];
    let cursor = (await client.must({ aggregate: "cpu", pipeline, cursor: {}, $db: DB }))["cursor"];
    totals.sortedRows += cursor["firstBatch"].length;
    while (String(cursor["id"]) !== "0") {
      cursor = (await client.must({ getMore: cursor["id"], collection: "cpu", $db: DB }))["cursor"];
      totals.sortedRows += cursor["nextBatch"].length;
    }
    totals.sorts++;
  }
  client.close();
}

await using server = await startServerProcess({
  args: ["--memory-limit", options["memory-limit"], "--log-level", options["log-level"]],
});

async function drawCurve(): Promise<void> {
  const startedMs = performance.now();
  let before = 0;
  console.log("seconds      rows    rows/s   raw MB   RSS MB  peak MB  longest insert ms");
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(STRETCH_MS, endMs - performance.now())));
    const { residentBytes, peakBytes } = memoryOf(server.pid);
    const columns = [
      Math.round((performance.now() - startedMs) / 1000),
      totals.rows,
      Math.round((totals.rows - before) / STRETCH_MS * 1000),
      Math.round(totals.bytes / MIB),
      Math.round(residentBytes / MIB),
      Math.round(peakBytes / MIB),
      Math.round(totals.stretchMs),
    ];
    const widths = [7, 10, 10, 9, 9, 9, 19];
    console.log(columns.map((value, i) => String(value).padStart(widths[i]!)).join(""));
    before = totals.rows;
    totals.stretchMs = 0;
  }
}

const client = await WireClient.connect(server.port);
const timeseries = { timeField: "timestamp", metaField: "tags", granularity: "seconds" };
await client.must({ create: "cpu", timeseries, $db: DB });
client.close();
const idle = memoryOf(server.pid).residentBytes;
const writers = Array.from({ length: Number(options.writers) }, (_, i) => write(server.port, i));
await Promise.all([...writers, scan(server.port), sort(server.port), drawCurve()]);
const { peakBytes } = memoryOf(server.pid);
console.log(
  `--memory-limit ${options["memory-limit"]}: idle ${Math.round(idle / MIB)} MB, peak ` +
    `${Math.round(peakBytes / MIB)} MB; ${totals.rows} rows (${Math.round(totals.bytes / MIB)} MB), ` +
    `${totals.scans} scans, ${totals.sorts} sorts of ${totals.sortedRows} rows; ` +
    `longest insert ${Math.round(totals.longestMs)} ms`,
);
if (options["log-level"] === "debug") console.log(server.stderr());
