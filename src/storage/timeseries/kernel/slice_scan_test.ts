import assert from "node:assert/strict";
import { type Document, Int32, type UtcDate, type Value } from "../../../bson/mod.ts";
import { insert, measurement, newCounters, openStoreWithTable, scanAll, TABLE } from "../store_fixture.ts";
import type { RowCondition } from "./condition.ts";

const SERIES = 300;
const ROWS_OF_EACH = 40;
const LIMIT = 50;

function valueOf(series: number, place: number): number {
  return (series * 7 + place * 13) % 100 - 30;
}

/** As the query room makes it of {v: {$lt: limit}}. */
const BELOW: RowCondition = {
  paths: [["v"]],
  condition: {
    kind: "compare",
    path: 0,
    operator: "$lt",
    number: LIMIT,
    test: (value: Value) => value instanceof Int32 && value.value < LIMIT,
  },
  matches: () => assert.fail("columns decide"),
};

Deno.test("rows of many series that share a page pass a condition by their own values", async () => {
  const store = await openStoreWithTable();
  const documents = Array.from({ length: SERIES * ROWS_OF_EACH }, (_, i) => {
    const series = i % SERIES;
    const place = Math.floor(i / SERIES);
    return measurement(place * 1000, new Int32(series), { v: new Int32(valueOf(series, place)) });
  });
  insert(store, 1, documents);
  await store.flush();
  const passing = await scanAll(store, { condition: BELOW });
  const expected = documents.filter((document) => (document.get("v") as Int32).value < LIMIT).length;
  assert.equal(passing.length, expected);
  let before = -1;
  for (const row of passing) {
    const series = (row.get("m") as Int32).value;
    const place = (row.get("t") as UtcDate).ms / 1000;
    assert.ok(series * ROWS_OF_EACH + place > before, "series by series, each in order of time");
    before = series * ROWS_OF_EACH + place;
    assert.equal((row.get("v") as Int32).value, valueOf(series, place));
  }
});

Deno.test("rows of many series that share a page are those of a range of time, without those that are gone", async () => {
  const store = await openStoreWithTable();
  const rowOf = (series: number, place: number) =>
    measurement(place * 1000, new Int32(series), {
      v: new Int32(valueOf(series, place)),
      text: `${series}-${place}`,
    });
  const documents = Array.from({ length: SERIES }, (_, series) => {
    return Array.from({ length: ROWS_OF_EACH }, (_, place) => rowOf(series, place));
  }).flat();
  insert(store, 1, documents);
  await store.flush();
  const textsOf = (rows: readonly Document[]) => rows.map((row) => row.get("text"));
  const timeRange = { fromMs: 3000, toMs: 25_999 };
  const isIn = (row: Document) =>
    (row.get("t") as UtcDate).ms >= 3000 && (row.get("t") as UtcDate).ms < 26_000;
  const isBelow = (row: Document) => (row.get("v") as Int32).value < LIMIT;
  assert.deepEqual(textsOf(await scanAll(store, { timeRange })), textsOf(documents.filter(isIn)));

  const isGone = (row: Document) => (row.get("v") as Int32).value % 7 === 0;
  const change = await store.beginChange(TABLE);
  for await (const batch of change.scan({ checkpoint: () => Promise.resolve(), counters: newCounters() })) {
    for (const row of batch) if (isGone(row.document)) change.remove(row);
  }
  const { payload, marked } = change.take()!;
  store.applyChange(2, TABLE, payload, marked);
  const left = documents.filter((row) => !isGone(row));
  assert.deepEqual(textsOf(await scanAll(store)), textsOf(left));
  assert.deepEqual(textsOf(await scanAll(store, { timeRange })), textsOf(left.filter(isIn)));
  assert.deepEqual(
    textsOf(await scanAll(store, { timeRange, condition: BELOW })),
    textsOf(left.filter((row) => isIn(row) && isBelow(row))),
  );
});

Deno.test("rows that lack a value pass no comparison that a missing value does not", async () => {
  const store = await openStoreWithTable();
  const documents = Array.from({ length: SERIES }, (_, series) => {
    return Array.from({ length: ROWS_OF_EACH }, (_, place) => {
      // Some series have it everywhere, some nowhere, most here and there.
      const has = series % 10 === 0 || (series % 10 !== 1 && (series * 31 + place * 17) % 11 < 3);
      return measurement(place * 1000, new Int32(series), {
        n: new Int32(series * ROWS_OF_EACH + place),
        ...(has && { v: place % 5 === 0 ? valueOf(series, place) / 2 : new Int32(valueOf(series, place)) }),
      });
    });
  }).flat();
  insert(store, 1, documents);
  await store.flush();
  const numberOf = (value: Value) => value instanceof Int32 ? value.value : value as number;
  for (const limit of [-40, -29.5, 0, 49.5, 80]) {
    const test = (value: Value) => value !== undefined && numberOf(value) < limit;
    const condition: RowCondition = {
      paths: [["v"]],
      condition: { kind: "compare", path: 0, operator: "$lt", number: limit, test },
      matches: () => assert.fail("columns decide"),
    };
    for (const timeRange of [undefined, { fromMs: 7000, toMs: 30_000 }]) {
      const rows = await scanAll(store, { condition, ...(timeRange && { timeRange }) });
      const expected = documents.filter((row) => {
        const { ms } = row.get("t") as UtcDate;
        return test(row.get("v")) &&
          (timeRange === undefined || (ms >= timeRange.fromMs && ms <= timeRange.toMs));
      });
      assert.deepEqual(rows.map((row) => row.get("n")), expected.map((row) => row.get("n")));
    }
  }
});
