/**
 * `deno task bench:ping [ROWS [WORK]]`: how long a ping of one connection takes while another one has the server at work:
 * queries that look at all rows again and again, and inserts; or one of these alone, by how its name begins.
 */
import type { Document } from "bson";
import { METRICS } from "../tests/data/cpu_workload.ts";
import { startServerProcess } from "../tests/support/server_process.ts";
import { encodeCommand, WireClient } from "../tests/support/wire_client.ts";
import { SCENARIOS } from "./scenario.ts";
import { createCollections, loadOverWire, runOverWire } from "./wire_instance.ts";

const HOSTS = 100;
const DEFAULT_ROWS = 864_000;
const BATCH_ROWS = 1000;
const OTHER_COLLECTION = "others";
/** How long pings are sent under each kind of work, and the pause between two. */
const SPAN_MS = 5000;
const PAUSE_MS = 2;

interface Work {
  readonly name: string;
  /** One round of it. */
  readonly run: (client: WireClient, port: number) => Promise<void>;
}

const ofAll = (operator: string): Document =>
  Object.fromEntries(METRICS.map((metric) => [metric, { [operator]: `$${metric}` }]));

function query(name: string, pipeline: readonly Document[]): Work {
  const asked = { name, meaning: name, pipeline, startMs: 0, endMs: 0 };
  return { name, run: (client) => runOverWire(client, asked) };
}

function works(rowCount: number): readonly Work[] {
  return [
    { name: "nothing", run: () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)) },
    query("groups on columns", [{ $group: { _id: null, ...ofAll("$stdDevPop") } }]),
    query("groups on rows", [{ $group: { _id: "$usage_user", ...ofAll("$max") } }]),
    query("a sort of all rows", [{ $sort: { usage_user: 1 } }, { $count: "rows" }]),
    query("a find of all rows", []),
    {
      name: "inserts",
      run: async (_, port) => {
        const size = { hosts: HOSTS, rowCount };
        await loadOverWire(
          port,
          cpu.open(size, 43),
          { rowCount, batchRows: BATCH_ROWS },
          () => {},
          OTHER_COLLECTION,
        );
      },
    },
  ];
}

/** Pings until `isOver`; how long each took, ascending. */
async function pingTimes(client: WireClient, isOver: () => boolean): Promise<Float64Array> {
  const ping = encodeCommand({ ping: 1, $db: "admin" });
  const times: number[] = [];
  while (!isOver()) {
    const startMs = performance.now();
    await client.roundTrip(ping);
    times.push(performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return Float64Array.from(times).sort();
}

/** Cells of one line of the table. */
async function measure(work: Work, port: number): Promise<string[]> {
  const worker = await WireClient.connect(port);
  const pinger = await WireClient.connect(port);
  await work.run(worker, port);
  const endMs = performance.now() + SPAN_MS;
  let rounds = 0;
  let roundsMs = 0;
  let isOver = false;
  const working = (async () => {
    const startMs = performance.now();
    do {
      await work.run(worker, port);
      rounds++;
    } while (performance.now() < endMs);
    roundsMs = performance.now() - startMs;
    isOver = true;
  })();
  const times = await pingTimes(pinger, () => isOver);
  await working;
  worker.close();
  pinger.close();
  const at = (part: number) =>
    (times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN).toFixed(1);
  return [work.name, (roundsMs / rounds).toFixed(0), String(times.length), at(0.5), at(0.99), at(1)];
}

const cpu = SCENARIOS["cpu"]!;
const rowCount = Number(Deno.args[0] ?? DEFAULT_ROWS);
await using server = await startServerProcess();
await createCollections(server.port, cpu, ["rows", OTHER_COLLECTION]);
await loadOverWire(
  server.port,
  cpu.open({ hosts: HOSTS, rowCount }, 42),
  { rowCount, batchRows: BATCH_ROWS },
  () => {},
);
console.log(`${rowCount} rows; a ping every ${PAUSE_MS} ms while the server does`);
console.log("| work | one round, ms | pings | median, ms | p99, ms | longest, ms |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const work of works(rowCount).filter(({ name }) => name.startsWith(Deno.args[1] ?? ""))) {
  console.log(`| ${(await measure(work, server.port)).join(" | ")} |`);
}
