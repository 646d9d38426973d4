/** Rows of keys alone are what the documents' fields are, whatever was written meanwhile, and by whom. */
import assert from "node:assert/strict";
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Document,
  encodeDocument,
  Int32,
  isNumber,
  RawDocument,
  type Value,
} from "../../bson/mod.ts";
import type { DocumentScanRequest, IndexOrder } from "./collection_scan.ts";
import { DocumentStore } from "./document_store.ts";
import { ID_INDEX_NAME } from "./id_index.ts";
import { indexFields } from "./index_definition.ts";

const COLLECTION = 3;
const KEY = BuiltDocument.of({ a: Int32.of(1), "n.x": Int32.of(-1), "n.y": Int32.of(1) });
const SPEC = new RawDocument(encodeDocument(BuiltDocument.of({ key: KEY, name: "axy" })));
const ID_KEY = BuiltDocument.of({ _id: Int32.of(1) });
const ALL = { from: new Uint8Array(), to: Uint8Array.of(0xff) };

function documentOf(id: Value, a: Value, x: Value = Int32.of(1), y: Value = 0.5): RawDocument {
  const n = BuiltDocument.of({ y, x, other: "text" });
  return new RawDocument(encodeDocument(BuiltDocument.of({ _id: id, long: "-".repeat(100), a, n })));
}

function orderOf(name: string, key: Document, more: Partial<IndexOrder> = {}): IndexOrder {
  return { name, ranges: [ALL], backward: false, repeats: false, covered: indexFields(key), ...more };
}

/** What is read of it as text, types included, without a document. */
async function read(
  store: Pick<DocumentStore, "scan">,
  index: IndexOrder,
): Promise<{ texts: string[]; documents: number }> {
  const counters = { rowsRead: 0, keysRead: 0 };
  const texts: string[] = [];
  for await (const rows of store.scan(COLLECTION, { index, counters, checkpoint: () => Promise.resolve() })) {
    texts.push(...rows.map(textOf));
  }
  return { texts, documents: counters.rowsRead };
}

function textOf(value: Value): string {
  if (!(value && typeof value === "object" && "names" in value)) {
    const type = isNumber(value) ? value.constructor.name : "";
    return `${type} ${value instanceof Int32 ? value.value : String(value)}`.trim();
  }
  const values = value.values().map(textOf);
  return `{${value.names().map((name, i) => `${name}: ${values[i]}`).join(", ")}}`;
}

function storeWith(documents: readonly RawDocument[]): DocumentStore {
  const store = DocumentStore.open(":memory:");
  store.createCollection(COLLECTION);
  for (const build = store.writer.buildIndexes(COLLECTION, [SPEC]); build.next().done !== true;);
  write(store, 1, () => documents.forEach((document) => store.writer.insert(COLLECTION, document)));
  return store;
}

function write(store: DocumentStore, index: number, work: () => void): void {
  store.writer.begin();
  work();
  store.writer.seal();
  store.writer.commit(index);
}

const ONES: readonly Value[] = [1, Int32.of(1), 1n];

Deno.test("each type of an equal number comes back, from keys in the index's order", async () => {
  const store = storeWith([
    ...ONES.map((a, i) => documentOf(Int32.of(i), a)),
    documentOf(Int32.of(3), undefined, 2.5, "text"),
    documentOf(Int32.of(4), "a\0b", -0),
  ]);
  const { texts, documents } = await read(store, orderOf("axy", KEY));
  assert.deepEqual(texts, [
    "{a: null, n: {x: Number 2.5, y: text}}",
    "{a: Number 1, n: {x: Int32 1, y: Number 0.5}}",
    "{a: Int32 1, n: {x: Int32 1, y: Number 0.5}}",
    "{a: BigInt 1, n: {x: Int32 1, y: Number 0.5}}",
    "{a: a\0b, n: {x: Number 0, y: Number 0.5}}",
  ]);
  assert.equal(documents, 0);
  const backward = await read(store, orderOf("axy", KEY, { backward: true }));
  assert.deepEqual(backward.texts, texts.toReversed());
  store.close();
});

Deno.test("a number put in the place of an equal one of another type is seen", async () => {
  const store = storeWith([documentOf(Int32.of(0), 1)]);
  write(store, 2, () => store.writer.replace(COLLECTION, documentOf(Int32.of(0), 1n)));
  assert.deepEqual((await read(store, orderOf("axy", KEY))).texts, [
    "{a: BigInt 1, n: {x: Int32 1, y: Number 0.5}}",
  ]);
  store.close();
});

Deno.test("a snapshot's keys are those of then, with what its transaction wrote", async () => {
  const store = storeWith(ONES.map((a, i) => documentOf(Int32.of(i), a)));
  const transaction = store.openTransactionOfClient(1_000_000);
  transaction.insert(COLLECTION, documentOf(Int32.of(9), 0));
  write(store, 2, () => {
    store.writer.replace(COLLECTION, documentOf(Int32.of(0), "later"));
    store.writer.delete(COLLECTION, documentOf(Int32.of(1), undefined));
  });
  const { texts } = await read(transaction, orderOf("axy", KEY));
  assert.deepEqual(texts.map((text) => text.split(",")[0]), [
    "{a: Number 0",
    "{a: Number 1",
    "{a: Int32 1",
    "{a: BigInt 1",
  ]);
  const distinct = indexFields(KEY).slice(0, 1);
  const firsts = await read(transaction, orderOf("axy", KEY, { distinct }));
  assert.deepEqual(firsts.texts.map((text) => text.split(",")[0]), ["{a: Number 0", "{a: Number 1"]);
  transaction.end(new CommandError("NoSuchTransaction", "over"));
  store.close();
});

Deno.test("one row for each value of the first fields, the first in order", async () => {
  const documents = Array.from({ length: 2000 }, (_, i) => {
    return documentOf(Int32.of(i), Int32.of(i % 3), Int32.of(i % 200), Int32.of(i));
  });
  const store = storeWith(documents);
  const fields = indexFields(KEY);
  const values = await read(store, orderOf("axy", KEY, { distinct: fields.slice(0, 1) }));
  assert.deepEqual(
    values.texts,
    [0, 1, 2].map((a) => {
      const first = documents.find((each) => {
        return (each.get("a") as Int32).value === a &&
          ((each.get("n") as Document).get("x") as Int32).value === 199;
      })!;
      return `{a: Int32 ${a}, n: {x: Int32 199, y: ${textOf((first.get("n") as Document).get("y"))}}}`;
    }),
  );
  const pairs = await read(store, orderOf("axy", KEY, { distinct: fields.slice(0, 2), backward: true }));
  assert.equal(pairs.texts.length, 600);
  assert.equal(pairs.texts[0], "{a: Int32 2, n: {x: Int32 0, y: Int32 1400}}");
  store.close();
});

Deno.test("ids are read from their keys as long as all of these are plain, from documents then", async () => {
  const store = storeWith(["text", Int32.of(2), 0.5].map((id) => documentOf(id, 1)));
  const order = orderOf(ID_INDEX_NAME, ID_KEY);
  assert.equal(store.totalsCommitted(COLLECTION).plainIds, true);
  assert.deepEqual((await read(store, order)).texts, ["{_id: Number 0.5}", "{_id: Int32 2}", "{_id: text}"]);
  write(store, 2, () => store.writer.insert(COLLECTION, documentOf(1n, 1)));
  assert.equal(store.totalsCommitted(COLLECTION).plainIds, false);
  const expected = ["{_id: Number 0.5}", "{_id: BigInt 1}", "{_id: Int32 2}", "{_id: text}"];
  assert.deepEqual((await read(store, order)).texts, expected);
  store.close();
});

Deno.test("documents show their places and the keys that led to them", async () => {
  const store = storeWith([documentOf(1n, 2n), documentOf("text", Int32.of(1))]);
  const shown = { place: "$place", key: "$key" };
  const show = async (order: Pick<DocumentScanRequest, "index" | "ids" | "backward">) => {
    const found: string[] = [];
    const request = { ...order, shown, checkpoint: () => Promise.resolve() };
    for await (const rows of store.scan(COLLECTION, request)) {
      found.push(...rows.map((row) => `${textOf(row.get("$place"))} ${textOf(row.get("$key"))}`));
    }
    return found;
  };
  const named = { index: { keyPattern: KEY, fields: indexFields(KEY) } };
  const order = { name: "axy", ranges: [ALL], backward: false, repeats: false };
  assert.deepEqual(await show({ index: { ...order, ...named } }), [
    "BigInt 2 {a: Int32 1, n.x: Int32 1, n.y: Number 0.5}",
    "BigInt 1 {a: BigInt 2, n.x: Int32 1, n.y: Number 0.5}",
  ]);
  const byId = { index: { keyPattern: ID_KEY, fields: indexFields(ID_KEY) }, ...order, name: ID_INDEX_NAME };
  assert.deepEqual(await show({ index: byId }), ["BigInt 1 {_id: BigInt 1}", "BigInt 2 {_id: text}"]);
  assert.deepEqual(await show({ ids: ["text"] }), ["BigInt 2 {_id: text}"]);
  assert.deepEqual(await show({ backward: true }), ["BigInt 2 undefined", "BigInt 1 undefined"]);
  store.close();
});
