/** Sessions, monitoring by streamed hello, and compression: what a driver does beside its commands. */
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { withClient } from "./driver.mjs";

const seen = { awaited: 0, failed: 0, cleared: 0, types: new Set() };

await withClient(async (client) => {
  client.on("serverHeartbeatSucceeded", ({ awaited }) => seen.awaited += awaited ? 1 : 0);
  client.on("serverHeartbeatFailed", () => seen.failed++);
  client.on("connectionPoolCleared", () => seen.cleared++);
  client.on("topologyDescriptionChanged", ({ newDescription }) => seen.types.add(newDescription.type));

  const collection = client.db("sessions").collection("plain");
  await client.withSession(async (session) => {
    await collection.insertOne({ _id: 1, v: 1 }, { session });
    assert.equal(await collection.countDocuments({}, { session }), 1);
    const found = await collection.find({}, { session }).batchSize(1).toArray();
    assert.deepEqual(found, [{ _id: 1, v: 1 }]);
  });
  const causal = client.startSession({ causalConsistency: true });
  await collection.insertOne({ _id: 2 }, { session: causal });
  assert.deepEqual(await collection.findOne({ _id: 2 }, { session: causal }), { _id: 2 });
  await causal.endSession();

  // Heartbeats go on while nothing changes: three of them at least in this time.
  await setTimeout(2500);
  assert.equal(await collection.countDocuments(), 2);
}, { heartbeatFrequencyMS: 500, serverMonitoringMode: "stream", retryWrites: true });

assert.deepEqual([seen.failed, seen.cleared], [0, 0]);
assert.ok(seen.awaited >= 3, `${seen.awaited} awaited heartbeats`);
assert.ok(seen.types.has("Sharded"), [...seen.types].join());

for (const compressor of ["zlib"]) {
  await withClient(async (client) => {
    const documents = Array.from({ length: 2000 }, (_, _id) => ({ _id, text: "compressible ".repeat(10) }));
    const collection = client.db("sessions").collection(compressor);
    await collection.insertMany(documents);
    assert.deepEqual(await collection.find().sort({ _id: 1 }).toArray(), documents);
  }, { compressors: [compressor] });
}

// Every kind of acknowledgement, and none.
await withClient(async (client) => {
  const db = client.db("sessions");
  await db.collection("w", { writeConcern: { w: "majority", journal: true } }).insertOne({ _id: 1 });
  await db.collection("w", { writeConcern: { w: 0 } }).insertOne({ _id: 2 });
  for (let tries = 0; await db.collection("w").countDocuments() < 2 && tries < 100; tries++) {
    await setTimeout(20);
  }
  assert.equal(await db.collection("w").countDocuments(), 2);
});
