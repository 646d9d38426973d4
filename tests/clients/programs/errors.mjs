/** Errors as the driver shows them: codes, indexes of wrong documents, names. */
import assert from "node:assert/strict";
import { MongoBulkWriteError, MongoServerError, withClient } from "./driver.mjs";

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected an error");
}

await withClient(async (client) => {
  const db = client.db("errors");

  const unknown = await errorOf(db.command({ noSuchCommand: 1 }));
  assert.ok(unknown instanceof MongoServerError);
  assert.deepEqual([unknown.code, unknown.codeName], [59, "CommandNotFound"]);
  assert.equal(unknown.message, "no such command: 'noSuchCommand'");

  const plain = db.collection("plain");
  await plain.insertOne({ _id: 1 });
  const duplicate = await errorOf(plain.insertOne({ _id: 1 }));
  assert.equal(duplicate.code, 11000);
  assert.deepEqual(duplicate.keyValue, { _id: 1 });

  const unordered = await errorOf(
    plain.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 2 }, { _id: 3 }], { ordered: false }),
  );
  assert.ok(unordered instanceof MongoBulkWriteError);
  assert.deepEqual(unordered.writeErrors.map(({ index, code }) => [index, code]), [[0, 11000], [2, 11000]]);
  assert.equal(unordered.insertedCount, 2);

  const series = await db.createCollection("series", { timeseries: { timeField: "t" } });
  const noTime = await errorOf(
    series.insertMany([{ t: new Date() }, { v: 1 }, { t: "now" }, { t: new Date() }], { ordered: false }),
  );
  assert.deepEqual(noTime.writeErrors.map(({ index, code }) => [index, code]), [[1, 2], [2, 2]]);
  assert.equal(
    noTime.writeErrors[0].errmsg,
    "'t' must be present and contain a valid BSON UTC datetime value",
  );
  assert.equal(await series.countDocuments(), 2);

  const ordered = await errorOf(series.insertMany([{ t: new Date() }, { v: 1 }, { t: new Date() }]));
  assert.deepEqual(ordered.writeErrors.map(({ index }) => index), [1]);
  assert.equal(await series.countDocuments(), 3);

  const exists = await errorOf(db.createCollection("series", { timeseries: { timeField: "t" } }));
  assert.equal(exists.code, 48);
  const operator = await errorOf(plain.find({ a: { $foo: 1 } }).toArray());
  assert.equal(operator.code, 2);
  const stage = await errorOf(plain.aggregate([{ $foo: 1 }]).toArray());
  assert.equal(stage.code, 40324);
});
