/** Transactions over a store, against a simple model of what they must see: a copy of the documents, and their own writes. */
import assert from "node:assert/strict";
import { CommandError, type Random, seededRandom } from "../../base/mod.ts";
import { BuiltDocument, encodeDocument, encodeIndexKey, Int32, RawDocument } from "../../bson/mod.ts";
import { DocumentStore } from "./document_store.ts";
import type { StoreWriter } from "./store_writer.ts";
import type { DocumentTransaction } from "./document_transaction.ts";
import type { StoredRow } from "./stored_row.ts";

const COLLECTION = 3;
const MAX_BYTES = 1 << 20;
const IDS = 60;

/** By _id: the value of `u`, which is unique, and `v`. */
type Content = ReadonlyMap<number, { readonly u: number; readonly v: readonly number[] }>;

function documentOf(id: number, u: number, v: readonly number[]): RawDocument {
  const values = v.map((number) => Int32.of(number));
  const fields = { _id: Int32.of(id), u: Int32.of(u), v: values.length === 1 ? values[0]! : values };
  return new RawDocument(encodeDocument(BuiltDocument.of(fields)));
}

function specOf(name: string, unique: boolean): RawDocument {
  const key = BuiltDocument.of({ [name]: Int32.of(1) });
  return new RawDocument(
    encodeDocument(BuiltDocument.of({ v: Int32.of(2), key, name, ...(unique && { unique }) })),
  );
}

function openStore(path: string): DocumentStore {
  const store = DocumentStore.open(path);
  store.createCollection(COLLECTION);
  const run = store.writer.buildIndexes(COLLECTION, [specOf("u", true), specOf("v", false)]);
  while (run.next().done !== true);
  return store;
}

function idOfRow({ doc }: StoredRow): number {
  return (new RawDocument(doc).get("_id") as Int32).value;
}

function rowUnder(target: StoreWriter | DocumentTransaction, id: number): StoredRow | undefined {
  for (const rows of target.candidates(COLLECTION, { ids: [Int32.of(id)] })) return rows[0];
  return undefined;
}

/** Everything that a reader can be asked for, compared with what it must be. */
function checkReads(transaction: DocumentTransaction, content: Content, random: Random): void {
  const ids = [...content.keys()].sort((a, b) => a - b);
  const sorted = (found: readonly number[]) => [...found].sort((a, b) => a - b);
  const read = (order: Parameters<DocumentTransaction["candidates"]>[1]) =>
    [...transaction.candidates(COLLECTION, order)].flat().map(idOfRow);
  const forward = read({});
  assert.deepEqual(sorted(forward), ids, "a scan finds each document once");
  assert.deepEqual(read({ backward: true }), forward.toReversed(), "a scan backward is a scan in reverse");
  for (const id of [Math.floor(random() * IDS), ids[0] ?? 0]) {
    assert.deepEqual(read({ ids: [Int32.of(id)] }), content.has(id) ? [id] : [], "by _id");
  }
  const from = Math.floor(random() * 40);
  const to = from + Math.floor(random() * 40);
  const range = { from: encodeIndexKey(Int32.of(from)), to: encodeIndexKey(Int32.of(to)) };
  const inRange = ids.filter((id) => content.get(id)!.v.some((v) => v >= from && v < to));
  for (const backward of [false, true]) {
    const index = { name: "v", ranges: [range], backward, repeats: true };
    const found = read({ index });
    assert.deepEqual(sorted(found), inRange, `by v from ${from} to ${to}`);
    const first = (id: number) => {
      const keys = content.get(id)!.v.filter((v) => v >= from && v < to);
      return backward ? -Math.max(...keys) : Math.min(...keys);
    };
    const keys = found.map(first);
    assert.deepEqual(keys, [...keys].sort((a, b) => a - b), "in the order of the index");
  }
  const us = { from: encodeIndexKey(Int32.of(-1)), to: encodeIndexKey(Int32.of(1 << 30)) };
  const byU = read({ index: { name: "u", ranges: [us], backward: false, repeats: false } });
  assert.deepEqual(byU, ids.toSorted((a, b) => content.get(a)!.u - content.get(b)!.u), "by u");
}

/** Writes of one kind or the other, and what they did to a model. */
class Writes {
  private nextU = 1000;

  constructor(private readonly random: Random) {}

  /** @returns whether it was done; a conflict is none */
  one(
    target: StoreWriter | DocumentTransaction,
    content: Map<number, { u: number; v: readonly number[] }>,
  ): boolean {
    const id = Math.floor(this.random() * IDS);
    const there = content.get(id);
    const v = Array.from({ length: 1 + Math.floor(this.random() * 3) }, () => Math.floor(this.random() * 80));
    const u = this.random() < 0.3 ? Math.floor(this.random() * 20) : this.nextU++;
    const isTaken = [...content].some(([other, value]) => other !== id && value.u === u);
    if (there === undefined) {
      const taken = target.insert(COLLECTION, documentOf(id, u, v));
      assert.equal(taken?.name, isTaken ? "u" : undefined, "an insert meets the keys that it sees");
      if (!isTaken) content.set(id, { u, v });
      return !isTaken;
    }
    const row = rowUnder(target, id)!;
    if (this.random() < 0.3) {
      target.delete(COLLECTION, new RawDocument(row.doc), row);
      content.delete(id);
      return true;
    }
    const taken = target.replace(COLLECTION, documentOf(id, u, v), row);
    assert.equal(taken?.name, isTaken ? "u" : undefined, "a replacement meets the keys that it sees");
    if (!isTaken) content.set(id, { u, v });
    return !isTaken;
  }
}

function ended(): CommandError {
  return new CommandError("NoSuchTransaction", "it has ended");
}

for (const kind of ["in memory", "in a file"]) {
  Deno.test(`${kind}: transactions see their snapshot and their own writes, and the first writer wins`, () => {
    const folder = Deno.makeTempDirSync({ prefix: "chronogo-transactions-" });
    try {
      for (let seed = 1; seed <= 12; seed++) {
        const store = openStore(kind === "in memory" ? ":memory:" : `${folder}/${seed}.sqlite`);
        run(store, seededRandom(seed));
        store.close();
      }
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

function run(store: DocumentStore, random: Random): void {
  const writes = new Writes(random);
  const committed = new Map<number, { u: number; v: readonly number[] }>();
  let index = 0;
  let open: {
    transaction: DocumentTransaction;
    content: Map<number, { u: number; v: readonly number[] }>;
  }[] = [];
  const end = (transaction: DocumentTransaction) => {
    transaction.end(ended());
    open = open.filter((each) => each.transaction !== transaction);
  };
  const begin = (content: Content) => {
    open.push({ transaction: store.openTransactionOfClient(MAX_BYTES), content: new Map(content) });
  };
  for (let step = 0; step < 120; step++) {
    const choice = random();
    const one = open[Math.floor(random() * open.length)];
    if (choice < 0.15 && open.length < 4) {
      begin(committed);
    } else if (choice < 0.5 && one !== undefined) {
      try {
        writes.one(one.transaction, one.content);
      } catch (error) {
        assert.equal((error as CommandError).codeName, "WriteConflict");
        end(one.transaction);
      }
    } else if (choice < 0.6 && one !== undefined) {
      store.writer.begin();
      one.transaction.seal();
      for (const effect of one.transaction.effects) {
        assert.equal(store.writer.carryOut(effect), undefined, "it fits");
        // A snapshot of before a commit that was begun before it.
        if (random() < 0.1 && open.length < 4) begin(committed);
      }
      const isEmpty = store.writer.seal().length === 0;
      if (isEmpty) store.writer.rollback();
      else store.writer.commit(++index);
      // What was committed meanwhile by others stays: nobody else wrote what this one did.
      for (const { document } of one.transaction.effects) {
        const id = (document.get("_id") as Int32).value;
        const now = one.content.get(id);
        if (now === undefined) committed.delete(id);
        else committed.set(id, now);
      }
      end(one.transaction);
    } else if (choice < 0.65 && one !== undefined) {
      end(one.transaction);
    } else {
      store.writer.begin();
      const before = new Map(committed);
      const id = Math.floor(random() * IDS);
      // Writes outside of transactions wait for what is another's; here they give up.
      const row = rowUnder(store.writer, id);
      const next = documentOf(id, 5000 + step, [Math.floor(random() * 80)]);
      const isFree = store.writer.blockedBy(COLLECTION, next) === undefined;
      if (isFree && row === undefined) {
        assert.equal(store.writer.insert(COLLECTION, next), undefined);
        committed.set(id, { u: 5000 + step, v: [(next.get("v") as Int32).value] });
      } else if (isFree && random() < 0.4) {
        store.writer.delete(COLLECTION, next, row);
        committed.delete(id);
      } else if (isFree) {
        assert.equal(store.writer.replace(COLLECTION, next, row), undefined);
        committed.set(id, { u: 5000 + step, v: [(next.get("v") as Int32).value] });
      }
      if (random() < 0.2 && open.length < 4) begin(before);
      if (store.writer.seal().length === 0) store.writer.rollback();
      else store.writer.commit(++index);
      assert.ok(isFree || before.size === committed.size);
    }
    for (const { transaction, content } of open) checkReads(transaction, content, random);
  }
  for (const { transaction } of open) transaction.end(ended());
  assert.equal(store.versions.sizeBytes, 0, "nothing is kept without snapshots");
  const last = store.openTransactionOfClient(MAX_BYTES);
  checkReads(last, committed, random);
  last.end(ended());
}

Deno.test("a snapshot that begins before a commit sees what was there, however much that changes", () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-documents-" });
  for (const kind of ["memory", "file"]) {
    for (const [count, length] of [[3, 1], [64, 1], [200, 1], [3, 5000]] as const) {
      const store = openStore(kind === "memory" ? ":memory:" : `${folder}/${count}-${length}`);
      const all = Array.from({ length: count }, (_, id) => id);
      const longer = (id: number, first: number) =>
        documentOf(id, first + id, Array.from({ length }, () => first));
      store.writer.begin();
      all.forEach((id) => assert.equal(store.writer.insert(COLLECTION, longer(id, 1000)), undefined));
      store.writer.seal();
      store.writer.commit(1);
      store.writer.begin();
      for (const id of all) {
        if (id % 3 === 0) store.writer.delete(COLLECTION, longer(id, 1000));
        else store.writer.replace(COLLECTION, longer(id, 2000));
      }
      assert.equal(store.writer.insert(COLLECTION, documentOf(count, 9000, [1])), undefined);
      const snapshot = store.openTransactionOfClient(MAX_BYTES);
      store.writer.seal();
      store.writer.commit(2);
      const seen = [...all, count].map((id) => snapshot.get(COLLECTION, Int32.of(id))?.get("u"));
      assert.deepEqual(
        seen,
        [...all.map((id) => Int32.of(1000 + id)), undefined],
        `${kind}, ${count}, ${length}`,
      );
      snapshot.end(ended());
      assert.equal(store.versions.sizeBytes, 0);
      store.close();
    }
  }
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("a write outside waits for the transaction that has its document, or its unique key", async () => {
  const store = openStore(":memory:");
  const transaction = store.openTransactionOfClient(MAX_BYTES);
  assert.equal(transaction.insert(COLLECTION, documentOf(1, 7, [1])), undefined);
  assert.equal(store.writer.blockedBy(COLLECTION, documentOf(2, 8, [1])), undefined);
  const byId = store.writer.blockedBy(COLLECTION, documentOf(1, 9, [1]));
  const byKey = store.writer.blockedBy(COLLECTION, documentOf(3, 7, [1]));
  assert.ok(byId instanceof Promise && byKey instanceof Promise);
  transaction.end(ended());
  await Promise.all([byId, byKey]);
  assert.equal(store.writer.blockedBy(COLLECTION, documentOf(1, 7, [1])), undefined);
  assert.throws(() => transaction.insert(COLLECTION, documentOf(4, 4, [1])), /it has ended/);
  assert.deepEqual([transaction.effects, transaction.sizeBytes], [[], 0], "nothing is held");
  store.close();
});

Deno.test("a transaction that writes too much is told", () => {
  const store = openStore(":memory:");
  const transaction = store.openTransactionOfClient(200);
  assert.equal(transaction.insert(COLLECTION, documentOf(1, 1, [1])), undefined);
  assert.throws(() => {
    for (let id = 2; id < 20; id++) transaction.insert(COLLECTION, documentOf(id, id, [1]));
  }, { codeName: "TransactionTooLargeForCache" });
  transaction.end(ended());
  store.close();
});
