/** What runs now, and how it is ended: currentOp, killOp and the profiler on a real node. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, WireClient } from "../support/wire_client.ts";

const FOREVER_MS = 60_000;

async function withClients(
  test: (running: WireClient, other: WireClient) => Promise<void>,
): Promise<void> {
  await using server = await startServerProcess();
  const running = await WireClient.connect(server.port);
  const other = await WireClient.connect(server.port);
  try {
    await test(running, other);
  } finally {
    running.close();
    other.close();
  }
}

/** The operations that a filter finds, once there are some. */
async function operationsOf(client: WireClient, filter: Document): Promise<Document[]> {
  for (;;) {
    const { inprog } = await client.must({ currentOp: 1, ...filter });
    if (inprog.length > 0) return inprog;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("an operation is shown with its command and comment, and killOp ends it", async () => {
  await withClients(async (running, other) => {
    await other.must({ create: "c", capped: true, size: 4096, $db: "d" });
    await other.must({ insert: "c", documents: [{ _id: 1 }], $db: "d" });
    const { cursor } = await running.must({ find: "c", tailable: true, awaitData: true, $db: "d" });
    const waiting = running.command({
      getMore: cursor.id,
      collection: "c",
      maxTimeMS: FOREVER_MS,
      comment: "the one",
      $db: "d",
    });
    const found = await operationsOf(other, { "command.comment": "the one" });
    const [operation] = found;
    assert.equal(operation!["op"], "getmore");
    assert.equal(operation!["ns"], "d.c");
    assert.equal(operation!["active"], true);
    assert.equal(operation!["command"].collection, "c");
    for (const { opid } of found) await other.must({ killOp: 1, op: opid });
    const { code, codeName } = await waiting;
    assert.deepEqual([Number(code), codeName], [11601, "Interrupted"]);
    const none = await other.must({ currentOp: 1, "command.comment": "the one" });
    assert.deepEqual(none["inprog"], []);
  });
});

Deno.test("a query that works is ended, too", async () => {
  await withClients(async (running, other) => {
    await other.must({ insert: "c", documents: Array.from({ length: 200 }, (_, n) => ({ n })), $db: "d" });
    // 200 to the fourth: it would run for hours.
    const lookup = (as: string) => ({
      $lookup: { from: "c", pipeline: [{ $match: { n: { $gte: 0 } } }], as },
    });
    const unwind = (path: string) => ({ $unwind: `$${path}` });
    const pipeline = ["a", "b", "c"].flatMap((name) => [lookup(name), unwind(name)]);
    const counting = running.command({
      aggregate: "c",
      pipeline: [...pipeline, { $count: "n" }],
      cursor: {},
      $db: "d",
    });
    const [operation] = await operationsOf(other, { "command.aggregate": "c", op: "command" });
    await other.must({ killOp: 1, op: operation!["opid"] });
    assert.equal(Number((await counting)["code"]), 11601);
  });
});

Deno.test("the building of an index says how far it is, and is ended", async () => {
  await withClients(async (running, other) => {
    const documents = Array.from(
      { length: 10_000 },
      (_, n) => ({ words: Array.from({ length: 20 }, (_, i) => `${n} ${i}`) }),
    );
    for (let batch = 0; batch < 3; batch++) await other.must({ insert: "c", documents, $db: "d" });
    const building = running.command({
      createIndexes: "c",
      indexes: [{ key: { words: 1 }, name: "words_1" }],
      $db: "d",
    });
    const [operation] = await operationsOf(other, {
      "command.createIndexes": "c",
      "progress.done": { $gt: 0 },
    });
    const { opid, msg, progress } = operation!;
    assert.equal(Number(progress.total), 30_000);
    const percent = Math.floor(Number(progress.done) / 300);
    const work = "Index Build: scanning collection";
    assert.equal(msg, `${work} ${work}: ${progress.done}/${progress.total} ${percent}%`);
    await other.must({ killOp: 1, op: opid });
    assert.equal(Number((await building)["code"]), 11601);
    const { cursor } = await other.must({ listIndexes: "c", $db: "d" });
    assert.equal(cursor.firstBatch.length, 1);
  });
});

Deno.test("what is profiled says who asked, how long it took and what came of it", async () => {
  await withClients(async (running, other) => {
    await other.must({ profile: 2, $db: "d" });
    await running.must({ insert: "c", documents: [{ _id: 1 }, { _id: 2 }], $db: "d" });
    await running.must({ ping: 1, $db: "d" });
    await running.must({ find: "c", filter: { _id: 2 }, $db: "d" });
    const { cursor } = await other.must({ find: "system.profile", $db: "d" });
    const [insert, find] = cursor.firstBatch as Document[];
    assert.equal(cursor.firstBatch.length, 2, "what names no collection is not there");
    assert.deepEqual([insert!["op"], Number(insert!["ninserted"])], ["insert", 2]);
    assert.deepEqual([find!["op"], Number(find!["nreturned"]), find!["client"]], ["query", 1, "127.0.0.1"]);
    assert.ok(
      find!["ts"] instanceof Date && Number(find!["millis"]) >= 0 && Number(find!["responseLength"]) > 0,
    );
    assert.deepEqual(find!["command"].filter, { _id: find!["command"].filter._id });
    const { was } = await other.must({ profile: 0, $db: "d" });
    assert.equal(Number(was), 2);
    await running.must({ find: "c", $db: "d" });
    const { n } = await other.must({ count: "system.profile", query: { op: "query", ns: "d.c" }, $db: "d" });
    assert.equal(Number(n), 1);
  });
});

Deno.test("what is profiled says how rows were found, and how many keys and documents that took", async () => {
  await withClients(async (running, other) => {
    const documents = Array.from({ length: 70 }, (_, i) => ({ _id: i, a: i % 7, b: i % 5 }));
    await running.must({ insert: "c", documents, $db: "d" });
    const indexes = [{ key: { a: 1 }, name: "a" }, { key: { b: -1, a: 1 }, name: "ba" }];
    await running.must({ createIndexes: "c", indexes, $db: "d" });
    await running.must({ create: "t", timeseries: { timeField: "at" }, $db: "d" });
    await running.must({ insert: "t", documents: [{ at: new Date(0) }], $db: "d" });
    await running.must({ profile: 2, $db: "d" });
    // Plan, keys and documents are MongoDB 6.0.5's, but for the bucket that stands for measurements.
    const asked: [Document, string, number, number][] = [
      [{ find: "c", filter: {} }, "COLLSCAN", 0, 70],
      [{ find: "c", filter: { a: 1 } }, "IXSCAN { a: 1 }", 10, 10],
      [{ find: "c", filter: { _id: 1 } }, "IDHACK", 1, 1],
      [{ find: "c", filter: { b: 1 }, sort: { a: 1 } }, "IXSCAN { b: -1, a: 1 }", 14, 14],
      [{ find: "c", filter: { a: 1 }, projection: { _id: 0, a: 1 } }, "IXSCAN { a: 1 }", 10, 0],
      [{ find: "none", filter: {} }, "EOF", 0, 0],
      [{ count: "c", query: {} }, "RECORD_STORE_FAST_COUNT", 0, 0],
      [{ distinct: "c", key: "a" }, "DISTINCT_SCAN { a: 1 }", 7, 0],
      [
        { aggregate: "c", pipeline: [{ $match: { a: 2 } }, { $group: { _id: "$b" } }], cursor: {} },
        "IXSCAN { a: 1 }",
        10,
        10,
      ],
      [{ find: "t", filter: {} }, "COLLSCAN", 0, 1],
    ];
    for (const [command] of asked) await running.must({ ...command, $db: "d" });
    await running.must({ profile: 0, $db: "d" });
    const entries = await other.documents({ find: "system.profile", filter: {}, $db: "d" });
    const found = entries.filter(({ command }) => !("profile" in command)).map((entry) => {
      return [entry["planSummary"], Number(entry["keysExamined"]), Number(entry["docsExamined"])];
    });
    assert.deepEqual(found, asked.map(([, ...expected]) => expected));
    const either = { $or: [{ a: 1 }, { b: 2 }] };
    await running.must({ profile: 2, $db: "d" });
    await running.must({ find: "c", filter: either, batchSize: 2, $db: "d" });
    const [last] = await other.documents({
      find: "system.profile",
      filter: {},
      sort: { $natural: -1 },
      limit: 1,
      $db: "d",
    });
    assert.equal(last!["planSummary"], "IXSCAN { a: 1 }, IXSCAN { b: -1, a: 1 }");
  });
});
