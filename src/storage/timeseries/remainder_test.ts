import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Document,
  Int32,
  type RawDocument,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import {
  documentFrom,
  documentOfElements,
  element,
  hexOf,
  insert,
  newCounters,
  openStore,
  openStoreWithTable,
  scanAll,
} from "./store_fixture.ts";

/** A document with some common fields, a few of thousands of rare ones, and the time and the meta anywhere between. */
function sparseDocument(random: Random, i: number): RawDocument {
  const fields: [string, Value][] = [
    ["t", new UtcDate(i)],
    ["m", new Int32(i % 3)],
    ["common", i],
    ["nested", BuiltDocument.of({ x: i, y: String(i % 5) })],
  ];
  if (random() < 0.2) fields.push(["", i]);
  for (let k = Math.floor(random() * 9); k > 0; k--) {
    const name = `f${Math.floor(random() * 5000)}`;
    fields.push([name, random() < 0.2 ? BuiltDocument.of({ [name]: k, z: [k] }) : new Int32(k)]);
  }
  // A common document that has a rare field inside goes to the remainder as it is.
  if (random() < 0.3) {
    fields[3] = ["nested", BuiltDocument.of({ x: i, [`r${Math.floor(random() * 5000)}`]: k(i) })];
  }
  return documentFrom(Object.fromEntries(shuffled(random, fields)));
}

const k = (i: number) => new Int32(i);

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  if (random() < 0.5) return [...items];
  return items.map((item) => ({ item, place: random() })).sort((a, b) => a.place - b.place).map(({ item }) =>
    item
  );
}

function checkAnswers(row: Document, document: RawDocument): void {
  assert.equal(hexOf(row), hexOf(document));
  assert.deepEqual(row.names(), document.names());
  const hexOfValue = (value: Value) => hexOf(BuiltDocument.of({ value }));
  assert.deepEqual(row.values().map(hexOfValue), document.values().map(hexOfValue));
  for (const name of [...document.names(), "none", ""]) {
    assert.equal(hexOfValue(row.get(name)), hexOfValue(document.get(name)), name);
    assert.equal(row.has(name), document.has(name));
  }
}

Deno.test("rows with fields beyond the columns answer as the inserted documents do, in memory and stored", async () => {
  const random = seededRandom(11);
  const disk = new MemoryDisk();
  let store = await openStoreWithTable(disk);
  const documents = Array.from({ length: 1500 }, (_, i) => sparseDocument(random, i));
  insert(store, 1, documents);
  for (const step of ["memtable", "segment", "opened again"]) {
    if (step === "segment") await store.flush();
    if (step === "opened again") {
      await store.close();
      store = await openStore(disk);
    }
    const rows = await scanAll(store, { timeOrder: 1 });
    assert.equal(rows.length, documents.length);
    rows.forEach((row, i) => checkAnswers(row, documents[i]!));
  }
  await store.close();
});

Deno.test("a common field is read from its column alone, whatever else the rows have", async () => {
  const random = seededRandom(12);
  const store = await openStoreWithTable();
  insert(
    store,
    1,
    Array.from({ length: 6000 }, (_, i) => {
      const rare = Array.from({ length: 10 }, () => [`f${Math.floor(random() * 10_000)}`, new Int32(i)]);
      return documentFrom({ t: new UtcDate(i), m: 1, common: i, ...Object.fromEntries(rare), last: 2 * i });
    }),
  );
  await store.flush();
  const counters = newCounters();
  const rows = await scanAll(store, { counters });
  assert.deepEqual(rows.map((row) => row.get("common")), Array.from({ length: 6000 }, (_, i) => i));
  // The two pages of the column: nobody asks for the times.
  assert.equal(counters.pagesRead, 2);
  assert.deepEqual(rows.map((row) => row.get("last")), Array.from({ length: 6000 }, (_, i) => 2 * i));
  await store.close();
});

Deno.test("a wide document earns its columns by coming again", async () => {
  const store = await openStoreWithTable();
  const wide = (i: number) => {
    const fields = Object.fromEntries(Array.from({ length: 900 }, (_, field) => [`f${field}`, new Int32(i)]));
    return documentFrom({ t: new UtcDate(i), m: 1, a: BuiltDocument.of(fields) });
  };
  const documents = Array.from({ length: 100 }, (_, i) => wide(i));
  insert(store, 1, documents);
  await store.flush();
  const counters = newCounters();
  const rows = await scanAll(store, { counters });
  rows.forEach((row, i) => assert.equal(hexOf(row), hexOf(documents[i]!)));
  // The page of times, those of all columns, and that of the first row's remainder.
  assert.equal(counters.pagesRead, 902);
  await store.close();
});

Deno.test("a name that comes twice keeps its row whole, wherever its fields would go", async () => {
  const store = await openStoreWithTable();
  const crowd = Array.from(
    { length: 300 },
    (_, i) => documentFrom({ t: new UtcDate(i), m: 1, [`f${i}`]: 1 }),
  );
  const int32 = (name: string, value: number) => element(0x10, name, [value, 0, 0, 0]);
  const time = element(0x09, "t", [200, 10, 0, 0, 0, 0, 0, 0]);
  const twice = [
    documentOfElements(time, int32("rare", 1), int32("rare", 2)),
    documentOfElements(time, int32("f1", 1), int32("rare", 2), int32("f1", 3)),
    documentOfElements(int32("other", 1), time, int32("other", 2), int32("f2", 3)),
  ];
  insert(store, 1, [...crowd, ...twice]);
  for (const flush of [false, true]) {
    if (flush) await store.flush();
    const rows = await scanAll(store, { timeOrder: 1 });
    assert.deepEqual(rows.map(hexOf), [...crowd, ...twice].map(hexOf));
  }
  await store.close();
});
