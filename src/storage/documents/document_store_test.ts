import assert from "node:assert/strict";
import { CommandError, CorruptionError } from "../../base/mod.ts";
import {
  BuiltDocument,
  Decimal128,
  encodeDocument,
  Int32,
  ObjectId,
  RawDocument,
  type Value,
} from "../../bson/mod.ts";
import { DocumentStore } from "./document_store.ts";
import type { DoneStatements } from "./done_statements.ts";

const COLLECTION = 5;

function documentOf(id: Value, extra: Readonly<Record<string, Value>> = {}): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of({ _id: id, ...extra })));
}

/** Runs over a store in memory and over one in a file. */
function onEveryStore(name: string, body: (store: DocumentStore) => void | Promise<void>): void {
  Deno.test(`in memory: ${name}`, () => withStore(":memory:", body));
  Deno.test(`in a file: ${name}`, () => withFile((path) => withStore(path, body)));
}

async function withStore(path: string, body: (store: DocumentStore) => void | Promise<void>): Promise<void> {
  const store = DocumentStore.open(path);
  store.createCollection(COLLECTION);
  try {
    await body(store);
  } finally {
    store.close();
  }
}

async function withFile(body: (path: string) => void | Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-documents-" });
  try {
    await body(`${folder}/documents.sqlite`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Inserts and commits; returns the payload that the log would hold. */
function write(store: DocumentStore, index: number, documents: readonly RawDocument[]): Uint8Array {
  store.writer.begin();
  for (const document of documents) assert.equal(store.writer.insert(COLLECTION, document), undefined);
  const payload = joined(store.writer.seal().flatMap(({ effects }) => effects));
  store.writer.commit(index);
  return payload;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const noCheckpoint = () => Promise.resolve();

async function idsOf(store: DocumentStore, ids?: readonly Value[]): Promise<Value[]> {
  const found: Value[] = [];
  const request = ids === undefined ? {} : { ids };
  for await (const batch of store.scan(COLLECTION, { ...request, checkpoint: noCheckpoint })) {
    for (const document of batch) found.push(document.get("_id"));
  }
  return found;
}

onEveryStore("documents come back byte for byte, in order of insertion", async (store) => {
  const ids: Value[] = ["b", "a", new ObjectId(), 1.5, new Int32(-3), true, BuiltDocument.of({ x: "y" })];
  const documents = ids.map((id, i) => documentOf(id, { i, list: [i, "x"] }));
  write(store, 1, documents.slice(0, 4));
  write(store, 2, documents.slice(4));
  const found: Uint8Array[] = [];
  for await (const batch of store.scan(COLLECTION, { checkpoint: noCheckpoint })) {
    found.push(...batch.map(encodeDocument));
  }
  assert.deepEqual(found, documents.map((document) => document.slice()));
  assert.deepEqual(store.get(COLLECTION, "a")?.slice(), documents[1]?.slice());
  assert.equal(store.get(COLLECTION, "c"), undefined);
});

onEveryStore("a view into larger bytes is stored alone", (store) => {
  const one = documentOf("one");
  const bytes = new Uint8Array(one.sizeBytes + 20).fill(7);
  bytes.set(one.slice(), 10);
  write(store, 1, [new RawDocument(bytes, 10)]);
  assert.deepEqual(store.get(COLLECTION, "one")?.slice(), one.slice());
});

onEveryStore(
  "a second document under an equal _id is refused, and the transaction goes on",
  async (store) => {
    write(store, 1, [documentOf(new Int32(1))]);
    store.writer.begin();
    for (const equal of [1, 1n, Decimal128.fromString("1.0")]) {
      assert.equal(store.writer.insert(COLLECTION, documentOf(equal))?.name, "_id_");
    }
    assert.equal(store.writer.insert(COLLECTION, documentOf(2)), undefined);
    assert.equal(
      store.writer.insert(COLLECTION, documentOf(2n))?.name,
      "_id_",
      "also one of the same transaction",
    );
    store.writer.commit(2);
    assert.deepEqual(await idsOf(store), [Int32.of(1), 2]);
  },
);

onEveryStore("nothing is seen before its commit, nor after a rollback", async (store) => {
  write(store, 1, [documentOf("kept"), documentOf("changed", { n: 1 }), documentOf("deleted")]);
  const before = ["kept", "changed", "deleted"];
  for (const ends of ["rollback", "commit"]) {
    store.writer.begin();
    store.writer.insert(COLLECTION, documentOf("new"));
    store.writer.replace(COLLECTION, documentOf("changed", { n: 2, text: "longer" }));
    store.writer.delete(COLLECTION, documentOf("deleted"));
    store.writer.seal();
    assert.deepEqual(await idsOf(store), before);
    assert.equal(store.get(COLLECTION, "new"), undefined);
    assert.equal(store.get(COLLECTION, "changed")?.get("n"), 1);
    assert.equal(store.stats(COLLECTION).count, 3);
    if (ends === "rollback") store.writer.rollback();
    else store.writer.commit(2);
  }
  assert.deepEqual(await idsOf(store), ["kept", "changed", "new"]);
  assert.equal(store.get(COLLECTION, "changed")?.get("n"), 2);
  assert.equal(store.appliedIndex, 2);
  const sizes = ["kept", "new"].map((id) => documentOf(id).sizeBytes);
  const changed = documentOf("changed", { n: 2, text: "longer" }).sizeBytes;
  assert.deepEqual(
    [store.stats(COLLECTION).count, store.stats(COLLECTION).dataBytes],
    [3, sizes[0]! + sizes[1]! + changed],
  );
});

Deno.test("in a file, nobody sees what is being written", async () => {
  await withFile((path) =>
    withStore(path, async (store) => {
      write(store, 1, [documentOf("kept")]);
      store.writer.begin();
      store.writer.insert(COLLECTION, documentOf("new"));
      store.writer.delete(COLLECTION, documentOf("kept"));
      assert.deepEqual(await idsOf(store), ["kept"]);
      store.writer.rollback();
    })
  );
});

Deno.test("in a file, documents are found as they are committed, whatever is being written", async () => {
  await withFile((path) =>
    withStore(path, async (store) => {
      const ids = ["changed", "gone", "kept", "moved", "new"];
      const seen = () => ids.map((id) => store.get(COLLECTION, id)?.get("n"));
      write(store, 1, ["changed", "gone", "kept", "moved"].map((id, n) => documentOf(id, { n })));
      const before = [0, 1, 2, 3, undefined];
      store.writer.begin();
      assert.deepEqual(seen(), before);
      store.writer.replace(COLLECTION, documentOf("changed", { n: 10 }));
      store.writer.insert(COLLECTION, documentOf("new", { n: 14 }));
      assert.deepEqual(seen(), before, "before anything is gone");
      store.writer.delete(COLLECTION, documentOf("gone"));
      store.writer.delete(COLLECTION, documentOf("moved"));
      store.writer.insert(COLLECTION, documentOf("moved", { n: 13 }));
      assert.deepEqual(seen(), before);
      assert.deepEqual(await idsOf(store, ids), ["changed", "gone", "kept", "moved"]);
      store.writer.seal();
      assert.deepEqual(seen(), before, "on its way to the log");
      store.writer.commit(2);
      assert.deepEqual(seen(), [10, undefined, 2, 13, 14]);
      store.writer.begin();
      store.writer.replace(COLLECTION, documentOf("kept", { n: 12 }));
      store.writer.rollback();
      assert.deepEqual(seen(), [10, undefined, 2, 13, 14]);
    })
  );
});

onEveryStore("candidates show what the open transaction wrote", (store) => {
  write(store, 1, [documentOf("a"), documentOf("b"), documentOf("c")]);
  const seen = () =>
    [...store.writer.candidates(COLLECTION, {})].flatMap((batch) =>
      batch.map(({ doc }) => new RawDocument(doc).get("_id"))
    );
  store.writer.begin();
  store.writer.delete(COLLECTION, documentOf("b"));
  store.writer.insert(COLLECTION, documentOf("d"));
  store.writer.replace(COLLECTION, documentOf("a", { n: 1 }));
  assert.deepEqual(seen(), ["a", "c", "d"]);
  const [batch] = [...store.writer.candidates(COLLECTION, { ids: ["a", "b"] })];
  assert.deepEqual(batch?.map(({ doc }) => new RawDocument(doc).get("n")), [1]);
  store.writer.rollback();
});

onEveryStore("replayed effects give what was written", async (store) => {
  const payloads = [write(store, 1, ["a", "b", "c"].map((id) => documentOf(id, { n: 1 })))];
  store.writer.begin();
  store.writer.replace(COLLECTION, documentOf("c", { n: 2 }));
  store.writer.delete(COLLECTION, documentOf("a"));
  store.writer.insert(COLLECTION, documentOf("a", { n: 3 }));
  store.writer.delete(COLLECTION, documentOf("b"));
  payloads.push(joined(store.writer.seal().flatMap(({ effects }) => effects)));
  store.writer.commit(2);
  const copy = DocumentStore.open(":memory:");
  payloads.forEach((payload, i) => copy.writer.replay(i + 1, payload));
  assert.deepEqual(await idsOf(copy), ["c", "a"]);
  for (const id of ["a", "c"]) {
    assert.deepEqual(copy.get(COLLECTION, id)?.slice(), store.get(COLLECTION, id)?.slice());
  }
  assert.deepEqual(copy.stats(COLLECTION).dataBytes, store.stats(COLLECTION).dataBytes);
  copy.close();
});

onEveryStore("a scan for ids gives each of them once, in order of _id", async (store) => {
  write(store, 1, [3, 1, 2, 5].map((id) => documentOf(id)));
  assert.deepEqual(await idsOf(store, [5, 4, Int32.of(1), 1, 3n]), [1, 3, 5]);
  assert.deepEqual(await idsOf(store, []), []);
});

onEveryStore("a backward scan gives the last inserted first, over many batches", async (store) => {
  const count = 3000;
  store.writer.begin();
  for (let i = 0; i < count; i++) store.writer.insert(COLLECTION, documentOf((i * 7919) % count, { i }));
  store.writer.commit(1);
  const seen: Value[] = [];
  for await (const batch of store.scan(COLLECTION, { backward: true, checkpoint: noCheckpoint })) {
    for (const row of batch) seen.push(row.get("i"));
  }
  assert.deepEqual(seen, Array.from({ length: count }, (_, i) => count - 1 - i));
});

onEveryStore("a scan holds nothing between batches: writes and checkpoints go on", async (store) => {
  write(store, 1, Array.from({ length: 2500 }, (_, i) => documentOf(i)));
  const counters = { rowsRead: 0, keysRead: 0 };
  let checkpoints = 0;
  const checkpoint = () => {
    checkpoints++;
    return Promise.resolve();
  };
  const scan = store.scan(COLLECTION, { checkpoint, counters });
  const first = await scan.next();
  assert.ok(!first.done && first.value.length < 2500);
  assert.equal(counters.rowsRead, first.value.length);
  write(store, 2, [documentOf("late")]);
  assert.equal(store.checkpoint(), 2);
  let seen = first.value.length;
  let last: Value;
  for await (const batch of scan) {
    seen += batch.length;
    last = batch.at(-1)?.get("_id");
  }
  assert.equal(seen, 2501);
  assert.equal(last, "late");
  assert.ok(checkpoints >= 3);
});

onEveryStore("large documents make small batches", async (store) => {
  const text = "x".repeat(200_000);
  write(store, 1, [1, 2, 3, 4].map((id) => documentOf(id, { text })));
  const sizes: number[] = [];
  for await (const batch of store.scan(COLLECTION, { checkpoint: noCheckpoint })) sizes.push(batch.length);
  assert.deepEqual(sizes, [2, 2]);
});

onEveryStore("a scan ends with an error when its collection is dropped", async (store) => {
  write(store, 1, Array.from({ length: 2500 }, (_, i) => documentOf(i)));
  const scan = store.scan(COLLECTION, { checkpoint: noCheckpoint });
  await scan.next();
  store.dropCollection(COLLECTION);
  await assert.rejects(scan.next(), { code: 175 });
});

onEveryStore("collections are made and dropped, also around an open transaction", async (store) => {
  store.createCollection(9);
  store.createCollection(9);
  assert.deepEqual(store.collectionIds(), [5, 9]);
  store.writer.begin();
  store.writer.insert(9, documentOf(1));
  store.createCollection(7);
  store.dropCollection(5);
  assert.equal((await store.scan(7, { checkpoint: noCheckpoint }).next()).done, true);
  store.writer.rollback();
  assert.deepEqual(store.collectionIds(), [7, 9]);
  store.writer.begin();
  assert.equal(store.writer.insert(7, documentOf(1)), undefined);
  assert.equal(store.writer.insert(9, documentOf(1)), undefined);
  store.writer.commit(1);
  assert.equal(store.get(7, 1)?.get("_id"), 1);
  store.dropCollection(7);
  store.createCollection(7);
  assert.equal(store.get(7, 1), undefined);
  assert.equal(store.stats(7).count, 0);
});

onEveryStore("counts documents and bytes", (store) => {
  const documents = Array.from({ length: 300 }, (_, i) => documentOf(i, { text: "x".repeat(100) }));
  write(store, 1, documents);
  const { count, dataBytes, storageBytes, indexSizes } = store.stats(COLLECTION);
  const indexBytes = indexSizes.get("_id_")!;
  assert.equal(count, 300);
  assert.equal(dataBytes, documents.reduce((sum, document) => sum + document.sizeBytes, 0));
  assert.ok(storageBytes >= dataBytes && storageBytes < dataBytes * 2);
  assert.ok(indexBytes > 0 && indexBytes < storageBytes);
});

onEveryStore("replays the log's effects, once", async (store) => {
  const source = DocumentStore.open(":memory:");
  source.createCollection(COLLECTION);
  const first = write(source, 3, [documentOf("a"), documentOf("b")]);
  const second = write(source, 5, [documentOf("c")]);
  source.close();
  store.dropCollection(COLLECTION);
  for (let round = 0; round < 2; round++) {
    store.writer.replay(3, first);
    store.writer.replay(5, second);
  }
  assert.deepEqual(await idsOf(store), ["a", "b", "c"]);
  assert.equal(store.appliedIndex, 5);
});

Deno.test("what is committed is there after closing, with counts and order", () =>
  withFile(async (path) => {
    await withStore(path, (store) => {
      write(store, 7, [documentOf("b"), documentOf("a")]);
      assert.equal(store.durableIndex, 0);
      assert.equal(store.checkpoint(), 7);
      write(store, 8, [documentOf("c")]);
      assert.equal(store.durableIndex, 7);
    });
    await withStore(path, async (store) => {
      assert.equal(store.appliedIndex, 8);
      assert.equal(store.durableIndex, 8, "opening makes it durable");
      assert.equal(store.stats(COLLECTION).count, 3);
      write(store, 9, [documentOf("0")]);
      assert.deepEqual(await idsOf(store), ["b", "a", "c", "0"]);
    });
  }));

Deno.test("a file that is not ours, or of another version, is refused", () =>
  withFile(async (path) => {
    Deno.writeTextFileSync(path, "no database at all, but long enough to look at".repeat(100));
    assert.throws(() => DocumentStore.open(path), CorruptionError);
    Deno.removeSync(path);
    const { DatabaseSync } = await import("node:sqlite");
    const foreign = new DatabaseSync(path);
    foreign.exec("CREATE TABLE t (a)");
    foreign.close();
    assert.throws(() => DocumentStore.open(path), /another program/);
    Deno.removeSync(path);
    DocumentStore.open(path).close();
    const later = new DatabaseSync(path);
    later.exec("PRAGMA user_version = 99");
    later.close();
    assert.throws(() => DocumentStore.open(path), /has documents format 99; this program knows 4/);
  }));

Deno.test("a full device fails the write with 14031, and the store goes on", () =>
  withStore(":memory:", async (store) => {
    write(store, 1, [documentOf("kept")]);
    // The only way to a full device without one: SQLite's own limit on the file.
    const { writing } = store as unknown as { writing: { exec(sql: string): void } };
    writing.exec("PRAGMA max_page_count = 20");
    store.writer.begin();
    const fill = () => {
      for (let i = 0; i < 1000; i++) {
        store.writer.insert(COLLECTION, documentOf(i, { text: "x".repeat(1000) }));
      }
    };
    assert.throws(fill, (error) => error instanceof CommandError && error.code === 14031);
    store.writer.rollback();
    assert.deepEqual(await idsOf(store), ["kept"]);
    writing.exec("PRAGMA max_page_count = 100000");
    write(store, 2, [documentOf("works")]);
    assert.deepEqual(await idsOf(store), ["kept", "works"]);
  }));

onEveryStore("statements that were done are known as far as their transactions are committed", (store) => {
  const lsid = new Uint8Array(16).fill(7);
  const done = (txnNumber: bigint, first: number, count: number): DoneStatements => ({
    ...{ lsid, txnNumber, first, count },
    seconds: 1000,
  });
  let index = 0;
  const writeDone = (id: number, ...statements: readonly DoneStatements[]) => {
    store.writer.begin();
    store.writer.insert(COLLECTION, documentOf(id));
    statements.forEach((each) => store.writer.noteDone(each));
    store.writer.seal();
    store.writer.commit(++index);
  };
  assert.equal(store.statements.find(lsid), undefined);
  writeDone(1, done(1n, 0, 3));
  writeDone(2, done(1n, 5, 1));
  assert.deepEqual(store.statements.find(lsid), { txnNumber: 1n, done: [done(1n, 0, 3), done(1n, 5, 1)] });
  store.writer.begin();
  store.writer.insert(COLLECTION, documentOf(3));
  store.writer.noteDone(done(2n, 0, 1));
  store.writer.rollback();
  assert.equal(store.statements.find(lsid)?.txnNumber, 1n);
  writeDone(4, done(2n, 1, 1));
  assert.deepEqual(store.statements.find(lsid), { txnNumber: 2n, done: [done(2n, 1, 1)] });
  store.statements.save([done(1n, 0, 9), { ...done(9n, 0, 1), lsid: new Uint8Array(16) }], 999);
  assert.deepEqual(store.statements.find(lsid), { txnNumber: 2n, done: [done(2n, 1, 1)] });
  assert.equal(store.statements.find(new Uint8Array(16))?.txnNumber, 9n);
  store.statements.save([], 1001);
  assert.equal(store.statements.find(lsid), undefined);
});

Deno.test("a store of before sessions is made one that knows what they did", () => {
  return withFile((path) => {
    const older = DocumentStore.open(path);
    older["writing"].exec(
      "ALTER TABLE collections DROP COLUMN plain_ids; DROP TABLE statements; PRAGMA user_version = 2",
    );
    older.close();
    const store = DocumentStore.open(path);
    assert.equal(store.statements.find(new Uint8Array(16)), undefined);
    store.close();
  });
});
