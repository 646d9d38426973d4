import assert from "node:assert/strict";
import {
  BsonType,
  BsonWriter,
  BuiltDocument,
  Decimal128,
  type Document,
  Int32,
  ObjectId,
  type RawDocument,
  UtcDate,
} from "../../bson/mod.ts";
import { insert, measurement, openStoreWithTable, scanAll } from "./store_fixture.ts";

const ROWS = 1300;

/** Rows whose neighbours mostly look alike: some lack fields, some have texts, one series has few. */
function documents(): RawDocument[] {
  return Array.from({ length: ROWS }, (_, i) => {
    const meta = i % 100 === 7 ? "few" : `m${i % 2}`;
    return measurement(-(2 ** 40) + i * 2 ** 31, meta, {
      _id: new ObjectId(),
      small: new Int32(i % 100 - 50),
      large: new Int32(i * 1_000_003 | 0),
      ...(i % 500 > 300 && i % 3 === 0 ? {} : { sparse: i / 7 }),
      flag: i % 3 === 0,
      none: null,
      nested: BuiltDocument.of({ at: new UtcDate(i * 1e9), long: BigInt(i) << 30n }),
      exact: Decimal128.fromString(`${i}.5`),
      ...(i % 600 > 550 ? { text: `text ${i}` } : {}),
    });
  });
}

async function storedRows(): Promise<Document[]> {
  const store = await openStoreWithTable();
  insert(store, 1, documents());
  await store.flush();
  return scanAll(store);
}

/** The elements one by one. */
function written(rows: readonly Document[], firstIndex: number): Uint8Array {
  const writer = new BsonWriter();
  rows.forEach((row, i) => {
    writer.header(BsonType.Object, String(firstIndex + i));
    // Value by value: without a template.
    new BuiltDocument(row.names(), row.values()).writeTo(writer);
  });
  return writer.take();
}

Deno.test("rows that are written together are the same bytes as one by one", async () => {
  const rows = await storedRows();
  for (const firstIndex of [0, 5, 95, 990, 9999]) {
    const writer = new BsonWriter();
    let most = 0;
    for (let at = 0; at < rows.length;) {
      const room = { index: firstIndex + at, count: Infinity, endBytes: Infinity };
      const count = rows[at]!.writeElements(rows, at, room, writer);
      most = Math.max(most, count);
      at += count;
    }
    assert.ok(isSame(writer.take(), written(rows, firstIndex)), `from ${firstIndex} on`);
    assert.ok(most > 100, `${most} rows at once are no run`);
  }
});

Deno.test("no more rows are written together than there is room for", async () => {
  const rows = await storedRows();
  for (const count of [1, 2, 3, 50]) {
    const room = { index: 0, count, endBytes: Infinity };
    assert.equal(rows[0]!.writeElements(rows, 0, room, new BsonWriter()), count);
  }
  for (const whole of [1, 2, 3, 40]) {
    const writer = new BsonWriter();
    const endBytes = written(rows.slice(0, whole + 1), 0).length - 1;
    const count = rows[0]!.writeElements(rows, 0, { index: 0, count: Infinity, endBytes }, writer);
    assert.ok(count <= whole && count > whole / 2, `${count} of ${whole} rows`);
    assert.ok(writer.length <= endBytes);
  }
});

Deno.test("rows in another order, and rows of other series between them, are written as they are", async () => {
  const rows = (await storedRows()).toSorted((a, b) =>
    String(a.get("small")).localeCompare(String(b.get("small")))
  );
  const writer = new BsonWriter();
  for (let at = 0; at < rows.length;) {
    at += rows[at]!.writeElements(rows, at, { index: at, count: Infinity, endBytes: Infinity }, writer);
  }
  assert.ok(isSame(writer.take(), written(rows, 0)));
});

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
