import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Value } from "../bson/mod.ts";
import { parseFind, parsePipeline } from "./parse.ts";
import { type Plan, planPipeline } from "./plan.ts";
import {
  aggregate,
  documentOf,
  plainOf,
  type PlainRecord,
  timeseriesOf,
  valueOf,
} from "./test_collection.ts";

const SHAPE = { kind: "timeseries", timeField: "t", metaField: "m" } as const;
const at = (ms: number) => new Date(ms);

function plan(...stages: readonly PlainRecord[]): Plan {
  return planPipeline(parsePipeline(stages.map(documentOf)), SHAPE);
}

function rangeOf(filter: PlainRecord): unknown {
  const { timeRange } = plan({ $match: filter }).scan;
  return timeRange === undefined ? undefined : [timeRange.fromMs, timeRange.toMs];
}

Deno.test("what filters say of the time bounds the scan", () => {
  const cases: readonly [PlainRecord, unknown][] = [
    [{ t: { $gte: at(5), $lt: at(9) } }, [5, 8]],
    [{ t: { $gt: at(5) } }, [6, Infinity]],
    [{ t: at(7) }, [7, 7]],
    [{ t: { $in: [at(7), at(3), at(5)] } }, [3, 7]],
    [{ $and: [{ t: { $gte: at(1) } }, { $and: [{ t: { $lte: at(4) } }, { v: 1 }] }] }, [1, 4]],
    [{ $or: [{ t: at(1) }, { t: { $gte: at(3), $lte: at(4) } }] }, [1, 4]],
    [{ $or: [{ t: at(1) }, { v: 1 }] }, undefined],
    [{ t: { $ne: at(1) } }, undefined],
    [{ t: { $not: { $gte: at(1) } } }, undefined],
    [{ $nor: [{ t: { $gte: at(1) } }] }, undefined],
    [{ "t.x": at(1) }, undefined],
    [{ v: 1 }, undefined],
    // A time is a date: no other type can be equal to it.
    [{ t: 5 }, [Infinity, -Infinity]],
  ];
  for (const [filter, expected] of cases) {
    deepStrictEqual(rangeOf(filter), expected, JSON.stringify(filter));
  }
});

Deno.test("a condition on the meta field alone judges whole series", () => {
  const filter = { "m.host": "a", $or: [{ "m.rack": 1 }, { "m.rack": { $exists: false } }], v: { $gt: 1 } };
  const { series } = plan({ $match: filter }).scan;
  strictEqual(series?.filters.length, 2);
  const judge = (meta: PlainRecord | undefined) => series!.matches(meta && documentOf(meta));
  strictEqual(judge({ host: "a", rack: 1 }), true);
  strictEqual(judge({ host: "a" }), true);
  strictEqual(judge({ host: "a", rack: 2 }), false);
  strictEqual(judge({ host: "b", rack: 1 }), false);
  strictEqual(judge(undefined), false);
});

Deno.test("a branch that also reads a measurement keeps an $or from judging series", () => {
  strictEqual(plan({ $match: { $or: [{ m: 1 }, { v: 1 }] } }).scan.series, undefined);
  strictEqual(plan({ $match: { mx: 1 } }).scan.series, undefined);
  strictEqual(plan({ $match: { $expr: { $gt: ["$m", 1] } } }).scan.series, undefined);
});

Deno.test("ids are named by equality and $in only", () => {
  const ids = (filter: PlainRecord) => plan({ $match: filter }).scan.ids?.map(plainOf);
  deepStrictEqual(ids({ _id: 3 }), [3]);
  deepStrictEqual(ids({ v: 1, _id: { $in: [1, 2] } }), [1, 2]);
  strictEqual(ids({ _id: { $gt: 3 } }), undefined);
  strictEqual(ids({ _id: null }), undefined);
  strictEqual(ids({ $or: [{ _id: 1 }, { v: 1 }] }), undefined);
});

Deno.test("only the fields that the stages read are asked for", () => {
  const fields = (...stages: readonly PlainRecord[]) => {
    const needed = plan(...stages).scan.fields;
    return needed && [...needed].sort();
  };
  deepStrictEqual(
    fields({ $match: { "a.b": 1 } }, { $group: { _id: "$m.host", x: { $sum: { $add: ["$v", "$w"] } } } }),
    ["a", "m", "v", "w"],
  );
  deepStrictEqual(fields({ $project: { "a.b": 1, c: "$d" } }), ["_id", "a", "d"]);
  deepStrictEqual(fields({ $sort: { s: 1 } }, { $addFields: { x: "$y" } }, { $project: { _id: 0, x: 1 } }), [
    "s",
    "x",
    "y",
  ]);
  deepStrictEqual(fields({ $match: { v: 1 } }, { $count: "n" }), ["v"]);
  deepStrictEqual(
    fields({
      $timeWindow: { timestamp: "$t", window: "1h", output: { a: { $avg: "$v" } }, partitionBy: "$m" },
    }),
    ["m", "t", "v"],
  );
  strictEqual(fields({ $match: { v: 1 } }), undefined);
  strictEqual(fields({ $project: { a: 0 } }), undefined);
  strictEqual(fields({ $group: { _id: "$$ROOT" } }), undefined);
});

Deno.test("a sort by time becomes the order of the scan", () => {
  const sorted = plan({ $match: { v: 1 } }, { $sort: { t: -1 } }, { $limit: 2 });
  strictEqual(sorted.scan.timeOrder, -1);
  deepStrictEqual(sorted.stages.map((stage) => stage.kind), ["match", "limit"]);
  strictEqual(sorted.scan.limit, undefined, "conditions on rows are asked behind the scan");
  strictEqual(plan({ $match: { m: "a" } }, { $sort: { t: -1 } }, { $skip: 3 }, { $limit: 2 }).scan.limit, 5);
  strictEqual(plan({ $sort: { t: 1, v: 1 } }).scan.timeOrder, undefined);
  strictEqual(plan({ $limit: 3 }, { $sort: { t: 1 } }).scan.timeOrder, undefined);
  strictEqual(plan({ $unwind: "$t" }, { $sort: { t: 1 } }).scan.timeOrder, undefined);
});

Deno.test("a sort holds no more rows than the limit behind it needs", () => {
  const stages = plan({ $sort: { v: 1 } }, { $project: { v: 1 } }, { $skip: 3 }, { $limit: 4 }).stages;
  deepStrictEqual(stages.map((stage) => stage.kind), ["sort", "skip", "limit", "project"]);
  strictEqual(stages[0]?.kind === "sort" && stages[0].limit, 7);
});

Deno.test("the source is asked for what the plan says, and rows are checked again", async () => {
  const source = timeseriesOf([
    { t: at(1), m: "a", v: 1 },
    { t: at(2), m: "b", v: 2 },
    { t: at(3), m: "a", v: 3 },
    { t: at(4), m: "a", v: 9 },
  ]);
  const rows = await aggregate(source, [
    { $match: { m: "a", t: { $lte: at(3) }, v: { $gt: 1 } } },
    { $sort: { t: -1 } },
    { $project: { _id: 0, v: 1 } },
  ]);
  deepStrictEqual(rows, [{ v: 3 }]);
  const request = source.lastRequest!;
  deepStrictEqual(request.timeRange, { fromMs: -Infinity, toMs: 3 });
  strictEqual(request.timeOrder, -1);
  strictEqual(request.seriesFilter!(valueOf("a") as Value), true);
  strictEqual(request.seriesFilter!("b"), false);
  ok(request.fields!.has("v") && request.fields!.has("t"));
});

Deno.test("a backward find reads documents from the last, measurements from the newest", () => {
  const pipeline = parseFind({ sort: documentOf({ $natural: -1 }), limit: 1 });
  strictEqual(planPipeline(pipeline, { kind: "documents" }).scan.backward, true);
  strictEqual(planPipeline(pipeline, SHAPE).scan.timeOrder, -1);
  strictEqual(
    planPipeline(parseFind({ sort: documentOf({ $natural: 1 }) }), SHAPE).scan.timeOrder,
    undefined,
  );
});

Deno.test("an expression that equals a field to a constant, or bounds the time, is a condition of the scan", () => {
  const at = new Date(5000);
  const { scan } = plan({
    $match: {
      $expr: { $and: [{ $eq: ["$m.host", "a"] }, { $gte: ["$t", at] }, { $gt: [new Date(9000), "$t"] }] },
    },
  });
  strictEqual(scan.series?.matches(documentOf({ host: "a" })), true);
  strictEqual(scan.series?.matches(documentOf({ host: "b" })), false);
  deepStrictEqual(scan.timeRange, { fromMs: 5000, toMs: 8999 });
  deepStrictEqual(plan({ $match: { $expr: { $eq: ["$_id", 3] } } }).scan.ids?.length, 1);
  strictEqual(plan({ $match: { $expr: { $eq: ["$m", null] } } }).scan.series, undefined);
  strictEqual(plan({ $match: { $expr: { $lt: ["$m", new Date(1)] } } }).scan.series, undefined);
});

Deno.test("a match goes before what does not change its fields, condition by condition", () => {
  const kinds = (...stages: PlainRecord[]) => plan(...stages).stages.map((stage) => stage.kind);
  deepStrictEqual(kinds({ $sort: { v: 1 } }, { $match: { m: 1 } }), ["match", "sort"]);
  deepStrictEqual(kinds({ $set: { x: "$v" } }, { $match: { m: 1, x: 2 } }), ["match", "project", "match"]);
  deepStrictEqual(kinds({ $unwind: "$l" }, { $match: { m: 1 } }), ["match", "unwind"]);
  deepStrictEqual(kinds({ $unwind: "$l" }, { $match: { "l.a": 1 } }), ["unwind", "match"]);
  deepStrictEqual(kinds({ $project: { m: 1 } }, { $match: { m: 1 } }), ["match", "project"]);
  deepStrictEqual(kinds({ $project: { m: "$v" } }, { $match: { m: 1 } }), ["project", "match"]);
  deepStrictEqual(kinds({ $limit: 5 }, { $match: { m: 1 } }), ["limit", "match"]);
  deepStrictEqual(kinds({ $group: { _id: "$m" } }, { $match: { _id: 1 } }), ["group", "match"]);
});
