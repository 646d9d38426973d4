import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { MemoryDisk, SimulatedClock } from "../../io/mod.ts";
import { Log } from "./log.ts";
import type { LogFollower } from "./log_follower.ts";
import type { LogRecord } from "./record.ts";

const FILE_BYTES = 4096;

function openLog(disk: MemoryDisk, keptBytes = 1 << 30): Promise<Log> {
  return Log.open(disk, "log", {
    random: seededRandom(7),
    sizes: { fileBytes: FILE_BYTES, chunkBytes: FILE_BYTES },
    clock: new SimulatedClock(1_800_000_000_000),
    retention: { bytes: keptBytes, ms: 3_600_000 },
    onRecord: () => {},
  });
}

/** Entries at the times `from` … `to`, each a twentieth of a file: every third one is of group 0, the others of group 1. */
async function fill(log: Log, from: number, to: number): Promise<void> {
  for (let time = from; time <= to; time++) {
    await log.append(time % 3 === 0 ? 0 : 1, 1, [new Uint8Array(150)], { clusterTime: BigInt(time) });
  }
}

function readAll(follower: LogFollower): LogRecord[] {
  const all: LogRecord[] = [];
  for (;;) {
    const piece = follower.next();
    assert.ok(piece.kind === "entries");
    all.push(...piece.entries);
    if (piece.isAtEnd) return all;
  }
}

function timesOf(records: readonly LogRecord[]): number[] {
  return records.map(({ clusterTime }) => Number(clusterTime));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

Deno.test("entries of all groups come in the order of the log, from the wanted time on, over all files", async () => {
  const log = await openLog(new MemoryDisk());
  await fill(log, 1, 100);
  for (const from of [1, 2, 19, 20, 21, 60, 100]) {
    const follower = log.follow(BigInt(from));
    assert.deepEqual(timesOf(readAll(follower)), range(from, 100), `from ${from}`);
    assert.deepEqual(readAll(follower), []);
  }
  const follower = log.follow(101n);
  assert.deepEqual(readAll(follower), []);
  await fill(log, 101, 150);
  assert.deepEqual(timesOf(readAll(follower)), range(101, 150));
  await log.close();
});

Deno.test("one that begins at the end gets what comes from then on, and knows where each group stood", async () => {
  const log = await openLog(new MemoryDisk());
  const first = log.followNew();
  await fill(log, 1, 30);
  const follower = log.followNew();
  assert.deepEqual([follower.start(0), follower.start(1)], [10, 20]);
  await fill(log, 31, 60);
  assert.deepEqual(timesOf(readAll(follower)), range(31, 60));
  assert.deepEqual(timesOf(readAll(first)), range(1, 60));
  await log.close();
});

Deno.test("a place that the log has no more is gone, whether one comes to it or stood there", async () => {
  const disk = new MemoryDisk();
  const log = await openLog(disk, 2 * FILE_BYTES);
  await fill(log, 1, 5);
  const slow = log.follow(1n);
  assert.deepEqual(timesOf(readAll(slow)), range(1, 5));
  await fill(log, 6, 150);
  await log.cut(0, 50);
  await log.cut(1, 100);
  assert.equal(slow.next().kind, "gone");
  assert.equal(log.follow(5n).next().kind, "gone");
  assert.equal(log.follow(5n).start(1), undefined);
  const there = readAll(log.follow(100n));
  assert.deepEqual(timesOf(there), range(100, 150));
  await log.close();
  // Also after a restart.
  const again = await openLog(disk, 2 * FILE_BYTES);
  assert.equal(again.follow(5n).next().kind, "gone");
  assert.deepEqual(timesOf(readAll(again.follow(140n))), range(140, 150));
  await again.close();
});

Deno.test("listeners hear of entries once they are durable, until they take that back", async () => {
  const log = await openLog(new MemoryDisk());
  let heard = 0;
  const forget = log.onAppended(() => heard++);
  await fill(log, 1, 3);
  assert.equal(heard, 3);
  forget();
  await fill(log, 4, 4);
  assert.equal(heard, 3);
  await log.close();
});
