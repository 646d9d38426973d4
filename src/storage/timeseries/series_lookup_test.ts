import assert from "node:assert/strict";
import { MemoryBudget, seededRandom } from "../../base/mod.ts";
import { BsonType, BuiltDocument, encodeDocument, type Value } from "../../bson/mod.ts";
import { ByteWriter, viewOf } from "../../column/mod.ts";
import { PathPostings } from "./path_postings.ts";
import { addPostings, writePostings } from "./posting_list.ts";
import type { SeriesPath } from "./meta_keys.ts";
import { PathCache } from "./path_cache.ts";
import { SeriesIndex } from "./series_index.ts";
import { SeriesSet } from "./series_set.ts";

/** All in a set. */
function membersOf(set: SeriesSet): number[] {
  return Array.from({ length: set.limit }, (_, series) => series).filter((series) => set.has(series));
}

const noRest = () => Promise.resolve();

Deno.test("posting lists of any density give back their series, and take the fewer bytes", () => {
  const random = seededRandom(3);
  for (const share of [0.0005, 0.01, 0.1, 0.5, 1]) {
    const all = Int32Array.from({ length: 20_000 }, (_, i) => i).filter(() => random() < share);
    const list = all.length === 0 ? Int32Array.of(19_999) : all;
    const out = new ByteWriter();
    out.byte(7);
    writePostings(list, 0, list.length, out);
    const found = new SeriesSet(20_000);
    addPostings(out.written(), 1, out.length, found);
    assert.deepEqual(membersOf(found), [...list]);
    assert.ok(out.length <= Math.min(list.length * 3, 20_000 / 8) + 8, `${out.length} bytes at ${share}`);
  }
});

/** Metas are arrays of a number, its last digit, and 100 for even ones; what follows the number are the path's keys. */
const LAST_DIGIT: SeriesPath = {
  name: "digit",
  fields: [],
  missingKey: Uint8Array.of(0),
  visitKeys(meta, visit) {
    for (const key of (meta as Value[]).slice(1)) visit(Uint8Array.of(key as number));
  },
};

function indexOf(count: number): SeriesIndex {
  const index = new SeriesIndex();
  for (let i = 0; i < count; i++) {
    const meta = i % 2 === 0 ? [i, i % 10, 100] : [i, i % 10];
    const bytes = encodeDocument(BuiltDocument.of(Object.fromEntries(meta.entries())));
    index.numberOf(BsonType.Array, viewOf(bytes), 0, bytes.length);
  }
  return index;
}

Deno.test("postings give the series of a key, and of all keys in a range", async () => {
  const index = indexOf(1000);
  const postings = await PathPostings.build(index, LAST_DIGIT, index.size, noRest);
  const all = membersOf(SeriesSet.all(1000));
  const key = new SeriesSet(1000);
  postings.addKey(Uint8Array.of(7), key);
  assert.deepEqual(membersOf(key), all.filter((series) => series % 10 === 7));
  postings.addKey(Uint8Array.of(55), key);
  assert.equal(membersOf(key).length, 100);
  const range = new SeriesSet(1000);
  await postings.addRange(Uint8Array.of(3), Uint8Array.of(5), range, noRest);
  assert.deepEqual(membersOf(range), all.filter((series) => [3, 4].includes(series % 10)));
});

Deno.test("the cache of postings drops what was used longest ago, and all of a table", async () => {
  const index = indexOf(2000);
  const postings = await PathPostings.build(index, LAST_DIGIT, index.size, noRest);
  const budget = new MemoryBudget(postings.memoryBytes * 3);
  const cache = new PathCache(budget, postings.memoryBytes * 2);
  cache.set(1, "a", postings);
  cache.set(1, "b", postings);
  cache.get(1, "a");
  cache.set(11, "a", postings);
  assert.deepEqual([cache.get(1, "a"), cache.get(1, "b"), cache.get(11, "a")], [
    postings,
    undefined,
    postings,
  ]);
  cache.forget(1);
  assert.deepEqual([cache.get(1, "a"), cache.get(11, "a")], [undefined, postings]);
  assert.equal(budget.heldBytes, postings.memoryBytes);
  assert.ok(budget.lease().tryGrow(budget.totalBytes), "they give way to others");
  assert.equal(cache.sizeBytes, 0);
  cache.set(1, "a", postings);
  assert.equal(cache.get(1, "a"), undefined, "nothing is kept where there is no room");
});

Deno.test("a path that is asked for again is known, until its table goes", () => {
  const cache = new PathCache(new MemoryBudget(1000), 1000);
  assert.deepEqual([cache.isNew(1, "a"), cache.isNew(1, "a"), cache.isNew(1, "b")], [true, false, true]);
  assert.ok(cache.isNew(11, "a"));
  cache.forget(1);
  assert.deepEqual([cache.isNew(1, "a"), cache.isNew(11, "a")], [true, false]);
});

Deno.test("a cache that is emptied forgets what was asked for, whether anything was kept or not", () => {
  const budget = new MemoryBudget(1000);
  const cache = new PathCache(budget, 1000);
  assert.deepEqual([cache.isNew(1, "a"), cache.isNew(1, "a")], [true, false]);
  assert.equal(budget.emptyCaches(), 0);
  assert.ok(cache.isNew(1, "a"));
});
