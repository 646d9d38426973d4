import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { type Document, UtcDate } from "../../bson/mod.ts";
import { failCall, FaultyDisk, MemoryDisk } from "../../io/mod.ts";
import { firstTimeOf, withExpiry } from "./expiry.ts";
import {
  insert,
  measurement,
  openStore,
  openStoreWithTable,
  scanAll,
  TABLE,
  TABLE_OPTIONS,
} from "./store_fixture.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

const OTHER_TABLE = 8;

function timesOf(rows: readonly Document[]): number[] {
  return rows.map((row) => (row.get("t") as UtcDate).ms).sort((a, b) => a - b);
}

async function times(store: TimeseriesStore, table = TABLE): Promise<number[]> {
  return timesOf(await scanAll(store, {}, table));
}

function rowsAt(...ms: readonly number[]) {
  return ms.map((time) => measurement(time, time % 2 === 0 ? "a" : "b", { v: time }));
}

function segmentFiles(disk: MemoryDisk): string[] {
  return disk.list("ts").filter((name) => name.endsWith(".seg"));
}

Deno.test("passes that another one covers are forgotten", () => {
  const one = withExpiry([], { beforeMs: 5, throughSegment: 1 });
  const two = withExpiry(one, { beforeMs: 3, throughSegment: 4 });
  assert.deepEqual([1, 4, 5].map((segment) => firstTimeOf(segment, two)), [5, 3, -Infinity]);
  assert.deepEqual(withExpiry(two, { beforeMs: 5, throughSegment: 4 }), [{ beforeMs: 5, throughSegment: 4 }]);
});

Deno.test("exactly the rows older than the time go, from memtable and segments alike", async () => {
  const store = await openStoreWithTable();
  insert(store, 1, rowsAt(1, 2, 3, 4, 5, 6));
  await store.flush();
  insert(store, 2, rowsAt(3, 4, 7, 8));
  await store.expire(TABLE, 4);
  assert.deepEqual(await times(store), [4, 4, 5, 6, 7, 8]);
  for (const timeOrder of [1, -1] as const) {
    assert.deepEqual(timesOf(await scanAll(store, { timeOrder })), [4, 4, 5, 6, 7, 8]);
    assert.deepEqual(timesOf(await scanAll(store, { timeOrder, limit: 6 })), [4, 4, 5, 6, 7, 8]);
  }
  assert.deepEqual(timesOf(await scanAll(store, { timeRange: { fromMs: 0, toMs: 5 } })), [4, 4, 5]);
  await store.close();
});

Deno.test("old rows that come after a pass answer until the next one", async () => {
  const disk = new MemoryDisk();
  const store = await openStoreWithTable(disk);
  insert(store, 1, rowsAt(1, 2, 9));
  await store.expire(TABLE, 5);
  insert(store, 2, rowsAt(1, 3));
  assert.deepEqual(await times(store), [1, 3, 9]);
  await store.flush();
  assert.deepEqual(await times(store), [1, 3, 9]);
  await store.close();
  const reopened = await openStore(disk);
  assert.deepEqual(await times(reopened), [1, 3, 9]);
  await reopened.expire(TABLE, 5);
  assert.deepEqual(await times(reopened), [9]);
  await reopened.close();
});

Deno.test("a segment whose rows have all expired loses its file, and its number is not given again", async () => {
  const disk = new MemoryDisk();
  const store = await openStoreWithTable(disk);
  await store.createTable(OTHER_TABLE, TABLE_OPTIONS);
  insert(store, 1, rowsAt(1, 2));
  insert(store, 2, rowsAt(1), OTHER_TABLE);
  await store.flush();
  await store.expire(TABLE, 5);
  assert.equal(segmentFiles(disk).length, 1, "the other table's rows are in it");
  await store.expire(OTHER_TABLE, 5);
  assert.deepEqual(segmentFiles(disk), []);
  assert.equal(store.stats(TABLE).rows, 0);
  await store.close();
  const reopened = await openStore(disk);
  insert(reopened, 3, rowsAt(1, 2));
  await reopened.flush();
  assert.deepEqual(await times(reopened), [1, 2]);
  assert.deepEqual(await times(reopened, OTHER_TABLE), []);
  await reopened.close();
});

Deno.test("a scan that runs sees what expires meanwhile", async () => {
  const store = await openStoreWithTable();
  insert(store, 1, rowsAt(...Array.from({ length: 5000 }, (_, i) => i)));
  await store.flush();
  const counters = {
    seriesScanned: 0,
    seriesMatched: 0,
    segmentsRead: 0,
    segmentsSkipped: 0,
    pagesRead: 0,
    pagesSkipped: 0,
    rowsRead: 0,
  };
  const scan = store.scan(TABLE, { checkpoint: () => Promise.resolve(), counters });
  await scan.next();
  await store.expire(TABLE, 10_000);
  for await (const batch of scan) batch.forEach((row) => assert.ok(row.get("v") !== undefined));
  assert.equal(counters.rowsRead, 5000);
  assert.deepEqual(await times(store), []);
  await store.close();
});

Deno.test("a crash at any step of a pass leaves all rows or none of the old ones", async () => {
  const outcomes = new Set<string>();
  for (let step = 0;; step++) {
    const memory = new MemoryDisk();
    const faulty = new FaultyDisk(memory, failCall(Infinity, "EIO"));
    const store = await openStoreWithTable(faulty);
    await memory.syncDirectory("");
    insert(store, 1, rowsAt(1, 2, 9));
    await store.flush();
    insert(store, 2, rowsAt(3, 8));
    const failing = faulty.calls + step;
    faulty.setPlan(failCall(failing, "EIO", true));
    const expired = await store.expire(TABLE, 5).then(() => true, () => false);
    await store.close().catch(() => {});
    memory.crash(seededRandom(step));
    const reopened = await openStore(memory);
    insert(reopened, 2, rowsAt(3, 8));
    const found = await times(reopened);
    outcomes.add(found.join());
    assert.ok(["1,2,3,8,9", "8,9"].includes(found.join()), `step ${step}: ${found}`);
    if (expired) assert.equal(found.join(), "8,9", `step ${step}`);
    await reopened.close();
    if (faulty.calls <= failing) break;
  }
  assert.equal(outcomes.size, 2);
});
