import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { type Disk, failCall, FaultyDisk, MemoryDisk } from "../../io/mod.ts";
import { apply, ChangeModel, openSmall } from "./change_fixture.ts";
import {
  insert,
  measurement,
  newCounters,
  openStoreWithTable,
  scanAll,
  TABLE,
  TABLE_OPTIONS,
} from "./store_fixture.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

async function newModel(seed: number, disk: Disk): Promise<ChangeModel> {
  const store = await openSmall(disk);
  await store.createTable(TABLE, TABLE_OPTIONS);
  return new ChangeModel(seededRandom(seed), store);
}

/** A life without faults. */
class Life {
  private merging: Promise<void> = Promise.resolve();

  constructor(readonly model: ChangeModel, private readonly disk: Disk) {}

  static async begin(seed: number): Promise<Life> {
    const disk = new MemoryDisk();
    return new Life(await newModel(seed, disk), disk);
  }

  async step(allowsExpiry: boolean): Promise<void> {
    const { model } = this;
    const choice = model.random();
    if (choice < 0.3) model.insert(1 + model.below(20));
    else if (choice < 0.4) await model.store.flush();
    else if (choice < 0.45) await this.reopen();
    // Goes on while the next steps are made.
    else if (choice < 0.55) this.merging = model.store.compact(TABLE);
    else if (choice < 0.6 && allowsExpiry) await model.expire(model.below(15));
    else await model.change(model.randomMeaning(), model.random() < 0.5);
  }

  async reopen(): Promise<void> {
    await this.close();
    this.model.adopt(await openSmall(this.disk));
  }

  async close(): Promise<void> {
    await this.merging;
    await this.model.store.close();
  }
}

Deno.test("changes, inserts, flushes, merges, expiry and reopening in any order leave what a simple list would hold", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const life = await Life.begin(seed);
    for (let step = 0; step < 30; step++) {
      await life.step(true);
      await life.model.check();
      await life.model.checkOrders();
    }
    await life.reopen();
    await life.model.check();
    await life.close();
  }
});

Deno.test("the same log gives the same rows wherever it was flushed, and counts them", async () => {
  for (let seed = 100; seed <= 120; seed++) {
    const life = await Life.begin(seed);
    const { model } = life;
    for (let step = 0; step < 25; step++) {
      await life.step(false);
      assert.equal(model.store.stats(TABLE).rows, model.rows.length);
    }
    const other = await openSmall(new MemoryDisk());
    await other.createTable(TABLE, TABLE_OPTIONS);
    for (const entry of model.log) {
      apply(other, entry);
      if (model.random() < 0.2) await other.flush();
      if (model.random() < 0.1) await other.compact(TABLE);
    }
    await model.check(other);
    assert.equal(other.stats(TABLE).rows, model.rows.length);
    await other.close();
    await life.close();
  }
});

const FAULT = /EIO|ENOSPC/;

/** What may or may not have happened when a pass of retention failed. */
interface Doubt {
  expiredBefore: number | undefined;
}

/** Steps over a disk that may fail; ends at a failed pass of retention, after which nobody knows. */
async function liveOverFaults(
  model: ChangeModel,
  steps: number,
  cut: (index: number) => void,
): Promise<Doubt> {
  for (let step = 0; step < steps; step++) {
    const choice = model.random();
    const before = model.below(15);
    try {
      if (choice < 0.3) model.insert(1 + model.below(20));
      else if (choice < 0.45) cut(await model.store.flush());
      else if (choice < 0.6) await model.store.compact(TABLE);
      else if (choice < 0.68) await model.expire(before);
      else await model.change(model.randomMeaning(), model.random() < 0.5);
    } catch (error) {
      assert.match(String(error), FAULT);
      if (choice >= 0.6 && choice < 0.68) return { expiredBefore: before };
    }
    await model.check().catch((error) => assert.match(String(error), FAULT));
  }
  return { expiredBefore: undefined };
}

/** Opens what a crash left, replays the log from where it was cut, and checks that all is there. */
async function recover(model: ChangeModel, disk: Disk, cutTo: number, doubt: Doubt): Promise<void> {
  model.adopt(await openSmall(disk, cutTo + 1));
  if (doubt.expiredBefore === undefined) return await model.check();
  const before = doubt.expiredBefore;
  await model.check().catch(async () => {
    model.rows = model.rows.filter((row) => row.time >= before);
    await model.check();
  });
}

/** One life with a fault at a call to the disk, a crash, and a second life; returns how many calls the first took. */
async function lifeWithFault(seed: number, failing: number): Promise<number> {
  const memory = new MemoryDisk();
  memory.makeDirectory("ts");
  await memory.syncDirectory("");
  const disk = new FaultyDisk(memory, () => undefined);
  const model = await newModel(seed, disk);
  const start = disk.calls;
  if (failing >= 0) disk.setPlan(failCall(start + failing, failing % 2 === 0 ? "EIO" : "ENOSPC"));
  let cutTo = 0;
  const doubt = await liveOverFaults(model, 22, (index) => cutTo = Math.max(cutTo, index));
  const calls = disk.calls - start;
  memory.crash(model.random);
  await recover(model, memory, cutTo, doubt);
  await liveOverFaults(model, 4, (index) => cutTo = Math.max(cutTo, index));
  await model.store.close();
  model.adopt(await openSmall(memory, cutTo + 1));
  await model.check();
  await model.store.close();
  return calls;
}

Deno.test("a disk that fails at any call, and a crash then: nothing deleted returns, nothing is changed by half", async () => {
  for (const seed of [1, 2, 8]) {
    const calls = await lifeWithFault(seed, -1);
    assert.ok(calls > 80, `${calls} calls`);
    for (let call = seed % 3; call < calls; call += 3) {
      await lifeWithFault(seed, call).catch((cause) => {
        throw new Error(`seed ${seed}, call ${call}`, { cause });
      });
    }
  }
});

async function removeAll(
  store: TimeseriesStore,
  logIndex: number,
  isMeant: (ms: number) => boolean,
): Promise<void> {
  const change = await store.beginChange(TABLE);
  for await (const batch of change.scan({ checkpoint: () => Promise.resolve(), counters: newCounters() })) {
    for (const row of batch) if (isMeant(row.time)) change.remove(row);
  }
  const taken = change.take();
  if (taken !== undefined) store.applyChange(logIndex, TABLE, taken.payload);
}

// MongoDB lost measurements that were inserted where others had been deleted: to an early expiry, or from the results
// (SERVER-99527).
Deno.test("what is inserted where measurements were deleted is found, and expires by its own time", async () => {
  const store = await openStoreWithTable();
  const times = (from: number, end: number) => Array.from({ length: end - from }, (_, i) => from + i);
  const timesIn = async () => (await scanAll(store)).map((row) => Number(row.get("n"))).sort((a, b) => a - b);
  const rows = (ms: readonly number[]) => ms.map((time) => measurement(time, "a", { n: time }));
  insert(store, 1, rows(times(0, 100)));
  await store.flush();
  await removeAll(store, 2, (ms) => ms < 100);
  insert(store, 3, rows(times(50, 150)));
  assert.deepEqual(await timesIn(), times(50, 150));
  await store.expire(TABLE, 40);
  assert.deepEqual(await timesIn(), times(50, 150));
  await store.flush();
  await store.compact(TABLE);
  assert.deepEqual(await timesIn(), times(50, 150));
  await store.expire(TABLE, 60);
  assert.deepEqual(await timesIn(), times(60, 150));
  await store.close();
});

Deno.test("a scan that has begun sees what a later change takes away, and not what it adds", async () => {
  const store = await openStoreWithTable();
  insert(store, 1, Array.from({ length: 3000 }, (_, i) => measurement(i, "a", { v: i })));
  await store.flush();
  insert(store, 2, Array.from({ length: 3000 }, (_, i) => measurement(3000 + i, "a", { v: i })));
  const request = { checkpoint: () => Promise.resolve(), counters: newCounters() };
  const scan = store.scan(TABLE, request);
  let seen = (await scan.next()).value?.length ?? 0;
  await removeAll(store, 3, () => true);
  insert(store, 4, [measurement(1, "a")]);
  await store.flush();
  for await (const batch of scan) seen += batch.length;
  assert.equal(seen, 6000);
  assert.equal((await scanAll(store)).length, 1);
  await store.close();
});

Deno.test("a segment without rows loses its file once the log cannot name them any more; masks lose theirs with it", async () => {
  const disk = new MemoryDisk();
  const store = await openStoreWithTable(disk);
  const files = (end: string) => disk.list("ts").filter((name) => name.endsWith(end)).length;
  for (let round = 0; round < 2; round++) {
    insert(store, round + 1, Array.from({ length: 10 }, (_, i) => measurement(round * 10 + i, "a")));
    await store.flush();
  }
  await removeAll(store, 3, (ms) => ms < 15);
  assert.deepEqual([files(".seg"), files(".mask")], [2, 0]);
  await store.flush();
  assert.deepEqual([files(".seg"), files(".mask")], [1, 1]);
  assert.equal(store.stats(TABLE).rows, 5);
  await removeAll(store, 4, () => true);
  await store.flush();
  assert.deepEqual([files(".seg"), files(".mask")], [0, 0]);
  assert.equal(store.stats(TABLE).rows, 0);
  await store.close();
});
