/**
 * `deno task bench:proportion`: shapes of data that strain a store, and whether its files, memory and disk stay in proportion:
 * one row an hour over ten years in random order; five thousand collections; ten thousand fields, each in few rows.
 *
 * The store alone, in this process: checking, shredding into memtables, segments, merges. No log, no socket. Files and open files
 * are the most at any flush; memory is what the process grew by, after a collection where `--expose-gc` is given.
 */
import { Int32, type ObjectId, serialize } from "bson";
import { Logger, seededRandom } from "../src/base/mod.ts";
import { RawDocument } from "../src/bson/mod.ts";
import { DenoDisk, SystemClock } from "../src/io/mod.ts";
import { TimeseriesStore } from "../src/storage/mod.ts";

const START_MS = Date.UTC(2015, 0, 1);
const HOUR_MS = 3_600_000;
const random = seededRandom(11);

interface Row {
  readonly _id?: ObjectId;
  readonly t: Date;
  readonly [field: string]: unknown;
}

interface Shape {
  readonly name: string;
  readonly tables: number;
  /** Rows between two flushes. */
  readonly flushRows: number;
  /** Each with its table, numbered from 1. */
  readonly rows: () => Iterable<{ readonly table: number; readonly row: Row }>;
}

/** Numbers 0 … count − 1 in random order. */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  return numbers;
}

const SHAPES: readonly Shape[] = [
  {
    name: "one row an hour over ten years, in random order",
    tables: 1,
    flushRows: 600,
    rows: function* () {
      for (const hour of shuffled(10 * 365 * 24)) {
        yield {
          table: 1,
          row: { t: new Date(START_MS + hour * HOUR_MS), tags: "a", v: Math.round(random() * 100) },
        };
      }
    },
  },
  {
    name: "5,000 collections of 80 rows with ten numbers",
    tables: 5000,
    flushRows: 50_000,
    rows: function* () {
      for (let n = 0; n < 400_000; n++) {
        const row: Record<string, unknown> = { t: new Date(START_MS + n * 1000), tags: n % 7 };
        for (let field = 0; field < 10; field++) row[`f${field}`] = new Int32(Math.floor(random() * 100));
        yield { table: n % 5000 + 1, row: row as Row };
      }
    },
  },
  {
    name: "10,000 sparse fields, ten of them in each of 60,000 rows",
    tables: 1,
    flushRows: 6000,
    rows: function* () {
      for (let n = 0; n < 60_000; n++) {
        const row: Record<string, unknown> = {
          t: new Date(START_MS + n * 1000),
          tags: n % 10,
          common: n % 100,
        };
        for (let field = 0; field < 10; field++) {
          row[`sparse${Math.floor(random() * 10_000)}`] = new Int32(field);
        }
        yield { table: 1, row: row as Row };
      }
    },
  },
];

/** Resident memory after a collection, where there is one to ask for. */
function residentBytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().rss;
}

function filesOf(folder: string): { readonly files: number; readonly bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const { name } of Deno.readDirSync(`${folder}/ts`)) {
    files++;
    bytes += Deno.statSync(`${folder}/ts/${name}`).size;
  }
  return { files, bytes };
}

function openFilesBelow(folder: string): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

async function measure(shape: Shape): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-bench-" });
  const clock = new SystemClock();
  const logger = new Logger("bench", "error", console.error, () => clock.nowMs());
  const before = residentBytes();
  const store = await TimeseriesStore.open({ disk: new DenoDisk(folder), directory: "ts", clock, logger });
  const startedMs = performance.now();
  for (let id = 1; id <= shape.tables; id++) {
    await store.createTable(id, { timeField: "t", metaField: "tags", spanSeconds: 3600 });
  }
  const most = { files: 0, open: 0, memory: 0 };
  const look = () => {
    most.files = Math.max(most.files, filesOf(folder).files);
    most.open = Math.max(most.open, openFilesBelow(folder));
    most.memory = Math.max(most.memory, residentBytes() - before);
  };
  let index = 0;
  let rawBytes = 0;
  for (const { table, row } of shape.rows()) {
    const bytes = serialize(row);
    const { payload } = store.prepareInsert(table, [new RawDocument(bytes)], false);
    if (payload === undefined) throw new Error("a row was refused");
    store.applyInsert(++index, table, payload.slice());
    rawBytes += bytes.length;
    if (index % shape.flushRows === 0) {
      look();
      await store.flush();
    }
  }
  await store.flush();
  look();
  const flushed = filesOf(folder);
  for (const id of store.tableIds().slice(0, 20)) await store.compact(id);
  const merged = filesOf(folder);
  const seconds = (performance.now() - startedMs) / 1000;
  await store.close();
  await Deno.remove(folder, { recursive: true });
  const perRow = (bytes: number) => (bytes / index).toFixed(1);
  return [
    shape.name,
    index.toLocaleString("en-US"),
    perRow(rawBytes),
    String(most.files),
    String(most.open),
    `${Math.round(most.memory / 2 ** 20)} MB`,
    perRow(flushed.bytes),
    perRow(merged.bytes),
    seconds.toFixed(1),
  ];
}

console.log(
  "| data | rows | raw, bytes a row | files at most | open at most | memory at most | flushed, bytes a row | merged, bytes a row | seconds |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const shape of SHAPES) console.log(`| ${(await measure(shape)).join(" | ")} |`);
