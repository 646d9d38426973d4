import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { Document } from "../bson/mod.ts";
import { ArraySource } from "./array_source.ts";
import { NO_COLLECTIONS } from "./collections.ts";
import { explain } from "./explain.ts";
import { parseCountCommand, parseFind, parsePipeline } from "./parse.ts";
import type { Pipeline } from "./pipeline.ts";
import { EMPTY_SOURCE } from "./source.ts";
import { documentOf, plainOf, testContext, timeseriesOf } from "./test_collection.ts";

// deno-lint-ignore no-explicit-any -- a reply of nested plain values, read field by field
type Reply = any;

const at = (ms: number) => new Date(ms);

function source() {
  return timeseriesOf([
    { t: at(1), m: "a", v: 1 },
    { t: at(2), m: "b", v: 2 },
    { t: at(3), m: "a", v: 3 },
    { t: at(4), m: "a", v: 4 },
  ]);
}

async function explained(pipeline: Pipeline, verbosity: string): Promise<Reply> {
  const reply: Document = await explain(pipeline, source(), testContext(), verbosity, "db.c");
  return plainOf(reply);
}

const FIND = parseFind({
  filter: documentOf({ m: "a", t: { $gte: at(2) } }),
  projection: documentOf({ v: 1 }),
  sort: documentOf({ v: 1 }),
  skip: 1,
  limit: 3,
});

Deno.test("a find is one chain of stages around the scan, as Compass and mongosh read it", async () => {
  const reply = await explained(FIND, "queryPlanner");
  strictEqual(reply.explainVersion, "1");
  strictEqual(reply.executionStats, undefined);
  strictEqual(reply.queryPlanner.namespace, "db.c");
  const filter = { $and: [{ m: { $eq: "a" } }, { t: { $gte: at(2).toISOString() } }] };
  deepStrictEqual(reply.queryPlanner.parsedQuery, filter);
  deepStrictEqual(reply.queryPlanner.rejectedPlans, []);
  deepStrictEqual(reply.queryPlanner.winningPlan, {
    stage: "PROJECTION_SIMPLE",
    transformBy: { v: 1 },
    inputStage: {
      stage: "SKIP",
      skipAmount: 1,
      inputStage: {
        stage: "SORT",
        sortPattern: { v: 1 },
        memLimit: 104857600,
        limitAmount: 4,
        type: "simple",
        inputStage: { stage: "COLLSCAN", filter, direction: "forward" },
      },
    },
  });
});

Deno.test("what ran is counted", async () => {
  const { executionStats: stats, chronogo } = await explained(FIND, "executionStats");
  strictEqual(stats.executionSuccess, true);
  strictEqual(stats.nReturned, 1);
  strictEqual(stats.totalDocsExamined, 2);
  strictEqual(stats.totalKeysExamined, 0);
  strictEqual(typeof stats.executionTimeMillis, "number");
  strictEqual(stats.executionStages.stage, "PROJECTION_SIMPLE");
  strictEqual(stats.executionStages.nReturned, 1);
  const scan = stats.executionStages.inputStage.inputStage.inputStage;
  deepStrictEqual([scan.stage, scan.docsExamined, scan.nReturned], ["COLLSCAN", 2, 2]);
  deepStrictEqual(chronogo.seriesFilter, [{ m: { $eq: "a" } }]);
  deepStrictEqual(chronogo.timeRange, { from: at(2).toISOString() });
  deepStrictEqual(chronogo.counters.rowsRead, 2);
});

Deno.test("an aggregate lists its stages behind the scan", async () => {
  const pipeline = parsePipeline([
    documentOf({ $match: { m: "a" } }),
    documentOf({ $group: { _id: "$m", n: { $sum: 1 } } }),
    documentOf({ $sort: { n: -1 } }),
  ]);
  const { stages } = await explained(pipeline, "executionStats");
  strictEqual(stages.length, 3);
  strictEqual(stages[0].$cursor.queryPlanner.winningPlan.stage, "COLLSCAN");
  strictEqual(stages[0].$cursor.executionStats.nReturned, 3);
  strictEqual(stages[0].nReturned, 3n);
  deepStrictEqual(stages[1].$group, { _id: "$m", n: { $sum: 1 } });
  strictEqual(stages[1].nReturned, 1n);
  deepStrictEqual(stages[2].$sort, { sortKey: { n: -1 } });
});

Deno.test("a sort by time is the direction of the scan", async () => {
  const pipeline = parseFind({ sort: documentOf({ t: -1 }), limit: 1 });
  const { queryPlanner, chronogo } = await explained(pipeline, "queryPlanner");
  strictEqual(queryPlanner.winningPlan.stage, "LIMIT");
  strictEqual(queryPlanner.winningPlan.inputStage.direction, "backward");
  strictEqual(chronogo.timeOrder, -1);
});

Deno.test("a count is explained as one", async () => {
  const { queryPlanner } = await explained(parseCountCommand({}), "queryPlanner");
  strictEqual(queryPlanner.winningPlan.stage, "COUNT");
  deepStrictEqual(queryPlanner.parsedQuery, {});
});

Deno.test("what was counted is shown, and that no plan was tried against another", async () => {
  const pipeline = parseCountCommand({ query: documentOf({ m: "a" }) });
  const { executionStats } = await explained(pipeline, "allPlansExecution");
  const { stage, nCounted, nSkipped } = executionStats.executionStages;
  deepStrictEqual([stage, nCounted, nSkipped], ["COUNT", 3, 0]);
  deepStrictEqual(executionStats.allPlansExecution, []);
  strictEqual((await explained(pipeline, "executionStats")).executionStats.allPlansExecution, undefined);
});

Deno.test("an unknown verbosity is refused", async () => {
  await rejects(explained(FIND, "all"), { code: 2 });
});

Deno.test("a pipeline that writes is explained without writing", async () => {
  const source = timeseriesOf([{ t: new Date(1), m: 1, v: 1 }]);
  for (const stage of [{ $out: "x" }, { $merge: "x" }]) {
    const pipeline = parsePipeline([documentOf(stage)]);
    const answer = await explain(pipeline, source, testContext(), "executionStats");
    ok(Deno.inspect(plainOf(answer), { depth: 9 }).includes(Object.keys(stage)[0]!));
  }
});

Deno.test("what a $lookup reads of the other collection is counted apart", async () => {
  const rows = (...values: readonly number[]) => new ArraySource(values.map((a) => documentOf({ a })));
  const pipeline = parsePipeline([
    documentOf({ $lookup: { from: "other", localField: "a", foreignField: "a", as: "r" } }),
  ]);
  const collections = { ...NO_COLLECTIONS, open: () => ({ source: rows(1, 2, 2), stages: [] }) };
  const context = { ...testContext(), collections };
  const { stages, chronogo }: Reply = plainOf(await explain(pipeline, rows(1, 2), context, "executionStats"));
  const { nReturned, totalDocsExamined } = stages[0].$cursor.executionStats;
  deepStrictEqual([nReturned, totalDocsExamined], [2, 2]);
  deepStrictEqual([stages[1].nReturned, stages[1].totalDocsExamined], [2n, 3n]);
  strictEqual(chronogo.counters.rowsRead, 5);
});

Deno.test("of nothing nothing else comes: its plan is EOF, whatever is done with it", async () => {
  const pipeline = parseFind({ filter: documentOf({ a: 1 }), sort: documentOf({ b: 1 }), limit: 2 });
  const reply: Reply = plainOf(await explain(pipeline, EMPTY_SOURCE, testContext(), "queryPlanner"));
  deepStrictEqual(reply.queryPlanner.winningPlan, { stage: "EOF" });
});
