/**
 * `deno task bench:series`: rows a second that a time-series store takes, by the number of series, the share of late
 * rows and where they fall; and how soon the store opens again, and what a series takes in memory.
 *
 * The store alone, in this process: checking, shredding into memtables, writing segments. No log, no socket.
 */
import { Logger } from "../src/base/mod.ts";
import { RawDocument } from "../src/bson/mod.ts";
import { DenoDisk, SystemClock } from "../src/io/mod.ts";
import { TimeseriesStore } from "../src/storage/mod.ts";
import { type Lateness, ROW_BYTES, SensorRows } from "./sensor_rows.ts";

const TABLE = 1;
const BATCH_ROWS = 10_000;
const START_MS = Date.UTC(2025, 0, 1);
const INTERVAL_MS = 10_000;

interface Case {
  readonly sensors: number;
  readonly lateShare: number;
  readonly lateness: Lateness;
}

const CASES: readonly Case[] = [
  ...[100, 10_000, 1_000_000].flatMap((sensors) =>
    [0, 0.01, 0.1, 1].map((lateShare): Case => ({ sensors, lateShare, lateness: "last year" }))
  ),
  ...(["reverse", "random"] as const).flatMap((lateness) =>
    [0.1, 1].map((lateShare): Case => ({ sensors: 10_000, lateShare, lateness }))
  ),
];

function openStore(folder: string): Promise<TimeseriesStore> {
  const clock = new SystemClock();
  const logger = new Logger("bench", "error", console.error, () => clock.nowMs());
  return TimeseriesStore.open({ disk: new DenoDisk(folder), directory: "ts", clock, logger });
}

/** Cells of one line of the table. */
async function measure({ sensors, lateShare, lateness }: Case, rowCount: number): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-bench-" });
  const store = await openStore(folder);
  await store.createTable(TABLE, { timeField: "t", metaField: "tags", spanSeconds: 3600 });
  const rows = new SensorRows({ sensors, startMs: START_MS, intervalMs: INTERVAL_MS, lateShare, lateness });
  let memoryMs = 0;
  let flushMs = 0;
  for (let index = 1; rows.rowCount < rowCount; index++) {
    const bytes = rows.next(BATCH_ROWS);
    const documents = Array.from({ length: BATCH_ROWS }, (_, i) => new RawDocument(bytes, i * ROW_BYTES));
    const startedMs = performance.now();
    const { payload } = store.prepareInsert(TABLE, documents, false);
    if (payload === undefined) throw new Error("no row was accepted");
    store.applyInsert(index, TABLE, payload.slice());
    memoryMs += performance.now() - startedMs;
    if (store.needsFlush() || rows.rowCount >= rowCount) flushMs += await timeOf(() => store.flush());
  }
  await store.close();
  let reopened: TimeseriesStore | undefined;
  const openMs = await timeOf(async () => void (reopened = await openStore(folder)));
  await reopened?.close();
  await Deno.remove(folder, { recursive: true });
  const perSecond = (ms: number) => Math.round(rowCount / ms * 1000 / 1000) * 1000;
  return [
    sensors.toLocaleString("en-US"),
    `${lateShare * 100} %`,
    lateShare === 0 ? "–" : lateness,
    perSecond(memoryMs + flushMs).toLocaleString("en-US"),
    perSecond(memoryMs).toLocaleString("en-US"),
    perSecond(flushMs).toLocaleString("en-US"),
    Math.round(openMs).toString(),
  ];
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function run(rowCount: number): Promise<void> {
  console.log(`${rowCount.toLocaleString("en-US")} rows of ${ROW_BYTES} bytes each\n`);
  console.log(
    "| series | late | where | rows/s | into memory, rows/s | into segments, rows/s | opening, ms |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  for (const each of CASES) console.log(`| ${(await measure(each, rowCount)).join(" | ")} |`);
}

await run(Number(Deno.args[0] ?? 2_000_000));
