import assert from "node:assert/strict";
import { seededRandom } from "../base/mod.ts";
import { BuiltDocument, encodeDocument, Int32, RawDocument, UtcDate, type Value } from "../bson/mod.ts";
import { MemoryDisk } from "../io/mod.ts";
import { newScanCounters } from "../query/mod.ts";
import { openNode, PLAIN, TIMESERIES } from "./node_fixture.ts";
import { placeCheck } from "./place_check.ts";

const NAMESPACE = { db: "d", collection: "c" };
const INDEX = BuiltDocument.of({ key: BuiltDocument.of({ "at.loc": "2dsphere" }), name: "places" });

function documentOf(fields: Readonly<Record<string, Value>>): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of(fields)));
}

Deno.test("places are looked at through arrays, where the filter of a partial index says so", () => {
  const check = placeCheck([INDEX])!;
  const at = (...locs: Value[]) => BuiltDocument.of({ at: locs.map((loc) => BuiltDocument.of({ loc })) });
  assert.equal(check(at([1, 2], undefined, [])), undefined);
  assert.equal(check(at([1, 2], "x"))?.code, 16755);
  assert.equal(placeCheck([BuiltDocument.of({ key: BuiltDocument.of({ a: 1 }) })]), undefined);
  const partialFilterExpression = BuiltDocument.of({ b: 1 });
  const partial = placeCheck([BuiltDocument.of({ key: INDEX.get("key"), partialFilterExpression })])!;
  assert.equal(partial(BuiltDocument.of({ b: 2, at: BuiltDocument.of({ loc: 5 }) })), undefined);
  assert.match(
    partial(BuiltDocument.of({ b: 1, at: BuiltDocument.of({ loc: 5 }) }))?.message ?? "",
    /loc: 5/,
  );
});

Deno.test("what is no place is kept out, after a restart too", async () => {
  const disk = new MemoryDisk();
  let node = await openNode(disk);
  await node.router.createCollection(NAMESPACE, PLAIN);
  await node.router.createIndexes(NAMESPACE, () => [INDEX], () => Promise.resolve());
  for (let life = 0; life < 2; life++) {
    const place = BuiltDocument.of({ loc: [life, 1] });
    const documents = [{ at: place }, { at: BuiltDocument.of({ loc: [500, 1] }) }].map(documentOf);
    const { inserted, errors } = await node.router.insert(NAMESPACE, documents, true);
    assert.deepEqual([inserted, errors[0]?.error.code], [1, 16755]);
    disk.crash(seededRandom(1));
    node = await openNode(disk);
    assert.equal(node.router.collection(NAMESPACE)?.indexes?.length, 1);
  }
  await node.close();
});

Deno.test("measurements are checked when they are inserted and changed", async () => {
  const disk = new MemoryDisk();
  const node = await openNode(disk);
  await node.router.createCollection(NAMESPACE, TIMESERIES);
  await node.router.createIndexes(NAMESPACE, () => [INDEX], () => Promise.resolve());
  const at = (x: Value) => BuiltDocument.of({ loc: x });
  const rows = [at(5), at([1, 2]), at([500, 1])].map((place, i) =>
    documentOf({ _id: Int32.of(i), t: new UtcDate(i), at: place })
  );
  const { inserted, errors } = await node.router.insert(NAMESPACE, rows, false, { areChecked: false });
  assert.deepEqual([inserted, errors.map(({ index, error }) => [index, error.code])], [
    1,
    [[0, 183934], [2, 167551]],
  ]);
  const update = (place: Value) => ({
    kind: "update" as const,
    filter: BuiltDocument.EMPTY,
    update: BuiltDocument.of({ $set: BuiltDocument.of({ at: at(place) }) }),
    upsert: false,
    multi: true,
  });
  const [refused, done] = await node.router.write(NAMESPACE, [update("x"), update([3, 4])], {
    ordered: false,
    context: {
      nowMs: 0,
      variables: new Map(),
      checkpoint: () => Promise.resolve(),
      counters: newScanCounters(),
    },
  });
  assert.deepEqual([refused?.error?.code, done?.modified], [183934, 1]);
  await node.close();
});
