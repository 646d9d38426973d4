/** Updates, deletes, findOneAnd… and bulk writes of the Node driver, on plain and on time-series collections. */
import assert from "node:assert/strict";
import { MongoBulkWriteError, withClient } from "./driver.mjs";

const START_MS = Date.UTC(2024, 0, 1);

async function makeCollections(db) {
  const series = await db.createCollection("series", { timeseries: { timeField: "t", metaField: "m" } });
  const plain = await db.createCollection("plain");
  const documents = Array.from({ length: 10 }, (_, i) => ({
    _id: i,
    t: new Date(START_MS + i * 1000),
    m: { host: `h${i % 2}` },
    v: i,
    list: [i, i + 1],
  }));
  await series.insertMany(documents);
  await plain.insertMany(documents);
  return [plain, series];
}

async function checkUpdates(collection) {
  const one = await collection.updateOne({ _id: 3 }, {
    $set: { v: 30 },
    $push: { list: { $each: [9], $slice: -2 } },
  });
  assert.deepEqual([one.matchedCount, one.modifiedCount, one.upsertedId], [1, 1, null]);
  assert.deepEqual((await collection.findOne({ _id: 3 })).list, [4, 9]);
  const many = await collection.updateMany({ "m.host": "h0" }, { $inc: { v: 100 } });
  assert.deepEqual([many.matchedCount, many.modifiedCount], [5, 5]);
  const same = await collection.updateOne({ _id: 3 }, { $set: { v: 30 } });
  assert.deepEqual([same.matchedCount, same.modifiedCount], [1, 0]);
  const replaced = await collection.replaceOne({ _id: 4 }, {
    t: new Date(START_MS),
    m: { host: "h9" },
    only: true,
  });
  assert.equal(replaced.modifiedCount, 1);
  assert.deepEqual(await collection.findOne({ "m.host": "h9" }, { projection: { only: 1, v: 1 } }), {
    _id: 4,
    only: true,
  });
  const upserted = await collection.updateOne(
    { _id: 77, t: new Date(START_MS) },
    { $setOnInsert: { v: 7 } },
    { upsert: true },
  );
  assert.deepEqual([upserted.upsertedCount, upserted.upsertedId], [1, 77]);
  const byPosition = await collection.updateOne({ _id: 5, list: 6 }, { $set: { "list.$": 60 } });
  assert.equal(byPosition.modifiedCount, 1);
  await collection.updateOne({ _id: 5 }, { $set: { "list.$[low]": 0 } }, {
    arrayFilters: [{ low: { $lt: 10 } }],
  });
  assert.deepEqual((await collection.findOne({ _id: 5 })).list, [0, 60]);
  await collection.updateMany({ v: { $gte: 100 } }, [{ $set: { half: { $divide: ["$v", 2] } } }]);
  assert.equal((await collection.findOne({ _id: 8 })).half, 54);
}

async function checkFindOneAnd(collection) {
  const before = await collection.findOneAndUpdate({ _id: 1 }, { $set: { v: 11 } });
  assert.equal(before.v, 1);
  const after = await collection.findOneAndUpdate({}, { $set: { newest: true } }, {
    sort: { t: -1 },
    returnDocument: "after",
    projection: { newest: 1 },
  });
  assert.deepEqual(after, { _id: 9, newest: true });
  const replaced = await collection.findOneAndReplace(
    { _id: 2 },
    { t: new Date(START_MS), n: 2 },
    { returnDocument: "after" },
  );
  assert.deepEqual([replaced.n, replaced.v], [2, undefined]);
  const removed = await collection.findOneAndDelete({ _id: 9 });
  assert.equal(removed.newest, true);
  assert.equal(await collection.findOneAndDelete({ _id: 9 }), null);
}

async function checkBulk(collection) {
  const result = await collection.bulkWrite([
    { insertOne: { document: { _id: 100, t: new Date(START_MS), m: { host: "bulk" } } } },
    { updateOne: { filter: { _id: 100 }, update: { $set: { v: 1 } } } },
    { updateMany: { filter: { "m.host": "h1" }, update: { $set: { seen: true } } } },
    { updateOne: { filter: { _id: 101, t: new Date(START_MS) }, update: { $set: { v: 2 } }, upsert: true } },
    { deleteOne: { filter: { _id: 100 } } },
  ]);
  assert.deepEqual(
    [result.insertedCount, result.modifiedCount, result.upsertedCount, result.deletedCount],
    [1, 1 + await collection.countDocuments({ seen: true }), 1, 1],
  );
  const failed = await collection.bulkWrite(
    [{ updateOne: { filter: { _id: 1 }, update: { $inc: { m: 1 } } } }, {
      deleteOne: { filter: { _id: 101 } },
    }],
    { ordered: false },
  ).then(() => undefined, (error) => error);
  assert.ok(failed instanceof MongoBulkWriteError, String(failed));
  assert.deepEqual([failed.code, failed.writeErrors[0].index, failed.result.deletedCount], [14, 0, 1]);
}

async function checkClientBulk(client, db) {
  const namespace = (name) => `${db.databaseName}.${name}`;
  const result = await client.bulkWrite([
    { namespace: namespace("first"), name: "insertOne", document: { _id: 1, a: 1 } },
    { namespace: namespace("second"), name: "insertOne", document: { _id: 1, a: 1 } },
    { namespace: namespace("first"), name: "updateOne", filter: { _id: 1 }, update: { $inc: { a: 1 } } },
    {
      namespace: namespace("first"),
      name: "updateOne",
      filter: { _id: 2 },
      update: { $set: { a: 5 } },
      upsert: true,
    },
    { namespace: namespace("second"), name: "deleteMany", filter: {} },
  ], { verboseResults: true });
  assert.deepEqual(
    [
      result.insertedCount,
      result.matchedCount,
      result.modifiedCount,
      result.upsertedCount,
      result.deletedCount,
    ],
    [2, 1, 1, 1, 1],
  );
  assert.equal(result.updateResults.get(3).upsertedId, 2);
  assert.deepEqual(await db.collection("first").find().toArray(), [{ _id: 1, a: 2 }, { _id: 2, a: 5 }]);
  const failed = await client.bulkWrite([
    { namespace: namespace("first"), name: "insertOne", document: { _id: 1 } },
    { namespace: namespace("first"), name: "insertOne", document: { _id: 3 } },
  ], { ordered: false }).then(() => undefined, (error) => error);
  assert.equal(failed.writeErrors.get(0).code, 11000);
  assert.equal(failed.partialResult.insertedCount, 1);
}

async function checkDeletes(collection) {
  const all = await collection.countDocuments();
  assert.equal((await collection.deleteOne({ _id: 77 })).deletedCount, 1);
  const host = await collection.deleteMany({ "m.host": "h0" });
  assert.ok(host.deletedCount > 0);
  assert.equal(await collection.countDocuments(), all - 1 - host.deletedCount);
  await collection.deleteMany({});
  assert.equal(await collection.countDocuments(), 0);
}

await withClient(async (client) => {
  const db = client.db("writes");
  await db.dropDatabase();
  for (const collection of await makeCollections(db)) {
    await checkUpdates(collection);
    await checkFindOneAnd(collection);
    await checkBulk(collection);
    await checkDeletes(collection);
  }
  await checkClientBulk(client, db);
  console.log("ok");
});
