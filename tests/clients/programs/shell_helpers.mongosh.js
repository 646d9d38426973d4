/** What a person types first into mongosh. Throws when something fails. */
/* global db, print, show */
db = db.getSiblingDB("shell_helpers");
db.plain.insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 2 }]);
db.createCollection("series", { timeseries: { timeField: "t", metaField: "m" } });
db.series.insertOne({ t: new Date(), m: 1, v: 2 });
print(JSON.stringify({
  databases: db.adminCommand({ listDatabases: 1, nameOnly: true }).databases.map(({ name }) => name),
  collections: db.getCollectionNames().sort(),
  count: db.plain.countDocuments({ a: { $gt: 1 } }),
  estimated: db.plain.estimatedDocumentCount(),
  distinct: db.plain.distinct("a").sort(),
  one: db.plain.findOne({ _id: 2 }),
  indexes: db.plain.getIndexes().map(({ name }) => name),
  version: db.version(),
  hello: db.hello().msg,
  stats: db.runCommand({ collStats: "plain" }).count,
  explained: typeof db.series.find({ m: 1 }).explain(),
}));
