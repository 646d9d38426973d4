import assert from "node:assert/strict";
import { CorruptionError, seededRandom } from "../../base/mod.ts";
import { failCall, FaultyDisk, MemoryDisk } from "../../io/mod.ts";
import { Manifest } from "./manifest.ts";

const OPTIONS = { timeField: "t", metaField: undefined, spanSeconds: 3600 };
/** More changes than a manifest takes before it is written anew. */
const MANY = 1500;

/** Appends `advance` up to MANY; returns the last one that was acknowledged, and the calls made before each. */
async function fill(manifest: Manifest, calls: () => number): Promise<{ last: number; before: number[] }> {
  const before: number[] = [];
  await manifest.append({ kind: "table", id: 1, ...OPTIONS });
  for (let flushedIndex = 1; flushedIndex <= MANY; flushedIndex++) {
    before.push(calls());
    try {
      await manifest.append({ kind: "advance", flushedIndex });
    } catch (error) {
      assert.match(String(error), /EIO/);
      return { last: flushedIndex - 1, before };
    }
  }
  return { last: MANY, before };
}

async function emptyDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  disk.makeDirectory("d");
  await disk.syncDirectory("");
  return disk;
}

Deno.test("a manifest gives back the state that its changes make", async () => {
  const disk = await emptyDisk();
  let manifest = await Manifest.open(disk, "d");
  await manifest.append({ kind: "table", id: 1, ...OPTIONS });
  await manifest.append({ kind: "table", id: 2, ...OPTIONS, metaField: "m" });
  await manifest.append({ kind: "flush", segment: manifest.nextNumber(), seriesBytes: 10, flushedIndex: 5 });
  await manifest.append({ kind: "flush", segment: manifest.nextNumber(), seriesBytes: 20, flushedIndex: 9 });
  await manifest.append({ kind: "drop", id: 1 });
  await manifest.append({ kind: "remove", segment: 1 });
  manifest.close();
  manifest = await Manifest.open(disk, "d");
  assert.deepEqual([...manifest.tables], [[2, { ...OPTIONS, metaField: "m" }]]);
  assert.deepEqual([...manifest.segments.keys()], [2]);
  assert.equal(manifest.seriesBytes, 20);
  assert.equal(manifest.flushedIndex, 9);
  assert.equal(manifest.nextNumber(), 3);
});

Deno.test("a fault at any call of a rewrite, then a crash, loses no acknowledged change", async () => {
  const counted = new FaultyDisk(await emptyDisk(), () => undefined);
  const { before } = await fill(await Manifest.open(counted, "d"), () => counted.calls);
  // The append that rewrites makes the most calls.
  const rewriting = before.findIndex((calls, i) => (before[i + 1] ?? calls) - calls > 6);
  assert.ok(rewriting > 0);
  const random = seededRandom(5);
  for (let call = before[rewriting]!; call < before[rewriting + 1]!; call++) {
    const memory = await emptyDisk();
    const disk = new FaultyDisk(memory, failCall(call, "EIO"));
    const { last } = await fill(await Manifest.open(disk, "d"), () => disk.calls);
    memory.crash(random);
    const manifest = await Manifest.open(memory, "d");
    assert.ok(manifest.flushedIndex >= last, `call ${call}: ${manifest.flushedIndex} of ${last}`);
    assert.deepEqual([...manifest.tables.keys()], [1]);
  }
});

Deno.test("bad bytes with a good record behind them are damage, at the end they are a torn record", async () => {
  const disk = await emptyDisk();
  const manifest = await Manifest.open(disk, "d");
  for (let id = 1; id <= 3; id++) await manifest.append({ kind: "table", id, ...OPTIONS });
  manifest.close();
  const file = disk.open("d/MANIFEST-000001", "write");
  const size = file.size();
  file.truncate(size - 3);
  const torn = await Manifest.open(disk, "d");
  assert.deepEqual([...torn.tables.keys()], [1, 2]);
  await torn.append({ kind: "table", id: 4, ...OPTIONS });
  torn.close();
  assert.deepEqual([...(await Manifest.open(disk, "d")).tables.keys()], [1, 2, 4]);
  file.writeAt(Uint8Array.of(1), 20);
  await assert.rejects(
    Manifest.open(disk, "d"),
    (error) => error instanceof CorruptionError && error.offset === 16,
  );
});
