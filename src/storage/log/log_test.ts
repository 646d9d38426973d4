import assert from "node:assert/strict";
import { CommandError, CorruptionError, seededRandom } from "../../base/mod.ts";
import { DenoDisk, type Disk, type DiskCall, FaultyDisk, MemoryDisk, SimulatedClock } from "../../io/mod.ts";
import { firstIndexes } from "./file_start.ts";
import { Log, type LogOptions } from "./log.ts";
import { logPath } from "./log_file.ts";
import type { LogRecord } from "./record.ts";

const SMALL = { fileBytes: 4096, chunkBytes: 1024 };
const text = (value: string) => [new TextEncoder().encode(value)];

/** Opens a log and collects what it replays. */
async function openLog(
  disk: Disk,
  options: Partial<LogOptions> = {},
): Promise<{ log: Log; records: LogRecord[] }> {
  const records: LogRecord[] = [];
  const log = await Log.open(disk, "log", {
    random: seededRandom(7),
    sizes: SMALL,
    retention: { bytes: 0, ms: 0 },
    onRecord: (record) => void records.push({ ...record, payload: record.payload.slice() }),
    ...options,
  });
  return { log, records };
}

function texts(records: readonly LogRecord[]): string[] {
  return records.map(({ payload }) => new TextDecoder().decode(payload));
}

function sizeOf({ usage }: Log): number {
  return usage.needed + usage.kept + usage.spare;
}

/** A disk that counts its calls. */
function countingDisk(inner: Disk): { disk: FaultyDisk; calls: DiskCall[] } {
  const calls: DiskCall[] = [];
  return { disk: new FaultyDisk(inner, (call) => void calls.push(call)), calls };
}

function patch(disk: Disk, path: string, offset: number, change: (bytes: Uint8Array) => void): void {
  const file = disk.open(path, "write");
  const bytes = new Uint8Array(file.size() - offset);
  file.readAt(bytes, offset);
  change(bytes);
  file.writeAt(bytes, offset);
  file.close();
}

/** Where each record of a file starts, the positions first. */
function recordOffsets(disk: Disk, path: string): number[] {
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(file.size());
  file.readAt(bytes, 0);
  file.close();
  const view = new DataView(bytes.buffer);
  const offsets: number[] = [];
  for (let at = 32; view.getUint32(at, true) !== 0;) {
    offsets.push(at);
    at += Math.ceil(view.getUint32(at, true) / 8) * 8;
  }
  return offsets;
}

Deno.test("what is appended comes back, with all its fields", async () => {
  const disk = new MemoryDisk();
  const { log, records: none } = await openLog(disk);
  assert.deepEqual(none, []);
  const lsid = Uint8Array.from({ length: 16 }, (_, i) => i);
  const parts = [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)];
  const done = Uint8Array.of(9, 8, 7);
  const header = { term: 3, clusterTime: 2n ** 64n - 1n, lsid, txnNumber: -5n, stmtId: -1, done };
  assert.equal(await log.append(4, 65535, parts, header), 1);
  assert.equal(await log.append(4, 0, []), 2);
  assert.equal(await log.append(9, 7, text("x"), { stmtId: 2 }), 1);
  assert.equal(log.lastIndex(4), 2);
  assert.equal(log.lastIndex(5), 0);
  await log.close();
  const { log: again, records } = await openLog(disk);
  assert.deepEqual(records, [
    { group: 4, index: 1, kind: 65535, payload: Uint8Array.of(1, 2, 3), ...header },
    { group: 4, index: 2, kind: 0, term: 0, clusterTime: 0n, payload: new Uint8Array() },
    { group: 9, index: 1, kind: 7, term: 0, clusterTime: 0n, stmtId: 2, payload: text("x")[0] },
  ]);
  assert.equal(again.lastIndex(4), 2);
  assert.equal(await again.append(4, 1, text("on")), 3);
  await again.close();
});

Deno.test("works on a real disk, with files of the usual size", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-log-" });
  try {
    const disk = new DenoDisk(folder);
    const options = { sizes: { fileBytes: 1 << 24, chunkBytes: 1 << 20 } };
    const { log } = await openLog(disk, options);
    await Promise.all(Array.from({ length: 100 }, (_, i) => log.append(1, 1, text(`entry ${i}`))));
    assert.equal(log.usage.needed, 1 << 20);
    await log.close();
    const { log: again, records } = await openLog(disk, options);
    assert.deepEqual(texts(records), Array.from({ length: 100 }, (_, i) => `entry ${i}`));
    await again.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("all that waits shares one write and one sync", async () => {
  const { disk, calls } = countingDisk(new MemoryDisk());
  const { log } = await openLog(disk, { sizes: { fileBytes: 1 << 20, chunkBytes: 1 << 16 } });
  await log.append(1, 1, text("makes the file"));
  calls.length = 0;
  await Promise.all(Array.from({ length: 500 }, (_, i) => log.append(i % 5, 1, text(`${i}`))));
  assert.deepEqual(calls.map(({ operation }) => operation), ["writeAt", "sync"]);
  await log.close();
});

Deno.test("what comes while a sync runs makes up the next batch", async () => {
  const { disk, calls } = countingDisk(new MemoryDisk());
  const { log } = await openLog(disk);
  await log.append(1, 1, text("makes the file"));
  calls.length = 0;
  const more: Promise<number>[] = [];
  const onDurable = () => {
    for (let i = 0; i < 10; i++) more.push(log.append(1, 1, text("more")));
  };
  await log.append(1, 1, text("first"), { onDurable });
  assert.deepEqual(await Promise.all(more), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.deepEqual(calls.map(({ operation }) => operation), ["writeAt", "sync", "writeAt", "sync"]);
  await log.close();
});

Deno.test("owners learn in order of the log, all before any promise resolves", async () => {
  const { log } = await openLog(new MemoryDisk());
  const events: string[] = [];
  await Promise.all(
    [1, 2, 1, 1, 2].map((group) =>
      log.append(group, 1, text("x"), { onDurable: (index) => events.push(`durable ${group}/${index}`) })
        .then((index) => events.push(`resolved ${group}/${index}`))
    ),
  );
  const order = ["1/1", "2/1", "1/2", "1/3", "2/2"];
  assert.deepEqual(events, [...order.map((at) => `durable ${at}`), ...order.map((at) => `resolved ${at}`)]);
  await log.close();
});

Deno.test("files follow each other, and a large record gets a file as large as it is", async () => {
  const disk = new MemoryDisk();
  const { log } = await openLog(disk);
  const large = new Uint8Array(20_000).map((_, i) => i * 7);
  for (let i = 0; i < 60; i++) await log.append(1, 1, text(`${i}`.padEnd(100)));
  await log.append(2, 2, [large, large]);
  await log.append(1, 1, text("after"));
  await log.close();
  assert.ok(disk.list("log").length >= 4);
  const { log: again, records } = await openLog(disk);
  assert.equal(records.length, 62);
  assert.deepEqual(records[60]?.payload, Uint8Array.from([...large, ...large]));
  assert.deepEqual([again.lastIndex(1), again.lastIndex(2)], [61, 1]);
  await again.close();
});

Deno.test("a first record may be larger than a file", async () => {
  const disk = new MemoryDisk();
  const { log } = await openLog(disk);
  await log.append(1, 1, [new Uint8Array(10_000)]);
  await log.append(1, 1, text("after"));
  await log.close();
  const { log: again, records } = await openLog(disk);
  assert.deepEqual(records.map(({ payload }) => payload.length), [10_000, 5]);
  await again.close();
});

Deno.test("a cut lets files go once every group is past them, and they are used again", async () => {
  const disk = new MemoryDisk();
  const { log } = await openLog(disk, { sizes: { fileBytes: 4096, chunkBytes: 4096 } });
  await log.append(2, 1, text("holds the first file"));
  for (let i = 0; i < 100; i++) await log.append(1, 1, text(`${i}`.padEnd(100)));
  const files = disk.list("log").length;
  await log.cut(1, 100);
  assert.equal(disk.list("log").length, files, "group 2 needs the first file");
  await log.cut(2, 1);
  const spares = disk.list("log").filter((name) => name.endsWith(".spare"));
  assert.equal(disk.list("log").length - spares.length, 1, "the current file stays");
  assert.ok(spares.length >= 3);
  const size = sizeOf(log);
  for (let i = 100; i < 180; i++) await log.append(1, 1, text(`${i}`.padEnd(100)));
  assert.ok(disk.list("log").filter((name) => name.endsWith(".spare")).length < spares.length);
  assert.equal(sizeOf(log), size, "a file used again takes no more room");
  await log.close();
  const { log: again, records } = await openLog(disk);
  assert.deepEqual([again.lastIndex(1), again.lastIndex(2)], [180, 1], "also of a group without records");
  assert.equal(records.at(-1)?.index, 180);
  assert.equal(records[0]!.index, 180 - records.length + 1);
  assert.equal(await again.append(2, 1, text("next")), 2);
  await again.close();
});

Deno.test("records of a file's earlier use are not taken for new ones", async () => {
  const disk = new MemoryDisk();
  const { log } = await openLog(disk);
  const entry = () => log.append(1, 1, text("always the same"));
  const perFile = Math.floor((4096 - 32 - 48 - 12) / 64) + 1;
  for (let i = 0; i < perFile * 3; i++) await entry();
  await log.cut(1, log.lastIndex(1));
  while (disk.list("log").some((name) => name.endsWith(".spare"))) await entry();
  const last = log.lastIndex(1);
  await log.close();
  const { log: again, records } = await openLog(disk);
  assert.equal(again.lastIndex(1), last);
  assert.equal(records.at(-1)?.index, last);
  await again.close();
});

for (const keep of [0, 1, 3, 4, 8, 20, 44, 50]) {
  Deno.test(`a last record of which ${keep} bytes were written is dropped`, async () => {
    const disk = new MemoryDisk();
    const { log } = await openLog(disk);
    for (const value of ["one", "two", "three, to be torn"]) await log.append(1, 1, text(value));
    await log.close();
    const path = logPath("log", 1);
    patch(disk, path, recordOffsets(disk, path).at(-1)! + keep, (bytes) => bytes.fill(0));
    const { log: again, records } = await openLog(disk);
    assert.deepEqual(texts(records), ["one", "two"]);
    assert.equal(await again.append(1, 1, text("three")), 3);
    await again.close();
    const { log: third, records: all } = await openLog(disk);
    assert.deepEqual(texts(all), ["one", "two", "three"]);
    await third.close();
  });
}

Deno.test("of a torn write, what stands behind the tear does not come back later", async () => {
  const disk = new MemoryDisk();
  const { log } = await openLog(disk);
  await log.append(1, 1, text("kept"));
  await Promise.all(["torn", "seen", "last"].map((value) => log.append(1, 1, text(value))));
  await log.close();
  const path = logPath("log", 1);
  const torn = recordOffsets(disk, path)[2]!;
  patch(disk, path, torn, (bytes) => bytes[46]! ^= 1);
  const { log: again, records } = await openLog(disk);
  assert.deepEqual(texts(records), ["kept"]);
  assert.equal(await again.append(1, 1, text("then")), 2);
  await again.close();
  const { log: third, records: all } = await openLog(disk);
  assert.deepEqual(texts(all), ["kept", "then"]);
  await third.close();
});

async function corrupted(damage: (disk: MemoryDisk) => void): Promise<unknown> {
  const disk = new MemoryDisk();
  const { log } = await openLog(disk);
  for (let i = 0; i < 100; i++) await log.append(1, 1, text(`${i}`.padEnd(100)));
  await log.close();
  damage(disk);
  return await openLog(disk).then(() => undefined, (error: unknown) => error);
}

Deno.test("damage before a durable record is refused, with its place", async () => {
  const path = logPath("log", 4);
  let at = 0;
  const error = await corrupted((disk) => {
    at = recordOffsets(disk, path)[2]!;
    patch(disk, path, at, (bytes) => bytes[60]! ^= 4);
  });
  assert.ok(error instanceof CorruptionError);
  assert.deepEqual([error.path, error.offset], [path, at]);
});

Deno.test("damage in a sealed file is refused, its last record's too", async () => {
  const path = logPath("log", 2);
  for (const which of [1, 5, -1]) {
    let at = 0;
    const error = await corrupted((disk) => {
      at = recordOffsets(disk, path).at(which)!;
      patch(disk, path, at, (bytes) => bytes.fill(0, 0, which === -1 ? bytes.length : 8));
    });
    assert.ok(error instanceof CorruptionError);
    assert.deepEqual([error.path, error.offset], [path, at]);
  }
});

Deno.test("a missing file, a damaged header and a foreign file are refused", async () => {
  const missing = await corrupted((disk) => disk.remove(logPath("log", 2)));
  assert.ok(missing instanceof CorruptionError);
  assert.match(missing.message, /"log\/0000000002.log" is damaged at byte 0: the file is missing/);
  const header = await corrupted((disk) => patch(disk, logPath("log", 1), 16, (bytes) => bytes[0]! ^= 1));
  assert.ok(header instanceof CorruptionError);
  assert.match(header.reason, /header checksum/);
  const foreign = await corrupted((disk) => disk.rename(logPath("log", 1), logPath("log", 5)));
  assert.ok(foreign instanceof CorruptionError);
  const short = await corrupted((disk) => {
    const file = disk.open(logPath("log", 4), "write");
    file.truncate(10);
    file.close();
  });
  assert.ok(short instanceof CorruptionError);
});

Deno.test("a full device fails what waits; the log goes on where it stood", async () => {
  const disk = new FaultyDisk(new MemoryDisk(), () => undefined);
  const { log } = await openLog(disk);
  await log.append(1, 1, text("kept"));
  disk.setPlan(({ operation }) => operation === "writeAt" ? "ENOSPC" : undefined);
  const refused = ["lost a", "lost b", "lost c"].map((value) => log.append(1, 1, text(value)));
  for (const result of await Promise.allSettled(refused)) {
    assert.equal(result.status, "rejected");
    const error: unknown = result.reason;
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, 14031);
    assert.match(error.message, /cannot write the log "log\/0000000001.log", the device is full/);
  }
  await assert.rejects(log.append(1, 1, text("still full")), { codeName: "OutOfDiskSpace" });
  disk.setPlan(() => undefined);
  assert.equal(await log.append(1, 1, text("works")), 2);
  await log.close();
  const { log: again, records } = await openLog(disk);
  assert.deepEqual(texts(records), ["kept", "works"]);
  await again.close();
});

Deno.test("a full device at the making of a file, or at a sync, is survived as well", async () => {
  for (const failing of ["open", "sync", "rename", "syncDirectory"]) {
    const disk = new FaultyDisk(new MemoryDisk(), () => undefined);
    const { log } = await openLog(disk);
    for (let i = 0; i < 20; i++) await log.append(1, 1, text(`${i}`.padEnd(140)));
    disk.setPlan(({ operation }) => operation === failing ? "ENOSPC" : undefined);
    const failed = log.append(1, 1, [new Uint8Array(2000)]);
    await assert.rejects(failed, { codeName: "OutOfDiskSpace" }, failing);
    disk.setPlan(() => undefined);
    assert.equal(await log.append(1, 1, text("works")), 21);
    await log.append(1, 1, [new Uint8Array(2000)]);
    await log.close();
    const { log: again, records } = await openLog(disk);
    assert.equal(records.length, 22);
    assert.equal(texts(records)[20], "works");
    await again.close();
  }
});

Deno.test("after a failed sync the log refuses everything", async () => {
  const disk = new FaultyDisk(new MemoryDisk(), () => undefined);
  const { log } = await openLog(disk);
  await log.append(1, 1, text("kept"));
  disk.setPlan(({ operation }) => operation === "sync" ? "EIO" : undefined);
  const applied: number[] = [];
  const failed = log.append(1, 1, text("lost"), { onDurable: (index) => applied.push(index) });
  await assert.rejects(failed, { codeName: "InternalError", message: /input\/output error/ });
  disk.setPlan(() => undefined);
  await assert.rejects(log.append(1, 1, text("refused")), { codeName: "InternalError" });
  assert.deepEqual(applied, []);
  assert.equal(log.lastIndex(1), 1);
  await log.close();
});

Deno.test("interval durability acknowledges before the sync, and syncs in time", async () => {
  const { disk, calls } = countingDisk(new MemoryDisk());
  const clock = new SimulatedClock();
  const { log } = await openLog(disk, { durability: "interval", clock });
  await log.append(1, 1, text("makes the file"));
  clock.advance(100);
  await Promise.resolve();
  calls.length = 0;
  for (let i = 0; i < 5; i++) await log.append(1, 1, text("x"));
  assert.equal(calls.filter(({ operation }) => operation === "sync").length, 0);
  clock.advance(99);
  assert.equal(calls.filter(({ operation }) => operation === "sync").length, 0);
  clock.advance(1);
  assert.equal(calls.filter(({ operation }) => operation === "sync").length, 1);
  await log.append(1, 1, text("last"));
  await log.close();
  assert.equal(calls.filter(({ operation }) => operation === "sync").length, 2, "closing syncs");
  const { log: again, records } = await openLog(disk);
  assert.equal(records.length, 7);
  await again.close();
});

Deno.test("interval durability: a failed sync ends the log", async () => {
  const disk = new FaultyDisk(new MemoryDisk(), () => undefined);
  const clock = new SimulatedClock();
  const { log } = await openLog(disk, { durability: "interval", clock });
  await log.append(1, 1, text("acknowledged"));
  disk.setPlan(({ operation }) => operation === "sync" ? "ENOSPC" : undefined);
  clock.advance(100);
  await new Promise((resolve) => setTimeout(resolve));
  disk.setPlan(() => undefined);
  await assert.rejects(log.append(1, 1, text("refused")), { codeName: "OutOfDiskSpace" });
  await log.close();
});

Deno.test("a closed log has written what waited, and refuses more", async () => {
  const disk = new MemoryDisk();
  const { log } = await openLog(disk);
  const waiting = log.append(1, 1, text("waits"));
  await Promise.all([log.close(), log.close()]);
  assert.equal(await waiting, 1);
  await assert.rejects(log.append(1, 1, text("late")), { codeName: "ShutdownInProgress" });
});

Deno.test("a file whose successor was half made gets no more records: torn ones would read as damage", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const memory = new MemoryDisk();
    const disk = new FaultyDisk(memory, () => undefined);
    const { log } = await openLog(disk);
    await log.append(1, 0, text("x".repeat(3000)));
    disk.setPlan(({ operation }) => operation === "syncDirectory" ? "ENOSPC" : undefined);
    await assert.rejects(log.append(1, 0, text("y".repeat(2000))), { codeName: "OutOfDiskSpace" });
    disk.setPlan(({ operation }) => operation === "sync" ? "EIO" : undefined);
    const small = ["a", "b", "c", "d"].map((each) => log.append(1, 0, text(each.repeat(40))));
    await Promise.allSettled(small);
    memory.crash(seededRandom(seed));
    const { log: again, records } = await openLog(memory);
    assert.equal(texts(records)[0], "x".repeat(3000));
    await again.close();
  }
});

Deno.test("with interval durability, an entry can ask to be synced first", async () => {
  const memory = new MemoryDisk();
  const { log } = await openLog(memory, { durability: "interval", clock: new SimulatedClock() });
  await log.append(1, 0, text("one"));
  await log.append(0, 0, text("two"), { alwaysSync: true });
  memory.crash(seededRandom(1));
  const { records } = await openLog(memory);
  assert.deepEqual(texts(records), ["one", "two"]);
});

Deno.test("the first entries that the log still has are known before it is opened", async () => {
  const disk = new MemoryDisk();
  assert.equal(firstIndexes(disk, "log").get(1), undefined);
  const { log } = await openLog(disk);
  for (let i = 0; i < 12; i++) await log.append(1 + (i % 2), 0, text("x".repeat(1000)));
  assert.equal(firstIndexes(disk, "log").get(1), undefined);
  await log.cut(1, 5);
  await log.cut(2, 4);
  await log.close();
  const first = firstIndexes(disk, "log");
  const { log: again, records } = await openLog(disk);
  for (const group of [1, 2]) {
    assert.ok(first.get(group)! > 1);
    assert.equal(first.get(group), records.find((record) => record.group === group)?.index);
  }
  await again.close();
});

Deno.test("a file that was begun by a process that was killed lasts, however the power fails later", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const memory = new MemoryDisk();
    const disk = new FaultyDisk(memory, () => undefined);
    const { log } = await openLog(disk);
    disk.setPlan(({ operation }) => operation === "syncDirectory" ? "EIO" : undefined);
    await assert.rejects(log.append(1, 0, text("lost")));
    memory.kill();
    const { log: again } = await openLog(memory);
    await again.append(1, 0, text("acknowledged"));
    memory.crash(seededRandom(seed));
    const { records } = await openLog(memory);
    assert.deepEqual(texts(records), ["acknowledged"]);
  }
});
