import { deepStrictEqual, throws } from "node:assert/strict";
import { parsePipeline } from "../parse.ts";
import { aggregate, documentOf, type Plain, type PlainRecord, timeseriesOf } from "../test_collection.ts";

const at = (second: number) => new Date(Date.UTC(2024, 0, 1, 0, 0, second));

/** What an accumulator gives for values at seconds, in one window, and in the only window of two panes. */
async function over(values: readonly [number, Plain][], accumulator: PlainRecord): Promise<unknown> {
  const source = timeseriesOf(values.map(([second, v]) => ({ t: at(second), v })));
  const spec = { timestamp: "$t", window: "1h", output: { x: accumulator } };
  const results: unknown[] = [];
  for (const grid of [spec, { ...spec, every: "10s" }]) {
    const rows = await aggregate(source, [{ $timeWindow: grid }]) as {
      _id: { timestamp: string };
      x: unknown;
    }[];
    results.push(rows.find((row) => row._id.timestamp === at(0).toISOString())?.x);
  }
  deepStrictEqual(results[1], results[0], "panes merged give what one pass gives");
  return results[0];
}

const COUNTER: readonly [number, Plain][] = [[0, 100], [20, 150], [40, 30], [30, 160], [50, 50]];

Deno.test("$increase counts on after a reset, $delta does not know of one", async () => {
  deepStrictEqual(await over(COUNTER, { $increase: "$v" }), 110);
  deepStrictEqual(await over(COUNTER, { $delta: "$v" }), -50);
  deepStrictEqual(await over([[1, 7]], { $increase: "$v" }), 0);
  deepStrictEqual(await over([[1, "x"]], { $increase: "$v" }), null);
  deepStrictEqual(await over([[1, 1], [2, 1.5], [3, null]], { $delta: "$v" }), 0.5);
});

Deno.test("$rate is the increase by time, in a unit", async () => {
  deepStrictEqual(await over(COUNTER, { $rate: "$v" }), 2.2);
  deepStrictEqual(await over(COUNTER, { $rate: { input: "$v", unit: "minute" } }), 132);
  deepStrictEqual(await over(COUNTER.slice(0, 1), { $rate: "$v" }), null);
});

Deno.test("$twa weighs values by how long they last", async () => {
  const values: readonly [number, Plain][] = [[0, 0], [10, 10], [40, 10]];
  deepStrictEqual(await over(values, { $twa: "$v" }), (50 + 300) / 40);
  deepStrictEqual(await over(values, { $twa: { input: "$v", method: "previous" } }), 300 / 40);
  deepStrictEqual(await over(values.slice(1, 2), { $twa: "$v" }), 10);
  deepStrictEqual(await over([], { $twa: "$v" }), undefined);
});

Deno.test("$spread and $histogram tell how values are spread", async () => {
  const values: readonly [number, Plain][] = [[0, 5], [1, 12], [12, -1], [13, 20], [14, "x"], [15, 19.5]];
  deepStrictEqual(await over(values, { $spread: "$v" }), 21);
  deepStrictEqual(await over([[0, "x"]], { $spread: "$v" }), null);
  deepStrictEqual(await over(values, { $histogram: { input: "$v", boundaries: [0, 10, 20] } }), {
    below: 1,
    counts: [1, 2],
    above: 1,
  });
});

Deno.test("in $group the times are named, and rows come as they are sorted", async () => {
  const source = timeseriesOf(COUNTER.map(([second, v]) => ({ t: at(second), m: "a", v })));
  const rate = { $rate: { input: "$v", timestamp: "$t" } };
  const rows = await aggregate(source, [{ $sort: { t: 1 } }, { $group: { _id: "$m", rate } }]);
  deepStrictEqual(rows, [{ _id: "a", rate: 2.2 }]);
});

Deno.test("malformed arguments are refused", () => {
  const cases: readonly [PlainRecord, string][] = [
    [{ $rate: "$v" }, "$rate takes an object {input, timestamp}"],
    [{ $rate: { input: "$v" } }, "$rate requires 'timestamp'"],
    [{ $delta: { input: "$v", timestamp: "$t", unit: "hour" } }, "unrecognized option to $delta: 'unit'"],
    [
      { $rate: { input: "$v", timestamp: "$t", unit: "month" } },
      `$rate requires 'unit' to be one of millisecond, second, minute, hour, day, found unit: "month"`,
    ],
    [{ $histogram: { input: "$v" } }, "$histogram takes an object {input, boundaries}"],
    [
      { $histogram: { input: "$v", boundaries: [2, 1] } },
      "$histogram requires 'boundaries' to be two to 10000 ascending numbers, found boundaries: [ 2, 1 ]",
    ],
  ];
  for (const [x, message] of cases) {
    throws(() => parsePipeline([documentOf({ $group: { _id: null, x } })]), { code: 9, message });
  }
});
