/** The README's example, by mongosh. Prints what it found. */
/* global db, EJSON, print */
db = db.getSiblingDB("iot_shell");

db.createCollection("sensors", {
  timeseries: { timeField: "timestamp", metaField: "tags", granularity: "seconds" },
  expireAfterSeconds: 2592000,
});

const now = new Date();
const inserted = db.sensors.insertOne({
  timestamp: now,
  tags: { sensorId: "s1", location: "room1" },
  temperature: 22.5,
  humidity: 45,
});

const from = new Date(now.getTime() - 60_000);
const to = new Date(now.getTime() + 60_000);
const found = db.sensors.find({ "tags.location": "room1", timestamp: { $gte: from, $lt: to } }).toArray();

const windows = db.sensors.aggregate([
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

const [collection] = db.getCollectionInfos({ name: "sensors" });
const plain = (_name, value) => (value?._bsontype === "Long" ? value.toNumber() : value);
print(JSON.stringify({ now, insertedId: inserted.insertedId, found, windows, collection }, plain));
