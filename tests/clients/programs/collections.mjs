/** What kinds of collections the Node driver makes and uses beside the plain one. */
import assert from "node:assert/strict";
import { MongoBulkWriteError, MongoServerError, withClient } from "./driver.mjs";

async function checkValidation(db) {
  const people = await db.createCollection("people", {
    validator: { $jsonSchema: { required: ["name"], properties: { age: { bsonType: "int", minimum: 0 } } } },
  });
  await people.insertOne({ _id: 1, name: "Ada", age: 36 });
  await assert.rejects(people.insertOne({ _id: 2, age: -1 }), (error) => {
    assert.ok(error instanceof MongoServerError);
    assert.equal(error.code, 121);
    const { failingDocumentId, details } = error.errInfo;
    assert.equal(failingDocumentId, 2);
    assert.deepEqual(details.schemaRulesNotSatisfied.map(({ operatorName }) => operatorName), [
      "properties",
      "required",
    ]);
    return true;
  });
  await assert.rejects(
    people.bulkWrite([
      { insertOne: { document: { _id: 3 } } },
      { insertOne: { document: { _id: 4, name: "Bob" } } },
      { updateOne: { filter: { _id: 1 }, update: { $unset: { name: "" } } } },
    ], { ordered: false }),
    (error) => {
      assert.ok(error instanceof MongoBulkWriteError);
      assert.deepEqual(error.writeErrors.map(({ index, code }) => [index, code]), [[0, 121], [2, 121]]);
      return error.result.insertedCount === 1;
    },
  );
  await assert.rejects(people.findOneAndReplace({ _id: 1 }, { other: true }), { code: 121 });
  await people.insertOne({ _id: 5 }, { bypassDocumentValidation: true });
  await db.command({ collMod: "people", validationLevel: "moderate" });
  await people.updateOne({ _id: 5 }, { $set: { seen: true } });
  await assert.rejects(people.updateOne({ _id: 4 }, { $unset: { name: "" } }), { code: 121 });
  const [{ options }] = await db.listCollections({ name: "people" }).toArray();
  assert.deepEqual([options.validationLevel, options.validationAction], ["moderate", "error"]);
}

async function checkExpiry(db) {
  const sessions = await db.createCollection("sessions");
  await sessions.createIndex({ seenAt: 1 }, { expireAfterSeconds: 3600 });
  const old = new Date(Date.now() - 2 * 3600_000);
  await sessions.insertMany([{ _id: 1, seenAt: old }, { _id: 2, seenAt: new Date() }, {
    _id: 3,
    seenAt: [new Date(), old],
  }]);
  const admin = db.admin();
  const { was } = await admin.command({ setParameter: 1, ttlMonitorSleepSecs: 1 });
  const left = async (count) => {
    while (await sessions.countDocuments() !== count) await new Promise((done) => setTimeout(done, 50));
  };
  await left(1);
  await db.command({ collMod: "sessions", index: { keyPattern: { seenAt: 1 }, expireAfterSeconds: 0 } });
  await left(0);
  await admin.command({ setParameter: 1, ttlMonitorSleepSecs: was });
  const { ttl } = (await admin.serverStatus()).metrics;
  assert.ok(ttl.passes >= 2 && ttl.deletedDocuments >= 3, JSON.stringify(ttl));
}

async function checkRename(db) {
  await db.collection("before").insertMany([{ _id: 1 }, { _id: 2 }]);
  await db.collection("before").createIndex({ a: 1 }, { unique: true, sparse: true });
  await db.collection("taken").insertOne({ _id: 9 });
  await assert.rejects(db.renameCollection("before", "taken"), { code: 48 });
  const after = await db.renameCollection("before", "taken", { dropTarget: true });
  assert.deepEqual(await after.find().toArray(), [{ _id: 1 }, { _id: 2 }]);
  assert.equal((await after.indexes()).length, 2);
  const { size, numObjects } = await db.command({ dataSize: `${db.databaseName}.taken` });
  assert.deepEqual([size, numObjects], [28, 2]);
}

async function checkCapped(db) {
  const events = await db.createCollection("events", { capped: true, size: 4096, max: 3 });
  await events.insertMany([1, 2, 3, 4].map((_id) => ({ _id })));
  assert.deepEqual((await events.find().toArray()).map(({ _id }) => _id), [2, 3, 4]);
  assert.deepEqual((await events.find().sort({ $natural: -1 }).toArray()).map(({ _id }) => _id), [4, 3, 2]);
  assert.equal((await events.options()).max, 3);
  const cursor = events.find({}, { tailable: true, awaitData: true, maxAwaitTimeMS: 5000 });
  const seen = [];
  for await (const { _id } of cursor) {
    seen.push(_id);
    if (_id === 4) setTimeout(() => events.insertOne({ _id: 5 }), 50);
    if (_id === 5) break;
  }
  assert.deepEqual(seen, [2, 3, 4, 5]);
  await db.collection("many").insertMany(
    Array.from({ length: 50 }, (_, _id) => ({ _id, text: "x".repeat(100) })),
  );
  await db.command({ convertToCapped: "many", size: 1024 });
  assert.deepEqual((await db.collection("many").find().toArray()).map(({ _id }) => _id), [
    42,
    43,
    44,
    45,
    46,
    47,
    48,
    49,
  ]);
}

await withClient(async (client) => {
  const db = client.db("collections");
  await checkValidation(db);
  await checkExpiry(db);
  await checkRename(db);
  await checkCapped(db);
  console.log("ok");
});
