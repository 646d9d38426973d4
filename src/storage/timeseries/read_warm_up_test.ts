import assert from "node:assert/strict";
import { Logger } from "../../base/mod.ts";
import { type DiskFile, MemoryDisk, type OpenMode, SimulatedClock } from "../../io/mod.ts";
import { insert, measurement, openStore, scanAll, TABLE, TABLE_OPTIONS } from "./store_fixture.ts";

/** A clock on which each look takes a tenth of a millisecond. */
class WorkingClock extends SimulatedClock {
  private worked = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + (this.worked += 0.1);
  }
}

/** A disk that counts reads of segments, and fails them when told to. */
class WatchedDisk extends MemoryDisk {
  reads = 0;
  isBroken = false;

  override open(path: string, mode: OpenMode): DiskFile {
    const file = super.open(path, mode);
    if (mode !== "read" || !path.endsWith(".seg")) return file;
    const readAt = (bytes: Uint8Array, offset: number) => {
      this.reads++;
      if (this.isBroken) throw new Error("the disk is broken");
      return file.readAt(bytes, offset);
    };
    return Object.assign(Object.create(file) as DiskFile, { readAt });
  }
}

async function openWarming() {
  const disk = new WatchedDisk();
  const clock = new WorkingClock();
  const lines: string[] = [];
  const logger = new Logger("test", "warn", (line) => lines.push(line), () => 0);
  const store = await openStore(disk, { clock, logger });
  await store.createTable(TABLE, TABLE_OPTIONS);
  insert(store, 1, Array.from({ length: 3000 }, (_, i) => measurement(i * 1000, "a", { v: i % 7 })));
  await store.flush();
  disk.reads = 0;
  return { disk, clock, lines, store };
}

Deno.test("some time after the start pages are read again and again, not for long in all", async () => {
  const { disk, clock, lines, store } = await openWarming();
  store.startWarmUp();
  clock.advance(100);
  assert.equal(disk.reads, 0, "a short life costs nothing");
  clock.advance(60_000);
  const { reads } = disk;
  assert.ok(reads > 1000, `${reads} reads`);
  clock.advance(60_000);
  assert.equal(disk.reads, reads, "it has ended");
  assert.deepEqual(lines, []);
  const rows = await scanAll(store);
  assert.ok(disk.reads > reads, "nothing of it was kept");
  assert.equal(rows.length, 3000);
  await store.close();
});

Deno.test("a store that is closed reads no more, nor does one that cannot", async () => {
  const closed = await openWarming();
  closed.store.startWarmUp();
  closed.clock.advance(310);
  const { reads } = closed.disk;
  assert.ok(reads > 0);
  await closed.store.close();
  closed.clock.advance(60_000);
  assert.equal(closed.disk.reads, reads);

  const { disk, clock, lines, store } = await openWarming();
  store.startWarmUp();
  disk.isBroken = true;
  clock.advance(60_000);
  assert.equal(disk.reads, 1);
  assert.match(lines.join("\n"), /^\S+ warn {2}test: stopped warming up .*the disk is broken/);
  await store.close();
});

Deno.test("there may be nothing to read", async () => {
  const clock = new WorkingClock();
  const store = await openStore(new MemoryDisk(), { clock });
  store.startWarmUp();
  clock.advance(1000);
  await store.createTable(TABLE, TABLE_OPTIONS);
  store.startWarmUp();
  clock.advance(1000);
  await store.close();
});
