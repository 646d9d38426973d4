/** Mongoose's watch(): events of a model, hydrated into documents of it. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";

const mongoose = createRequire(process.env.CLIENTS)("mongoose");
await mongoose.connect(`${process.argv[2]}/watched_by_mongoose`, { serverSelectionTimeoutMS: 10_000 });
try {
  const Device = mongoose.model("Device", new mongoose.Schema({ name: String }));
  await Device.createCollection();
  const stream = Device.watch([], { fullDocument: "updateLookup", hydrate: true });
  const events = [];
  const two = new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.on("change", (event) => {
      events.push(event);
      if (events.length === 2) resolve();
    });
  });
  await new Promise((resolve) => stream.once("ready", resolve));
  await stream.driverChangeStream.tryNext().catch(() => {});
  const device = await Device.create({ name: "old" });
  await Device.updateOne({ _id: device._id }, { name: "new" });
  await two;
  assert.deepEqual(events.map(({ operationType }) => operationType), ["insert", "update"]);
  assert.ok(events[1].fullDocument instanceof Device);
  assert.equal(events[1].fullDocument.name, "new");
  await stream.close();
} finally {
  await mongoose.disconnect();
}
console.log("ok");
