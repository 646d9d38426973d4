import assert from "node:assert/strict";
import { MemoryBudget } from "../../base/mod.ts";
import { Int32, type Value } from "../../bson/mod.ts";
import { type DiskFile, MemoryDisk, type OpenMode } from "../../io/mod.ts";
import type { TimeRange } from "./run.ts";
import {
  hexOf,
  insert,
  measurement,
  newCounters,
  openStore,
  scanAll,
  TABLE,
  TABLE_OPTIONS,
} from "./store_fixture.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

const SERIES = 30;
/** Of each series: all have six pages. */
const ROWS = 700;

/** A disk that counts reads of segments. */
class CountingDisk extends MemoryDisk {
  reads = 0;

  override open(path: string, mode: OpenMode): DiskFile {
    const file = super.open(path, mode);
    if (mode !== "read" || !path.endsWith(".seg")) return file;
    const readAt = (bytes: Uint8Array, offset: number) => {
      this.reads++;
      return file.readAt(bytes, offset);
    };
    return Object.assign(Object.create(file) as DiskFile, { readAt });
  }
}

/** Rows whose columns have whole numbers, decimals that some rows lack, numbers that grow wide, and texts. */
const DOCUMENTS = Array.from(
  { length: SERIES },
  (_, series) =>
    Array.from({ length: ROWS }, (_, i) =>
      measurement(i * 1000, series, {
        whole: Int32.of((series * i) % 100),
        ...(i % 5 !== 0 && { decimal: i / 8 }),
        wide: Int32.of(series < 20 ? i % 50 : i * 1000),
        text: `text ${i % 3}`,
      })),
).flat();

function seriesRows(series: number) {
  return DOCUMENTS.slice(series * ROWS, (series + 1) * ROWS);
}

async function storeOf(disk: CountingDisk, memoryBytes: number, documents = DOCUMENTS) {
  const store = await openStore(disk, { memory: new MemoryBudget(memoryBytes) });
  await store.createTable(TABLE, TABLE_OPTIONS);
  insert(store, 1, documents);
  await store.flush();
  disk.reads = 0;
  return store;
}

Deno.test("who reads series after series reads the pages of a column together, and gets what is stored", async () => {
  const disk = new CountingDisk();
  const store = await storeOf(disk, 256 << 20);
  const rows = await scanAll(store);
  assert.deepEqual(rows.map(hexOf), DOCUMENTS.map(hexOf));
  assert.equal(disk.reads, 1 + 1, "a header, and all pages of all columns at once");
  disk.reads = 0;
  assert.equal((await scanAll(store)).length, DOCUMENTS.length);
  assert.equal(disk.reads, 0, "the cache has it");
  await store.close();
});

Deno.test("few series read the pages that they are in", async () => {
  const disk = new CountingDisk();
  const store = await storeOf(disk, 256 << 20);
  const rows = await scanAll(store, { seriesFilter: (meta) => meta === 12 || meta === 25 });
  assert.deepEqual(rows.map(hexOf), [...seriesRows(12), ...seriesRows(25)].map(hexOf));
  assert.equal(
    disk.reads,
    1 + 2 * 3,
    "each of the two is in one page of each column, of which some lie near each other",
  );
  await store.close();
});

/** Sums of fields over the rows of some series in a range of time. */
async function sumsOf(
  store: TimeseriesStore,
  fields: readonly string[],
  timeRange: TimeRange,
  seriesFilter: (meta: Value) => boolean,
): Promise<Value[]> {
  const result = await store.runFragment(TABLE, {
    timeRange,
    seriesFilter,
    checkpoint: () => Promise.resolve(),
    counters: newCounters(),
    paths: fields.map((field) => [field]),
    matches: () => true,
    keysReadMeta: false,
    keys: {
      classOf: () => 0,
      spanClassOf: () => 0,
      groupOf: () => 0,
      spanOf: () => ({ fromMs: -Infinity, endMs: Infinity }),
    },
    outputs: fields.map((field, path) => ({
      kind: "sum",
      path,
      read: (row) => row.get(field),
      create: () => {
        throw new Error("no value needs it");
      },
    })),
  });
  return fields.map((_, path) => result.result(path, 0));
}

Deno.test("columns that a query reads all of are read together, with their times and past others", async () => {
  const disk = new CountingDisk();
  const store = await storeOf(disk, 256 << 20);
  const range = { fromMs: 100_000, toMs: 299_999 };
  const isAsked = (meta: Value) => meta === 12 || meta === 25;
  const sums = await sumsOf(store, ["whole", "wide"], range, isAsked);
  const rows = [...seriesRows(12), ...seriesRows(25)].filter((_, i) => i % ROWS >= 100 && i % ROWS < 300);
  const sumOf = (field: string) => rows.reduce((sum, row) => sum + (row.get(field) as Int32).value, 0);
  const numbers = sums.map((sum) => (sum as Int32).value);
  assert.deepEqual(numbers, [sumOf("whole"), sumOf("wide")]);
  assert.equal(disk.reads, 1 + 2, "a header, and what two pages of rows have");
  await store.close();
});

Deno.test("times that cut a series of several pages are read with its columns", async () => {
  const disk = new CountingDisk();
  const documents = Array.from(
    { length: 12_000 },
    (_, i) => measurement((i % 6000) * 1000, Math.floor(i / 6000), { whole: Int32.of(i % 100) }),
  );
  const store = await storeOf(disk, 256 << 20, documents);
  const range = { fromMs: 100_000, toMs: 199_999 };
  const [sum] = await sumsOf(store, ["whole"], range, (meta) => meta === 0);
  assert.equal((sum as Int32).value, 99 * 100 / 2);
  assert.equal(disk.reads, 1 + 1, "a header, and what a page of rows has");
  await store.close();
});

Deno.test("where memory is short, pages are read one by one and come out the same", async () => {
  const disk = new CountingDisk();
  const store = await storeOf(disk, 64 << 10);
  const rows = await scanAll(store);
  assert.deepEqual(rows.map(hexOf), DOCUMENTS.map(hexOf));
  assert.ok(disk.reads >= 6 * 5, `${disk.reads} reads`);
  await store.close();
});
