import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BuiltDocument, encodeDocument, encodeIndexKey, Int32, RawDocument } from "../../bson/mod.ts";
import { IN_MEMORY } from "./sqlite.ts";
import { DocumentStore } from "./document_store.ts";

const SPEC = BuiltDocument.of({ v: Int32.of(2), key: BuiltDocument.of({ a: Int32.of(1) }), name: "a_1" });
const EVERYTHING = { from: new Uint8Array(), to: Uint8Array.of(0xff) };
const COUNT = 600;

function documentOf(id: number, textLength: number): RawDocument {
  const fields = { _id: Int32.of(id), a: Int32.of(id % 7), text: "\0x".repeat(textLength / 2) };
  return new RawDocument(encodeDocument(BuiltDocument.of(fields)));
}

function storeWith(textLengths: (id: number) => number): DocumentStore {
  const store = DocumentStore.open(IN_MEMORY);
  store.createCollection(1);
  store.writer.begin();
  for (let id = 0; id < COUNT; id++) store.writer.insert(1, documentOf(id, textLengths(id)));
  store.writer.seal();
  store.writer.commit(1);
  for (const _ of store.writer.buildIndexes(1, [new RawDocument(encodeDocument(SPEC))])) void _;
  return store;
}

const byIndex = (a: number, b: number) => a % 7 - b % 7 || a - b;
const ORDERS = [
  { name: "as stored", order: {}, compare: (a: number, b: number) => a - b },
  { name: "from the last", order: { backward: true }, compare: (a: number, b: number) => b - a },
  { name: "by an index", order: { index: orderOf(false) }, compare: byIndex },
  {
    name: "by an index from its end",
    order: { index: orderOf(true) },
    compare: (a: number, b: number) => byIndex(b, a),
  },
  { name: "by _id", order: { index: orderOf(false, "_id_") }, compare: (a: number, b: number) => a - b },
  {
    name: "by _id from its end",
    order: { index: orderOf(true, "_id_") },
    compare: (a: number, b: number) => b - a,
  },
  { name: "by ids", order: { index: idsOf(false) }, compare: (a: number, b: number) => a - b },
  { name: "by ids from the last", order: { index: idsOf(true) }, compare: (a: number, b: number) => b - a },
];

function orderOf(backward: boolean, name = "a_1") {
  return { name, ranges: [EVERYTHING], backward, repeats: false };
}

/** All ids, and some that no document has. */
function idsOf(backward: boolean) {
  const ranges = Array.from({ length: COUNT + 100 }, (_, i) => {
    const from = encodeIndexKey(Int32.of(i - 50));
    return { from, to: Uint8Array.of(...from, 0xff), isPoint: true };
  });
  return { name: "_id_", ranges, backward, repeats: false };
}

const SIZES: Readonly<Record<string, (id: number) => number>> = {
  "small documents": (id) => id % 50,
  "one large document": (id) => id === 300 ? 2 ** 20 : 10,
  "documents around the limit": (id) => 16_300 + id % 100,
  "some large documents": (id) => id % 60 === 0 ? 100_000 : 10,
};

for (const [sizes, textLength] of Object.entries(SIZES)) {
  Deno.test(`${sizes}: all come whole, once and in order, whatever order is asked for`, async () => {
    const store = storeWith(textLength);
    const ids = Array.from({ length: COUNT }, (_, id) => id);
    for (const { name, order, compare } of ORDERS) {
      const found: number[] = [];
      for await (const batch of store.scan(1, { ...order, checkpoint: () => Promise.resolve() })) {
        for (const document of batch) {
          const id = (document.get("_id") as Int32).value;
          deepStrictEqual(encodeDocument(document), documentOf(id, textLength(id)).slice(), name);
          found.push(id);
        }
      }
      strictEqual(found.join(), ids.toSorted(compare).join(), name);
    }
    store.close();
  });
}
