import assert from "node:assert/strict";
import { CommandError, seededRandom } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Document,
  encodeDocument,
  Int32,
  ObjectId,
  RawDocument,
  UtcDate,
  validateDocuments,
  type Value,
} from "../../bson/mod.ts";
import { MemoryAccount, viewOf } from "../../column/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import { countOfInsert, documentsOfInsert, visitInsert } from "./insert_payload.ts";
import { MetaCache } from "./measurement.ts";
import { RowBatchBuilder } from "./row_batch_builder.ts";
import { SeriesIndex } from "./series_index.ts";
import { tableNames } from "./shape.ts";
import { ShapeTrie } from "./shape_trie.ts";
import {
  documentFrom,
  documentOfElements,
  element,
  hexOf,
  measurement,
  openStoreWithTable,
  scanAll,
  TABLE,
} from "./store_fixture.ts";

const random = seededRandom(11);
const below = (limit: number) => Math.floor(random() * limit);

/** Values of types that take no, one, two, three words, and bytes. */
function someValue(): Value {
  const values: readonly Value[] = [
    null,
    below(2) === 0,
    new Int32((below(1000) - 500) * [1, 1, 1000][below(3)]!),
    random() * 1e6,
    BigInt(below(1e9)) << 20n,
    new ObjectId(),
    "x".repeat(below(80)),
    [1, "two", BuiltDocument.of({ three: 3 })],
    BuiltDocument.of({ a: below(5), b: BuiltDocument.of({ c: "d" }) }),
  ];
  return values[below(values.length)]!;
}

function someFields(): Record<string, Value> {
  const fields: Record<string, Value> = {};
  for (const name of ["a", "b", "c", "d"]) if (below(3) > 0) fields[name] = someValue();
  if (below(10) === 0) { for (let i = 0; i < 5; i++) fields[`rare${below(500)}`] = someValue(); }
  return fields;
}

const metas: readonly Value[] = ["m", 1, null, BuiltDocument.of({ a: 1, b: 2 }), BuiltDocument.of({ a: 1 })];

function someMeasurement(): RawDocument {
  const time = new UtcDate(below(100_000) - 50_000);
  return below(12) === 0
    ? documentFrom({ ...someFields(), t: time })
    : below(2) === 0
    ? measurement(time.ms, metas[below(metas.length)]!, someFields())
    : documentFrom({ _id: new ObjectId(), ...someFields(), m: metas[below(metas.length)]!, t: time });
}

Deno.test("an insert is read back from the log as it came, few documents or many, at any place of a buffer", async () => {
  const store = await openStoreWithTable();
  for (let round = 0; round < 60; round++) {
    const documents = Array.from({ length: 1 + below(round % 2 === 0 ? 200 : 12) }, someMeasurement);
    const { payload, accepted } = store.prepareInsert(TABLE, documents, true);
    assert.equal(accepted, documents.length);
    for (const offset of [0, 1, 4]) {
      const moved = new Uint8Array(payload!.length + offset).subarray(offset);
      moved.set(payload!);
      assert.deepEqual(documentsOfInsert(moved).map(hexOf), documents.map(hexOf));
      assert.equal(countOfInsert(moved), documents.length);
    }
    store.applyInsert(round + 1, TABLE, payload!);
  }
  await store.close();
});

/** Nine measurements as the log held them when all words took four bytes. */
const WIDE_BATCH =
  "AgmZBAF0Am0CAxISAAAAAmhvc3QAAwAAAGgwAAADEhIAAAACaG9zdAADAAAAaDEAAAMBYRACCQFiAQMJAWMAAgkBBQABAgME" +
  "AQEJAAAAAAAAAAAAAECPQAAAAAAASI9AAAAAAABQj0AAAAAAAFiPQAAAAAAAYI9AAAAAAABoj0AAAAAAAHCPQAAAAAAAeI9A" +
  "AAAAAACAj0AAAAAAAQAAAAAAAAABAAAAAAAAAAEAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAcAAAAOAAAAFQAAABwAAAAjAAAA" +
  "KgAAADEAAAA4AAAAAAAAAAAAAAAAAAAAAAAAAAAA4D8AAAAAAADwPwAAAAAAAPg/AAAAAAAAAEAAAAAAAAAEQAAAAAAAAAhA" +
  "AAAAAAAADEAAAAAAAAAQQBAIChAIChAICgAAAAAAAABwEQEAAQAAAAAAAABzEQEAAQAAAAAAAAB2EQEAAQAAAAAAAAA=";

Deno.test("a batch whose words all take four bytes is read as it was written", () => {
  const documents = Array.from({ length: 9 }, (_, i) =>
    documentFrom({
      t: new UtcDate(1000 + i),
      m: BuiltDocument.of({ host: `h${i % 2}` }),
      a: new Int32(i * 7),
      b: i / 2,
      c: [new Int32(70_000 + i), true, null][i % 3]!,
    }));
  const payload = Uint8Array.from(atob(WIDE_BATCH), (char) => char.charCodeAt(0));
  assert.deepEqual(documentsOfInsert(payload).map(hexOf), documents.map(hexOf));
});

/** Documents of one shape in turn, with values of any types, and now and then one that leaves its way somewhere. */
function mostlyAlike(count: number): RawDocument[] {
  const inner = (i: number) => BuiltDocument.of({ c: someValue(), ...(below(9) === 0 && { d: i }), e: "e" });
  return Array.from({ length: count }, (_, i) => {
    const odd = below(14);
    return documentFrom({
      _id: new Int32(i),
      m: metas[below(metas.length)]!,
      ...(odd !== 1 && { t: new UtcDate(odd === 2 ? 2 ** 53 : i) }),
      a: someValue(),
      ...(odd === 3 ? {} : { b: odd === 4 ? BuiltDocument.EMPTY : odd === 5 ? 5 : inner(i) }),
      f: someValue(),
      ...(odd === 6 && { g: 7 }),
      ...(odd === 1 && { t: "no date" }),
    });
  });
}

Deno.test("documents that are mostly alike are taken apart as each of them alone is", async () => {
  for (let round = 0; round < 40; round++) {
    const store = await openStoreWithTable();
    const documents = mostlyAlike(150);
    const { payload, batch, errors } = store.prepareInsert(TABLE, documents, false);
    const refused = new Set(errors.map(({ index }) => index));
    for (const [i, document] of documents.entries()) {
      const isRefused = store.prepareInsert(TABLE, [document], false).payload === undefined;
      assert.equal(refused.has(i), isRefused, hexOf(document));
    }
    const accepted = documents.filter((_, i) => !refused.has(i));
    assert.deepEqual(documentsOfInsert(payload!).map(hexOf), accepted.map(hexOf));
    store.applyInsert(1, TABLE, payload!, round % 2 === 0 ? batch : undefined);
    for (const flush of [false, true]) {
      if (flush) await store.flush();
      const rows = await scanAll(store, { timeOrder: 1 });
      assert.deepEqual(rows.map(hexOf), accepted.map(hexOf));
    }
    await store.close();
  }
});

/** What is wrong with documents by the border's own check. */
function whatIsWrong(documents: readonly RawDocument[]): string | undefined {
  try {
    validateDocuments(documents);
    return undefined;
  } catch (error) {
    assert(error instanceof CommandError);
    return error.codeName;
  }
}

/** A copy, with a byte changed somewhere but in its length and its end. */
function damaged(document: RawDocument): RawDocument {
  const bytes = document.bytes.slice(document.start, document.end);
  const at = 4 + below(bytes.length - 5);
  const values = [0, 1, 2, 5, 255, bytes[at]! ^ (1 << below(8)), bytes[at]! + 1, below(256)];
  bytes[at] = values[below(values.length)]!;
  return new RawDocument(bytes);
}

Deno.test("documents that were not checked are checked on their way: one that is damaged lets all of them fail", async () => {
  let refusals = 0;
  for (let round = 0; round < 300; round++) {
    const store = await openStoreWithTable();
    const count = [5, 12, 30][below(3)]!;
    const documents = below(3) === 0
      ? Array.from({ length: count }, someMeasurement)
      : below(2) === 0
      ? mostlyAlike(count)
      : Array.from({ length: count }, (_, i) =>
        measurement(i, metas[i % 2]!, { a: new Int32(i), b: "text", c: true }));
    for (let left = below(3); left > 0; left--) {
      const place = below(count);
      documents[place] = damaged(documents[place]!);
    }
    const wrong = whatIsWrong(documents);
    const ordered = below(2) === 0;
    if (wrong !== undefined) {
      refusals++;
      assert.throws(() => store.prepareInsert(TABLE, documents, ordered, false), { codeName: wrong });
    } else {
      const unchecked = store.prepareInsert(TABLE, documents, ordered, false);
      const checked = store.prepareInsert(TABLE, documents, ordered);
      assert.deepEqual(unchecked.errors.map(({ index }) => index), checked.errors.map(({ index }) => index));
      assert.deepEqual(
        unchecked.payload && documentsOfInsert(unchecked.payload).map(hexOf),
        checked.payload && documentsOfInsert(checked.payload).map(hexOf),
      );
    }
    await store.close();
  }
  assert(refusals > 60, `${refusals} were refused`);
});

Deno.test("metas are sorted in what is kept whole, too, however many come together", async () => {
  const meta = (...names: string[]) =>
    BuiltDocument.of(Object.fromEntries(names.map((name) => [name, name])));
  const elements = (own: Document, i: number) => [
    element(9, "t", [i, 0, 0, 0, 0, 0, 0, 0]),
    element(3, "m", encodeDocument(own)),
    element(8, "x", [1]),
    element(8, "x", [0]),
  ];
  const cases = [["b", "a", "c"], ["a", "b", "c"], ["c", "a", "b"]];
  const documents = Array.from(
    { length: 30 },
    (_, i) => documentOfElements(...elements(meta(...cases[i % 3]!), i)),
  );
  const expected = documents.map((_, i) => hexOf(documentOfElements(...elements(meta("a", "b", "c"), i))));
  for (const size of [1, 30]) {
    const store = await openStoreWithTable();
    for (let at = 0; at < 30; at += size) {
      const { payload, batch } = store.prepareInsert(TABLE, documents.slice(at, at + size), true);
      store.applyInsert(at + 1, TABLE, payload!, batch);
    }
    assert.equal(store.stats(TABLE).series, 1);
    for (const flush of [false, true]) {
      if (flush) await store.flush();
      assert.deepEqual((await scanAll(store, { timeOrder: 1 })).map(hexOf), expected);
    }
    await store.close();
  }
});

Deno.test("the same measurements give the same rows one by one and many at once, with those refused that are none", async () => {
  const one = await openStoreWithTable();
  const many = await openStoreWithTable();
  const documents = Array.from(
    { length: 2000 },
    (_, i) =>
      i % 97 === 3
        ? documentFrom({ t: "no date", m: 1, a: 1 })
        : i % 97 === 5
        ? documentFrom({ m: 1, a: 1 })
        : someMeasurement(),
  );
  let index = 0;
  const refused: number[] = [];
  for (const [i, document] of documents.entries()) {
    const { payload } = one.prepareInsert(TABLE, [document], false);
    if (payload === undefined) refused.push(i);
    else one.applyInsert(++index, TABLE, payload);
  }
  const { payload, accepted, errors } = many.prepareInsert(TABLE, documents, false);
  assert.equal(accepted, index);
  assert.deepEqual(errors.map((error) => error.index), refused);
  const flushed = many.flush();
  many.applyInsert(1, TABLE, payload!);
  await flushed;
  const rowsOfOne = (await scanAll(one)).map(hexOf);
  assert.equal(rowsOfOne.length, index);
  assert.deepEqual((await scanAll(many)).map(hexOf), rowsOfOne);
  assert.equal(many.stats(TABLE).dataBytes, one.stats(TABLE).dataBytes);
  const ordered = many.prepareInsert(TABLE, documents, true);
  assert.equal(ordered.accepted, refused[0]);
  assert.deepEqual(ordered.errors.map((error) => error.index), refused.slice(0, 1));
  await one.close();
  await many.close();
});

Deno.test("a batch that was laid out before a flush is applied after it, also at replay in another order of columns", async () => {
  const disk = new MemoryDisk();
  const store = await openStoreWithTable(disk);
  const batch = (first: number, names: readonly string[]) =>
    Array.from(
      { length: 20 },
      (_, i) =>
        measurement(first + i, new Int32(i % 3), Object.fromEntries(names.map((name) => [name, first + i]))),
    );
  const batches = [batch(0, ["a", "b"]), batch(100, ["b", "c"]), batch(200, ["c", "a", "d"])];
  const prepared = batches.map((documents) => store.prepareInsert(TABLE, documents, true));
  const apply = (index: number, place: number) =>
    store.applyInsert(index, TABLE, prepared[place]!.payload!, prepared[place]!.batch);
  apply(1, 0);
  // Its memtable's end forgets the metas that the others were prepared with.
  await store.flush();
  apply(2, 2);
  apply(3, 1);
  const rows = await scanAll(store, { timeOrder: 1 });
  assert.deepEqual(rows.map(hexOf), batches.flat().map(hexOf));
  await store.close();
});

Deno.test("a batch has more different metas than are remembered, and each row its own series", async () => {
  const store = await openStoreWithTable();
  const count = 66_000;
  const documents = Array.from({ length: count + 500 }, (_, i) => measurement(i, new Int32(i % count), {}));
  for (const index of [1, 2]) {
    const { payload, batch } = store.prepareInsert(TABLE, documents, true, false);
    store.applyInsert(index, TABLE, payload!, batch);
  }
  assert.equal(store.stats(TABLE).series, count);
  const rows = await scanAll(store, { timeOrder: 1 });
  assert.deepEqual(rows.map(hexOf), documents.flatMap((document) => [hexOf(document), hexOf(document)]));
  await store.close();
});

Deno.test("of each measurement the series and the time are told, where the series is known", () => {
  const index = new SeriesIndex();
  const options = { timeField: "t", metaField: "m" };
  const documents = Array.from({ length: 30 }, (_, i) => measurement(1000 - i, new Int32(i % 4), {}));
  const { payload } = new RowBatchBuilder().prepare(documents, true, {
    areChecked: true,
    ...options,
    metas: new MetaCache(),
    trie: new ShapeTrie(tableNames("t", "m"), new MemoryAccount()),
  });
  for (const host of [2, 0]) index.numberOf(16, viewOf(Uint8Array.of(host, 0, 0, 0)), 0, 4);
  const told: [number, number][] = [];
  visitInsert({ index, options }, payload!, (series, time) => told.push([series, time]));
  const known = documents.map((_, i) => i).filter((i) => i % 2 === 0);
  assert.deepEqual(told, known.map((i) => [i % 4 === 2 ? 0 : 1, 1000 - i]));
});

Deno.test("what is alike takes a fraction of its documents' bytes in the log", async () => {
  const store = await openStoreWithTable();
  const meta = BuiltDocument.of({ region: "eu-central-1", rack: "seventeen", host: "host-0001" });
  const documents = Array.from(
    { length: 1000 },
    (_, i) => measurement(i * 1000, meta, { usage_user: new Int32(i), usage_system: new Int32(2 * i) }),
  );
  const { payload } = store.prepareInsert(TABLE, documents, true);
  const bytes = documents.reduce((sum, document) => sum + document.sizeBytes, 0);
  assert.ok(payload!.length * 5 < bytes, `${payload!.length} of ${bytes}`);
  assert.equal(encodeDocument(documentsOfInsert(payload!)[999]!).length, documents[999]!.sizeBytes);
  await store.close();
});
