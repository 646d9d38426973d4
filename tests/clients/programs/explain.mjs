/**
 * What reads and writes explain of themselves, at each verbosity, over documents and over a time series: read by Compass's own
 * reader of plans, and whole as mongosh prints it.
 */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";
import { withClient } from "./driver.mjs";

const { ExplainPlan } = createRequire(process.env.CLIENTS)("@mongodb-js/explain-plan-helper");

const NOON = new Date("2026-01-01T12:00:00Z");
const ROWS = [1, 2, 3, 4].map((v) => ({ _id: v, t: NOON, m: v % 2, v }));
const QUERY = { v: { $gt: 1 } };
const MATCH = { $match: QUERY };
const GROUP = { $group: { _id: "$m", n: { $sum: 1 } } };
const UPDATE = { q: QUERY, u: { $set: { v: 9 } }, multi: true };

/** Commands, and how many rows Compass shows for each. */
const EXPLAINED = [
  [(c) => ({ find: c, filter: QUERY, sort: { v: -1 }, limit: 2 }), 2],
  [(c) => ({ aggregate: c, pipeline: [MATCH], cursor: {} }), 3],
  [(c) => ({ aggregate: c, pipeline: [MATCH, GROUP], cursor: {} }), 2],
  [(c) => ({ aggregate: c, pipeline: [MATCH, GROUP, { $sort: { n: 1 } }, { $limit: 1 }], cursor: {} }), 1],
  // A count returns no row, as MongoDB says of it.
  [(c) => ({ count: c, query: QUERY }), 0],
  [(c) => ({ distinct: c, key: "m", query: QUERY }), 3],
  [(c) => ({ update: c, updates: [UPDATE] }), 0],
  [(c) => ({ delete: c, deletes: [{ q: QUERY, limit: 0 }] }), 0],
  [(c) => ({ findAndModify: c, query: QUERY, update: { $set: { v: 9 } } }), 1],
];

await withClient(async (client) => {
  const db = client.db("explain");
  await db.createCollection("series", { timeseries: { timeField: "t", metaField: "m" } });
  for (const name of ["plain", "series"]) {
    await db.collection(name).insertMany(ROWS);
    for (const [commandOf, rows] of EXPLAINED) await check(db, commandOf(name), name, rows);
    const left = await db.collection(name).find({}, { sort: { _id: 1 } }).toArray();
    assert.deepEqual(left.map(({ v }) => v), [1, 2, 3, 4], "nothing is written");
  }
});

async function check(db, command, name, rows) {
  const text = JSON.stringify(command);
  const explain = (verbosity) => db.command({ explain: command, verbosity });
  const planner = await explain("queryPlanner");
  assert.equal(cursorOf(planner).executionStats, undefined, text);
  assert.deepEqual(cursorOf(planner).queryPlanner.rejectedPlans, [], text);
  for (const verbosity of ["executionStats", "allPlansExecution"]) {
    const reply = await explain(verbosity);
    const { executionStats } = cursorOf(reply);
    assert.equal(Array.isArray(executionStats.allPlansExecution), verbosity === "allPlansExecution", text);
    checkShell(reply, text);
    checkCompass(new ExplainPlan(reply), name, rows, text);
  }
}

/** A find's plan, or that of the rows that an aggregate begins with. */
function cursorOf(reply) {
  return reply.stages?.[0].$cursor ?? reply;
}

function checkShell({ ok, explainVersion, command, serverInfo }, text) {
  assert.deepEqual([ok, explainVersion, command.$db], [1, "1", "explain"], text);
  assert.deepEqual(Object.keys(serverInfo), ["host", "port", "version", "gitVersion"], text);
}

function checkCompass(plan, name, rows, text) {
  assert.equal(plan.namespace, `explain.${name}`, text);
  assert.equal(plan.nReturned, rows, text);
  assert.equal(plan.executionSuccess, true, text);
  assert.equal(plan.totalKeysExamined, 0, text);
  assert.ok(plan.totalDocsExamined >= 3 && plan.totalDocsExamined <= 4, `${text}: ${plan.totalDocsExamined}`);
  assert.ok(plan.executionTimeMillis >= 0, text);
  assert.deepEqual([plan.isCollectionScan, plan.isSharded, plan.usedIndexes], [true, false, []], text);
  assert.deepEqual(plan.parsedQuery, { v: { $gt: 1 } }, text);
  for (let stage = plan.executionStats.executionStages; stage !== undefined; stage = stage.inputStage) {
    assert.deepEqual([typeof stage.stage, typeof stage.nReturned], ["string", "number"], text);
  }
}
