import assert from "node:assert/strict";
import { MemoryBudget } from "../../base/mod.ts";
import { BsonType, BuiltDocument, Document, encodeDocument, type Value } from "../../bson/mod.ts";
import { viewOf } from "../../column/mod.ts";
import type { MetaColumn, MetaSource } from "./meta_column.ts";
import { PathCache } from "./path_cache.ts";
import { SeriesIndex } from "./series_index.ts";
import { seriesJudge, type SeriesTest } from "./series_judge.ts";
import { SeriesSet } from "./series_set.ts";

const noRest = () => Promise.resolve();

function sourceOf(metas: readonly BuiltDocument[]) {
  const index = new SeriesIndex();
  for (const meta of metas) {
    const bytes = encodeDocument(meta);
    index.numberOf(BsonType.Object, viewOf(bytes), 0, bytes.length);
  }
  const metaColumns = new PathCache<MetaColumn>(new MemoryBudget(1 << 20), 1 << 20);
  return { tableId: 1, index, seriesCount: index.size, metaColumns };
}

function testAt(field: string, test: (value: Value) => boolean): SeriesTest {
  const read = (meta: Value) => meta instanceof Document ? meta.get(field) : undefined;
  return { path: { name: field, fields: [field], read }, compile: () => test };
}

Deno.test("series pass by their values at all paths, each of which is tested once", async () => {
  const source = sourceOf(
    Array.from(
      { length: 100 },
      (_, i) => BuiltDocument.of({ i, rack: i % 5, ...(i % 2 === 0 && { up: true }) }),
    ),
  );
  const asked: Value[] = [];
  const tests = [
    testAt("rack", (value) => asked.push(value) > 0 && value !== 3),
    testAt("up", (value) => value === undefined),
  ];
  const all = SeriesSet.all(100);
  assert.equal(
    await seriesJudge(source, tests, all, noRest),
    undefined,
    "not when a path is asked for first",
  );
  const passes = await seriesJudge(source, tests, all, noRest);
  const passing = Array.from({ length: 100 }, (_, series) => series).filter((series) => passes!(series));
  assert.deepEqual(
    passing,
    Array.from({ length: 100 }, (_, i) => i).filter((i) => i % 5 !== 3 && i % 2 === 1),
  );
  assert.deepEqual(asked.sort(), [0, 1, 2, 3, 4]);
});

Deno.test("few series, and values that have to be read with their metas, are not judged so", async () => {
  const test = testAt("rack", () => true);
  const twice = async (...[source, tests, matched]: [MetaSource, SeriesTest[], SeriesSet]) => {
    await seriesJudge(source, tests, matched, noRest);
    return await seriesJudge(source, tests, matched, noRest);
  };
  const all = SeriesSet.all(100);
  const plain = sourceOf(Array.from({ length: 100 }, (_, i) => BuiltDocument.of({ i, rack: 1 })));
  assert.equal(await twice(plain, [test], SeriesSet.of(Array(10).keys(), 100)), undefined);
  assert.equal(await twice({ ...plain, seriesCount: 20 }, [test], all), undefined);
  assert.equal(await twice(plain, [], all), undefined);
  const lists = sourceOf(Array.from({ length: 100 }, (_, i) => BuiltDocument.of({ i, rack: [1] })));
  assert.equal(await twice(lists, [test], all), undefined);
});
