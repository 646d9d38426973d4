import assert from "node:assert/strict";
import { serialize } from "bson";
import { CommandError } from "../base/mod.ts";
import { RawDocument } from "../bson/mod.ts";
import { DocumentStore } from "../storage/mod.ts";
import { DocumentWriter } from "./document_writer.ts";

const COLLECTION = 7;

function raw(value: Record<string, unknown>): RawDocument {
  return new RawDocument(serialize(value));
}

/** A writer over a store in memory whose log is a list; `fail` makes the next append fail. */
function setUp(maxEntryBytes?: number) {
  const store = DocumentStore.open(":memory:");
  store.createCollection(COLLECTION);
  const entries: number[] = [];
  const failures: Error[] = [];
  const writer = new DocumentWriter(
    store,
    async (effects) => {
      await Promise.resolve();
      const failure = failures.pop();
      if (failure !== undefined) throw failure;
      entries.push(effects.length);
      return entries.length;
    },
    { hold() {}, release() {} },
    maxEntryBytes,
  );
  const insert = (documents: Record<string, unknown>[], ordered = true) =>
    writer.insert({ id: COLLECTION, namespace: "db.c" }, documents.map(raw), ordered);
  return { store, writer, entries, failures, insert };
}

async function idsIn(store: DocumentStore): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const batch of store.scan(COLLECTION, { checkpoint: () => Promise.resolve() })) {
    for (const document of batch) ids.push(Number(document.get("n")));
  }
  return ids;
}

Deno.test("writes that wait together are one entry of the log, each with its own result", async () => {
  const { store, entries, insert } = setUp();
  const results = await Promise.all([
    insert([{ _id: 1, n: 1.5 }]),
    insert([{ _id: 1, n: 2.5 }]),
    insert([{ n: 3.5 }, { n: 4.5 }]),
  ]);
  assert.deepEqual(results.map((result) => result.inserted), [1, 0, 2]);
  assert.equal(results[1]?.errors[0]?.error.code, 11000);
  assert.equal(entries.length, 1);
  assert.deepEqual(await idsIn(store), [1.5, 3.5, 4.5]);
  store.close();
});

Deno.test("more than one entry may hold goes in several, in order, a checkpoint between them or not", async () => {
  const { store, writer, entries, insert } = setUp(100);
  const waiting = [1, 2, 3, 4].map((n) => insert([{ _id: n, n: n + 0.5, text: "x".repeat(30) }]));
  const large = insert([{ _id: 5, n: 5.5, text: "x".repeat(300) }]);
  const duplicate = insert([{ _id: 1, n: 9.5 }]);
  await writer.checkpoint();
  await Promise.all([...waiting, large]);
  assert.equal((await duplicate).inserted, 0);
  assert.ok(entries.length >= 3, `${entries.length} entries`);
  assert.deepEqual(await idsIn(store), [1.5, 2.5, 3.5, 4.5, 5.5]);
  store.close();
});

Deno.test("an ordered insert stops at its first error, an unordered one goes on", async () => {
  const { store, insert } = setUp();
  const documents = [{ _id: 1, n: 1.5 }, { _id: 1, n: 2.5 }, { _id: [1], n: 3.5 }, { _id: 2, n: 4.5 }];
  const ordered = await insert(documents);
  assert.deepEqual([ordered.inserted, ordered.errors.map(({ index }) => index)], [1, [1]]);
  const unordered = await insert(documents, false);
  assert.deepEqual([unordered.inserted, unordered.errors.map(({ error }) => error.code)], [1, [
    11000,
    11000,
    53,
  ]]);
  assert.deepEqual(await idsIn(store), [1.5, 4.5]);
  store.close();
});

Deno.test("what the log refuses is not stored, and the next write goes on", async () => {
  const { store, failures, insert } = setUp();
  failures.push(new CommandError("OutOfDiskSpace", "the disk is full"));
  await assert.rejects(() => insert([{ _id: 1, n: 1.5 }]), /the disk is full/);
  assert.deepEqual(await idsIn(store), []);
  assert.equal((await insert([{ _id: 1, n: 2.5 }])).inserted, 1);
  assert.deepEqual(await idsIn(store), [2.5]);
  store.close();
});

Deno.test("a write to a collection that was dropped meanwhile is answered", async () => {
  const { store, insert } = setUp();
  store.dropCollection(COLLECTION);
  const result = await insert([{ _id: 1 }]);
  assert.equal(result.errors[0]?.error.codeName, "NamespaceNotFound");
  store.close();
});

Deno.test("a checkpoint takes its turn behind the writes before it", async () => {
  const { store, writer, insert } = setUp();
  const writing = insert([{ _id: 1, n: 1.5 }]);
  await writer.checkpoint();
  assert.equal(store.durableIndex, 1);
  await writing;
  store.close();
});
