/** A node's life: what is made, stored, dropped and kept, at rest and while several things run at once. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CorruptionError, seededRandom } from "../base/mod.ts";
import { DenoDisk, type DiskCall, FaultyDisk, MemoryDisk, SimulatedClock } from "../io/mod.ts";
import type { Node } from "./node.ts";
import { insertNumbers, numbered, numbersIn, openNode, PLAIN, TIMESERIES } from "./node_fixture.ts";

const SERIES = { db: "one", collection: "series" };
const PLAINLY = { db: "one", collection: "plain" };
const OTHER = { db: "two", collection: "series" };

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-node-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A node on the real disk, SQLite included. */
function openReal(folder: string): Promise<Node> {
  return openNode(new DenoDisk(folder), { documentsPath: `${folder}/documents.sqlite` });
}

Deno.test("two databases, both kinds of collections, live through close and open; the summary counts them", async () => {
  await withFolder(async (folder) => {
    let node = await openReal(folder);
    assert.equal(node.summary.collections, 0);
    await node.router.createCollection(SERIES, TIMESERIES);
    await node.router.createCollection(OTHER, TIMESERIES);
    await node.router.createCollection(PLAINLY, PLAIN);
    await insertNumbers(node, SERIES, range(0, 30));
    await insertNumbers(node, OTHER, range(100, 104));
    await insertNumbers(node, PLAINLY, range(200, 210));
    await node.close();
    node = await openReal(folder);
    const { databases, collections, series, rows } = node.summary;
    assert.deepEqual({ databases, collections, series, rows }, {
      databases: 2,
      collections: 3,
      series: 6,
      rows: 34,
    });
    assert.deepEqual(node.router.databaseNames(), ["one", "two"]);
    assert.deepEqual(await numbersIn(node, SERIES), range(0, 30));
    assert.deepEqual(await numbersIn(node, OTHER), range(100, 104));
    assert.deepEqual(await numbersIn(node, PLAINLY), range(200, 210));
    assert.equal(node.router.stats(PLAINLY).count, 10);
    await node.close();
  });
});

Deno.test("an insert of documents that were not checked fails as a whole where one is no BSON, in both kinds of collections", async () => {
  const node = await openNode(new MemoryDisk());
  await node.router.createCollection(SERIES, TIMESERIES);
  await node.router.createCollection(PLAINLY, PLAIN);
  const broken = numbered(99);
  // The type of the last field, of which no value is known.
  broken.bytes[broken.end - 8] = 0x55;
  for (const namespace of [SERIES, PLAINLY]) {
    for (const few of [range(0, 3), range(0, 30)]) {
      const documents = [...few.map(numbered), broken, numbered(100)];
      const inserted = node.router.insert(namespace, documents, false, { areChecked: false });
      await assert.rejects(inserted, { codeName: "InvalidBSON" });
    }
    assert.deepEqual(await numbersIn(node, namespace), []);
    await node.router.insert(namespace, range(0, 30).map(numbered), false, { areChecked: false });
    assert.deepEqual(await numbersIn(node, namespace), range(0, 30));
  }
  await node.close();
});

Deno.test("compact flushes and merges a time series, and means nothing to others", async () => {
  const disk = new MemoryDisk();
  const node = await openNode(disk);
  await node.router.createCollection(SERIES, TIMESERIES);
  await node.router.createCollection(PLAINLY, PLAIN);
  for (let round = 0; round < 3; round++) {
    await insertNumbers(node, SERIES, range(round * 10, round * 10 + 10));
    await node.checkpoint();
  }
  await insertNumbers(node, SERIES, range(30, 40));
  assert.equal(node.router.stats(SERIES).timeseries?.segments, 3);
  await node.router.compact(SERIES);
  await node.router.compact(PLAINLY);
  await node.router.compact({ db: "none", collection: "none" });
  const { timeseries, count } = node.router.stats(SERIES);
  assert.deepEqual([timeseries?.segments, timeseries?.memtableRows, count], [1, 0, 40]);
  assert.deepEqual(await numbersIn(node, SERIES), range(0, 40));
  await node.close();
});

Deno.test("a collection that is dropped and made again under its name is empty, also after a restart", async () => {
  await withFolder(async (folder) => {
    let node = await openReal(folder);
    for (const [namespace, spec] of [[SERIES, TIMESERIES], [PLAINLY, PLAIN]] as const) {
      await node.router.createCollection(namespace, spec);
      await insertNumbers(node, namespace, range(0, 10));
      await node.checkpoint();
      await insertNumbers(node, namespace, range(10, 20));
      assert.equal(await node.router.dropCollection(namespace), true);
      assert.equal(await node.router.dropCollection(namespace), false);
      await node.router.createCollection(namespace, spec);
      assert.deepEqual(await numbersIn(node, namespace), []);
      await insertNumbers(node, namespace, [5]);
    }
    await node.close();
    node = await openReal(folder);
    assert.deepEqual(await numbersIn(node, SERIES), [5]);
    assert.deepEqual(await numbersIn(node, PLAINLY), [5]);
    assert.equal(node.summary.rows, 1);
    assert.equal(await node.router.dropDatabase("one"), true);
    await node.close();
    node = await openReal(folder);
    assert.equal(node.summary.collections, 0);
    assert.equal(node.summary.rows, 0);
    await node.close();
  });
});

Deno.test("a drop that only the log knew is not counted at the next start", async () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory, () => undefined);
  let node = await openNode(disk);
  await node.router.createCollection(SERIES, TIMESERIES);
  await insertNumbers(node, SERIES, range(0, 10));
  await node.checkpoint();
  disk.setPlan(({ path }) => path.includes("MANIFEST") ? "ENOSPC" : undefined);
  assert.equal(await node.router.dropCollection(SERIES), true);
  memory.crash(seededRandom(1));
  disk.setPlan(() => undefined);
  node = await openNode(disk);
  assert.deepEqual([node.summary.collections, node.summary.rows, node.summary.series], [0, 0, 0]);
  await node.close();
});

Deno.test("a full disk costs kept files of the log before it costs a checkpoint or a write", async () => {
  const memory = new MemoryDisk();
  const kept = () => memory.list("log").filter((name) => name.endsWith(".kept")).length;
  const disk = new FaultyDisk(memory, () => undefined);
  const node = await openNode(disk);
  await node.router.createCollection(SERIES, TIMESERIES);
  await node.router.createCollection(PLAINLY, PLAIN);
  for (const n of range(0, 200)) await insertNumbers(node, SERIES, [n]);
  await node.checkpoint();
  assert.equal(kept(), 4);
  for (const n of range(200, 210)) await insertNumbers(node, SERIES, [n]);
  const fillUntil = (ending: string, count: number) =>
    disk.setPlan(({ path, operation }) =>
      path.endsWith(ending) && operation === "writeAt" && kept() > count ? "ENOSPC" : undefined
    );
  fillUntil(".reserve", 3);
  await insertNumbers(node, PLAINLY, [1000]);
  assert.equal(kept(), 3);
  fillUntil(".seg", 1);
  await node.checkpoint();
  assert.ok(kept() >= 1);
  disk.setPlan(({ path }) => path.endsWith(".seg") ? "ENOSPC" : undefined);
  await insertNumbers(node, SERIES, [210]);
  await assert.rejects(node.checkpoint(), { codeName: "OutOfDiskSpace" });
  assert.equal(kept(), 0);
  disk.setPlan(() => undefined);
  await node.close();
  const again = await openNode(disk);
  assert.deepEqual(await numbersIn(again, SERIES), range(0, 211));
  await again.close();
});

Deno.test("after a flush that failed, a checkpoint keeps the log of rows that came since", async () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory, () => undefined);
  let node = await openNode(disk);
  await node.router.createCollection(SERIES, TIMESERIES);
  await insertNumbers(node, SERIES, range(0, 20));
  disk.setPlan(({ path }) => path.endsWith(".seg") ? "ENOSPC" : undefined);
  await assert.rejects(node.checkpoint(), { codeName: "OutOfDiskSpace" });
  disk.setPlan(() => undefined);
  for (const n of range(20, 120)) await insertNumbers(node, SERIES, [n]);
  // Writes what the failed one had frozen, and no more.
  await node.checkpoint();
  memory.crash(seededRandom(1));
  node = await openNode(disk);
  assert.deepEqual(await numbersIn(node, SERIES), range(0, 120));
  await node.close();
});

Deno.test("rows of a table that a full disk kept out of the manifest are there when there is room again", async () => {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory, () => undefined);
  let node = await openNode(disk);
  await node.router.createCollection(SERIES, TIMESERIES);
  disk.setPlan(({ path }) => path.includes("MANIFEST") ? "ENOSPC" : undefined);
  await node.router.createCollection(OTHER, TIMESERIES);
  await assert.rejects(insertNumbers(node, OTHER, [1]), { codeName: "OutOfDiskSpace" });
  assert.deepEqual(await numbersIn(node, OTHER), []);
  disk.setPlan(() => undefined);
  await insertNumbers(node, OTHER, [2]);
  await node.checkpoint();
  memory.crash(seededRandom(2));
  node = await openNode(disk);
  assert.deepEqual(await numbersIn(node, OTHER), [2]);
  await node.close();
});

Deno.test("a node opens on a full disk, answers reads, and catches up when there is room", async () => {
  const memory = new MemoryDisk();
  const full = ({ operation, path }: DiskCall) =>
    operation === "writeAt" && path.includes("MANIFEST") ? "ENOSPC" as const : undefined;
  const disk = new FaultyDisk(memory, () => undefined);
  let node = await openNode(disk);
  await node.router.createCollection(SERIES, TIMESERIES);
  await insertNumbers(node, SERIES, range(0, 5));
  disk.setPlan(full);
  await node.router.createCollection(OTHER, TIMESERIES);
  memory.crash(seededRandom(3));
  node = await openNode(disk);
  assert.deepEqual(await numbersIn(node, SERIES), range(0, 5));
  assert.deepEqual(await numbersIn(node, OTHER), []);
  disk.setPlan(() => undefined);
  await insertNumbers(node, OTHER, range(5, 9));
  await node.close();
  node = await openNode(disk);
  assert.deepEqual(await numbersIn(node, SERIES), range(0, 5));
  assert.deepEqual(await numbersIn(node, OTHER), range(5, 9));
  await node.close();
});

Deno.test("a store of documents that cannot follow the catalog stops nothing, and catches up", async () => {
  await withFolder(async (folder) => {
    let node = await openReal(folder);
    await node.router.createCollection(PLAINLY, PLAIN);
    await insertNumbers(node, PLAINLY, range(0, 5));
    const stranger = new DatabaseSync(`${folder}/documents.sqlite`);
    stranger.prepare("BEGIN IMMEDIATE").run();
    const made = { db: "one", collection: "made" };
    await node.router.createCollection(made, PLAIN);
    await node.router.dropCollection(PLAINLY);
    assert.deepEqual(await numbersIn(node, made), []);
    await assert.rejects(insertNumbers(node, made, [1]), { codeName: "InternalError" });
    await node.router.createCollection(SERIES, TIMESERIES);
    await insertNumbers(node, SERIES, [1]);
    stranger.prepare("ROLLBACK").run();
    stranger.close();
    await insertNumbers(node, made, [2]);
    await node.router.createCollection(PLAINLY, PLAIN);
    await insertNumbers(node, PLAINLY, [7]);
    await node.close();
    node = await openReal(folder);
    assert.deepEqual(await numbersIn(node, made), [2]);
    assert.deepEqual(await numbersIn(node, PLAINLY), [7]);
    assert.equal(node.summary.collections, 3);
    await node.close();
  });
});

Deno.test("a full device refuses writes in clear words, reads go on, and writes when there is room", async () => {
  const disk = new FaultyDisk(new MemoryDisk(), () => undefined);
  const node = await openNode(disk);
  for (const [namespace, spec] of [[SERIES, TIMESERIES], [PLAINLY, PLAIN]] as const) {
    await node.router.createCollection(namespace, spec);
    await insertNumbers(node, namespace, [1]);
    disk.setPlan(({ operation }) => operation === "readAt" || operation === "size" ? undefined : "ENOSPC");
    await assert.rejects(insertNumbers(node, namespace, [2]), { codeName: "OutOfDiskSpace" });
    await assert.rejects(node.router.createCollection(OTHER, PLAIN), { codeName: "OutOfDiskSpace" });
    assert.deepEqual(await numbersIn(node, namespace), [1]);
    disk.setPlan(() => undefined);
    await insertNumbers(node, namespace, [3]);
    assert.deepEqual(await numbersIn(node, namespace), [1, 3]);
  }
  assert.equal(node.router.collection(OTHER), undefined);
  await node.close();
});

Deno.test("creates, inserts, drops, reads and checkpoints at once leave what was acknowledged last", async () => {
  const disk = new MemoryDisk();
  let node = await openNode(disk, { memtableBytes: 1000 });
  await node.router.createCollection(OTHER, TIMESERIES);
  const names = range(0, 4).map((i) => ({ db: "one", collection: `c${i}` }));
  const churn = names.map(async (namespace, i) => {
    for (let round = 0; round < 6; round++) {
      await node.router.createCollection(namespace, i % 2 ? TIMESERIES : PLAIN);
      // The drop overtakes some of these: then they say so.
      const inserts = range(0, 10).map((n) =>
        insertNumbers(node, namespace, [round * 10 + n]).catch((error) => {
          assert.equal(error.codeName, "NamespaceNotFound");
        })
      );
      const reading = numbersIn(node, namespace).catch((error) => {
        assert.equal(error.codeName, "QueryPlanKilled");
      });
      await Promise.resolve();
      assert.equal(await node.router.dropCollection(namespace), true);
      await Promise.all([...inserts, reading]);
    }
  });
  const steady = range(0, 60).map((n) => insertNumbers(node, OTHER, [n]));
  const checkpoints = (async () => {
    for (let i = 0; i < 10; i++) await node.checkpoint();
  })();
  await Promise.all([...churn, ...steady, checkpoints]);
  assert.deepEqual(await numbersIn(node, OTHER), range(0, 60));
  const inUse = (at: Node) => [...at.router.databaseNames()].sort();
  // An insert behind the drop may have made a plain collection anew, as MongoDB does.
  for (const namespace of names) await node.router.dropCollection(namespace);
  assert.deepEqual(inUse(node), ["two"]);
  await node.close();
  node = await openNode(disk);
  assert.deepEqual(await numbersIn(node, OTHER), range(0, 60));
  assert.equal(node.summary.rows, 60);
  assert.deepEqual(inUse(node), ["two"]);
  await node.close();
});

Deno.test("close waits for the writes that run and refuses later ones; what was acknowledged is there", async () => {
  await withFolder(async (folder) => {
    let node = await openReal(folder);
    await node.router.createCollection(SERIES, TIMESERIES);
    await node.router.createCollection(PLAINLY, PLAIN);
    const acknowledged: Record<string, number[]> = { series: [], plain: [] };
    const writes = range(0, 40).map(async (n) => {
      const namespace = n % 2 ? SERIES : PLAINLY;
      for (let turns = n; turns > 0; turns--) await Promise.resolve();
      try {
        await insertNumbers(node, namespace, [n]);
        acknowledged[namespace.collection]!.push(n);
      } catch (error) {
        assert.match(String(error), /shutting down/);
      }
    });
    const creating = node.router.createCollection(OTHER, TIMESERIES).then(() => true, () => false);
    for (let turns = 20; turns > 0; turns--) await Promise.resolve();
    await node.close();
    await Promise.all(writes);
    const made = await creating;
    await assert.rejects(insertNumbers(node, SERIES, [99]), { codeName: "ShutdownInProgress" });
    await assert.rejects(node.router.dropCollection(SERIES), { codeName: "ShutdownInProgress" });
    node = await openReal(folder);
    const byNumber = (a: number, b: number) => a - b;
    assert.ok(acknowledged["series"]!.length > 0 && acknowledged["plain"]!.length > 0);
    assert.deepEqual(await numbersIn(node, SERIES), acknowledged["series"]!.sort(byNumber));
    assert.deepEqual(await numbersIn(node, PLAINLY), acknowledged["plain"]!.sort(byNumber));
    assert.equal(node.router.collection(OTHER) !== undefined, made);
    await node.close();
  });
});

Deno.test("with interval durability, writes after a power failure count, though the stores were ahead of the log", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const disk = new MemoryDisk();
    const options = { durability: "interval", clock: new SimulatedClock() } as const;
    let node = await openNode(disk, options);
    await node.router.createCollection(SERIES, TIMESERIES);
    for (const n of range(0, 10)) await insertNumbers(node, SERIES, [n]);
    await node.checkpoint();
    disk.crash(seededRandom(seed));
    node = await openNode(disk, { durability: "commit" });
    assert.deepEqual(await numbersIn(node, SERIES), range(0, 10), "a checkpoint was");
    for (const n of range(10, 15)) await insertNumbers(node, SERIES, [n]);
    assert.deepEqual(await numbersIn(node, SERIES), range(0, 15), "in memory");
    disk.crash(seededRandom(seed));
    node = await openNode(disk, { durability: "commit" });
    assert.deepEqual(await numbersIn(node, SERIES), range(0, 15), "and after a crash");
    await node.close();
  }
});

Deno.test("the catalog's folder is synced again where that failed at its making", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const memory = new MemoryDisk();
    const disk = new FaultyDisk(memory, () => undefined);
    let node = await openNode(disk);
    await node.router.createCollection(SERIES, TIMESERIES);
    disk.setPlan(({ operation }) => operation === "syncDirectory" ? "ENOSPC" : undefined);
    await assert.rejects(node.checkpoint(), { codeName: "OutOfDiskSpace" });
    disk.setPlan(() => undefined);
    for (const n of range(0, 60)) await insertNumbers(node, SERIES, [n]);
    await node.checkpoint();
    memory.crash(seededRandom(seed));
    node = await openNode(disk);
    assert.deepEqual(await numbersIn(node, SERIES), range(0, 60));
    await node.close();
  }
});

Deno.test("a lost catalog or log is refused, not taken for an empty one", async () => {
  const fill = async () => {
    const disk = new MemoryDisk();
    const node = await openNode(disk);
    await node.router.createCollection(SERIES, TIMESERIES);
    for (const n of range(0, 100)) await insertNumbers(node, SERIES, [n]);
    await node.close();
    return disk;
  };
  for (const lost of ["mnode", "log", "vnode-1"]) {
    const disk = await fill();
    disk.remove(lost);
    await assert.rejects(openNode(disk), CorruptionError, lost);
    // The folder is free again, and says the same.
    await assert.rejects(openNode(disk), CorruptionError, lost);
  }
});
