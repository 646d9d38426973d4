import assert from "node:assert/strict";
import { ByteWriter } from "../../column/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import { readBlock, writeBlock } from "./block.ts";
import { readSegment } from "./segment_format.ts";
import { insert, measurement, openStoreWithTable, TABLE, TABLE_OPTIONS } from "./store_fixture.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

const ROWS = 10_000;
const OTHER = TABLE + 1;
const noPause = () => Promise.resolve();

/** One segment of two tables. */
async function storeOfTwo(disk: MemoryDisk): Promise<TimeseriesStore> {
  const store = await openStoreWithTable(disk);
  await store.createTable(OTHER, TABLE_OPTIONS);
  const rows = Array.from({ length: ROWS }, (_, i) => measurement(i * 1000, "a", { v: i % 7, text: "abc" }));
  insert(store, 1, rows);
  insert(store, 2, [measurement(1, "b", { w: 1 })], OTHER);
  await store.flush();
  return store;
}

Deno.test("each column's values, as BSON and as stored, and no damage", async () => {
  const store = await storeOfTwo(new MemoryDisk());
  let pauses = 0;
  const { columns, damages } = await store.verify(TABLE, () => Promise.resolve(void pauses++));
  assert.deepEqual(damages, []);
  const sizes = new Map(columns.map((column) => [column.name, column]));
  assert.deepEqual([...sizes.keys()].sort(), ["(last rows)", "(times)", "text", "v"]);
  for (const [name, bytes] of [["(times)", 8], ["v", 8], ["text", 4 + 3 + 1]] as const) {
    assert.equal(sizes.get(name)?.values, ROWS, name);
    assert.equal(sizes.get(name)?.rawBytes, ROWS * bytes, name);
    assert.ok((sizes.get(name)?.storedBytes ?? Infinity) < ROWS * 2, name);
  }
  const stored = columns.reduce((sum, column) => sum + column.storedBytes, 0);
  assert.ok(stored < store.stats(TABLE).storageBytes, "pages are less than pages and headers");
  assert.ok(pauses > 1);
  await store.close();
});

Deno.test("damage is found in the table that has it, whatever caches hold", async () => {
  const disk = new MemoryDisk();
  const store = await storeOfTwo(disk);
  const path = disk.list("ts").find((name) => name.endsWith(".seg"));
  const file = disk.open(`ts/${path}`, "write");
  const at = 100;
  const byte = new Uint8Array(1);
  file.readAt(byte, at);
  file.writeAt(Uint8Array.of(byte[0]! ^ 1), at);
  const { damages } = await store.verify(TABLE, noPause);
  assert.equal(damages.length, 1);
  assert.equal(damages[0]?.path, `ts/${path}`);
  assert.match(damages[0]?.reason ?? "", /checksum/);
  assert.deepEqual((await store.verify(OTHER, noPause)).damages, []);
  await store.close();
});

Deno.test("last rows that are not those of the pages are found", async () => {
  const disk = new MemoryDisk();
  const store = await storeOfTwo(disk);
  const path = disk.list("ts").find((name) => name.endsWith(".seg"));
  const file = disk.open(`ts/${path}`, "write");
  const groups = readSegment(file).flatMap((table) => table.groups);
  const entry = groups.find(({ lastRowsBytes }) => lastRowsBytes > 0)!;
  const at = entry.offset + entry.pagesBytes - entry.idIndexBytes - entry.lastRowsBytes;
  const block = new ByteWriter();
  writeBlock(block, (out) => out.bytes(readBlock(file, at, entry.lastRowsBytes).map((byte) => byte ^ 1)));
  file.writeAt(block.written(), at);
  const { damages } = await store.verify(TABLE, noPause);
  assert.deepEqual(damages.map(({ offset, reason }) => ({ offset, reason })), [
    { offset: at, reason: "the last rows of the series are not theirs" },
  ]);
  await store.close();
});
