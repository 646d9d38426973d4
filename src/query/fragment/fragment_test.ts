import { deepStrictEqual } from "node:assert/strict";
import { parsePipeline } from "../parse.ts";
import { planPipeline } from "../plan.ts";
import { documentOf, type PlainRecord } from "../test_collection.ts";

const SHAPE = { kind: "timeseries", timeField: "t", metaField: "m" } as const;

/** The measured fields that keys of groups read, or why rows answer. */
function keysOf(...stages: readonly PlainRecord[]): readonly string[] | string {
  const { fragment } = planPipeline(parsePipeline(stages.map(documentOf)), SHAPE);
  return fragment.kind === "rows" ? fragment.reason : fragment.measured.map((path) => path.join("."));
}

Deno.test("keys of groups may read what is measured, each path once", () => {
  const hour = { $dateTrunc: { date: "$t", unit: "hour" } };
  const cases: readonly [PlainRecord[string], readonly string[]][] = [
    ["$m.host", []],
    ["$level", ["level"]],
    [{ level: "$level", hour, host: "$m.host" }, ["level"]],
    [{ status: "$http.status", method: "$http.method" }, ["http.status", "http.method"]],
    [{ $concat: ["$level", "$level", "$m.host"] }, ["level"]],
  ];
  for (const [id, paths] of cases) deepStrictEqual(keysOf({ $group: { _id: id } }), paths);
  deepStrictEqual(keysOf({ $sortByCount: "$level" }), ["level"]);
  const window = { timestamp: "$t", window: "1h", partitionBy: "$level", output: { n: { $count: {} } } };
  deepStrictEqual(keysOf({ $timeWindow: window }), ["level"]);
});

Deno.test("rows answer where a key may take long, or reads a row as a whole", () => {
  const pattern = { $regexMatch: { input: "$level", regex: "^e" } };
  deepStrictEqual(keysOf({ $group: { _id: pattern } }), "the key has $regexMatch");
  deepStrictEqual(keysOf({ $group: { _id: "$$ROOT" } }), "the key reads whole rows");
  deepStrictEqual(keysOf({ $group: { _id: "$t" } }), "the key reads single times");
});

Deno.test("all values, all different ones, and the first and last rows are folded on columns", () => {
  const outputs = { all: { $push: "$v" }, set: { $addToSet: "$v" }, row: { $last: "$$ROOT" } };
  deepStrictEqual(keysOf({ $group: { _id: "$m", ...outputs } }), []);
  deepStrictEqual(keysOf({ $latest: {} }), []);
  deepStrictEqual(
    keysOf({ $group: { _id: "$m", all: { $push: "$$ROOT" } } }),
    "the output all takes whole rows",
  );
});
