import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import {
  Binary,
  BuiltDocument,
  Decimal128,
  Int32,
  ObjectId,
  type RawDocument,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { ByteWriter, Column, ValueType, viewOf } from "../../column/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import { IdIndex, IdIndexWriter } from "./id_index.ts";
import { idHashes, idKeyOf } from "./id_key.ts";
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
  TABLE,
} from "./store_fixture.ts";

/** Ids as one driver makes them: a second, a machine, a counter. */
function objectId(seconds: number, counter: number): ObjectId {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, seconds);
  view.setUint32(4, 0xabcdef12);
  view.setUint32(8, counter);
  return new ObjectId(bytes);
}

function columnOf(ids: readonly ObjectId[]): Column {
  const column = new Column();
  for (const { id } of ids) column.append(ValueType.ObjectId, viewOf(id), 0, id.length);
  return column;
}

Deno.test("the index of ids names the page of each, and few pages for others, in a good byte a row", () => {
  for (const idBytes of [3, 16]) {
    const pages = Array.from(
      { length: 16 },
      (_, page) => Array.from({ length: 4096 }, (_, i) => objectId(1000 + i % 700, page * 4096 + i)),
    );
    const writer = new IdIndexWriter();
    for (const page of pages) writer.addPage(columnOf(page));
    const out = new ByteWriter();
    writer.write(idBytes * 65_536, out);
    assert.ok(out.length < (idBytes === 3 ? 1.26 : 2.26) * 65_536, `${out.length} bytes`);
    const index = new IdIndex(out.written());
    let named = 0;
    for (const [page, ids] of pages.entries()) {
      for (const id of ids.slice(0, 100)) {
        const bits = index.pagesOf(idKeyOf(id).hash);
        assert.equal(bits >> page & 1, 1);
        for (let rest = bits; rest > 0; rest >>= 1) named += rest & 1;
      }
    }
    assert.ok(named < 1600 * (idBytes === 3 ? 1.1 : 1.002), `${named} pages named for 1,600 ids`);
    let vain = 0;
    for (let i = 0; i < 2000; i++) if (index.pagesOf(idKeyOf(objectId(2000, i)).hash) !== 0) vain++;
    assert.ok(vain < (idBytes === 3 ? 200 : 5), `${vain} of 2,000 absent ids name a page`);
  }
});

Deno.test("an ObjectId in a column has the hash of its key", () => {
  const id = objectId(77, 5);
  assert.equal(idHashes(columnOf([objectId(1, 1), id]))[1], idKeyOf(id).hash);
});

async function find(
  store: Awaited<ReturnType<typeof openStore>>,
  ids: readonly Value[],
): Promise<{ rows: string[]; pagesRead: number }> {
  const counters = newCounters();
  const rows = await scanAll(store, { ids, counters });
  const keys = ids.map((id) => idKeyOf(id).key.toHex());
  const isAsked = (id: Value) => keys.includes(idKeyOf(id).key.toHex());
  const matching = rows.filter((row) => {
    const id = row.get("_id");
    return Array.isArray(id) ? id.some(isAsked) : isAsked(id);
  });
  return { rows: matching.map(hexOf).sort(), pagesRead: counters.pagesRead };
}

Deno.test("a row of a store of many segments is found by its id in a page or two", async () => {
  const store = await openStoreWithTable();
  let made = 0;
  for (let segment = 0; segment < 6; segment++) {
    const documents = Array.from({ length: 9_000 }, () => {
      const i = made++;
      // Every tenth row tells of an earlier time than its id.
      const ms = (i % 10 === 0 ? i / 2 : i) * 1000;
      return documentFrom({ _id: objectId(i, i), t: new UtcDate(ms), m: new Int32(i % 50), n: i });
    });
    insert(store, segment + 1, documents);
    await store.flush();
  }
  for (const i of [0, 10, 12_345, 33_330, 53_999]) {
    const { rows, pagesRead } = await find(store, [objectId(i, i)]);
    assert.equal(rows.length, 1);
    // A page of ids and its times, perhaps another one in vain, and the page that is then scanned.
    assert.ok(pagesRead <= 8, `${pagesRead} pages read for one id`);
  }
  const { rows, pagesRead } = await find(store, [objectId(12_345, 5)]);
  assert.deepEqual(rows, []);
  assert.ok(pagesRead <= 4, `${pagesRead} pages read for an id that is not there`);
  await store.compact(TABLE);
  const compacted = await find(store, [objectId(33_330, 33_330), objectId(3, 3)]);
  assert.equal(compacted.rows.length, 2);
  await store.close();
});

const oneOf = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

/** Ids of every kind, some of them equal, some in places where no column of ids holds them. */
function randomId(random: Random): Value {
  const n = Math.floor(random() * 40);
  return oneOf<Value>(random, [
    objectId(n, n),
    new Int32(n),
    n,
    BigInt(n),
    Decimal128.fromString(String(n)),
    String(n),
    `a text that is longer than what bounds hold ${n}`,
    new Binary(new Uint8Array(16).fill(n), 4),
    BuiltDocument.of({ a: n, b: "x" }),
    BuiltDocument.EMPTY,
    [n, new Int32(n + 1)],
    new UtcDate(n),
    true,
  ]);
}

function randomDocument(random: Random, i: number): RawDocument {
  const fields: Record<string, Value> = { t: new UtcDate(i % 7 === 0 ? i / 2 : i), m: new Int32(i % 3) };
  for (let k = Math.floor(random() * 4); k > 0; k--) fields[`f${Math.floor(random() * 3000)}`] = k;
  if (random() < 0.9) fields["_id"] = randomId(random);
  if (random() < 0.01) {
    const twice = element(0x10, "x", [1, 0, 0, 0]);
    const time = element(0x09, "t", [i & 255, i >> 8 & 255, 0, 0, 0, 0, 0, 0]);
    return documentOfElements(element(0x10, "_id", [i % 40, 0, 0, 0]), time, twice, twice);
  }
  return documentFrom(fields);
}

Deno.test("whatever ids are and wherever they lie, a scan for some gives all their rows", async () => {
  const random = seededRandom(9);
  const disk = new MemoryDisk();
  let store = await openStoreWithTable(disk);
  const documents: RawDocument[] = [];
  for (let part = 1; part <= 3; part++) {
    const added = Array.from({ length: 4500 }, (_, i) => randomDocument(random, part * 4500 + i));
    documents.push(...added);
    insert(store, part, added);
    for (let step = 0; step < 6; step++) {
      const ids = Array.from({ length: 1 + Math.floor(random() * 3) }, () => randomId(random))
        .filter((id) => !Array.isArray(id));
      const keys = new Set(ids.map((id) => idKeyOf(id).key.toHex()));
      const isAsked = (id: Value) => id !== undefined && keys.has(idKeyOf(id).key.toHex());
      const expected = documents.filter((document) => {
        const id = document.get("_id");
        return Array.isArray(id) ? id.some(isAsked) : isAsked(id);
      });
      assert.deepEqual((await find(store, ids)).rows, expected.map(hexOf).sort());
    }
    if (part < 3) await store.flush();
    if (part === 2) await store.compact(TABLE);
    if (part === 2) {
      await store.close();
      store = await openStore(disk);
    }
  }
  await store.close();
});
