import { deepStrictEqual, throws } from "node:assert/strict";
import { parsePipeline } from "../parse.ts";
import { planPipeline } from "../plan.ts";
import { aggregate, documentOf, type PlainRecord, timeseriesOf } from "../test_collection.ts";

const at = (second: number) => new Date(Date.UTC(2024, 0, 1, 0, 0, second));
const text = (second: number) => at(second).toISOString();
const SHAPE = { kind: "timeseries", timeField: "t", metaField: "m" } as const;

const ROWS = timeseriesOf([
  { t: at(3), m: { host: "a", cpu: 1 }, v: 3 },
  { t: at(1), m: { host: "a", cpu: 1 }, v: 1 },
  { t: at(5), m: { host: "b", cpu: 1 }, v: 5 },
  { t: at(4), m: { host: "a", cpu: 2 }, v: 4 },
]);

async function latest(spec: PlainRecord, ...before: PlainRecord[]): Promise<unknown[]> {
  const rows = await aggregate(ROWS, [...before, { $latest: spec }]) as { t: string; v: number }[];
  return rows.map(({ t, v }) => [t, v]);
}

Deno.test("the last row of each value, newest first", async () => {
  deepStrictEqual(await latest({ by: "$m.host" }), [[text(5), 5], [text(4), 4]]);
  deepStrictEqual(await latest({}), [[text(5), 5], [text(4), 4], [text(3), 3]]);
  deepStrictEqual(await latest({ by: { $gt: ["$v", 2] } }), [[text(5), 5], [text(1), 1]]);
  deepStrictEqual(await latest({ by: "$m.host" }, { $match: { v: { $lt: 4 } } }), [[text(3), 3]]);
  deepStrictEqual(await latest({ by: "$m.host", timestamp: "$v" }), [[text(5), 5], [text(4), 4]]);
});

Deno.test("by the metaField or a part of it, only the ends of each series are read", () => {
  for (const spec of [{}, { by: "$m.host" }, { by: "$m", timestamp: "$t" }]) {
    const plan = planPipeline(parsePipeline([documentOf({ $latest: spec })]), SHAPE);
    deepStrictEqual(plan.scan.seriesEnds, { earliest: false, latest: true });
  }
});

Deno.test("what it does not know must be said", () => {
  const plan = (spec: PlainRecord | number, shape: Parameters<typeof planPipeline>[1]) => () =>
    planPipeline(parsePipeline([documentOf({ $latest: spec })]), shape);
  const cases: readonly [PlainRecord | number, string][] = [
    [1, "the $latest stage specification must be an object, found int"],
    [{ on: "$t" }, "unrecognized option to $latest: 'on'; there are by, timestamp"],
    [{ timestamp: 1 }, `$latest requires 'timestamp' to be a field such as "$timestamp", found timestamp: 1`],
    [{ by: "$x" }, "$latest requires 'timestamp' where rows have no timeField"],
    [{ timestamp: "$x" }, "$latest requires 'by' where rows have no metaField"],
  ];
  for (const [spec, message] of cases) {
    throws(plan(spec, { kind: "documents" }), { code: 9, message });
  }
});
