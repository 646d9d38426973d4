/**
 * The Node driver's watch() over a server that dies: the first part writes, follows and prints a resume token; the second one,
 * against the server that came after it, goes on from there.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { withClient } from "./driver.mjs";

const part = process.argv[3];

/** The next events of a stream, as many as asked for. */
async function take(stream, count) {
  const events = [];
  while (events.length < count) events.push(await stream.next());
  return events;
}

const ids = (events) => events.map(({ operationType, documentKey }) => [operationType, documentKey?._id]);

async function follow(client) {
  const db = client.db("watched");
  const plain = db.collection("plain");
  await db.createCollection("images", { changeStreamPreAndPostImages: { enabled: true } });
  await db.createCollection("series", { timeseries: { timeField: "t", metaField: "m" } });

  const stream = plain.watch([{ $match: { operationType: { $ne: "delete" } } }], { maxAwaitTimeMS: 200 });
  const first = stream.tryNext();
  await plain.insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 1 }]);
  await first;
  await plain.deleteOne({ _id: 2 });
  await plain.updateOne({ _id: 1 }, { $set: { a: 2 }, $push: { l: 1 } });
  const events = await take(stream, (await first) === null ? 3 : 2);
  assert.deepEqual(ids(events).at(-1), ["update", 1]);
  assert.deepEqual(events.at(-1).updateDescription, {
    updatedFields: { a: 2, l: [1] },
    removedFields: [],
    truncatedArrays: [],
  });
  assert.deepEqual(events.at(-1).ns, { db: "watched", coll: "plain" });
  assert.ok(Math.abs(events.at(-1).wallTime - Date.now()) < 60_000, events.at(-1).wallTime);

  const images = db.collection("images").watch([], {
    maxAwaitTimeMS: 100,
    fullDocument: "required",
    fullDocumentBeforeChange: "required",
  });
  await images.tryNext();
  await db.collection("images").insertOne({ _id: 1, a: 1 });
  await db.collection("images").updateOne({ _id: 1 }, { $set: { a: 2 } });
  const [, update] = await take(images, 2);
  assert.deepEqual([update.fullDocumentBeforeChange, update.fullDocument], [{ _id: 1, a: 1 }, {
    _id: 1,
    a: 2,
  }]);
  await images.close();

  const series = db.collection("series").watch([], { maxAwaitTimeMS: 100 });
  await series.tryNext();
  const measurement = { t: new Date(), m: "s1", v: 1 };
  await db.collection("series").insertOne(measurement);
  const [inserted] = await take(series, 1);
  assert.deepEqual(inserted.fullDocument, measurement);
  await series.close();

  const everything = client.watch([], { showExpandedEvents: true, maxAwaitTimeMS: 100 });
  await everything.tryNext();
  await client.db("elsewhere").collection("c").insertOne({ _id: 1 });
  assert.deepEqual((await take(everything, 2)).map(({ operationType }) => operationType), [
    "create",
    "insert",
  ]);
  await everything.close();

  const both = db.watch([{ $match: { "ns.coll": /^in_/ } }], { maxAwaitTimeMS: 100 });
  await both.tryNext();
  await client.withSession(async (session) => {
    await session.withTransaction(async () => {
      await db.collection("in_one").insertOne({ _id: 1 }, { session });
      await db.collection("in_another").insertOne({ _id: 2 }, { session });
    });
    const told = await take(both, 2);
    assert.deepEqual(told.map(({ ns }) => ns.coll), ["in_one", "in_another"]);
    assert.ok(told.every(({ lsid }) => lsid.id.toString("hex") === session.id.id.toString("hex")));
    assert.equal(new Set(told.map(({ txnNumber, clusterTime }) => `${txnNumber} ${clusterTime}`)).size, 1);
  });
  await both.close();

  const token = stream.resumeToken;
  await plain.insertOne({ _id: 3 });
  await stream.close();
  console.log(JSON.stringify(token));
}

async function goOn(client, token) {
  const plain = client.db("watched").collection("plain");
  const stream = plain.watch([], { resumeAfter: token });
  await plain.insertOne({ _id: 4 });
  assert.deepEqual(ids(await take(stream, 2)), [["insert", 3], ["insert", 4]]);
  await plain.drop();
  assert.deepEqual(ids(await take(stream, 2)), [["drop", undefined], ["invalidate", undefined]]);
  assert.ok(stream.closed || await stream.tryNext() === null);
  console.log("ok");
}

await withClient((client) => part === "follow" ? follow(client) : goOn(client, JSON.parse(process.argv[4])));
