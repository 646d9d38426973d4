/** What a real server says of its files: sizes that add up, columns, and damage that is found. */
import assert from "node:assert/strict";
import { CpuWorkload, METRICS } from "../data/cpu_workload.ts";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, encodeSequence, WireClient } from "../support/wire_client.ts";

const ROWS = 20_000;
const DATABASE = "t";
const STORE = "vnode-1/timeseries";

/** A server with rows in segments, of one collection. */
async function withRows(body: (client: WireClient, dataDir: string) => Promise<void>): Promise<void> {
  await using server = await startServerProcess();
  const client = await WireClient.connect(server.port);
  try {
    await client.must({
      create: "cpu",
      timeseries: { timeField: "timestamp", metaField: "tags" },
      $db: DATABASE,
    });
    const rows = new CpuWorkload({ hosts: 10, startMs: Date.UTC(2024, 0, 1), intervalMs: 10_000, seed: 1 });
    const { bytes } = rows.next(ROWS);
    await client.roundTrip(encodeSequence({ insert: "cpu", $db: DATABASE }, "documents", bytes));
    await client.must({ fsync: 1 });
    await body(client, server.dataDir);
  } finally {
    client.close();
  }
}

function numbers(document: Document): Record<string, number> {
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, Number(value)]));
}

function bytesOfFiles(folder: string, pattern: RegExp): number {
  return [...Deno.readDirSync(folder)].filter(({ name }) => pattern.test(name))
    .reduce((sum, { name }) => sum + Deno.statSync(`${folder}/${name}`).size, 0);
}

Deno.test("collStats: sizes are those of the files, columns those of the pages", async () => {
  await withRows(async (client, dataDir) => {
    const stats = await client.must({ collStats: "cpu", columns: true, $db: DATABASE });
    const sizes = numbers(stats);
    assert.equal(sizes["count"], ROWS);
    assert.equal(Number(stats["timeseries"].series), 10);
    assert.equal(Number(stats["timeseries"].memtableRows), 0);
    const segments = bytesOfFiles(`${dataDir}/${STORE}`, /\.seg$/);
    // Headers and footers of files belong to no collection.
    assert.ok(
      Math.abs(sizes["storageSize"]! - segments) < segments / 50,
      `${sizes["storageSize"]}, ${segments}`,
    );
    assert.equal(sizes["totalSize"], sizes["storageSize"]! + sizes["totalIndexSize"]!);
    assert.ok(sizes["totalIndexSize"]! > 0);

    const columns: Record<string, number>[] = stats["timeseries"].columns.map(numbers);
    const names: string[] = stats["timeseries"].columns.map((column: Document) => String(column["name"]));
    assert.deepEqual(names.toSorted(), ["(last rows)", "(times)", "_id", ...METRICS].toSorted());
    for (const [i, column] of columns.entries()) {
      assert.equal(column["values"], names[i] === "(last rows)" ? 0 : ROWS, names[i]);
      assert.ok(Math.abs(column["rawBytes"]! / column["storedBytes"]! - column["compressionRatio"]!) < 1e-9);
    }
    const stored = columns.reduce((sum, column) => sum + column["storedBytes"]!, 0);
    assert.ok(stored <= sizes["storageSize"]! && stored > sizes["storageSize"]! * 0.9);

    const scaled = await client.must({ collStats: "cpu", scale: 1024, $db: DATABASE });
    assert.equal(Number(scaled["storageSize"]), Math.floor(sizes["storageSize"]! / 1024));
    const [shown] = await client.documents({
      aggregate: "cpu",
      pipeline: [{ $collStats: { storageStats: {} } }],
      cursor: {},
      $db: DATABASE,
    });
    assert.equal(Number(shown?.["storageStats"].storageSize), sizes["storageSize"]);
    const database = numbers(await client.must({ dbStats: 1, $db: DATABASE }));
    assert.equal(database["storageSize"], sizes["storageSize"]);
    assert.equal(database["indexSize"], sizes["totalIndexSize"]);
  });
});

Deno.test("validate: a bit that flipped in a segment is found, with file and place", async () => {
  await withRows(async (client, dataDir) => {
    const whole = await client.must({ validate: "cpu", full: true, $db: DATABASE });
    assert.equal(whole["valid"], true);
    assert.equal(Number(whole["nrecords"]), ROWS);
    const [segment] = [...Deno.readDirSync(`${dataDir}/${STORE}`)].filter(({ name }) =>
      name.endsWith(".seg")
    );
    const path = `${dataDir}/${STORE}/${segment?.name}`;
    const bytes = Deno.readFileSync(path);
    bytes[bytes.length >> 1]! ^= 16;
    Deno.writeFileSync(path, bytes);
    const damaged = await client.must({ validate: "cpu", $db: DATABASE });
    assert.equal(damaged["valid"], false);
    assert.match(
      String(damaged["errors"][0]),
      new RegExp(`"${STORE}/${segment?.name}" at byte \\d+: checksum`),
    );
  });
});

Deno.test("compact: answers when rows are in merged segments, and says what it freed", async () => {
  await withRows(async (client) => {
    // Some more segments, of the same hosts and times.
    const rows = new CpuWorkload({ hosts: 10, startMs: Date.UTC(2024, 0, 1), intervalMs: 10_000, seed: 2 });
    for (let i = 0; i < 5; i++) {
      const { bytes } = rows.next(100);
      await client.roundTrip(encodeSequence({ insert: "cpu", $db: DATABASE }, "documents", bytes));
      await client.must({ fsync: 1 });
    }
    const freed = Number((await client.must({ compact: "cpu", $db: DATABASE }))["bytesFreed"]);
    assert.ok(freed >= 0);
    const stats = await client.must({ collStats: "cpu", $db: DATABASE });
    assert.equal(Number(stats["count"]), ROWS + 500);
    assert.equal(Number(stats["timeseries"].memtableRows), 0);
    assert.ok(Number(stats["timeseries"].segments) <= 2, `${stats["timeseries"].segments} segments`);
    assert.equal((await client.must({ validate: "cpu", $db: DATABASE }))["valid"], true);
  });
});

Deno.test("emptyCaches gives memory back, and the next query reads the files again", async () => {
  await withRows(async (client) => {
    const query = {
      aggregate: "cpu",
      // What statistics of pages do not answer.
      pipeline: [
        { $match: { usage_user: { $gte: 50 } } },
        { $group: { _id: null, rows: { $sum: 1 }, sum: { $sum: "$usage_user" } } },
      ],
      cursor: {},
      $db: DATABASE,
    };
    const before = (await client.must(query))["cursor"].firstBatch;
    const freed = Number((await client.must({ emptyCaches: 1 }))["bytesFreed"]);
    assert.ok(freed >= ROWS, `${freed} bytes of a column of ${ROWS} numbers`);
    assert.equal(Number((await client.must({ emptyCaches: 1 }))["bytesFreed"]), 0);
    assert.deepEqual((await client.must(query))["cursor"].firstBatch, before);
    assert.equal(Number((await client.must({ emptyCaches: 1 }))["bytesFreed"]), freed);
    const refused = await client.command({ emptyCaches: 1, $db: DATABASE });
    assert.equal(Number(refused["code"]), 13);
  });
});
