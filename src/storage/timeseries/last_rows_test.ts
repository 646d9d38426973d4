import assert from "node:assert/strict";
import { Int32, type RawDocument, UtcDate, type Value } from "../../bson/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import type { TimeRange } from "./run.ts";
import { insert, measurement, newCounters, openStoreWithTable, TABLE } from "./store_fixture.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

const SERIES = ["a", "b", "c"];
/** Of each series: the three have five pages. */
const ROWS = 6000;

type Fields = Readonly<Record<string, Value>>;

/** Rows of one series after another, a second apart. */
function rowsOf(fields: (series: string, i: number) => Fields, rows = ROWS): RawDocument[] {
  return SERIES.flatMap((series) =>
    Array.from({ length: rows }, (_, i) => measurement(i * 1000, series, fields(series, i)))
  );
}

async function storeOf(...parts: readonly RawDocument[][]): Promise<TimeseriesStore> {
  const store = await openStoreWithTable(new MemoryDisk());
  for (const [i, documents] of parts.entries()) {
    insert(store, i + 1, documents);
    await store.flush();
  }
  return store;
}

/** The latest value of a field in each series, and how many pages that took. */
async function latest(
  store: TimeseriesStore,
  field: string,
  timeRange?: TimeRange,
): Promise<{ values: Value[]; pages: number }> {
  const counters = newCounters();
  const result = await store.runFragment(TABLE, {
    ...(timeRange && { timeRange }),
    seriesEnds: { earliest: false, latest: true },
    checkpoint: () => Promise.resolve(),
    counters,
    paths: [field.split(".")],
    matches: () => true,
    keysReadMeta: true,
    keys: {
      classOf: (meta) => SERIES.indexOf(String(meta)),
      spanClassOf: () => 0,
      groupOf: (seriesClass) => seriesClass,
      spanOf: () => ({ fromMs: -Infinity, endMs: Infinity }),
    },
    timeOrder: 1,
    outputs: [{
      kind: "last",
      path: 0,
      read: (row) => row.get(field),
      create: () => {
        throw new Error("no value needs it");
      },
    }],
  });
  const values = Array.from({ length: result.groups }, (_, group) => result.result(0, group));
  return { values, pages: counters.pagesRead };
}

Deno.test("last values of all types are read from one block", async () => {
  const store = await storeOf(rowsOf((series, i) => ({
    whole: Int32.of(i % 1000),
    decimal: i / 8,
    text: `${series}${i}`,
    mixed: i % 2 === 0 ? i : `odd ${i}`,
  })));
  const last = ROWS - 1;
  for (
    const [field, values] of [
      ["whole", SERIES.map(() => Int32.of(last % 1000))],
      ["decimal", SERIES.map(() => last / 8)],
      ["text", SERIES.map((series) => `${series}${last}`)],
      ["mixed", SERIES.map(() => `odd ${last}`)],
      ["t", SERIES.map(() => new UtcDate(last * 1000))],
      ["none", SERIES.map(() => null)],
    ] as const
  ) {
    assert.deepEqual(await latest(store, field), { values, pages: 1 }, field);
  }
  const { damages, columns } = await store.verify(TABLE, () => Promise.resolve());
  assert.deepEqual(damages, []);
  assert.ok(columns.some(({ name }) => name === "(last rows)"));
  await store.close();
});

Deno.test("pages are read where last rows do not say it", async () => {
  const v = (_: string, i: number) => ({ v: i });
  const last = ROWS - 1;
  const all = (value: Value) => SERIES.map(() => value);
  const check = async (store: TimeseriesStore, field: string, values: Value[], range?: TimeRange) => {
    const found = await latest(store, field, range);
    assert.deepEqual(found.values, values);
    assert.ok(found.pages > 1, `${found.pages} pages`);
    await store.close();
  };
  // Later rows are not asked for.
  await check(await storeOf(rowsOf(v)), "v", all(3), { fromMs: 0, toMs: 3999 });
  // Two rows have the last time.
  const tied = rowsOf(v).concat(SERIES.map((series) => measurement(last * 1000, series, { v: -1 })));
  await check(await storeOf(tied), "v", all(-1));
  // Some rows have no value; some have a document there, some are kept whole.
  await check(await storeOf(rowsOf((_, i) => i % 7 === 1 ? {} : { v: i })), "v", all(last));
  await check(await storeOf(rowsOf((_, i) => i === 9 ? { v: [1] } : { v: i })), "v.x", all(null));
});

Deno.test("what came later, and what went, counts", async () => {
  const store = await storeOf(
    rowsOf((_, i) => ({ v: i })),
    [measurement(ROWS * 1000, "b", { v: -2 }), measurement(5, "c", { v: -3 })],
  );
  assert.deepEqual((await latest(store, "v")).values, [ROWS - 1, -2, ROWS - 1]);
  const change = await store.beginChange(TABLE);
  const request = { checkpoint: () => Promise.resolve(), counters: newCounters() };
  for await (const batch of change.scan(request)) {
    for (const row of batch) {
      const ms = (row.document.get("t") as UtcDate).ms;
      if (row.document.get("m") === "a" && ms >= (ROWS - 2) * 1000) change.remove(row);
    }
  }
  const { payload, marked } = change.take()!;
  store.applyChange(3, TABLE, payload, marked);
  assert.deepEqual((await latest(store, "v")).values, [ROWS - 3, -2, ROWS - 1]);
  await store.compact(TABLE);
  assert.deepEqual(await latest(store, "v"), { values: [ROWS - 3, -2, ROWS - 1], pages: 1 });
  await store.close();
});

Deno.test("series with few rows, and groups of one page, take nothing more", async () => {
  const store = await storeOf(rowsOf((_, i) => ({ v: i }), 1000));
  const { columns } = await store.verify(TABLE, () => Promise.resolve());
  assert.ok(!columns.some(({ name }) => name === "(last rows)"));
  assert.deepEqual((await latest(store, "v")).values, SERIES.map(() => 999));
  await store.close();
});
