/** Transactions as the Node driver and mongoose run them: retried after a conflict, undone by an error, seen as a whole. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";
import { withClient } from "./driver.mjs";

const mongoose = createRequire(process.env.CLIENTS)("mongoose");

async function checkTransfer(client) {
  const accounts = client.db("bank").collection("accounts");
  const receipts = client.db("ledger").collection("receipts");
  await accounts.insertMany([{ _id: "a", money: 100 }, { _id: "b", money: 0 }]);
  await client.withSession(async (session) => {
    const result = await session.withTransaction(async () => {
      await accounts.updateOne({ _id: "a" }, { $inc: { money: -30 } }, { session });
      await accounts.updateOne({ _id: "b" }, { $inc: { money: 30 } }, { session });
      // The collection is made with it.
      await receipts.insertOne({ _id: 1, amount: 30 }, { session });
      assert.equal(await accounts.countDocuments({ money: 30 }, { session }), 1);
      assert.equal((await accounts.findOne({ _id: "a" })).money, 100);
      return "done";
    }, { readConcern: { level: "snapshot" }, writeConcern: { w: "majority" } });
    assert.equal(result, "done");
  });
  assert.deepEqual(await accounts.find().sort({ _id: 1 }).toArray(), [
    { _id: "a", money: 70 },
    { _id: "b", money: 30 },
  ]);
  assert.equal(await receipts.countDocuments(), 1);
}

async function checkConflict(client) {
  const counters = client.db("bank").collection("counters");
  await counters.insertOne({ _id: "n", n: 0 });
  let attempts = 0;
  // Many that all want one document: the driver tries again for as long as it takes.
  await Promise.all(
    Array.from({ length: 8 }, () =>
      client.withSession((session) =>
        session.withTransaction(async () => {
          attempts++;
          const { n } = await counters.findOne({ _id: "n" }, { session });
          await counters.updateOne({ _id: "n" }, { $set: { n: n + 1 } }, { session });
        })
      )),
  );
  assert.deepEqual(await counters.findOne(), { _id: "n", n: 8 });
  assert.ok(attempts > 8, `${attempts} attempts`);
}

async function checkUndone(client) {
  const items = client.db("bank").collection("items");
  await items.insertOne({ _id: 1 });
  await client.withSession(async (session) => {
    await assert.rejects(
      session.withTransaction(async () => {
        await items.insertOne({ _id: 2 }, { session });
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    await assert.rejects(
      session.withTransaction(async () => {
        await items.insertOne({ _id: 3 }, { session });
        await items.insertOne({ _id: 1 }, { session });
      }),
      { code: 11000 },
    );
  });
  assert.deepEqual(await items.find().toArray(), [{ _id: 1 }]);
}

async function checkBulk(client) {
  const items = client.db("bank").collection("bulk");
  await items.createIndex({ k: 1 }, { unique: true });
  await client.withSession((session) =>
    session.withTransaction(async () => {
      await items.insertMany(Array.from({ length: 300 }, (_, i) => ({ _id: i, k: i })), { session });
      await items.updateMany({ _id: { $lt: 100 } }, { $inc: { k: 1000 } }, { session });
      await items.deleteMany({ k: { $gte: 100, $lt: 200 } }, { session });
      const keys = await items.find({ k: { $gte: 250 } }, { session }).sort({ k: 1 }).batchSize(40).toArray();
      assert.deepEqual(keys.map(({ k }) => k), [
        ...Array.from({ length: 50 }, (_, i) => 250 + i),
        ...Array.from({ length: 100 }, (_, i) => 1000 + i),
      ]);
      const sum = await items.aggregate([{ $group: { _id: null, n: { $sum: 1 } } }], { session }).toArray();
      assert.deepEqual(sum, [{ _id: null, n: 200 }]);
    })
  );
  assert.equal(await items.countDocuments(), 200);
}

async function checkSnapshotSession(client) {
  const items = client.db("bank").collection("snapshots");
  await items.insertMany([{ _id: 1, v: 1 }, { _id: 2, v: 1 }]);
  const session = client.startSession({ snapshot: true });
  assert.equal((await items.findOne({ _id: 1 }, { session })).v, 1);
  await items.updateMany({}, { $set: { v: 2 } });
  await items.insertOne({ _id: 3, v: 2 });
  assert.deepEqual((await items.find({}, { session }).toArray()).map(({ v }) => v), [1, 1]);
  assert.deepEqual(await items.distinct("v", {}, { session }), [1]);
  assert.equal((await items.aggregate([{ $match: { v: 2 } }], { session }).toArray()).length, 0);
  await session.endSession();
  assert.equal(await items.countDocuments({ v: 2 }), 3);
}

async function checkMongoose() {
  const { model, Schema } = mongoose;
  const Order = model("Order", new Schema({ number: { type: Number, unique: true }, lines: Number }));
  const Line = model(
    "Line",
    new Schema({ order: { type: Schema.Types.ObjectId, ref: "Order" }, what: String }),
  );
  await mongoose.connect(process.argv[2], { dbName: "mongoose_transactions" });
  try {
    await Promise.all([Order.init(), Line.init()]);
    await mongoose.connection.transaction(async (session) => {
      const [order] = await Order.create([{ number: 1, lines: 2 }], { session });
      await Line.create([{ order, what: "bolts" }, { order, what: "nuts" }], { session, ordered: true });
      assert.equal(await Line.countDocuments({ order }).session(session), 2);
      assert.equal(await Line.countDocuments({ order }), 0);
    });
    const lines = await Line.find({}).populate("order").sort({ what: 1 });
    assert.deepEqual(lines.map(({ what, order }) => [what, order.number]), [["bolts", 1], ["nuts", 1]]);
    const twice = mongoose.connection.transaction(async (session) => {
      const order = new Order({ number: 2, lines: 0 });
      await order.save({ session });
      await new Order({ number: 1 }).save({ session });
    });
    await assert.rejects(twice, { code: 11000 });
    assert.equal(await Order.countDocuments(), 1);
  } finally {
    await mongoose.disconnect();
  }
}

await withClient(async (client) => {
  await checkTransfer(client);
  await checkConflict(client);
  await checkUndone(client);
  await checkBulk(client);
  await checkSnapshotSession(client);
});
await checkMongoose();
