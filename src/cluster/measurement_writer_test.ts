import assert from "node:assert/strict";
import {
  DEFAULT_MEMORY_BUDGET_BYTES,
  MemoryBudget,
  MIN_CHANGE_ENTRY_BYTES,
  SILENT_LOGGER,
} from "../base/mod.ts";
import {
  Binary,
  BuiltDocument,
  type Document,
  encodeDocument,
  Int32,
  RawDocument,
  UtcDate,
} from "../bson/mod.ts";
import { type Disk, MemoryDisk, SimulatedClock } from "../io/mod.ts";
import { newScanCounters } from "../query/mod.ts";
import { Log } from "../storage/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import type { MeasurementChange, MeasurementChanges } from "./measurement_change.ts";
import { numbered, TIMESERIES } from "./node_fixture.ts";
import { ClusterClock } from "./cluster_clock.ts";
import { VNode } from "./vnode.ts";

const INFO: CollectionInfo = {
  ...{ id: 1, db: "d", collection: "c", uuid: new Binary(new Uint8Array(16), 4) },
  ...{ timeseries: TIMESERIES.timeseries!, options: TIMESERIES.options },
};

/** A VNode with its log and one collection. */
class Shard {
  private constructor(readonly vnode: VNode, private readonly log: Log) {}

  static async open(disk: Disk, memory = new MemoryBudget(DEFAULT_MEMORY_BUDGET_BYTES)): Promise<Shard> {
    const clock = new SimulatedClock();
    const vnode = await VNode.open({
      ...{ disk, clock, times: new ClusterClock(clock), logger: SILENT_LOGGER },
      ...{ directory: "vnode-1", group: 1, documentsPath: ":memory:", memory },
    });
    vnode.collections.add(INFO);
    const log = await Log.open(disk, "log", { onRecord: (record) => vnode.replay(record) });
    await vnode.collections.settle();
    vnode.join(log, () => vnode.checkpoint().then((index) => log.cut(1, index)));
    return new Shard(vnode, log);
  }

  /** Entries of the log so far. */
  get entries(): number {
    return this.log.lastIndex(1);
  }

  static async with(numbers: readonly number[], disk = new MemoryDisk()): Promise<Shard> {
    const shard = await Shard.open(disk);
    await shard.insert(numbers);
    return shard;
  }

  async insert(numbers: readonly number[]): Promise<void> {
    const { errors } = await this.vnode.insert(INFO, numbers.map(numbered), true);
    assert.deepEqual(errors, []);
  }

  change(request: Partial<MeasurementChange>): Promise<MeasurementChanges> {
    return this.vnode.change(INFO, {
      scan: { checkpoint: () => Promise.resolve(), counters: newScanCounters() },
      matches: () => true,
      isSingle: false,
      change: () => "remove",
      ...request,
    });
  }

  async numbers(): Promise<number[]> {
    const request = { checkpoint: () => Promise.resolve(), counters: newScanCounters() };
    const numbers: number[] = [];
    for await (const batch of this.vnode.source(INFO).scan(request)) numbers.push(...batch.map(numberOf));
    return numbers.sort((a, b) => a - b);
  }

  async close(): Promise<void> {
    await this.vnode.drain();
    await this.vnode.checkpoint();
    await this.log.close();
    await this.vnode.close();
  }
}

function numberOf(document: Document): number {
  return (document.get("n") as Int32).value;
}

function withNumber(n: number): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of({ t: new UtcDate(n), n: Int32.of(n) })));
}

Deno.test("a change removes and replaces what matches, and is there after a restart", async () => {
  const disk = new MemoryDisk();
  const shard = await Shard.with([1, 2, 3, 4, 5, 6], disk);
  const removed = await shard.change({ matches: (row) => numberOf(row) % 2 === 0 });
  assert.deepEqual(removed, { matched: 3, removed: 3, replaced: 0, upserted: false });
  const replaced = await shard.change({
    matches: (row) => numberOf(row) > 1,
    change: (row) => numberOf(row) === 3 ? "keep" : withNumber(50),
  });
  assert.deepEqual(replaced, { matched: 2, removed: 0, replaced: 1, upserted: false });
  assert.deepEqual(await shard.numbers(), [1, 3, 50]);
  assert.equal(shard.vnode.stats(INFO).count, 3);
  disk.kill();
  const killed = await Shard.open(disk);
  assert.deepEqual(await killed.numbers(), [1, 3, 50]);
  await killed.close();
  const again = await Shard.open(disk);
  assert.deepEqual(await again.numbers(), [1, 3, 50]);
  assert.equal(again.vnode.stats(INFO).count, 3);
  await again.close();
});

Deno.test("a single change takes the first row, or the first by an order; where none matches, an upsert adds one", async () => {
  const shard = await Shard.with([1, 2, 3, 4]);
  const byNumber = (a: Document, b: Document) => numberOf(b) - numberOf(a);
  assert.equal((await shard.change({ isSingle: true, order: byNumber })).removed, 1);
  assert.deepEqual(await shard.numbers(), [1, 2, 3]);
  assert.equal((await shard.change({ isSingle: true })).removed, 1);
  assert.equal((await shard.numbers()).length, 2);
  const upsert = { matches: (row: Document) => numberOf(row) === 9, upsert: () => withNumber(9) };
  const results = await Promise.all([shard.change(upsert), shard.change(upsert)]);
  assert.deepEqual(results.map(({ matched, upserted }) => [matched, upserted]), [[0, true], [1, false]]);
  await shard.close();
});

Deno.test("a new measurement that is none fails the statement, and nothing of it has happened", async () => {
  const shard = await Shard.with([1, 2, 3]);
  const noTime = new RawDocument(encodeDocument(BuiltDocument.of({ n: Int32.of(1) })));
  const change = (row: Document) => numberOf(row) === 3 ? noTime : "remove";
  await assert.rejects(shard.change({ change }), /must be present and contain a valid BSON UTC datetime/);
  assert.deepEqual(await shard.numbers(), [1, 2, 3]);
  assert.equal((await shard.change({})).removed, 3);
  await shard.close();
});

Deno.test("inserts that run beside a change are neither lost nor removed unseen", async () => {
  const shard = await Shard.with(Array.from({ length: 3000 }, (_, i) => i * 10));
  const writes: Promise<unknown>[] = [];
  let n = 0;
  const change = shard.change({
    matches: (row) => {
      // Numbers between those that are there, so times within the spans that go.
      if (n < 300) writes.push(shard.insert([++n * 100 + 5]));
      return numberOf(row) % 10 === 0;
    },
  });
  assert.equal((await change).removed, 3000);
  await Promise.all(writes);
  assert.deepEqual(
    await shard.numbers(),
    Array.from({ length: 300 }, (_, i) => (i + 1) * 100 + 5),
  );
  await shard.close();
});

Deno.test("a change larger than an entry is logged in several, flushed on its way, and there after a crash", async () => {
  const disk = new MemoryDisk();
  const memory = new MemoryBudget(2 * MIN_CHANGE_ENTRY_BYTES);
  const shard = await Shard.open(disk, memory);
  const rows = 2500;
  await shard.insert(Array.from({ length: rows }, (_, i) => i));
  const text = "x".repeat(2000);
  let late = 0;
  const changes = await shard.change({
    change: (row) => {
      const n = numberOf(row);
      // Beside the change: among the rows that it has passed, and among those to come.
      if (n % 500 === 0) {
        void shard.insert([10_000 + late++, n + 250]);
      }
      return new RawDocument(
        encodeDocument(BuiltDocument.of({ t: new UtcDate(n), n: Int32.of(n + 100_000), text })),
      );
    },
  });
  assert.deepEqual(changes, { matched: rows, removed: 0, replaced: rows, upserted: false });
  const expected = [
    ...Array.from({ length: 5 }, (_, i) => 250 + i * 500),
    ...Array.from({ length: 5 }, (_, i) => 10_000 + i),
    ...Array.from({ length: rows }, (_, i) => 100_000 + i),
  ];
  assert.deepEqual(await shard.numbers(), expected);
  const entries = shard.entries - 1 - late;
  assert.ok(entries >= 4, `${entries} entries of the change`);
  disk.kill();
  const killed = await Shard.open(disk, memory);
  assert.deepEqual(await killed.numbers(), expected);
  await killed.close();
});
