// Updates and deletes in mongosh, on a plain and on a time-series collection.
const database = db.getSiblingDB("shell_writes");
database.dropDatabase();
database.createCollection("series", { timeseries: { timeField: "t", metaField: "m" } });
const shown = {};
for (const name of ["plain", "series"]) {
  const collection = database[name];
  collection.insertMany([1, 2, 3].map((n) => ({ _id: n, t: new Date(1700000000000 + n), m: "a", n })));
  shown[name] = [
    collection.updateOne({ _id: 1 }, { $set: { n: 10 } }).modifiedCount,
    collection.updateMany({}, { $inc: { n: 1 } }).modifiedCount,
    collection.replaceOne({ _id: 2 }, { t: new Date(1700000000000), n: 20 }).modifiedCount,
    collection.findOneAndUpdate({ _id: 3 }, { $set: { n: 30 } }, { returnDocument: "after" }).n,
    collection.findOneAndDelete({ _id: 3 }).n,
    collection.deleteMany({ n: { $gte: 20 } }).deletedCount,
    collection.find({}, { n: 1 }).toArray(),
    collection.updateOne({ _id: 9, t: new Date(1700000000000) }, { $set: { n: 9 } }, { upsert: true })
      .insertedId,
  ];
}
print(JSON.stringify(shown));
