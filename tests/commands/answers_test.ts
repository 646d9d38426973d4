/** What commands answer, beside what MongoDB 6.0.5 answered to the same when asked; differences name their reason. */
import assert from "node:assert/strict";
import { Binary, type Document, Double, Int32, Long, UUID } from "bson";
import { CommandError } from "../../src/base/mod.ts";
import { withServer } from "./harness.ts";

type Case = readonly [command: Document, code: number, message: string];

const ROWS = [{ a: 1 }];
const SESSION = { id: new UUID("00000000-0000-4000-8000-000000000001") };
const CONCERN_LEVELS =
  "readConcern.level must be either 'local', 'majority', 'linearizable', 'available', or 'snapshot'";

const ERRORS: readonly Case[] = [
  [{ foo: 1 }, 59, "no such command: 'foo'"],
  [{ FIND: "x" }, 59, "no such command: 'FIND'"],
  [{ "": 1 }, 59, "no such command: ''"],
  [{ ping: 1, foo: 1 }, 40415, "BSON field 'ping.foo' is an unknown field."],
  [{ ping: 1, $foo: 1 }, 40415, "BSON field 'ping.$foo' is an unknown field."],
  [
    { ping: 1, lsid: 1 },
    14,
    "BSON field 'OperationSessionInfo.lsid' is the wrong type 'int', expected type 'object'",
  ],
  [{ ping: 1, lsid: {} }, 40414, "BSON field 'OperationSessionInfo.lsid.id' is missing but a required field"],
  [
    { ping: 1, lsid: { id: 1 } },
    14,
    "BSON field 'OperationSessionInfo.lsid.id' is the wrong type 'int', expected type 'binData'",
  ],
  [
    { ping: 1, lsid: { ...SESSION, foo: 1 } },
    40415,
    "BSON field 'OperationSessionInfo.lsid.foo' is an unknown field.",
  ],
  [{ ping: 1, apiVersion: "2" }, 322, "Cannot accept API version 2"],
  [
    { ping: 1, apiStrict: true },
    4886600,
    "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion",
  ],
  [{ ping: 1, $readPreference: 1 }, 14, "$readPreference has incorrect type: expected object but got int"],
  [{ ping: 1, maxTimeMS: -1 }, 2, "-1 value for maxTimeMS is out of range"],
  [{ find: "x", maxTimeMS: "a" }, 2, "maxTimeMS must be a number"],
  [{ find: "x", maxTimeMS: 1.5 }, 2, "maxTimeMS has non-integral value"],
  [
    { find: "x", maxTimeMS: Long.fromString("4294967296") },
    2,
    "4294967296 value for maxTimeMS is out of range",
  ],
  [{ find: "x", readConcern: { level: "foo" } }, 9, CONCERN_LEVELS],
  [{ find: "x", readConcern: 1 }, 9, "readConcern field should be an object"],
  [{ find: "x", writeConcern: { w: 1 } }, 72, "Command does not support writeConcern"],
  [{ find: "x", bar: 1 }, 40415, "BSON field 'FindCommandRequest.bar' is an unknown field."],
  [{ find: 1 }, 2, "collection name has invalid type int"],
  [{ find: "" }, 73, "Invalid namespace specified 't.'"],
  [{ find: "a$b" }, 73, "Invalid collection name specified 't.a$b"],
  [{ find: ".x" }, 73, "Collection names cannot start with '.': .x"],
  [{ find: "x\0y" }, 73, "namespaces cannot have embedded null characters"],
  [{ find: "x", filter: 1 }, 14, "Expected field filterto be of type object"],
  [{ find: "x", limit: -1 }, 51024, "BSON field 'limit' value must be >= 0, actual value '-1'"],
  [{ find: "x", skip: -1 }, 51024, "BSON field 'skip' value must be >= 0, actual value '-1'"],
  [{ find: "x", batchSize: -1 }, 51024, "BSON field 'batchSize' value must be >= 0, actual value '-1'"],
  [
    { find: "x", limit: "a" },
    14,
    "BSON field 'FindCommandRequest.limit' is the wrong type 'string', expected types '[long, int, decimal, double']",
  ],
  [
    { find: "x", sort: { a: 2 } },
    15975,
    "$sort key ordering must be 1 (for ascending) or -1 (for descending)",
  ],
  [{ find: "x", singleBatch: 1 }, 14, "Field 'singleBatch' should be a boolean value, but found: int"],
  [{ find: "x", awaitData: true }, 9, "Cannot set 'awaitData' without also setting 'tailable'"],
  [{ find: "x", $db: "a.b" }, 73, "'.' is an invalid character in the database name: a.b"],
  [{ find: "x", $db: "" }, 73, "Invalid database name: ''"],
  [{ find: "x", $db: "a b" }, 73, "Invalid database name: 'a b'"],
  [{ find: "x", $db: "d".repeat(64) }, 73, `Invalid database name: '${"d".repeat(64)}'`],
  [{ ping: 1, $db: 1 }, 13111, "wrong type for field ($db) int != string"],
  [{ ping: 1, $db: undefined }, 40571, "OP_MSG requests require a $db argument"],
  [{ insert: "x" }, 40414, "BSON field 'insert.documents' is missing but a required field"],
  [
    { insert: "x", documents: [] },
    16,
    "Write batch sizes must be between 1 and 100000. Got 0 operations.",
  ],
  [
    { insert: "x", documents: {} },
    14,
    "BSON field 'insert.documents' is the wrong type 'object', expected type 'array'",
  ],
  [
    { insert: "x", documents: [1] },
    14,
    "BSON field 'insert.documents.0' is the wrong type 'int', expected type 'object'",
  ],
  [
    { insert: "x", documents: ROWS, ordered: 1 },
    14,
    "BSON field 'insert.ordered' is the wrong type 'int', expected type 'bool'",
  ],
  [{ insert: "x", documents: ROWS, foo: 1 }, 40415, "BSON field 'insert.foo' is an unknown field."],
  [{ insert: "system.foo", documents: ROWS }, 73, "Invalid system namespace: t.system.foo"],
  [{ insert: "system.views", documents: ROWS }, 73, "cannot write to t.system.views"],
  [{ insert: "a$b", documents: ROWS }, 73, "Invalid collection name: a$b"],
  [
    { insert: "x", documents: ROWS, writeConcern: 1 },
    14,
    '"writeConcern" had the wrong type. Expected object, found int',
  ],
  [
    { insert: "x", documents: ROWS, txnNumber: Long.ONE },
    72,
    "Transaction number requires a session ID to also be specified",
  ],
  [
    { getMore: new Int32(1), collection: "x" },
    14,
    "BSON field 'getMore.getMore' is the wrong type 'int', expected type 'long'",
  ],
  [{ getMore: Long.ONE, collection: "x" }, 43, "cursor id 1 not found"],
  [{ getMore: Long.ONE }, 40414, "BSON field 'getMore.collection' is missing but a required field"],
  [{ getMore: Long.ONE, collection: "" }, 73, "Collection names cannot be empty"],
  [{ killCursors: "x" }, 40414, "BSON field 'killCursors.cursors' is missing but a required field"],
  [
    { killCursors: "x", cursors: [new Int32(5)] },
    14,
    "BSON field 'killCursors.cursors.0' is the wrong type 'int', expected type 'long'",
  ],
  [{ aggregate: "x" }, 40414, "BSON field 'aggregate.pipeline' is missing but a required field"],
  [
    { aggregate: "x", pipeline: [] },
    9,
    "The 'cursor' option is required, except for aggregate with the explain argument",
  ],
  [{ aggregate: "x", pipeline: 1, cursor: {} }, 14, "'pipeline' option must be specified as an array"],
  [
    { aggregate: "x", pipeline: [1], cursor: {} },
    14,
    "Each element of the 'pipeline' array must be an object",
  ],
  [
    { aggregate: "x", pipeline: [{ $foo: 1 }], cursor: {} },
    40324,
    "Unrecognized pipeline stage name: '$foo'",
  ],
  [{ aggregate: "x", pipeline: [], cursor: 1 }, 14, "cursor field must be missing or an object"],
  [
    { aggregate: "x", pipeline: [], cursor: { foo: 1 } },
    40415,
    "BSON field 'cursor.foo' is an unknown field.",
  ],
  [{ aggregate: 1, pipeline: [], cursor: {} }, 73, "{aggregate: 1} is not valid for an empty pipeline."],
  [
    { aggregate: 1, pipeline: [{ $match: {} }], cursor: {} },
    73,
    "{aggregate: 1} is not valid for '$match'; a collection is required.",
  ],
  [
    { aggregate: 2, pipeline: [], cursor: {} },
    9,
    "Invalid command format: the 'aggregate' field must specify a collection name or 1",
  ],
  [{ count: 1 }, 73, "collection name has invalid type int"],
  [{ count: "x", limit: "a" }, 2, "limit value is not a valid number"],
  [{ distinct: "x" }, 40414, "BSON field 'distinct.key' is missing but a required field"],
  [{ distinct: "x", key: "a\0b" }, 31032, "Key field cannot contain an embedded null byte"],
  [{ explain: {} }, 59, "Explain failed due to unknown command: "],
  [{ explain: { foo: 1 } }, 59, "Explain failed due to unknown command: foo"],
  [{ explain: { ping: 1 } }, 20, "Cannot explain cmd: ping"],
  [{ explain: { explain: {} } }, 20, "Explain cannot explain itself."],
  [
    { explain: { find: "x" }, verbosity: "foo" },
    2,
    "Enumeration value 'foo' for field 'explain.verbosity' is not a valid value.",
  ],
  [
    { explain: { find: "x", $db: "u" } },
    73,
    "Mismatched $db in explain command. Expected t but got u",
  ],
  [{ listIndexes: "nope" }, 26, "ns does not exist: t.nope"],
  [
    { listCollections: 1, nameOnly: new Int32(1) },
    14,
    "BSON field 'listCollections.nameOnly' is the wrong type 'int', expected type 'bool'",
  ],
  [{ listDatabases: 1 }, 13, "listDatabases may only be run against the admin database."],
  [{ dropDatabase: 2 }, 5255100, "Have to pass 1 as 'drop' parameter"],
  [{ dropDatabase: 1, $db: "admin" }, 20, "Dropping the 'admin' database is prohibited."],
  [{ dbStats: 1, scale: 0 }, 2, "scale has to be > 0"],
  [{ collStats: "x", scale: 0 }, 51024, "BSON field 'scale' value must be >= 1, actual value '0'"],
  [{ getLog: "foo", $db: "admin" }, 96, "No log named 'foo'"],
  [{ getParameter: 1, foo: 1, $db: "admin" }, 72, "no option found to get"],
  [
    { hello: 1, maxAwaitTimeMS: 1 },
    31368,
    "A request with 'maxAwaitTimeMS' must include a 'topologyVersion'",
  ],
  [
    { endSessions: 1 },
    14,
    "BSON field 'endSessions.endSessions' is the wrong type 'int', expected type 'array'",
  ],
];

Deno.test("errors are MongoDB's, code and text", async () => {
  await withServer(async ({ client }) => {
    for (const [command, code, message] of ERRORS) {
      const reply = await client.command({
        ...withIntegers(command),
        ...("$db" in command ? {} : { $db: "t" }),
      });
      assert.deepEqual(
        [Number(reply["ok"]), reply["code"]?.valueOf(), reply["errmsg"]],
        [0, code, message],
        JSON.stringify(command),
      );
    }
  });
});

/** Whole numbers as int32, as drivers send them. */
function withIntegers(command: Document): Document {
  const entries = Object.entries(command);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Number.isInteger(value) ? new Int32(value) : value]),
  );
}

const TIME = { timeField: "t" };
const CREATE_ERRORS: readonly (readonly [Document, Document, number, string])[] = [
  [{}, {}, 40414, "BSON field 'create.timeseries.timeField' is missing but a required field"],
  [{ ...TIME, foo: 1 }, {}, 40415, "BSON field 'create.timeseries.foo' is an unknown field."],
  [{ timeField: "a.b" }, {}, 72, "t.c: 'timeField' must be a top-level field and not contain a '.'"],
  [{ ...TIME, metaField: "t" }, {}, 72, "'metaField' cannot be the same as 'timeField'"],
  [{ ...TIME, metaField: "_id" }, {}, 72, `'metaField' cannot be "_id"`],
  [{ ...TIME, metaField: "a.b" }, {}, 72, "t.c: 'metaField' must be a top-level field and not contain a '.'"],
  [
    { ...TIME, granularity: "days" },
    {},
    2,
    "Enumeration value 'days' for field 'create.timeseries.granularity' is not a valid value.",
  ],
  [
    { ...TIME, bucketMaxSpanSeconds: 0 },
    {},
    51024,
    "BSON field 'bucketMaxSpanSeconds' value must be >= 1, actual value '0'",
  ],
  // From 6.3 on: 6.0.5 knows one of the two parameters only.
  [
    { ...TIME, bucketMaxSpanSeconds: 100 },
    {},
    72,
    "Time-series 'bucketRoundingSeconds' must be equal to 'bucketMaxSpanSeconds'",
  ],
  [
    { ...TIME, granularity: "seconds", bucketRoundingSeconds: 60 },
    {},
    72,
    "Time-series 'bucketRoundingSeconds' cannot be set alongside the granularity parameter",
  ],
  [TIME, { expireAfterSeconds: -1 }, 72, "TTL index 'expireAfterSeconds' option cannot be less than 0"],
  [
    TIME,
    { expireAfterSeconds: 2147483648 },
    72,
    "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number",
  ],
  [TIME, { capped: true }, 72, "the 'size' field is required when 'capped' is true"],
  [TIME, { capped: true, size: 100 }, 72, "t.c: 'timeseries' is not allowed with 'capped'"],
  [TIME, { validator: { a: 1 } }, 72, "t.c: 'timeseries' is not allowed with 'validator'"],
];

Deno.test("options of a time series are checked as MongoDB checks them", async () => {
  await withServer(async ({ client }) => {
    for (const [timeseries, rest, code, message] of CREATE_ERRORS) {
      const reply = await client.command({ create: "c", timeseries, ...rest, $db: "t" });
      assert.deepEqual([reply["code"]?.valueOf(), reply["errmsg"]], [code, message]);
    }
  });
});

Deno.test("a time series lists what it was made with, and what MongoDB adds", async () => {
  await withServer(async ({ client }) => {
    await client.must({
      create: "s",
      timeseries: { ...TIME, metaField: "m" },
      expireAfterSeconds: 100,
      $db: "t",
    });
    await client.must({
      create: "w",
      timeseries: { ...TIME, bucketMaxSpanSeconds: 90, bucketRoundingSeconds: 90 },
      $db: "t",
    });
    await client.must({ create: "p", $db: "t" });
    const listed = await client.documents({ listCollections: 1, $db: "t" });
    const byName = new Map(listed.map((entry) => [entry["name"], entry]));
    assert.deepEqual([...byName.keys()], ["p", "s", "system.buckets.s", "w", "system.buckets.w"]);
    assert.deepEqual(byName.get("s"), {
      name: "s",
      type: "timeseries",
      options: {
        expireAfterSeconds: Long.fromNumber(100),
        timeseries: {
          timeField: "t",
          metaField: "m",
          granularity: "seconds",
          bucketMaxSpanSeconds: new Int32(3600),
        },
      },
      info: { readOnly: false },
    });
    assert.deepEqual(byName.get("w")!["options"]["timeseries"], {
      timeField: "t",
      bucketMaxSpanSeconds: new Int32(90),
      bucketRoundingSeconds: new Int32(90),
    });
    assert.ok(byName.get("p")!["info"]["uuid"] instanceof Binary);
    assert.deepEqual(byName.get("p")!["idIndex"], {
      v: new Int32(2),
      key: { _id: new Int32(1) },
      name: "_id_",
    });
    const filtered = await client.documents({
      listCollections: 1,
      filter: { type: "timeseries" },
      nameOnly: true,
      $db: "t",
    });
    assert.deepEqual(filtered, [{ name: "s", type: "timeseries" }, { name: "w", type: "timeseries" }]);
    const indexes = await client.documents({ listIndexes: "s", $db: "t" });
    assert.deepEqual(indexes.map((index) => index["name"]), ["m_1_t_1"]);
    const again = await client.command({ create: "s", timeseries: TIME, $db: "t" });
    assert.deepEqual([again["code"].valueOf(), again["errmsg"]], [
      48,
      "A timeseries collection already exists. NS: t.s",
    ]);
  });
});

Deno.test("insert keeps the places of errors, ordered and not", async () => {
  await withServer(async ({ client }) => {
    await client.must({ create: "s", timeseries: TIME, $db: "t" });
    const documents = [{ t: new Date(0) }, { t: 1 }, { t: new Date(1) }, {}];
    const ordered = await client.command({ insert: "s", documents, $db: "t" });
    assert.deepEqual(placesOf(ordered), { n: 1, places: [1] });
    const unordered = await client.command({ insert: "s", documents, ordered: false, $db: "t" });
    assert.deepEqual(placesOf(unordered), { n: 2, places: [1, 3] });
    assert.equal(
      unordered["writeErrors"][0]["errmsg"],
      "'t' must be present and contain a valid BSON UTC datetime value",
    );
  });
});

function placesOf(reply: Document): { n: number; places: number[] } {
  return {
    n: reply["n"].valueOf(),
    places: reply["writeErrors"].map((error: Document) => error["index"].valueOf()),
  };
}

Deno.test("documents that are too large or too deep are refused one by one", async () => {
  const deep = (levels: number): Document => levels === 0 ? {} : { a: deep(levels - 1) };
  await withServer(async ({ client }) => {
    const documents = [{ x: 1 }, deep(180), deep(179), { x: "x".repeat(16 * 1024 * 1024) }];
    const reply = await client.command({ insert: "p", documents, ordered: false, $db: "t" });
    assert.equal(reply["n"].valueOf(), 2);
    const errors = reply["writeErrors"].map((
      error: Document,
    ) => [error["index"].valueOf(), error["code"].valueOf()]);
    assert.deepEqual(errors, [[1, 15], [3, 2]]);
  });
});

Deno.test("a retryable write that comes again is answered again and done once", async () => {
  await withServer(async ({ client, router }) => {
    const write = {
      insert: "p",
      documents: [{ _id: 1 }],
      lsid: SESSION,
      txnNumber: Long.fromNumber(5),
      $db: "t",
    };
    assert.equal((await client.must(write))["n"].valueOf(), 1);
    const again = await client.must(write);
    assert.equal(again["n"].valueOf(), 1);
    assert.deepEqual(again["retriedStmtIds"], [new Int32(0)]);
    assert.equal(router.stats({ db: "t", collection: "p" }).count, 1);
    const older = await client.command({ ...write, txnNumber: Long.fromNumber(4) });
    assert.equal(older["code"].valueOf(), 225);
  });
});

Deno.test("find, count, distinct and aggregate go through cursors, limits and sessions", async () => {
  await withServer(async ({ client, server, router }) => {
    const documents = Array.from({ length: 250 }, (_, i) => ({ _id: i, k: i % 3 }));
    await client.must({ insert: "p", documents, $db: "t" });
    assert.equal((await client.documents({ find: "p", $db: "t" })).length, 250);
    assert.equal((await client.documents({ find: "p", limit: 7, batchSize: 3, $db: "t" })).length, 7);
    assert.equal((await client.must({ count: "p", query: { k: 1 }, $db: "t" }))["n"].valueOf(), 83);
    assert.deepEqual((await client.must({ distinct: "p", key: "k", $db: "t" }))["values"].map(Number), [
      0,
      1,
      2,
    ]);
    const first = await client.must({ find: "p", batchSize: 0, lsid: SESSION, $db: "t" });
    assert.deepEqual(first["cursor"]["firstBatch"], []);
    assert.equal(server.state.cursors.size, 1);
    await client.must({ endSessions: [SESSION] });
    const gone = await client.command({
      getMore: first["cursor"]["id"],
      collection: "p",
      lsid: SESSION,
      $db: "t",
    });
    assert.equal(gone["code"].valueOf(), 43);
    assert.deepEqual([server.state.cursors.size, router.openScans], [0, 0]);
    const single = await client.must({ find: "p", batchSize: 2, singleBatch: true, $db: "t" });
    assert.deepEqual([single["cursor"]["firstBatch"].length, String(single["cursor"]["id"])], [2, "0"]);
    assert.equal(router.openScans, 0);
  });
});

Deno.test("maxTimeMS stops the work and frees the scan", async () => {
  await withServer(async ({ client, router }) => {
    await client.must({
      insert: "p",
      documents: Array.from({ length: 500 }, (_, i) => ({ _id: i })),
      $db: "t",
    });
    router.scanBatchRows = 1;
    router.gate = () => new Promise((resolve) => setTimeout(resolve, 2));
    const reply = await client.command({
      aggregate: "p",
      pipeline: [{ $group: { _id: null } }],
      cursor: {},
      maxTimeMS: 20,
      $db: "t",
    });
    assert.equal(reply["code"].valueOf(), 50);
    assert.equal(router.openScans, 0);
  });
});

Deno.test("what is known and missing says so by name", async () => {
  await withServer(async ({ client }) => {
    const reply = await client.command({ mapReduce: "x", $db: "t" });
    assert.equal(reply["codeName"], "NotImplemented");
    assert.match(reply["errmsg"], /'mapReduce'/);
    const empty = await client.documents({
      aggregate: "atlascli",
      pipeline: [{ $count: "n" }],
      cursor: {},
      $db: "admin",
    });
    assert.deepEqual(empty, []);
  });
});

Deno.test("a failure of our own is one InternalError, and the server goes on", async () => {
  await withServer(async ({ client, router, fatalErrors }) => {
    router.gate = () => Promise.reject(new TypeError("broken"));
    const reply = await client.command({ insert: "p", documents: ROWS, $db: "t" });
    assert.deepEqual([reply["code"].valueOf(), reply["codeName"]], [1, "InternalError"]);
    assert.deepEqual(fatalErrors, []);
    await client.must({ ping: 1 });
  });
});

Deno.test("monitoring finds the fields and types that it decodes", async () => {
  await withServer(async ({ client }) => {
    await client.must({ insert: "p", documents: ROWS, $db: "t" });
    const status = await client.must({ serverStatus: 1, opLatencies: { histograms: true } });
    assert.ok(status["uptime"] instanceof Double && status["uptimeMillis"] instanceof Long);
    assert.ok(status["localTime"] instanceof Date);
    assert.equal(Number(status["opcounters"]["insert"]), 1);
    assert.ok(Number(status["connections"]["current"]) >= 1);
    assert.ok(status["opLatencies"]["writes"]["histogram"].length === 1);
    assert.equal(Number(status["opLatencies"]["writes"]["ops"]), 1);
    for (const part of ["globalLock", "mem", "network", "asserts"]) assert.ok(status[part], part);
    assert.equal((await client.must({ serverStatus: 1, network: 0 }))["network"], undefined);
  });
});

Deno.test("explain shows what a write would do, and does nothing", async () => {
  await withServer(async ({ client }) => {
    await client.must({
      insert: "c",
      documents: [{ _id: 1, a: 1 }, { _id: 2, a: 1 }, { _id: 3, a: 2 }],
      $db: "t",
    });
    const explained = async (explain: Document) => {
      const reply = await client.must({ explain, verbosity: "executionStats", $db: "t" });
      const { inputStage, ...stage } = reply["executionStats"].executionStages;
      assert.equal(reply["queryPlanner"].winningPlan.inputStage.stage, inputStage.stage);
      return Object.entries(stage).filter(([name]) => name === "stage" || name.startsWith("n"))
        .map(([name, value]) => `${name} ${value}`).join(", ").replace(/, need\w+ \d+/g, "");
    };
    const update = { q: { a: 1 }, u: { $set: { a: 1, b: 1 } } };
    assert.equal(
      await explained({ update: "c", updates: [{ ...update, multi: true }] }),
      "stage UPDATE, nReturned 0, nMatched 2, nWouldModify 2, nWouldUpsert 0",
    );
    assert.equal(
      await explained({ update: "c", updates: [{ ...update, q: { a: 9 }, upsert: true }] }),
      "stage UPDATE, nReturned 0, nMatched 0, nWouldModify 0, nWouldUpsert 1",
    );
    assert.equal(
      await explained({ delete: "c", deletes: [{ q: { a: 1 }, limit: 0 }] }),
      "stage DELETE, nReturned 0, nWouldDelete 2",
    );
    assert.equal(
      await explained({ findAndModify: "c", query: { a: 1 }, remove: true }),
      "stage DELETE, nReturned 1, nWouldDelete 1",
    );
    const two = await client.command({ explain: { update: "c", updates: [update, update] }, $db: "t" });
    assert.deepEqual([two["codeName"], two["errmsg"]], [
      "InvalidLength",
      "explained write batches must be of size 1",
    ]);
    assert.deepEqual(await client.documents({ find: "c", filter: { b: { $exists: true } }, $db: "t" }), []);
  });
});

Deno.test("an update, a delete and a findAndModify are answered again, not done again", async () => {
  await withServer(async ({ client }) => {
    await client.must({ insert: "c", documents: [{ _id: 1, n: 0 }, { _id: 2, n: 0 }], $db: "t" });
    const lsid = { id: new UUID() };
    let number = 0;
    const twice = async (command: Document) => {
      number++;
      const retryable = { ...command, lsid, txnNumber: Long.fromNumber(number), $db: "t" };
      const first = await client.must(retryable);
      const { retriedStmtIds, retriedStmtId, ...second } = await client.must(retryable);
      assert.deepEqual(second, first);
      return JSON.stringify(retriedStmtIds ?? retriedStmtId);
    };
    const increment = { q: { _id: 1 }, u: { $inc: { n: 1 } } };
    assert.equal(await twice({ update: "c", updates: [increment, increment] }), "[0,1]");
    assert.equal(await twice({ findAndModify: "c", query: { _id: 1 }, update: { $inc: { n: 1 } } }), "0");
    assert.equal(await twice({ delete: "c", deletes: [{ q: {}, limit: 1 }] }), "[0]");
    assert.deepEqual(await client.documents({ find: "c", $db: "t" }), [{
      _id: new Int32(2),
      n: new Int32(0),
    }]);
    for (
      const [command, message] of [
        [{ update: "c", updates: [{ ...increment, multi: true }] }, /retryable writes with multi=true/],
        [{ delete: "c", deletes: [{ q: {}, limit: 0 }] }, /retryable writes with limit=0/],
      ] as const
    ) {
      const reply = await client.command({
        ...command,
        lsid,
        txnNumber: Long.fromNumber(++number),
        $db: "t",
      });
      assert.equal(Number(reply["writeErrors"][0].code), 72);
      assert.match(reply["writeErrors"][0].errmsg, message);
    }
  });
});

Deno.test("an error that another try may mend says so of a retryable write", async () => {
  await withServer(async ({ client, router }) => {
    router.gate = () => Promise.reject(new CommandError("ShutdownInProgress", "the node is shutting down"));
    const command = { insert: "c", documents: [{ _id: 1 }], $db: "t" };
    assert.equal((await client.command(command))["errorLabels"], undefined);
    const lsid = { id: new UUID() };
    const reply = await client.command({ ...command, lsid, txnNumber: Long.fromNumber(1) });
    assert.deepEqual([reply["codeName"], reply["errorLabels"]], ["ShutdownInProgress", [
      "RetryableWriteError",
    ]]);
  });
});
