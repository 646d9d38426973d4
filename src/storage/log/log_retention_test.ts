/** Files of the log that were cut: how long they stay, who reads them, and that nobody needs them. */
import assert from "node:assert/strict";
import { CorruptionError, seededRandom } from "../../base/mod.ts";
import { type Disk, type DiskCall, FaultyDisk, MemoryDisk, SimulatedClock } from "../../io/mod.ts";
import type { LogRetention } from "./kept_files.ts";
import { Log } from "./log.ts";
import { listFiles, logPath, type Role } from "./log_file.ts";
import type { LogReader } from "./log_reader.ts";
import type { LogRecord } from "./record.ts";
import { replayKept } from "./replay.ts";

const FILE_BYTES = 4096;
const HOUR_MS = 3_600_000;
const START_MS = 1_800_000_000_000;
const MUCH: LogRetention = { bytes: 1 << 30, ms: HOUR_MS };

async function openLog(
  disk: Disk,
  options: { clock?: SimulatedClock; retention?: LogRetention; replayed?: number[] } = {},
): Promise<Log> {
  return await Log.open(disk, "log", {
    random: seededRandom(7),
    sizes: { fileBytes: FILE_BYTES, chunkBytes: FILE_BYTES },
    clock: options.clock ?? new SimulatedClock(START_MS),
    retention: options.retention ?? MUCH,
    onRecord: ({ index }) => void options.replayed?.push(index),
  });
}

/** Appends so many entries, each a twentieth of a file. */
async function fill(log: Log, count: number, group = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    const last = log.lastIndex(group);
    await log.append(group, 1, [new Uint8Array(150).fill(last + 1)]);
  }
}

function sequences(disk: Disk, role: Role): number[] {
  return listFiles(disk, "log", role);
}

/** All entries that a reader gives until there are no more. */
function readAll(reader: LogReader): LogRecord[] {
  const all: LogRecord[] = [];
  for (;;) {
    const reading = reader.next();
    assert.ok(reading.kind === "entries");
    all.push(...reading.entries);
    if (reading.isAtEnd) return all;
  }
}

function indexesOf(records: readonly LogRecord[]): number[] {
  return records.map(({ index }) => index);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Lets what a timer began come to its end. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

Deno.test("files that were cut are kept, and not replayed", async () => {
  const disk = new MemoryDisk();
  const log = await openLog(disk);
  await fill(log, 100);
  const needed = log.usage.needed;
  await log.cut(1, 100);
  assert.deepEqual(sequences(disk, "kept"), [1, 2, 3, 4]);
  assert.deepEqual(log.usage, { needed: needed - 4 * FILE_BYTES, kept: 4 * FILE_BYTES, spare: 0 });
  await log.close();
  const replayed: number[] = [];
  const calls: DiskCall[] = [];
  const again = await openLog(new FaultyDisk(disk, (call) => void calls.push(call)), { replayed });
  assert.ok(replayed.length < 30 && replayed.at(-1) === 100);
  assert.deepEqual(again.usage, { needed: needed - 4 * FILE_BYTES, kept: 4 * FILE_BYTES, spare: 0 });
  const reads = calls.filter(({ operation, path }) => operation === "readAt" && path.endsWith(".kept"));
  assert.equal(reads.length, 4, "one read finds the start of each");
  assert.deepEqual(indexesOf(readAll(again.read(1, 1))), range(1, 100));
  await again.close();
});

Deno.test("the oldest go when all together take more than the bound, and are used again", async () => {
  const disk = new MemoryDisk();
  const log = await openLog(disk, { retention: { bytes: 2 * FILE_BYTES, ms: HOUR_MS } });
  await fill(log, 100);
  await log.cut(1, 100);
  assert.deepEqual([sequences(disk, "spare"), sequences(disk, "kept")], [[1, 2], [3, 4]]);
  await fill(log, 40);
  assert.deepEqual([sequences(disk, "spare"), sequences(disk, "log")], [[], [5, 6, 7]]);
  await log.close();
});

Deno.test("a file goes when it was sealed too long ago, at the next look or cut, also after a restart", async () => {
  const disk = new MemoryDisk();
  const clock = new SimulatedClock(START_MS);
  const log = await openLog(disk, { clock });
  await fill(log, 50);
  clock.advance(HOUR_MS / 2);
  await fill(log, 50);
  await log.cut(1, 100);
  assert.deepEqual(sequences(disk, "kept"), [1, 2, 3, 4]);
  clock.advance(HOUR_MS / 2);
  await turns();
  assert.deepEqual([sequences(disk, "spare"), sequences(disk, "kept")], [[1, 2], [3, 4]]);
  await log.close();
  clock.advance(HOUR_MS / 2);
  const again = await openLog(disk, { clock });
  assert.deepEqual(sequences(disk, "kept"), [3, 4], "opening does not wait for it");
  await again.cut(1, 100);
  assert.deepEqual(sequences(disk, "kept"), []);
  assert.equal(again.usage.spare, 4 * FILE_BYTES);
  await again.close();
});

Deno.test("a closed log looks no more", async () => {
  const disk = new MemoryDisk();
  const clock = new SimulatedClock(START_MS);
  const log = await openLog(disk, { clock });
  await fill(log, 50);
  await log.cut(1, 50);
  await log.close();
  clock.advance(2 * HOUR_MS);
  await turns();
  assert.deepEqual(sequences(disk, "kept"), [1, 2]);
});

Deno.test("a reader gets its group's entries across all files, and follows what comes", async () => {
  const disk = new MemoryDisk();
  const log = await openLog(disk);
  for (let i = 0; i < 10; i++) {
    await fill(log, 5, 1);
    await fill(log, 7, 2);
  }
  await log.append(1, 1, [new Uint8Array(3 << 20).fill(51)]);
  await log.cut(1, 40);
  await log.cut(2, 50);
  assert.ok(sequences(disk, "kept").length >= 3);
  const reader = log.read(1, 8);
  const entries = readAll(reader);
  assert.deepEqual(indexesOf(entries), range(8, 51));
  for (const { index, payload } of entries) assert.ok(payload.every((byte) => byte === index));
  assert.deepEqual(reader.next(), { kind: "entries", entries: [], isAtEnd: true });
  await fill(log, 3, 2);
  await fill(log, 2, 1);
  await log.cut(1, 51);
  assert.deepEqual(indexesOf(readAll(reader)), [52, 53]);
  assert.deepEqual(indexesOf(readAll(log.read(2, 60))), range(60, 73));
  assert.deepEqual(readAll(log.read(9, 1)), [], "a group without entries");
  await log.close();
});

Deno.test("a reader behind the retention learns which entry is the first", async () => {
  const disk = new MemoryDisk();
  const log = await openLog(disk, { retention: { bytes: FILE_BYTES, ms: HOUR_MS } });
  await fill(log, 100);
  const slow = log.read(1, 1);
  assert.ok(slow.next().kind === "entries");
  await log.cut(1, 100);
  const gone = slow.next();
  assert.ok(gone.kind === "gone" && gone.firstIndex > 21);
  assert.deepEqual(indexesOf(readAll(log.read(1, gone.firstIndex))), range(gone.firstIndex, 100));
  assert.deepEqual(log.read(1, gone.firstIndex - 1).next(), gone);
  await log.close();
});

Deno.test("a reader names the place of a record that is damaged", async () => {
  const disk = new MemoryDisk();
  const log = await openLog(disk);
  await fill(log, 50);
  await log.cut(1, 50);
  const path = logPath("log", 1, "kept");
  const file = disk.open(path, "write");
  file.writeAt(Uint8Array.of(0xff), 1000);
  file.close();
  const reader = log.read(1, 1);
  assert.ok(reader.next().kind === "entries", "what is before it");
  assert.throws(() => reader.next(), (error) => error instanceof CorruptionError && error.path === path);
  await assert.rejects(replayKept(disk, "log", 1, "kept", () => {}), CorruptionError);
  const { end } = await replayKept(disk, "log", 2, "log", () => {});
  assert.ok(end > 3000);
  await log.close();
});

Deno.test("what can be read begins behind a kept file that is missing or damaged", async () => {
  for (const damage of ["missing", "header", "positions"]) {
    const disk = new MemoryDisk();
    const log = await openLog(disk);
    await fill(log, 100);
    await log.cut(1, 100);
    await log.close();
    const path = logPath("log", 2, "kept");
    if (damage === "missing") {
      disk.remove(path);
    } else {
      const file = disk.open(path, "write");
      file.writeAt(Uint8Array.of(0xff), damage === "header" ? 18 : 60);
      file.close();
    }
    const again = await openLog(disk);
    assert.deepEqual(sequences(disk, "kept"), [3, 4], damage);
    const reading = again.read(1, 1).next();
    assert.ok(reading.kind === "gone");
    assert.deepEqual(
      indexesOf(readAll(again.read(1, reading.firstIndex))),
      range(reading.firstIndex, 100),
    );
    await fill(again, 50);
    await again.cut(1, 150);
    await again.close();
  }
});

Deno.test("a full device costs kept files before it costs a write, no more of them than it must", async () => {
  const inner = new MemoryDisk();
  const disk = new FaultyDisk(inner, () => undefined);
  const log = await openLog(disk);
  await fill(log, 100);
  await log.cut(1, 100);
  disk.setPlan(({ operation }) => {
    const needsRoom = operation === "writeAt" || operation === "sync";
    return needsRoom && sequences(inner, "kept").length > 2 ? "ENOSPC" : undefined;
  });
  const waiting = [101, 102].map((byte) => log.append(1, 1, [Uint8Array.of(byte)]));
  assert.deepEqual(await Promise.all(waiting), [101, 102]);
  assert.deepEqual(sequences(inner, "kept"), [3, 4]);
  await log.close();
  const again = await openLog(inner);
  const reading = again.read(1, 1).next();
  assert.ok(reading.kind === "gone");
  assert.equal(readAll(again.read(1, reading.firstIndex)).at(-1)?.index, 102);
  await again.close();
});

Deno.test("work outside the log gets the room of kept files too, and the device's answer when there are none", async () => {
  const disk = new MemoryDisk();
  const log = await openLog(disk);
  await fill(log, 100);
  await log.cut(1, 100);
  const full = Object.assign(new Error("no room"), { code: "ENOSPC" });
  const result = await log.withRoom(() => {
    if (sequences(disk, "kept").length > 1) throw full;
    return "done";
  });
  assert.equal(result, "done");
  assert.deepEqual(sequences(disk, "kept"), [4]);
  await assert.rejects(log.withRoom(() => Promise.reject(full)), full);
  assert.deepEqual(sequences(disk, "kept"), []);
  await assert.rejects(log.withRoom(() => Promise.reject(new Error("other"))), /other/);
  await log.close();
});
