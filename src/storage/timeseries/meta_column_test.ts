import assert from "node:assert/strict";
import { MemoryBudget } from "../../base/mod.ts";
import { BSONSymbol, BuiltDocument, encodeDocument, Int32, type Value } from "../../bson/mod.ts";
import { viewOf } from "../../column/mod.ts";
import { MetaColumn, metaColumnsOf, type MetaPath, type MetaSource } from "./meta_column.ts";
import { PathCache } from "./path_cache.ts";
import { SeriesIndex } from "./series_index.ts";
import { SeriesSet } from "./series_set.ts";

const noRest = () => Promise.resolve();
const HOST: MetaPath = {
  name: "host",
  fields: ["host"],
  read: (meta) => meta instanceof Object && "get" in meta ? meta.get("host") : undefined,
};

function add(index: SeriesIndex, ...hosts: readonly Value[]): void {
  for (const host of hosts) {
    const record = host === undefined ? { other: index.size } : { host, other: index.size };
    const bytes = encodeDocument(BuiltDocument.of(record));
    index.numberOf(3, viewOf(bytes), 0, bytes.length);
  }
}

function sourceOf(index: SeriesIndex): MetaSource {
  const metaColumns = new PathCache<MetaColumn>(new MemoryBudget(1 << 20), 1 << 20);
  return { tableId: 1, index, seriesCount: index.size, metaColumns };
}

function valuesOf(column: MetaColumn, count: number): Value[] {
  return Array.from(column.numbers.subarray(0, count), (number) => column.values[number]);
}

Deno.test("a column has the value of each series, and takes in those that come later", async () => {
  const index = new SeriesIndex();
  const hosts = ["b", "a", undefined, "b", null, "a", "é", true, "é", true];
  add(index, ...hosts);
  const column = new MetaColumn();
  await column.extend(index, HOST, index.size, noRest);
  assert.deepEqual(valuesOf(column, index.size), hosts);
  assert.equal(column.values.length, 6);
  const more = Array.from({ length: 500 }, (_, i) => `host ${i % 50}`);
  add(index, ...more);
  await Promise.all([1, 2].map(() => column.extend(index, HOST, index.size, noRest)));
  assert.deepEqual(valuesOf(column, index.size), [...hosts, ...more]);
  assert.equal(column.values.length, 56);
});

Deno.test("equal values that are not the same, documents and arrays are left to the metas", async () => {
  const symbol = new BSONSymbol("a");
  for (
    const hosts of [[1, Int32.of(1)], ["a", ["b"]], [BuiltDocument.of({ a: 1 })], [0, -0], ["a", symbol], [
      "a\ufffd",
    ]]
  ) {
    const index = new SeriesIndex();
    add(index, ...hosts);
    const source = sourceOf(index);
    for (let round = 0; round < 3; round++) {
      assert.equal(await metaColumnsOf(source, [HOST], undefined, noRest), undefined);
    }
  }
});

Deno.test("a column is built when its path is asked for by many of the series", async () => {
  const index = new SeriesIndex();
  add(index, ..."abcdefgh");
  const source = sourceOf(index);
  const few = SeriesSet.of([0], 8);
  assert.equal(await metaColumnsOf(source, [HOST], few, noRest), undefined);
  const [column] = (await metaColumnsOf(source, [HOST], undefined, noRest))!;
  assert.deepEqual(valuesOf(column!, 8), [..."abcdefgh"]);
  assert.equal(source.metaColumns.sizeBytes, column!.memoryBytes);
  add(index, "i");
  const grown = await metaColumnsOf({ ...source, seriesCount: 9 }, [HOST], undefined, noRest);
  assert.equal(grown![0], column);
  assert.deepEqual(valuesOf(column!, 9), [..."abcdefghi"]);
  assert.equal(source.metaColumns.sizeBytes, column!.memoryBytes);
  assert.equal(await metaColumnsOf(source, [HOST], few, noRest), undefined);
});
