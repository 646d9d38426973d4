/** What a capped collection asks of the store: its first documents go, its tail is followed. */
import assert from "node:assert/strict";
import { BuiltDocument, type Document, encodeDocument, Int32, RawDocument } from "../../bson/mod.ts";
import { DocumentStore } from "./document_store.ts";
import { IN_MEMORY } from "./sqlite.ts";

const ID = 7;

function numbered(n: number): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of({ _id: Int32.of(n) })));
}

const BYTES = numbered(1).sizeBytes;

function numbersOf(rows: readonly Document[]): number[] {
  return rows.map((document) => (document.get("_id") as Int32).value);
}

async function read(store: DocumentStore, tail?: { last: number }): Promise<number[]> {
  const numbers: number[] = [];
  const request = { checkpoint: () => Promise.resolve(), ...(tail === undefined ? {} : { tail }) };
  for await (const rows of store.scan(ID, request)) numbers.push(...numbersOf(rows));
  return numbers;
}

/** Runs a write as the writer does: its effects as the log would hold them, and a commit under the next index. */
function written(store: DocumentStore, write: () => void): Uint8Array {
  store.writer.begin();
  write();
  const parts = store.writer.seal().flatMap(({ effects }) => effects);
  store.writer.commit(store.appliedIndex + 1);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function insertAll(store: DocumentStore, numbers: readonly number[], maxCount: number, maxBytes = Infinity) {
  for (const n of numbers) {
    assert.equal(store.writer.insert(ID, numbered(n)), undefined);
    store.writer.evict(ID, { maxCount, maxBytes });
  }
}

for (const path of [IN_MEMORY, undefined]) {
  const where = path ?? "a file";

  Deno.test(`the first documents go, by number and by bytes, but never the last one: ${where}`, async () => {
    const folder = Deno.makeTempDirSync();
    const store = DocumentStore.open(path ?? `${folder}/store.sqlite`);
    store.createCollection(ID);
    const entry = written(store, () => insertAll(store, [1, 2, 3, 4, 5], 3));
    assert.deepEqual(await read(store), [3, 4, 5]);
    written(store, () => insertAll(store, [6], 100, 2 * BYTES));
    assert.deepEqual(await read(store), [5, 6]);
    written(store, () => insertAll(store, [7], 100, 1));
    assert.deepEqual(await read(store), [7]);
    assert.deepEqual([store.stats(ID).count, store.stats(ID).dataBytes], [1, BYTES]);
    store.writer.begin();
    insertAll(store, [8, 9], 1);
    store.writer.rollback();
    assert.deepEqual(await read(store), [7], "what was taken away comes back with a rollback");
    const replayed = DocumentStore.open(IN_MEMORY);
    replayed.writer.replay(1, entry);
    assert.deepEqual(await read(replayed), [3, 4, 5]);
    replayed.close();
    store.close();
    Deno.removeSync(folder, { recursive: true });
  });

  Deno.test(`a tail goes on where it ended, and fails where that has gone: ${where}`, async () => {
    const folder = Deno.makeTempDirSync();
    const store = DocumentStore.open(path ?? `${folder}/store.sqlite`);
    store.createCollection(ID);
    const tail = { last: 0 };
    assert.deepEqual(await read(store, tail), []);
    written(store, () => insertAll(store, [1, 2], 3));
    assert.deepEqual(await read(store, tail), [1, 2]);
    assert.deepEqual(await read(store, tail), []);
    let told = 0;
    const end = store.watch(ID, () => told++);
    written(store, () => insertAll(store, [3], 3));
    assert.equal(told, 1);
    assert.deepEqual(await read(store, tail), [3]);
    store.writer.begin();
    insertAll(store, [4], 3);
    store.writer.rollback();
    assert.equal(told, 1, "nothing was changed");
    end();
    written(store, () => insertAll(store, [5, 6, 7], 3));
    assert.equal(told, 1);
    await assert.rejects(read(store, tail), { code: 136 });
    store.close();
    Deno.removeSync(folder, { recursive: true });
  });
}
