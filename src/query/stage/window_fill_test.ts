import { deepStrictEqual, rejects } from "node:assert/strict";
import { aggregate, type Plain, type PlainRecord, timeseriesOf } from "../test_collection.ts";

const at = (minute: number) => new Date(Date.UTC(2024, 0, 1, 0, minute));

interface Row {
  readonly _id: { readonly timestamp: string; readonly partition?: unknown };
  readonly avg: unknown;
  readonly n: unknown;
}

/** Rows as [minute, value, partition]; windows of one minute as [minute, avg, n, partition]. */
async function filled(rows: readonly [number, Plain, Plain?][], options: PlainRecord): Promise<unknown[]> {
  const source = timeseriesOf(rows.map(([minute, v, m]) => ({ t: at(minute), v, m: m ?? null })));
  const spec = {
    timestamp: "$t",
    window: "1m",
    output: { avg: { $avg: "$v" }, n: { $sum: 1 } },
    ...options,
  };
  return (await aggregate(source, [{ $timeWindow: spec }]) as Row[]).map(({ _id, avg, n }) => {
    const minute = (Date.parse(_id.timestamp) - at(0).getTime()) / 60_000;
    return "partition" in _id ? [minute, avg, n, _id.partition] : [minute, avg, n];
  });
}

const GAPS: readonly [number, Plain][] = [[1, 10], [4, 40], [5, null], [6, 60]];

Deno.test("each method fills the windows without rows", async () => {
  const methods: readonly [Plain, readonly unknown[]][] = [
    [null, [[2, null, null], [3, null, null]]],
    ["previous", [[2, 10, 1], [3, 10, 1]]],
    ["next", [[2, 40, 1], [3, 40, 1]]],
    ["linear", [[2, 20, 1], [3, 30, 1]]],
    [{ value: -1 }, [[2, -1, -1], [3, -1, -1]]],
    [{ avg: "linear", n: { value: 0 } }, [[2, 20, 0], [3, 30, 0]]],
    [{ avg: "next" }, [[2, 40, null], [3, 40, null]]],
  ];
  for (const [fill, between] of methods) {
    const expected = [[1, 10, 1], ...between, [4, 40, 1], [5, null, 1], [6, 60, 1]];
    deepStrictEqual(await filled(GAPS, { fill }), expected, JSON.stringify(fill));
  }
});

Deno.test("neighbours without a value are passed over", async () => {
  const rows: readonly [number, Plain][] = [[1, 10], [2, null], [4, null], [5, 50]];
  const avg = async (fill: string) => (await filled(rows, { fill }) as [number, unknown][])[2];
  deepStrictEqual(await avg("previous"), [3, 10, 1]);
  deepStrictEqual(await avg("next"), [3, 50, 1]);
  deepStrictEqual(await avg("linear"), [3, 30, 1]);
});

Deno.test("bounds widen what is filled, and are there without a row", async () => {
  const bounds = [at(0), at(4)];
  deepStrictEqual(await filled([[1, 10], [2, 20]], { fill: "previous", bounds }), [
    [0, null, null],
    [1, 10, 1],
    [2, 20, 1],
    [3, 20, 1],
  ]);
  deepStrictEqual(await filled([[1, 10], [7, 70]], { fill: "linear", bounds }), [
    [0, null, null],
    [1, 10, 1],
    [2, 20, 1],
    [3, 30, 1],
    [7, 70, 1],
  ]);
  deepStrictEqual(await filled([], { fill: { value: 0 }, bounds: [at(0), at(2)] }), [[0, 0, 0], [1, 0, 0]]);
  deepStrictEqual(await filled([], { fill: null }), []);
  deepStrictEqual(await filled([], { fill: null, bounds, partitionBy: "$m" }), []);
});

Deno.test("partitions are filled each for itself, over the span of all or their own", async () => {
  const rows: readonly [number, Plain, Plain][] = [[1, 10, "a"], [3, 30, "a"], [2, 5, "b"]];
  const options = { fill: "previous", partitionBy: "$m" };
  deepStrictEqual(await filled(rows, options), [
    [1, 10, 1, "a"],
    [1, null, null, "b"],
    [2, 10, 1, "a"],
    [2, 5, 1, "b"],
    [3, 30, 1, "a"],
    [3, 5, 1, "b"],
  ]);
  deepStrictEqual(await filled(rows, { ...options, bounds: "partition" }), [
    [1, 10, 1, "a"],
    [2, 10, 1, "a"],
    [2, 5, 1, "b"],
    [3, 30, 1, "a"],
  ]);
});

Deno.test("days are filled by the calendar of the time zone", async () => {
  const source = timeseriesOf([{ t: new Date("2024-03-29T23:00:00Z") }, {
    t: new Date("2024-04-01T22:00:00Z"),
  }]);
  const spec = {
    timestamp: "$t",
    window: "1d",
    timezone: "Europe/Berlin",
    fill: { value: 0 },
    output: { n: { $sum: 1 } },
  };
  const rows = await aggregate(source, [{ $timeWindow: spec }]) as Row[];
  deepStrictEqual(rows.map((row) => [row._id.timestamp.slice(0, 13), row.n]), [
    ["2024-03-29T23", 1],
    ["2024-03-30T23", 0],
    ["2024-03-31T22", 0],
    ["2024-04-01T22", 1],
  ]);
});

Deno.test("overlapping windows are filled on the grid of their starts", async () => {
  const rows = await filled([[0, 10], [10, 20]], { window: "4m", every: "2m", fill: { value: 0 } });
  deepStrictEqual(rows.map((row) => (row as number[])[0]), [-2, 0, 2, 4, 6, 8, 10]);
});

Deno.test("no more windows are made than a limit", async () => {
  const bounds = [new Date(0), at(0)];
  await rejects(filled([[0, 1]], { window: "1s", fill: "next", bounds }), {
    code: 146,
    message:
      "PlanExecutor error during aggregation :: caused by :: $timeWindow's 'fill' makes more than 500000 " +
      "windows: choose longer windows or narrower 'bounds'",
  });
});
