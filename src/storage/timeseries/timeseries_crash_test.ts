import assert from "node:assert/strict";
import { CorruptionError, type Random, seededRandom } from "../../base/mod.ts";
import { type Document, Int32, type RawDocument } from "../../bson/mod.ts";
import { type Disk, failCall, FaultyDisk, MemoryDisk } from "../../io/mod.ts";
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
import type { TimeseriesStore } from "./timeseries_store.ts";

/** The log as the caller keeps it: durable, cut up to what a flush returned. */
interface Log {
  readonly entries: {
    readonly index: number;
    readonly table: number;
    readonly documents: readonly RawDocument[];
  }[];
  cutTo: number;
}

function batch(random: Random, index: number): RawDocument[] {
  return Array.from(
    { length: 1 + Math.floor(random() * 8) },
    (_, i) =>
      measurement(index * 100 + i - Math.floor(random() * 300), new Int32(Math.floor(random() * 4)), {
        n: index * 1000 + i,
        ...(random() < 0.5 && { s: "x".repeat(index) }),
      }),
  );
}

/** Inserts, flushes, merges, makes and drops tables, over faults; what was acknowledged is in `log` and `state`. */
async function live(store: TimeseriesStore, log: Log, state: State, random: Random): Promise<void> {
  for (let step = 0; step < 12; step++) {
    try {
      await act(store, log, state, random);
    } catch (error) {
      assert.match(String(error), /EIO|ENOSPC/);
      for (const table of state.tables) await checkTable(store, log, table);
    }
  }
  for (const table of state.tables) await checkTable(store, log, table);
}

async function act(store: TimeseriesStore, log: Log, state: State, random: Random): Promise<void> {
  const index = state.nextIndex++;
  const table = [...state.tables][Math.floor(random() * state.tables.size)];
  const choice = random();
  if (choice < 0.1 || table === undefined) {
    await store.createTable(100 + index, TABLE_OPTIONS);
    state.tables.add(100 + index);
  } else if (choice < 0.15) {
    // Until it is acknowledged, a dropped table may be there or not.
    state.tables.delete(table);
    await store.dropTable(table);
  } else if (choice < 0.4) {
    log.cutTo = Math.max(log.cutTo, await store.flush());
  } else if (choice < 0.5) {
    await store.compact(table);
  } else {
    const documents = batch(random, index);
    log.entries.push({ index, table, documents });
    insert(store, index, documents, table);
  }
}

async function checkTable(store: TimeseriesStore, log: Log, table: number): Promise<void> {
  const expected = log.entries.filter((entry) => entry.table === table).flatMap((entry) => entry.documents);
  let rows: Document[];
  try {
    rows = await scanAll(store, {}, table);
  } catch (error) {
    assert.match(String(error), /EIO|ENOSPC/);
    return;
  }
  assert.deepEqual(rows.map(hexOf).sort(), expected.map(hexOf).sort(), `table ${table}`);
}

interface State {
  nextIndex: number;
  readonly tables: Set<number>;
}

/** Opens what a crash left, replays the log from the cut on, and checks that all is there once. */
async function recover(disk: Disk, log: Log, state: State): Promise<TimeseriesStore> {
  const store = await openStore(disk, { logStart: log.cutTo + 1 });
  for (const { index, table, documents } of log.entries) {
    if (index > log.cutTo && store.hasTable(table)) insert(store, index, documents, table);
  }
  for (const table of state.tables) await checkTable(store, log, table);
  return store;
}

/** Runs one life with a failing disk, crashes, recovers, and goes on; returns how many calls the disk saw. */
async function lifeWithFault(seed: number, failing: number): Promise<number> {
  const random = seededRandom(seed);
  const memory = new MemoryDisk();
  memory.makeDirectory("ts");
  await memory.syncDirectory("");
  const log: Log = { entries: [], cutTo: 0 };
  const state: State = { nextIndex: 1, tables: new Set() };
  const disk = new FaultyDisk(
    memory,
    failing < 0 ? () => undefined : failCall(failing, failing % 2 ? "EIO" : "ENOSPC"),
  );
  let store: TimeseriesStore | undefined;
  try {
    store = await openStore(disk);
    await live(store, log, state, random);
  } catch (error) {
    assert.match(String(error), /EIO|ENOSPC/);
  }
  const calls = disk.calls;
  memory.crash(random);
  store = await recover(memory, log, state);
  await live(store, log, state, random);
  await store.close();
  store = await recover(memory, log, state);
  await store.close();
  return calls;
}

Deno.test("a disk that fails at any call, and a crash then, lose nothing that was acknowledged and double nothing", async () => {
  for (let seed = 1; seed <= 2; seed++) {
    const calls = await lifeWithFault(seed, -1);
    assert.ok(calls > 20, `${calls} calls`);
    for (let call = 0; call < calls; call++) await lifeWithFault(seed, call);
  }
});

Deno.test("a crash at any moment of a flush leaves the rows in the log's or in the store's hands", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const disk = new MemoryDisk();
    const log: Log = { entries: [], cutTo: 0 };
    const state: State = { nextIndex: 1, tables: new Set() };
    disk.makeDirectory("ts");
    await disk.syncDirectory("");
    const store = await openStore(disk);
    await live(store, log, state, random);
    const flushing = store.flush().then((cut) => log.cutTo = cut, () => {});
    for (let turns = Math.floor(random() * 40); turns > 0; turns--) await Promise.resolve();
    disk.crash(random);
    await flushing;
    await (await recover(disk, log, state)).close();
  }
});

Deno.test("a flush that fails keeps its rows readable, and the next one writes them", async () => {
  const disk = new FaultyDisk(new MemoryDisk(), () => undefined);
  const store = await openStore(disk);
  await store.createTable(TABLE, TABLE_OPTIONS);
  insert(store, 1, [measurement(1, 1, { v: 1 })]);
  for (const operation of ["open", "writeAt", "sync", "syncDirectory"]) {
    disk.setPlan((call) => call.operation === operation ? "ENOSPC" : undefined);
    await assert.rejects(store.flush(), /ENOSPC/);
    assert.equal((await scanAll(store)).length, 1);
    assert.equal(store.flushedIndex, 0);
  }
  disk.setPlan(() => undefined);
  insert(store, 2, [measurement(2, 1, { v: 2 })]);
  assert.equal(await store.flush(), 1);
  assert.equal(await store.flush(), 2);
  await store.close();
  const again = await openStore(disk);
  assert.equal((await scanAll(again)).length, 2);
  await again.close();
});

function flipBit(disk: Disk, path: string, at: number): void {
  const file = disk.open(path, "write");
  const byte = new Uint8Array(1);
  file.readAt(byte, at);
  byte[0]! ^= 1 << (at % 8);
  file.writeAt(byte, at);
  file.close();
}

/** Two flushed segments with all kinds of pages, and a row of each gone. */
async function filledDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const store = await openStore(disk);
  await store.createTable(TABLE, TABLE_OPTIONS);
  for (let round = 0; round < 2; round++) {
    insert(
      store,
      round + 1,
      Array.from(
        { length: 40 },
        (_, i) => measurement(i, new Int32(i % 2), { v: i / 10, s: `s${i}`, ...(i % 3 === 0 && { o: [i] }) }),
      ),
    );
    await store.flush();
  }
  const change = await store.beginChange(TABLE);
  for await (const batch of change.scan({ checkpoint: () => Promise.resolve(), counters: newCounters() })) {
    for (const row of batch) if (row.time === 7) change.remove(row);
  }
  store.applyChange(3, TABLE, change.take()!.payload);
  await store.flush();
  await store.close();
  return disk;
}

const FILLED_FILES = [
  "00000001.seg",
  "00000002.seg",
  "00000004.mask",
  "CURRENT",
  "MANIFEST-000001",
  "SERIES",
];

async function readEverything(disk: Disk): Promise<string[]> {
  const store = await openStore(disk);
  try {
    return (await scanAll(store)).map(hexOf);
  } finally {
    await store.close();
  }
}

Deno.test("a flipped bit anywhere in a segment, the series file or the manifest is found and named, or harmless", async () => {
  const whole = await readEverything(await filledDisk());
  assert.equal(whole.length, 78);
  const names = (await filledDisk()).list("ts");
  assert.deepEqual(names, FILLED_FILES);
  for (const name of names) {
    const size = (await filledDisk()).open(`ts/${name}`, "read").size();
    const step = Math.max(1, Math.floor(size / 90));
    for (let at = 0; at < size; at += step) {
      const disk = await filledDisk();
      flipBit(disk, `ts/${name}`, at);
      let rows: string[];
      try {
        rows = await readEverything(disk);
      } catch (error) {
        // A name in CURRENT that is another one's is no damage that it could know of.
        if (name === "CURRENT" && /ENOENT/.test(String(error))) continue;
        assert.ok(error instanceof CorruptionError, `${name} at ${at}: ${error}`);
        assert.equal(error.path, `ts/${name}`);
        continue;
      }
      // The last record of a manifest looks torn then: its flush never was, and the log still tells of the change.
      const isTail = name === "MANIFEST-000001" && rows.length === 80;
      assert.ok(isTail || rows.join() === whole.join(), `${name} at ${at}`);
    }
  }
});

Deno.test("a cut-off segment, an unknown version and a missing CURRENT are refused in clear words", async () => {
  const cut = await filledDisk();
  const file = cut.open("ts/00000001.seg", "write");
  file.truncate(file.size() - 1);
  await assert.rejects(openStore(cut), /00000001\.seg.*no whole trailer/);
  const empty = await filledDisk();
  empty.open("ts/00000001.seg", "write").truncate(0);
  await assert.rejects(openStore(empty), /this is no segment/);
  const lost = await filledDisk();
  lost.remove("ts/CURRENT");
  await assert.rejects(openStore(lost), /CURRENT.*missing/);
});

Deno.test("a manifest that lost its last record is refused where the log cannot make up for it, and nothing is removed", async () => {
  const disk = await filledDisk();
  flipBit(disk, "ts/MANIFEST-000001", disk.open("ts/MANIFEST-000001", "read").size() - 1);
  const names = disk.list("ts");
  await assert.rejects(
    openStore(disk, { logStart: 4 }),
    /counts log records up to 2, but the log starts at 4/,
  );
  assert.deepEqual(disk.list("ts"), names);
  const store = await openStore(disk, { logStart: 3 });
  assert.equal(store.flushedIndex, 2);
  await store.close();
});

Deno.test("files that no manifest knows are removed at opening", async () => {
  const disk = await filledDisk();
  for (const name of ["00000003.seg", "MANIFEST-000002", "CURRENT.tmp"]) {
    disk.open(`ts/${name}`, "create").writeAt(new Uint8Array(100), 0);
  }
  assert.equal((await readEverything(disk)).length, 78);
  assert.deepEqual(disk.list("ts"), FILLED_FILES);
});

Deno.test("a manifest that grew is written anew, and counts at the next opening", async () => {
  const disk = new MemoryDisk();
  let store = await openStore(disk);
  await store.createTable(TABLE, TABLE_OPTIONS);
  insert(store, 1, [measurement(1, 1)]);
  await store.flush();
  for (let id = 1000; id < 1700; id++) {
    await store.createTable(id, TABLE_OPTIONS);
    await store.dropTable(id);
  }
  const names = disk.list("ts").filter((name) => name.startsWith("MANIFEST"));
  assert.equal(names.length, 1);
  assert.notEqual(names[0], "MANIFEST-000001");
  assert.ok(disk.open(`ts/${names[0]}`, "read").size() < 64 * 1024);
  await store.close();
  store = await openStore(disk);
  assert.equal((await scanAll(store)).length, 1);
  assert.deepEqual(store.totals(), { tables: 1, series: 1, rows: 1 });
  await store.close();
});
