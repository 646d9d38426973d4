/** An application on mongoose: schemas with references, unique fields, versions, populate, queries, a time series. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";

const mongoose = createRequire(process.env.CLIENTS)("mongoose");
const { model, Schema } = mongoose;

const User = model(
  "User",
  new Schema({
    email: { type: String, required: true, unique: true, lowercase: true },
    name: String,
  }, { timestamps: true }),
);
const Device = model(
  "Device",
  new Schema({
    serial: { type: String, unique: true },
    owner: { type: Schema.Types.ObjectId, ref: "User" },
    tags: [String],
    rooms: [{ name: String, sensors: [{ type: Schema.Types.ObjectId, ref: "Device" }] }],
    settings: { type: Map, of: Number },
  }, { optimisticConcurrency: true }),
);
const Reading = model(
  "Reading",
  new Schema({ t: Date, device: Object, v: Number }, {
    timeseries: { timeField: "t", metaField: "device", granularity: "seconds" },
    autoCreate: false,
  }),
);

async function checkUnique() {
  await User.init();
  const ada = await User.create({ email: "Ada@example.org", name: "Ada" });
  assert.equal(ada.email, "ada@example.org");
  await assert.rejects(User.create({ email: "ada@example.org" }), ({ code, keyValue }) => {
    assert.deepEqual([code, keyValue], [11000, { email: "ada@example.org" }]);
    return true;
  });
  await assert.rejects(User.create({ name: "nobody" }), { name: "ValidationError" });
  const [first, second] = await Promise.allSettled(
    ["x@example.org", "x@example.org"].map((email) => User.create({ email })),
  );
  assert.deepEqual([first.status, second.status].sort(), ["fulfilled", "rejected"]);
  return ada;
}

async function checkPopulate(owner) {
  await Device.init();
  const [hub, lamp] = await Device.create([
    { serial: "hub", owner, tags: ["a", "b"], settings: { volume: 3 } },
    { serial: "lamp", owner },
  ]);
  hub.rooms.push({ name: "kitchen", sensors: [lamp._id] });
  hub.settings.set("bass", 7);
  await hub.save();
  const found = await Device.findOne({ serial: "hub" }).populate("owner", "name").populate("rooms.sensors");
  assert.deepEqual([found.owner.name, found.owner.email], ["Ada", undefined]);
  assert.equal(found.rooms[0].sensors[0].serial, "lamp");
  assert.deepEqual(Object.fromEntries(found.settings), { volume: 3, bass: 7 });
  const lean = await Device.find().sort({ serial: -1 }).populate("owner").lean();
  assert.deepEqual(lean.map(({ serial, owner: { name } }) => [serial, name]), [["lamp", "Ada"], [
    "hub",
    "Ada",
  ]]);
  // Two copies of a document: the one that is saved later has an old version.
  const [mine, theirs] = await Promise.all([Device.findById(hub._id), Device.findById(hub._id)]);
  mine.tags.push("c");
  await mine.save();
  theirs.tags = ["d"];
  await assert.rejects(theirs.save(), { name: "VersionError" });
}

async function checkQueries() {
  await Device.updateMany({}, { $addToSet: { tags: "all" } });
  assert.equal(await Device.countDocuments({ tags: "all" }), 2);
  assert.deepEqual((await Device.distinct("tags")).sort(), ["a", "all", "b", "c"]);
  const upserted = await Device.findOneAndUpdate({ serial: "new" }, { $push: { tags: "x" } }, {
    upsert: true,
    returnDocument: "after",
  });
  assert.deepEqual([...upserted.tags], ["x"]);
  const serials = [];
  for await (const { serial } of Device.find().sort("serial").cursor({ batchSize: 1 })) serials.push(serial);
  assert.deepEqual(serials, ["hub", "lamp", "new"]);
  const joined = await Device.aggregate([
    { $lookup: { from: "users", localField: "owner", foreignField: "_id", as: "owner" } },
    { $unwind: "$owner" },
    { $group: { _id: "$owner.name", devices: { $sum: 1 } } },
  ]);
  assert.deepEqual(joined, [{ _id: "Ada", devices: 2 }]);
  const written = await Device.bulkWrite([
    { insertOne: { document: { serial: "bulk" } } },
    { deleteOne: { filter: { serial: "new" } } },
  ]);
  assert.deepEqual([written.insertedCount, written.deletedCount], [1, 1]);
}

async function checkTransactions(owner) {
  const { connection } = mongoose;
  await connection.transaction(async (session) => {
    const [sold] = await Device.create([{ serial: "sold", owner }], { session });
    await User.updateOne({ _id: owner }, { $set: { name: "Ada L." } }, { session });
    assert.equal(await Device.exists({ _id: sold._id }), null, "seen by nobody else yet");
    assert.equal((await Device.findById(sold._id).session(session)).serial, "sold");
  });
  assert.equal((await Device.findOne({ serial: "sold" }).populate("owner")).owner.name, "Ada L.");
  const failing = connection.transaction(async (session) => {
    await Device.deleteMany({}, { session });
    await User.create([{ email: "ada@example.org" }], { session });
  });
  await assert.rejects(failing, { code: 11000 });
  assert.ok(await Device.countDocuments() > 0, "nothing of it was done");
}

async function checkTimeSeries() {
  await Reading.createCollection();
  const start = Date.UTC(2024, 0, 1);
  await Reading.insertMany(Array.from({ length: 10 }, (_, i) => ({
    t: new Date(start + i * 1000),
    device: { serial: i % 2 === 0 ? "hub" : "lamp" },
    v: i,
  })));
  const last = await Reading.findOne({ "device.serial": "hub" }).sort({ t: -1 });
  assert.equal(last.v, 8);
}

async function main() {
  await mongoose.connect(process.argv[2], { dbName: "mongoose_app", serverSelectionTimeoutMS: 10_000 });
  await mongoose.connection.dropDatabase();
  const owner = await checkUnique();
  await checkPopulate(owner);
  await checkQueries();
  await checkTransactions(owner);
  await checkTimeSeries();
  console.log("ok");
}

await main().finally(() => mongoose.disconnect());
