import assert from "node:assert/strict";
import { serialize } from "bson";
import { CommandError } from "../base/mod.ts";
import { Int32, RawDocument } from "../bson/mod.ts";
import { decodeEffects, DocumentStore } from "../storage/mod.ts";
import { newScanCounters } from "../query/mod.ts";
import { DocumentWriter } from "./document_writer.ts";
import type { UpdateStatement, WriteStatement } from "./write_statement.ts";

const COLLECTION = 7;
const NO_RESERVE = { hold() {}, release() {} };

function raw(value: Record<string, unknown>): RawDocument {
  return new RawDocument(serialize(value));
}

/** A writer over a store in memory whose log is a list; `fail` makes the next append fail. */
function setUp(maxEntryBytes?: number, path = ":memory:") {
  const store = DocumentStore.open(path);
  store.createCollection(COLLECTION);
  const entries: Uint8Array[] = [];
  const failures: (Error | undefined)[] = [];
  const writer = new DocumentWriter(
    store,
    async (effects) => {
      const failure = failures.shift();
      await Promise.resolve();
      if (failure !== undefined) throw failure;
      return entries.push(Uint8Array.from(effects.flatMap((part) => [...part])));
    },
    NO_RESERVE,
    maxEntryBytes,
  );
  const insert = (documents: Record<string, unknown>[], ordered = true) =>
    writer.insert({ id: COLLECTION, namespace: "db.c" }, documents.map(raw), ordered);
  const write = (statements: readonly WriteStatement[], checkpoint = () => Promise.resolve()) => {
    const context = { nowMs: 0, variables: new Map(), checkpoint, counters: newScanCounters() };
    return writer.write({ id: COLLECTION, namespace: "db.c" }, statements, { ordered: true, context });
  };
  /** Commits a client's transaction that inserts documents. */
  const carryOut = (documents: Record<string, unknown>[], collectionId = COLLECTION) => {
    const effects = documents.map((each) => ({ kind: "insert", collectionId, document: raw(each) }) as const);
    return writer.carryOut(effects, { lsid: new Uint8Array(16), txnNumber: ++txnNumber }, 0);
  };
  return { store, writer, entries, failures, insert, write, carryOut };
}

let txnNumber = 0n;

/** The ids of documents that entries of the log insert, entry by entry. */
function idsOf(entries: readonly Uint8Array[]): unknown[][] {
  return entries.map((entry) =>
    decodeEffects(entry).map(({ document }) => (document.get("_id") as Int32).value)
  );
}

function increment(filter: Record<string, unknown>, more: Partial<UpdateStatement> = {}): UpdateStatement {
  return { kind: "update", filter: raw(filter), update: raw({ $inc: { n: 1 } }), ...more };
}

async function idsIn(store: DocumentStore): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const batch of store.scan(COLLECTION, { checkpoint: () => Promise.resolve() })) {
    for (const document of batch) {
      const n = document.get("n");
      ids.push(n instanceof Int32 ? n.value : Number(n));
    }
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
  await writer.checkpoint(() => {});
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

Deno.test("clients' transactions that are committed together are an entry of the log each, and other writes beside them", async () => {
  const { store, entries, insert, carryOut } = setUp();
  await Promise.all([
    insert([{ _id: 1, n: 1.5 }]),
    insert([{ _id: 2, n: 2.5 }]),
    carryOut([{ _id: 3, n: 3.5 }, { _id: 4, n: 4.5 }]),
    carryOut([{ _id: 5, n: 5.5 }]),
    insert([{ _id: 6, n: 6.5 }]),
  ]);
  assert.deepEqual(idsOf(entries), [[1, 2], [3, 4], [5], [6]]);
  assert.deepEqual(await idsIn(store), [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
  assert.equal(store.appliedIndex, 4);
  store.close();
});

Deno.test("of transactions that are committed together, one that does not fit leaves nothing, and the others all", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-writer-" });
  for (const path of [":memory:", `${folder}/documents.sqlite`]) {
    const { store, entries, insert, carryOut } = setUp(undefined, path);
    const first = carryOut([{ _id: 1, n: 1.5 }]);
    const taken = carryOut([{ _id: 2, n: 2.5 }, { _id: 1, n: 3.5 }]);
    const dropped = carryOut([{ _id: 3, n: 3.5 }], COLLECTION + 1);
    const last = insert([{ _id: 2, n: 4.5 }]);
    await assert.rejects(taken, /WriteConflict/);
    await assert.rejects(dropped, /WriteConflict/);
    await first;
    assert.equal((await last).inserted, 1);
    assert.deepEqual(idsOf(entries), [[1], [2]]);
    assert.deepEqual(await idsIn(store), [1.5, 4.5]);
    store.close();
  }
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("where the log takes the first of several entries only, what that holds is done, and nothing else", async () => {
  const { store, entries, failures, insert, carryOut } = setUp();
  const full = new CommandError("OutOfDiskSpace", "the disk is full");
  failures.push(undefined, full, full);
  const first = carryOut([{ _id: 1, n: 1.5 }]);
  const second = carryOut([{ _id: 2, n: 2.5 }]);
  const third = insert([{ _id: 3, n: 3.5 }]);
  await assert.rejects(second, /the disk is full/);
  await assert.rejects(third, /the disk is full/);
  await first;
  assert.deepEqual(await idsIn(store), [1.5]);
  await carryOut([{ _id: 2, n: 4.5 }]);
  assert.deepEqual(idsOf(entries), [[1], [2]]);
  assert.deepEqual(await idsIn(store), [1.5, 4.5]);
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
  await writer.checkpoint(() => {});
  assert.equal(store.durableIndex, 1);
  await writing;
  store.close();
});

Deno.test("a statement sees what the writes before it did, logged or not", async () => {
  const { store, entries, insert, write } = setUp();
  const inserted = insert([{ _id: 1, n: 1.5 }, { _id: 2, n: 2.5 }]);
  const changed = write([
    increment({}, { multi: true }),
    { kind: "delete", filter: raw({ n: { $gt: 3 } }), multi: true },
    increment({ _id: 3 }, { upsert: true }),
    increment({ _id: 3 }),
  ]);
  assert.equal((await inserted).inserted, 2);
  assert.deepEqual((await changed).map(({ matched, modified }) => [matched, modified]), [
    [2, 2],
    [1, 1],
    [0, 0],
    [1, 1],
  ]);
  assert.equal(entries.length, 1);
  assert.deepEqual(await idsIn(store), [2.5, 2]);
  store.close();
});

Deno.test("an update of more than one entry may hold is logged in several, as it goes", async () => {
  const { store, entries, insert, write } = setUp(10_000);
  await insert(Array.from({ length: 1000 }, (_, i) => ({ _id: i, n: 0, text: "x".repeat(50) })));
  const before = entries.length;
  const [all] = await write([increment({}, { multi: true })]);
  assert.deepEqual([all?.matched, all?.modified], [1000, 1000]);
  assert.ok(entries.length - before > 5, `${entries.length - before} entries`);
  assert.deepEqual(new Set(await idsIn(store)), new Set([1]));
  store.close();
});

Deno.test("what fails on a document ends its statement; what was done before stays", async () => {
  const { store, insert, write } = setUp();
  await insert([{ _id: 1, n: 1.5 }, { _id: 2, n: "text" }, { _id: 3, n: 3.5 }]);
  const results = await write([increment({}, { multi: true }), increment({ _id: 1 })]);
  assert.deepEqual(results.map(({ error }) => error?.codeName), ["TypeMismatch"]);
  assert.deepEqual(await idsIn(store), [2.5, NaN, 3.5]);
  store.close();
});

Deno.test("what the log refuses of an update is undone", async () => {
  const { store, failures, insert, write } = setUp();
  await insert([{ _id: 1, n: 1.5 }]);
  failures.push(new CommandError("OutOfDiskSpace", "the disk is full"));
  await assert.rejects(() => write([increment({})]), /the disk is full/);
  assert.deepEqual(await idsIn(store), [1.5]);
  await write([increment({})]);
  assert.deepEqual(await idsIn(store), [2.5]);
  store.close();
});

Deno.test("in a file, a killed statement ends and the writes behind it go on", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-writer-" });
  const store = DocumentStore.open(`${folder}/documents.sqlite`);
  try {
    store.createCollection(COLLECTION);
    let index = 0;
    const writer = new DocumentWriter(store, () => Promise.resolve(++index), NO_RESERVE);
    const collection = { id: COLLECTION, namespace: "db.c" };
    const documents = Array.from({ length: 1000 }, (_, i) => raw({ _id: i, n: 0 }));
    await writer.insert(collection, documents, true);
    let calls = 0;
    const checkpoint = () => {
      if (++calls === 5) return Promise.reject(new CommandError("MaxTimeMSExpired", "too long"));
      return Promise.resolve();
    };
    const context = { nowMs: 0, variables: new Map(), checkpoint, counters: newScanCounters() };
    const options = { ordered: true, context };
    const killed = writer.write(collection, [increment({}, { multi: true })], options);
    const next = writer.write(collection, [increment({ _id: 999 })], options);
    assert.equal((await killed)[0]?.error?.codeName, "MaxTimeMSExpired");
    assert.equal((await next)[0]?.modified, 1);
    const numbers = await idsIn(store);
    assert.ok(numbers[0] === 1 && numbers[500] === 0 && numbers[999] === 1);
  } finally {
    store.close();
    Deno.removeSync(folder, { recursive: true });
  }
});
