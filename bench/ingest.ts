/**
 * `deno task bench:ingest`: what a day of 100 hosts takes on disk, flushed and merged, column by column, and how fast the
 * store takes it, flushes it and merges it. The store alone, without log and wire, on a temporary folder.
 *
 *     deno run --allow-all bench/ingest.ts [days]
 */
import { cpuUsage } from "node:process";
import { Logger } from "../src/base/mod.ts";
import { RawDocument } from "../src/bson/mod.ts";
import { DenoDisk, SystemClock } from "../src/io/mod.ts";
import { Manifest, type SegmentReport, TimeseriesStore, verifySegment } from "../src/storage/mod.ts";
import { CpuWorkload } from "../tests/data/cpu_workload.ts";

const HOSTS = 100;
const INTERVAL_MS = 10_000;
const ROWS_A_DAY = HOSTS * 86_400_000 / INTERVAL_MS;
const BATCH_ROWS = 1000;
const TABLE = 1;
const DIRECTORY = "timeseries";
const OPTIONS = { timeField: "timestamp", metaField: "tags", spanSeconds: 3600 };

/** Seconds of processor time spent: other work on the machine changes them little. */
interface Spent {
  insert: number;
  flush: number;
}

async function load(store: TimeseriesStore, rows: number): Promise<Spent> {
  const workload = new CpuWorkload({
    hosts: HOSTS,
    startMs: Date.UTC(2026, 0, 1),
    intervalMs: INTERVAL_MS,
    seed: 1,
  });
  const spent = { insert: 0, flush: 0 };
  for (let index = 1; workload.rowCount < rows; index++) {
    const documents = documentsIn(workload.next(BATCH_ROWS).bytes);
    spent.insert += seconds(() => {
      const { payload } = store.prepareInsert(TABLE, documents, false);
      store.applyInsert(index, TABLE, payload!.slice());
    });
    if (store.needsFlush()) spent.flush += await secondsOf(() => store.flush());
  }
  spent.flush += await secondsOf(() => store.flush());
  return spent;
}

function documentsIn(bytes: Uint8Array): RawDocument[] {
  const documents: RawDocument[] = [];
  for (let at = 0; at < bytes.length; at += documents.at(-1)!.sizeBytes) {
    documents.push(new RawDocument(bytes, at));
  }
  return documents;
}

function seconds(work: () => void): number {
  const started = cpuUsage();
  work();
  return secondsSince(started);
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = cpuUsage();
  await work();
  return secondsSince(started);
}

function secondsSince(started: { user: number; system: number }): number {
  const { user, system } = cpuUsage(started);
  return (user + system) / 1e6;
}

/** What segments take, by column, in bytes; headers and footers as columns of their own. */
async function sizes(disk: DenoDisk): Promise<{ files: number; bytes: Map<string, number> }> {
  const names = [...Manifest.read(disk, DIRECTORY).manifest.segments.keys()]
    .map((number) => `${String(number).padStart(8, "0")}.seg`);
  const bytes = new Map<string, number>();
  const add = (column: string, count: number) => bytes.set(column, (bytes.get(column) ?? 0) + count);
  for (const name of names) {
    const report: SegmentReport = await verifySegment(disk, `${DIRECTORY}/${name}`);
    let rest = report.sizeBytes;
    for (const { groups } of report.tables) {
      for (const { entry, pages } of groups) {
        add("(headers)", entry.headerBytes);
        add("(index on ids)", entry.idIndexBytes);
        rest -= entry.headerBytes + entry.idIndexBytes;
        for (const { column, sizeBytes } of pages) {
          add(column, sizeBytes);
          rest -= sizeBytes;
        }
      }
    }
    add("(frames and footers)", rest);
  }
  add(
    "(series)",
    disk.exists(`${DIRECTORY}/SERIES`) ? Deno.statSync(disk.absolutePath(`${DIRECTORY}/SERIES`)).size : 0,
  );
  return { files: names.length, bytes };
}

async function print(phase: string, disk: DenoDisk, rows: number): Promise<void> {
  const { files, bytes } = await sizes(disk);
  const total = [...bytes.values()].reduce((sum, count) => sum + count, 0);
  const ids = bytes.get("_id") ?? 0;
  const idIndex = bytes.get("(index on ids)") ?? 0;
  const each = (count: number) => (count / rows).toFixed(3).padStart(7);
  console.log(`\n${phase}: ${files} segments, bytes a row`);
  console.log(`${each(total - ids - idIndex)}  samples and series`);
  console.log(`${each(ids)}  ids`);
  console.log(`${each(idIndex)}  index on ids`);
  for (const [column, count] of [...bytes].sort(([, a], [, b]) => b - a)) {
    if (column !== "_id" && column !== "(index on ids)") console.log(`${each(count)}    ${column}`);
  }
}

const rows = ROWS_A_DAY * Number(Deno.args[0] ?? 1);
const folder = await Deno.makeTempDir({ prefix: "chronogo-ingest-" });
try {
  const clock = new SystemClock();
  const disk = new DenoDisk(folder);
  const merges: string[] = [];
  const logger = new Logger("bench", "debug", (line) => {
    if (line.includes("compacted")) merges.push(line);
  }, () => clock.nowMs());
  const store = await TimeseriesStore.open({ disk, directory: DIRECTORY, clock, logger });
  await store.createTable(TABLE, OPTIONS);
  const { insert, flush } = await load(store, rows);
  const rate = (spent: number) =>
    `${Math.round(rows / spent).toLocaleString("en")} rows a second of processor time`;
  console.log(`${rows.toLocaleString("en")} rows`);
  console.log(`check and insert: ${rate(insert)}`);
  console.log(`flush:            ${rate(flush)}, beside merges`);
  await print("loaded", disk, rows);
  const merge = await secondsOf(() => store.compact(TABLE));
  console.log(`\nmerge:            ${rate(merge)}`);
  await print("merged", disk, rows);
  await store.close();
  for (const line of merges) console.log(line.trim());
} finally {
  await Deno.remove(folder, { recursive: true });
}
