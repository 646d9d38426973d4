import assert from "node:assert/strict";
import { MemoryBudget, type Random, seededRandom } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Document,
  Int32,
  type RawDocument,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { failCall, FaultyDisk, MemoryDisk } from "../../io/mod.ts";
import { dueNeighbours } from "./compaction_policy.ts";
import { Manifest } from "./manifest.ts";
import type { PartitionSizes } from "./partition_cuts.ts";
import {
  hexOf,
  insert,
  measurement,
  newCounters,
  openStore,
  scanAll,
  TABLE,
  TABLE_OPTIONS,
} from "./store_fixture.ts";
import { readSegment } from "./segment_format.ts";
import { verifySegment } from "./verify_segment.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

const HOUR_MS = 3_600_000;
const TABLES = [TABLE, 8, 20];
/** So small that few rows make partitions, cut them and join them. */
const SMALL: PartitionSizes = {
  smallSegmentBytes: 2000,
  leastPushBytes: 1000,
  fullBytes: 6000,
  maxPartitionBytes: 12_000,
};

const VALUES: readonly Value[] = [
  1.5,
  new Int32(3),
  2n ** 62n,
  "text",
  null,
  true,
  new UtcDate(5),
  [1, "a"],
  BuiltDocument.EMPTY,
  NaN,
  -0,
];

/** A row of any shape; its number tells it from all others. */
function anyRow(random: Random, n: number, ms: number): RawDocument {
  const fields: Record<string, Value> = {};
  if (random() < 0.8) {
    fields["v"] = random() < 0.8 ? Math.round(random() * 100) / 10 : VALUES[n % VALUES.length]!;
  }
  if (random() < 0.3) fields["s"] = `text ${n % 7}`;
  if (random() < 0.2) fields["d"] = BuiltDocument.of({ a: new Int32(n), b: BuiltDocument.of({ c: n }) });
  if (random() < 0.05) fields[`sparse${n % 50}`] = VALUES[n % VALUES.length]!;
  return measurement(ms, new Int32(Math.floor(random() * 5)), { n: new Int32(n), ...fields });
}

/** Where the next row's time is, by the way rows come. */
type Times = (random: Random, n: number) => number;
const TIMES: Readonly<Record<string, Times>> = {
  "in order": (_, n) => n * 60_000,
  "at few times": (random) => Math.floor(random() * 3) * HOUR_MS,
  "in reverse": (_, n) => -n * 60_000,
  "at random over years": (random) => Math.floor(random() * 10 * 8760) * HOUR_MS,
  "mostly in order": (random, n) => random() < 0.9 ? n * 60_000 : Math.floor(random() * n) * 60_000,
};

async function scans(store: TimeseriesStore): Promise<string[][]> {
  const all: string[][] = [];
  for (const table of TABLES) {
    if (!store.hasTable(table)) continue;
    for (const timeOrder of [undefined, 1, -1] as const) {
      all.push((await scanAll(store, timeOrder === undefined ? {} : { timeOrder }, table)).map(hexOf));
    }
  }
  return all;
}

function segmentFiles(disk: MemoryDisk): string[] {
  return disk.list("ts").filter((name) => name.endsWith(".seg"));
}

async function openSmallStore(disk: MemoryDisk): Promise<TimeseriesStore> {
  const store = await openStore(disk, { partitionSizes: SMALL });
  for (const table of TABLES) await store.createTable(table, TABLE_OPTIONS);
  return store;
}

for (const [name, timeOf] of Object.entries(TIMES)) {
  Deno.test(`scans give the same before and after compactions, rows coming ${name}`, async () => {
    const random = seededRandom(name.length);
    const disk = new MemoryDisk();
    // What comes back of a store that never merges.
    const model = await openStore(new MemoryDisk());
    let store = await openSmallStore(disk);
    for (const table of TABLES) await model.createTable(table, TABLE_OPTIONS);
    let n = 0;
    for (let round = 1; round <= 26; round++) {
      const table = TABLES[Math.floor(random() ** 2 * TABLES.length)]!;
      const rows = Array.from({ length: 20 + Math.floor(random() * 300) }, () => {
        return anyRow(random, ++n, timeOf(random, n));
      });
      insert(store, round, rows, table);
      insert(model, round, rows, table);
      if (random() < 0.8) await store.flush();
      if (round % 10 === 0) await store.compact(table);
      if (round % 6 === 0) assert.deepEqual(await scans(store), await scans(model), `round ${round}`);
      if (round % 13 === 0) {
        await store.flush();
        await store.close();
        store = await openStore(disk, { partitionSizes: SMALL });
      }
    }
    await store.flush();
    for (const table of TABLES) await store.compact(table);
    assert.deepEqual(await scans(store), await scans(model));
    assert.ok(Manifest.read(disk, "ts").manifest.bounds.length > 0, "there are several partitions");
    const { bytes } = storedBytes(disk);
    const files = segmentFiles(disk).length;
    assert.ok(files <= 2 * Math.ceil(bytes / SMALL.leastPushBytes), `${files} files for ${bytes} bytes`);
    assert.equal(store.stats(TABLE).dataBytes, model.stats(TABLE).dataBytes);
    await store.close();
    await model.close();
  });
}

function storedBytes(disk: MemoryDisk): { bytes: number } {
  let bytes = 0;
  for (const name of segmentFiles(disk)) bytes += disk.open(`ts/${name}`, "read").size();
  return { bytes };
}

Deno.test("rows with thousands of rare fields keep their common ones in columns through merges", async () => {
  const random = seededRandom(4);
  const disk = new MemoryDisk();
  const store = await openStore(disk);
  await store.createTable(TABLE, TABLE_OPTIONS);
  const rows: RawDocument[] = [];
  for (let round = 1; round <= 5; round++) {
    const added = Array.from({ length: 400 }, (_, i) => {
      const rare = Array.from({ length: 4 }, () => [`f${Math.floor(random() * 5000)}`, random()]);
      return measurement(round * 1000 + i, 1, { v: i, ...Object.fromEntries(rare) });
    });
    rows.push(...added);
    insert(store, round, added);
    await store.flush();
  }
  await store.compact(TABLE);
  assert.deepEqual((await scanAll(store)).map(hexOf), rows.map(hexOf));
  const names = segmentFiles(disk);
  assert.equal(names.length, 1);
  const report = await verifySegment(disk, `ts/${names[0]}`);
  const pages = report.tables.flatMap(({ groups }) => groups)
    .flatMap((group) => group.pages);
  const valuesOf = (name: string) =>
    pages.filter(({ column }) => column === name).reduce((sum, { count }) => sum + count, 0);
  assert.equal(valuesOf("v"), rows.length);
  assert.equal(valuesOf("(rows kept whole)"), 0);
  assert.deepEqual(report.damages, []);
  await store.close();
});

Deno.test("neighbours of one size are merged, smaller ones between them go along", () => {
  const due = (...sizes: number[]) => dueNeighbours(sizes, 1);
  assert.equal(due(1, 1, 1), 0);
  assert.equal(due(1, 1, 1, 1), 4);
  assert.equal(due(16, 1, 1, 1, 1), 4);
  assert.equal(due(16, 16, 1, 1, 16, 1, 16), 7);
  assert.equal(due(64, 16, 16, 4, 4, 1), 0);
  assert.equal(due(4, 16, 4, 4, 4), 0);
  assert.equal(due(4, 16, 4, 4, 3, 4), 4);
});

Deno.test("compact makes one segment of a table, without what expired, and its expiries are forgotten", async () => {
  const disk = new MemoryDisk();
  const store = await openStore(disk);
  for (const table of TABLES) await store.createTable(table, TABLE_OPTIONS);
  for (let round = 0; round < 3; round++) {
    for (const table of TABLES) {
      const rows = Array.from({ length: 50 }, (_, i) => measurement(i * 1000 + round, i % 2, { v: i }));
      insert(store, round + 1, rows, table);
    }
    await store.flush();
  }
  await store.expire(TABLE, 25_000);
  const before = await scans(store);
  await store.compact(TABLE);
  assert.deepEqual(await scans(store), before);
  assert.equal(segmentFiles(disk).length, 1);
  assert.equal(store.stats(TABLE).rows, 75);
  assert.equal(Manifest.read(disk, "ts").manifest.expiries.size, 0);
  await store.compact(TABLE);
  await store.dropTable(8);
  await store.dropTable(20);
  await store.close();
  const again = await openStore(disk);
  assert.deepEqual(await scans(again), before.slice(0, 3));
  await again.close();
});

Deno.test("rows that come, expire and go with their table while a merge runs", async () => {
  for (let turns = 0; turns < 60; turns += 3) {
    const disk = new MemoryDisk();
    const store = await openStore(disk);
    for (const table of TABLES) await store.createTable(table, TABLE_OPTIONS);
    for (let round = 1; round <= 3; round++) {
      for (const table of TABLES) {
        insert(store, round, [measurement(round, 1, { v: 1 }), measurement(9, 1)], table);
      }
      await store.flush();
    }
    const scan = scanAll(store, {}, 8);
    const compacting = store.compact(TABLE);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    insert(store, 4, [measurement(2, 1, { late: 1 })]);
    const expiring = store.expire(TABLE, 3);
    const dropping = store.dropTable(20);
    await Promise.all([compacting, expiring, dropping]);
    insert(store, 5, [measurement(1, 1, { later: 1 })]);
    for (const reopened of [false, true]) {
      const now = reopened ? await openStore(disk) : store;
      const times = (await scanAll(now, { timeOrder: 1 })).map((row) => (row.get("t") as UtcDate).ms);
      assert.deepEqual(times, [1, 3, 9, 9, 9], `after ${turns} turns`);
      assert.equal((await scanAll(now, {}, 8)).length, 6);
      assert.equal(now.hasTable(20), false);
      await now.flush();
      await now.close();
    }
    assert.equal((await scan).length, 6);
  }
});

Deno.test("a disk that fails at any call of a merge, or is full, leaves the rows as they were; later it goes on", async () => {
  for (const code of ["EIO", "ENOSPC"] as const) {
    for (let step = 0;; step++) {
      const memory = new MemoryDisk();
      memory.makeDirectory("ts");
      await memory.syncDirectory("");
      const faulty = new FaultyDisk(memory, failCall(Infinity, code));
      const store = await openStore(faulty);
      await store.createTable(TABLE, TABLE_OPTIONS);
      for (let round = 1; round <= 3; round++) {
        insert(store, round, Array.from({ length: 30 }, (_, i) => measurement(i * round, i % 3, { v: i })));
        await store.flush();
      }
      await store.expire(TABLE, 10);
      const before = (await scanAll(store)).map(hexOf);
      const failing = faulty.calls + step;
      faulty.setPlan(failCall(failing, code));
      await store.compact(TABLE).catch((error) => assert.match(String(error), /EIO|ENOSPC/));
      const isOver = faulty.calls <= failing;
      faulty.setPlan(failCall(Infinity, code));
      assert.deepEqual((await scanAll(store)).map(hexOf), before, `${code} at ${step}`);
      if (step % 2 === 0) {
        await store.compact(TABLE);
        assert.deepEqual((await scanAll(store)).map(hexOf), before, `${code} at ${step}, later`);
        await store.close();
      }
      memory.crash(seededRandom(step));
      const again = await openStore(memory);
      assert.deepEqual((await scanAll(again)).map(hexOf), before, `${code} at ${step}, reopened`);
      await again.close();
      if (isOver) break;
    }
  }
});

Deno.test("a crash at any moment of a merge leaves its inputs or its outputs", async () => {
  const outcomes = new Set<number>();
  for (let turns = 0; turns < 100; turns++) {
    const disk = new MemoryDisk();
    disk.makeDirectory("ts");
    await disk.syncDirectory("");
    const store = await openStore(disk);
    await store.createTable(TABLE, TABLE_OPTIONS);
    for (let round = 1; round <= 3; round++) {
      insert(store, round, Array.from({ length: 30 }, (_, i) => measurement(i * round, i % 3, { v: i })));
      await store.flush();
    }
    const before = (await scanAll(store)).map(hexOf);
    const compacting = store.compact(TABLE).catch(() => {});
    for (let i = 0; i < turns; i++) await Promise.resolve();
    disk.crash(seededRandom(turns));
    await compacting;
    const again = await openStore(disk);
    assert.deepEqual((await scanAll(again)).map(hexOf), before);
    outcomes.add(segmentFiles(disk).length);
    await again.close();
  }
  assert.deepEqual([...outcomes].sort(), [1, 3]);
});

Deno.test("a device that dies at any call of flushes, merges and expiries leaves what was acknowledged", async () => {
  const batches = [1, 2, 3].map((index) =>
    Array.from(
      { length: 12 },
      (_, i) => measurement(i * 10 + index, i % 3, { n: index * 100 + i }),
    )
  );
  for (let step = 0;; step++) {
    const memory = new MemoryDisk();
    memory.makeDirectory("ts");
    await memory.syncDirectory("");
    const faulty = new FaultyDisk(memory, failCall(Infinity, "EIO"));
    const store = await openStore(faulty, { partitionSizes: SMALL });
    await store.createTable(TABLE, TABLE_OPTIONS);
    faulty.setPlan(failCall(faulty.calls + step, "EIO", true));
    const failing = faulty.calls + step;
    let cutTo = 0;
    let inserted = 0;
    let expiry: "none" | "unsure" | "done" = "none";
    const steps: (() => Promise<void>)[] = [];
    const insertAndFlush = (index: number) => async () => {
      insert(store, index, batches[index - 1]!);
      inserted = index;
      cutTo = await store.flush();
    };
    steps.push(insertAndFlush(1), insertAndFlush(2), () => store.compact(TABLE));
    steps.push(async () => {
      expiry = "unsure";
      await store.expire(TABLE, 45);
      expiry = "done";
    });
    steps.push(() => store.compact(TABLE), insertAndFlush(3), () => store.compact(TABLE));
    try {
      for (const act of steps) await act();
    } catch (error) {
      assert.match(String(error), /EIO/);
    }
    await store.close().catch(() => {});
    memory.crash(seededRandom(step));
    const again = await openStore(memory, { logStart: cutTo + 1, partitionSizes: SMALL });
    for (let index = cutTo + 1; index <= inserted; index++) insert(again, index, batches[index - 1]!);
    const numbers = (documents: readonly Document[]) => documents.map((row) => Number(row.get("n"))).sort();
    const all = batches.slice(0, inserted).flat();
    const left = all.filter((row) => (row.get("t") as UtcDate).ms >= 45 || Number(row.get("n")) >= 300);
    const found = numbers(await scanAll(again));
    const expected = { none: [all], unsure: [all, left], done: [left] }[expiry as "none" | "unsure" | "done"];
    assert.ok(
      expected.some((rows) => numbers(rows).join() === found.join()),
      `step ${step}, expiry ${expiry}: ${found}`,
    );
    await again.compact(TABLE);
    assert.deepEqual(numbers(await scanAll(again)), found);
    await again.close();
    if (faulty.calls <= failing) break;
  }
});

Deno.test("a scan that has begun reads segments that it comes to only after they were merged or dropped", async () => {
  for (const goAway of ["merged", "dropped"]) {
    const store = await openStore();
    await store.createTable(TABLE, TABLE_OPTIONS);
    insert(store, 1, Array.from({ length: 3000 }, (_, i) => measurement(i, "a")));
    await store.flush();
    insert(store, 2, [measurement(1, "b"), measurement(2, "c")]);
    await store.flush();
    const scan = store.scan(TABLE, { checkpoint: () => Promise.resolve(), counters: newCounters() });
    let seen = (await scan.next()).value?.length ?? 0;
    if (goAway === "merged") await store.compact(TABLE);
    else await store.dropTable(TABLE);
    for await (const batch of scan) seen += batch.length;
    assert.equal(seen, 3002, goAway);
    await store.close();
  }
});

Deno.test("a merge counts what it decodes, others give way to it, and it gives all back", async () => {
  const memory = new MemoryBudget(2 ** 22);
  const store = await openStore(new MemoryDisk(), { memory, partitionSizes: SMALL });
  await store.createTable(TABLE, TABLE_OPTIONS);
  let most = 0;
  const cache = memory.lease();
  memory.onShortage((bytes) => {
    most = Math.max(most, bytes);
    cache.shrink(Math.min(bytes, cache.bytes));
  });
  for (let flush = 1; flush <= 3; flush++) {
    const rows = Array.from({ length: 5000 }, (_, i) => measurement(i * 1000, "a", { v: flush + i / 10 }));
    insert(store, flush, rows);
    await store.flush();
  }
  const held = memory.heldBytes;
  cache.grow(memory.totalBytes - held);
  await store.compact(TABLE);
  // A page of doubles, read and about to be written.
  assert.ok(most >= 2 * 4096 * 8, `${most} bytes were asked for`);
  assert.equal(memory.heldBytes - cache.bytes, held);
  assert.equal((await scanAll(store)).length, 15_000);
  await store.close();
});

Deno.test("rows that are large give row groups of fewer rows where there is little memory", async () => {
  for (const [totalBytes, groupsAtLeast, groupsAtMost] of [[2 ** 20, 4, 8], [2 ** 30, 1, 1]] as const) {
    const disk = new MemoryDisk();
    const store = await openStore(disk, { memory: new MemoryBudget(totalBytes) });
    await store.createTable(TABLE, TABLE_OPTIONS);
    const text = "x".repeat(20_000);
    for (let flush = 0; flush < 4; flush++) {
      const rows = Array.from({ length: 250 }, (_, i) => measurement(flush * 250 + i, "a", { text }));
      insert(store, flush + 1, rows);
      await store.flush();
    }
    await store.compact(TABLE);
    const [file] = segmentFiles(disk);
    const groups = readSegment(disk.open(`ts/${file}`, "read")).flatMap((table) => table.groups);
    assert.ok(groups.length >= groupsAtLeast && groups.length <= groupsAtMost, `${groups.length} row groups`);
    assert.equal((await scanAll(store)).length, 1000);
    await store.close();
  }
});
