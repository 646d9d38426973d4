import assert from "node:assert/strict";
import { seededRandom } from "../base/mod.ts";
import { BuiltDocument, encodeDocument, RawDocument, type Value } from "../bson/mod.ts";
import { MemoryDisk } from "../io/mod.ts";
import { openNode, PLAIN } from "./node_fixture.ts";
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
