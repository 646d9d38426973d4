/** The README's example, by the Node driver. Prints what it found. */
import { withClient } from "./driver.mjs";

await withClient(async (client) => {
  const db = client.db("iot");

  await db.createCollection("sensors", {
    timeseries: { timeField: "timestamp", metaField: "tags", granularity: "seconds" },
    expireAfterSeconds: 2592000,
  });

  const sensors = db.collection("sensors");
  const now = new Date();
  const inserted = await sensors.insertOne({
    timestamp: now,
    tags: { sensorId: "s1", location: "room1" },
    temperature: 22.5,
    humidity: 45,
  });

  const from = new Date(now.getTime() - 60_000);
  const to = new Date(now.getTime() + 60_000);
  const found = await sensors.find({ "tags.location": "room1", timestamp: { $gte: from, $lt: to } })
    .toArray();

  const windows = await sensors.aggregate([
    { $match: { "tags.location": "room1" } },
    {
      $timeWindow: {
        timestamp: "$timestamp",
        window: "1h",
        output: { avgTemp: { $avg: "$temperature" }, maxTemp: { $max: "$temperature" } },
      },
    },
    { $sort: { "_id.timestamp": 1 } },
  ]).toArray();

  const [collection] = await db.listCollections({ name: "sensors" }).toArray();
  console.log(JSON.stringify({ now, insertedId: inserted.insertedId, found, windows, collection }));
});
