import assert from "node:assert/strict";
import { Binary, BuiltDocument, encodeDocument } from "../bson/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import { collectionToDocument, encodeDropped, EntryKind } from "./entry.ts";
import { MNode } from "./mnode.ts";

function collection(id: number, db: string, name: string, timeseries = false): CollectionInfo {
  return {
    id,
    db,
    collection: name,
    uuid: new Binary(new Uint8Array(16).fill(id), 4),
    ...(timeseries
      ? {
        timeseries: { timeField: "t", metaField: "m", granularity: "minutes", bucketMaxSpanSeconds: 86_400 },
      }
      : {}),
    options: BuiltDocument.of({ validationLevel: "off" }),
  };
}

function create(mnode: MNode, info: CollectionInfo): void {
  const payload = encodeDocument(collectionToDocument(info));
  mnode.apply(mnode.appliedIndex + 1, EntryKind.CollectionCreated, payload);
}

function drop(mnode: MNode, id: number): void {
  mnode.apply(mnode.appliedIndex + 1, EntryKind.CollectionDropped, encodeDropped(id));
}

function names(mnode: MNode): string[] {
  return mnode.databaseNames().flatMap((db) =>
    mnode.collections(db).map((info) => `${db}.${info.collection}`)
  );
}

Deno.test("a collection takes the name of another one, which is gone", () => {
  const mnode = new MNode();
  create(mnode, collection(1, "a", "old"));
  create(mnode, collection(2, "a", "tmp"));
  const renamed = encodeDocument(collectionToDocument(collection(2, "b", "new")));
  assert.deepEqual(mnode.apply(3, EntryKind.CollectionModified, renamed)?.kind, "modified");
  assert.deepEqual(names(mnode), ["a.old", "b.new"]);
  const replacing = encodeDocument(collectionToDocument(collection(2, "a", "old")));
  const change = mnode.apply(4, EntryKind.CollectionModified, replacing);
  assert.ok(change?.kind === "modified" && change.replacedId === 1);
  assert.deepEqual(names(mnode), ["a.old"]);
  assert.equal(mnode.collection({ db: "a", collection: "old" })?.id, 2);
  const restored = new MNode();
  restored.restore(mnode.snapshot());
  assert.deepEqual(names(restored), ["a.old"]);
});

Deno.test("collections are listed by name, databases end with their last collection", () => {
  const mnode = new MNode();
  create(mnode, collection(1, "b", "z"));
  create(mnode, collection(2, "b", "a", true));
  create(mnode, collection(3, "a", "m"));
  assert.deepEqual(names(mnode), ["a.m", "b.a", "b.z"]);
  drop(mnode, 3);
  assert.deepEqual(names(mnode), ["b.a", "b.z"]);
  assert.deepEqual(mnode.databaseNames(), ["b"]);
});

Deno.test("an id is never given twice, also after the collection is gone and a restart", () => {
  const mnode = new MNode();
  create(mnode, collection(1, "a", "x"));
  drop(mnode, 1);
  assert.equal(mnode.nextId, 2);
  const restored = new MNode();
  restored.restore(mnode.snapshot());
  assert.equal(restored.nextId, 2);
});

Deno.test("a snapshot carries the whole state, and entries that it contains change nothing", () => {
  const mnode = new MNode();
  const info = collection(1, "a", "x", true);
  create(mnode, info);
  const restored = new MNode();
  restored.restore(mnode.snapshot());
  assert.equal(restored.apply(1, EntryKind.CollectionDropped, encodeDropped(1)), undefined);
  assert.deepEqual(restored.collection(info)?.timeseries, info.timeseries);
  assert.deepEqual(restored.snapshot(), mnode.snapshot());
  create(restored, collection(2, "a", "y"));
  assert.equal(restored.appliedIndex, 2);
});

Deno.test("options of a collection change, its name and id do not", () => {
  const mnode = new MNode();
  create(mnode, collection(1, "a", "x", true));
  const { timeseries, ...others } = collection(1, "a", "x", true);
  const modified = { ...others, timeseries: { ...timeseries!, expireAfterSeconds: 5 } };
  const payload = encodeDocument(collectionToDocument(modified));
  mnode.apply(2, EntryKind.CollectionModified, payload);
  assert.equal(mnode.collection(modified)?.timeseries?.expireAfterSeconds, 5);
  assert.equal(mnode.collectionById(1)?.timeseries?.expireAfterSeconds, 5);
  drop(mnode, 1);
  mnode.apply(4, EntryKind.CollectionModified, payload);
  assert.deepEqual(names(mnode), [], "a change that comes after the drop changes nothing");
});
