/**
 * What clients that cannot all be installed here send while they connect and look around, captured from the real ones
 * against MongoDB: Compass, Telegraf, mongoose, Vector and OpenTelemetry. The answers must have what they decode.
 */
import assert from "node:assert/strict";
import { BSON, withClient } from "./driver.mjs";

const { Double, Int32, Long } = BSON;
const NOON = new Date("2026-01-01T12:00:00Z");
const ROWS = [{ timestamp: NOON, tags: { h: "a" }, v: 1 }, { timestamp: NOON, tags: { h: "b" }, v: 2.5 }];
const COUNT = [{ $match: {} }, { $group: { _id: 1, n: { $sum: 1 } } }];

/** As Compass sums up what a collection takes. */
const COLLECTION_STATS = [
  { $collStats: { storageStats: {} } },
  {
    $group: {
      _id: null,
      count: { $sum: "$storageStats.count" },
      size: { $sum: { $toDouble: "$storageStats.size" } },
      storageSize: { $sum: { $toDouble: "$storageStats.storageSize" } },
      totalIndexSize: { $sum: { $toDouble: "$storageStats.totalIndexSize" } },
      unscaledCollSize: {
        $sum: {
          $multiply: [{ $toDouble: "$storageStats.avgObjSize" }, { $toDouble: "$storageStats.count" }],
        },
      },
      bucketCount: { $sum: "$storageStats.timeseries.bucketCount" },
      withBuckets: {
        $sum: { $cond: [{ $eq: [{ $type: "$storageStats.timeseries.avgBucketSize" }, "missing"] }, 0, 1] },
      },
      nindexes: { $max: "$storageStats.nindexes" },
    },
  },
];
const INDEX_SIZES = [
  { $collStats: { storageStats: {} } },
  { $project: { indexSizes: { $objectToArray: "$storageStats.indexSizes" } } },
  { $unwind: "$indexSizes" },
  { $group: { _id: "$indexSizes.k", size: { $sum: "$indexSizes.v" } } },
];

async function codeOf(promise) {
  return await promise.then(() => 0, ({ code }) => code);
}

async function compassConnects(admin) {
  const { authInfo } = await admin.command({ connectionStatus: 1, showPrivileges: true });
  assert.deepEqual(authInfo, {
    authenticatedUsers: [],
    authenticatedUserRoles: [],
    authenticatedUserPrivileges: [],
  });
  assert.ok((await admin.command({ hostInfo: 1 })).system.numCores > 0);
  assert.match((await admin.command({ buildInfo: 1 })).version, /^8\.0\./);
  const { featureCompatibilityVersion } = await admin.command({
    getParameter: 1,
    featureCompatibilityVersion: 1,
  });
  assert.equal(featureCompatibilityVersion.version, "8.0");
  // By this text Compass and mongosh tell MongoDB from its imitations.
  await assert.rejects(admin.command({ getParameter: 1, foo: 1 }), { message: "no option found to get" });
  assert.equal(await codeOf(admin.command({ atlasVersion: 1 })), 59);
  assert.deepEqual(await admin.collection("atlascli").aggregate(COUNT).toArray(), []);
  const { databases } = await admin.command({ listDatabases: 1, nameOnly: true, authorizedDatabases: true });
  assert.deepEqual(databases, [{ name: "shapes" }]);
}

async function compassLists(db) {
  const stats = await db.command({ dbStats: 1 });
  assert.deepEqual([stats.collections, stats.objects], [2, 4]);
  const listed = await db.listCollections({}, { nameOnly: false, authorizedCollections: true }).toArray();
  assert.deepEqual(
    listed.map(({ name, type }) => [name, type]).sort(),
    [["plain", "collection"], ["series", "timeseries"], ["system.buckets.series", "collection"]],
  );
  const [series] = await db.collection("series").aggregate(COLLECTION_STATS).toArray();
  assert.deepEqual([series.count, series.withBuckets, typeof series.size], [2, 1, "number"]);
  const [plain] = await db.collection("plain").aggregate(COLLECTION_STATS).toArray();
  assert.deepEqual([plain.count, plain.withBuckets, plain.bucketCount, plain.nindexes], [2, 0, 0, 1]);
  assert.deepEqual((await db.collection("plain").aggregate(INDEX_SIZES).toArray()).map(({ _id }) => _id), [
    "_id_",
  ]);
}

async function compassShowsDocuments(collection) {
  assert.equal((await collection.find({}, { limit: 20, maxTimeMS: 60_000 }).toArray()).length, 2);
  assert.equal((await collection.find({}, { skip: 20, limit: 20, maxTimeMS: 60_000 }).toArray()).length, 0);
  assert.deepEqual(await collection.aggregate(COUNT, { maxTimeMS: 60_000 }).toArray(), [{ _id: 1, n: 2 }]);
  assert.deepEqual(await collection.aggregate(COUNT, { hint: "_id_" }).toArray(), [{ _id: 1, n: 2 }]);
  assert.equal(await collection.countDocuments({}, { hint: "_id_" }), 2);
  assert.equal(await collection.estimatedDocumentCount({ maxTimeMS: 60_000 }), 2);
  const sampled = await collection.aggregate([{ $sample: { size: 1000 } }], { allowDiskUse: true }).toArray();
  assert.equal(sampled.length, 2);
  const explained = await collection.find({}).explain("executionStats");
  assert.deepEqual([explained.executionStats.nReturned, explained.executionStats.executionSuccess], [
    2,
    true,
  ]);
  assert.ok((await collection.aggregate(COUNT).explain("executionStats")).ok);
  assert.equal(await codeOf(collection.aggregate([{ $listSearchIndexes: {} }]).toArray()), 31082);
}

async function compassWatches(admin) {
  const status = await admin.command({ serverStatus: 1 });
  for (const section of ["opcounters", "network", "connections", "mem", "globalLock"]) {
    assert.ok(status[section], section);
  }
  assert.equal(typeof status.globalLock.activeClients.total, "number");
  assert.equal(typeof status.globalLock.currentQueue.total, "number");
  assert.ok(status.localTime instanceof Date);
  const running = await admin.aggregate([
    { $currentOp: { allUsers: true, idleConnections: true, truncateOps: false } },
  ]).toArray();
  const own = running.find(({ ns }) => ns === "admin.$cmd.aggregate" || ns === "admin.$cmd");
  assert.deepEqual([own.op, own.active, own.waitingForLock], ["command", true, false]);
  assert.ok(Number(own.microsecs_running) >= 0);
  const { totals } = await admin.command({ top: 1 });
  assert.equal(totals.note, "all times in microseconds");
}

async function telegrafWrites(db) {
  const api = { apiVersion: "1" };
  const { cursor } = await db.command({ listCollections: 1, filter: { name: "cpu" }, ...api });
  assert.deepEqual(cursor.firstBatch, []);
  const timeseries = { timeField: "timestamp", metaField: "tags", granularity: "seconds" };
  await db.command({ create: "cpu", timeseries, expireAfterSeconds: new Long(3600), ...api });
  const documents = [{ timestamp: NOON, tags: { host: "x" }, usage: new Double(1) }];
  assert.equal((await db.command({ insert: "cpu", documents, ordered: true, ...api })).n, 1);
  await db.command({ drop: "cpu", writeConcern: { w: "majority" } });
}

async function mongooseWrites(db) {
  await db.createCollection("readings", {
    timeseries: { timeField: "timestamp", metaField: "tags", granularity: "seconds" },
    expireAfterSeconds: 86_400,
  });
  const readings = db.collection("readings");
  await readings.insertOne({ ...ROWS[0], __v: 0 });
  assert.equal((await readings.findOne({ "tags.h": "a" })).__v, 0);
  assert.deepEqual(
    await readings.aggregate([{ $group: { _id: "$tags.h", v: { $avg: "$v" } } }]).toArray(),
    [{ _id: "a", v: 1 }],
  );
  await readings.drop();
}

/** Vector and OpenTelemetry decode by type: a wrong or missing one breaks them. */
async function monitorsDecode(admin) {
  const status = await admin.command(
    { serverStatus: 1, opLatencies: { histograms: true } },
    { promoteValues: false },
  );
  for (const kind of ["reads", "writes", "commands"]) {
    const { histogram, latency, ops } = status.opLatencies[kind];
    assert.ok(latency instanceof Long && ops instanceof Long, kind);
    for (const { micros, count } of histogram) {
      assert.ok(micros instanceof Long && count instanceof Long, kind);
    }
  }
  assert.ok(status.uptime instanceof Double && status.connections.current instanceof Int32);
  assert.ok(status.opcounters.insert instanceof Long && status.network.bytesIn instanceof Long);
  await assert.rejects(admin.command({ replSetGetStatus: 1 }), /not supported through mongos/);
}

await withClient(async (client) => {
  const [admin, db] = [client.db("admin"), client.db("shapes")];
  await db.createCollection("series", {
    timeseries: { timeField: "timestamp", metaField: "tags", granularity: "seconds" },
  });
  await db.collection("series").insertMany(ROWS);
  await db.collection("plain").insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 2 }], { ordered: false });

  await compassConnects(admin);
  await compassLists(db);
  for (const name of ["series", "plain"]) await compassShowsDocuments(db.collection(name));
  await compassWatches(admin);
  await telegrafWrites(db);
  await mongooseWrites(db);
  await monitorsDecode(admin);
});
