/** Cursors over many documents: batches, early ends, sort and limit, counts. */
import assert from "node:assert/strict";
import { withClient } from "./driver.mjs";

const ROWS = 20_000;
const START_MS = Date.UTC(2024, 0, 1);

await withClient(async (client) => {
  const db = client.db("cursors");
  const series = await db.createCollection("series", { timeseries: { timeField: "t", metaField: "m" } });
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    t: new Date(START_MS + i * 1000),
    m: { host: `h${i % 10}` },
    v: i,
    text: `row ${i}`,
  }));
  const inserted = await series.insertMany(rows, { ordered: false });
  assert.equal(inserted.insertedCount, ROWS);

  let batches = 0;
  client.on("commandSucceeded", ({ commandName }) => batches += commandName === "getMore" ? 1 : 0);
  const seen = new Set();
  for await (const document of series.find().batchSize(1000)) seen.add(document.v);
  assert.equal(seen.size, ROWS);
  assert.ok(batches >= ROWS / 1000 - 1, `${batches} getMore`);

  const sorted = await series.find({ "m.host": "h3" }).sort({ t: -1 }).batchSize(7).toArray();
  assert.equal(sorted.length, ROWS / 10);
  assert.ok(sorted.every(({ v }, i) => v === ROWS - 7 - i * 10));

  const page = await series.find({}, { projection: { _id: 0, v: 1 } }).sort({ t: 1 }).skip(500).limit(3)
    .toArray();
  assert.deepEqual(page, [{ v: 500 }, { v: 501 }, { v: 502 }]);

  const cursor = series.find().batchSize(10);
  assert.ok(await cursor.next());
  await cursor.close();

  const aggregated = series.aggregate([{ $match: { v: { $lt: 5000 } } }, { $project: { v: 1 } }], {
    batchSize: 300,
  });
  assert.equal((await aggregated.toArray()).length, 5000);

  assert.equal(await series.countDocuments(), ROWS);
  assert.equal(await series.countDocuments({ v: { $gte: 100, $lt: 150 } }), 50);
  assert.equal(await series.estimatedDocumentCount(), ROWS);
  assert.deepEqual((await series.distinct("m.host")).sort(), Array.from({ length: 10 }, (_, i) => `h${i}`));

  const big = db.collection("big");
  const padding = "x".repeat(1_000_000);
  await big.insertMany(Array.from({ length: 40 }, (_, _id) => ({ _id, padding })));
  const bigOnes = await big.find().sort({ _id: 1 }).toArray();
  assert.deepEqual(bigOnes.map(({ _id }) => _id), Array.from({ length: 40 }, (_, i) => i));
}, { monitorCommands: true });
