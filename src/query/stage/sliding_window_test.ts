import { deepStrictEqual } from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { aggregate, type PlainRecord, timeseriesOf } from "../test_collection.ts";

const MINUTE_MS = 60_000;
const at = (minute: number) => new Date(Date.UTC(2024, 0, 1, 0, minute));

interface Row {
  readonly _id: { readonly timestamp: string; readonly partition?: unknown };
  readonly n: readonly number[];
}

async function windows(minutes: readonly number[], options: PlainRecord): Promise<string[]> {
  const source = timeseriesOf(minutes.map((minute) => ({ t: at(minute), n: minute })));
  const spec = { timestamp: "$t", output: { n: { $push: "$n" } }, ...options };
  const rows = await aggregate(source, [{ $timeWindow: spec }]) as Row[];
  return rows.map((row) => `${row._id.timestamp.slice(0, 16)} ${row.n.join(" ")}`);
}

Deno.test("windows start every so often and hold all rows of their length, in order of time", async () => {
  deepStrictEqual(await windows([31, 5, 20, 50], { window: "30m", every: "15m" }), [
    "2023-12-31T23:45 5",
    "2024-01-01T00:00 5 20",
    "2024-01-01T00:15 20 31",
    "2024-01-01T00:30 31 50",
    "2024-01-01T00:45 50",
  ]);
});

Deno.test("a length that is no multiple of the step, days by hours, months", async () => {
  deepStrictEqual(await windows([0, 30, 59], { window: "90m", every: "1h" }), [
    "2023-12-31T23:00 0",
    "2024-01-01T00:00 0 30 59",
  ]);
  deepStrictEqual(await windows([0, 24 * 60 - 1, 24 * 60], { window: "1d", every: "12h" }), [
    "2023-12-31T12:00 0",
    "2024-01-01T00:00 0 1439",
    "2024-01-01T12:00 1439 1440",
    "2024-01-02T00:00 1440",
  ]);
  deepStrictEqual(await windows([0, 31 * 24 * 60], { window: "1q", every: "1mo" }), [
    "2023-11-01T00:00 0",
    "2023-12-01T00:00 0 44640",
    "2024-01-01T00:00 0 44640",
    "2024-02-01T00:00 44640",
  ]);
});

Deno.test("a day in a time zone has the hours that it has", async () => {
  // In Berlin the 31st of March 2024 has 23 hours: it ends at 22:00 UTC.
  const march31 = (hour: number) => (Date.UTC(2024, 2, 31, hour) - Date.UTC(2024, 0, 1)) / MINUTE_MS;
  const options = { window: "2d", every: "1d", timezone: "Europe/Berlin" };
  deepStrictEqual(await windows([march31(21), march31(22)], options), [
    `2024-03-29T23:00 ${march31(21)}`,
    `2024-03-30T23:00 ${march31(21)} ${march31(22)}`,
    `2024-03-31T22:00 ${march31(22)}`,
  ]);
});

Deno.test("overlapping windows have the rows that a look at each row says", async () => {
  const random = seededRandom(7);
  for (let round = 0; round < 20; round++) {
    const every = 1 + Math.floor(random() * 20);
    const window = every + Math.floor(random() * 60);
    const minutes = Array.from({ length: 40 }, () => Math.floor(random() * 600));
    const sorted = [...new Set(minutes)].sort((a, b) => a - b);
    const expected: string[] = [];
    // Minutes are counted from 2000-01-01 for the grid.
    const origin = (Date.UTC(2024, 0, 1) - Date.UTC(2000, 0, 1)) / MINUTE_MS;
    for (let start = -(origin % every) - Math.ceil(window / every) * every; start < 700; start += every) {
      if ((origin + start) % every !== 0) throw new Error("the start is on the grid");
      const inside = sorted.filter((minute) => minute >= start && minute < start + window);
      if (inside.length > 0) {
        expected.push(`${at(start).toISOString().slice(0, 16)} ${inside.join(" ")}`);
      }
    }
    const found = await windows(sorted, { window: `${window}m`, every: `${every}m` });
    deepStrictEqual(found, expected, `window ${window}, every ${every}`);
  }
});

Deno.test("averages, extremes and partitions of overlapping windows", async () => {
  const source = timeseriesOf([
    { t: at(0), m: "a", v: 1 },
    { t: at(10), m: "a", v: 3 },
    { t: at(20), m: "b", v: 10 },
  ]);
  const rows = await aggregate(source, [{
    $timeWindow: {
      timestamp: "$t",
      window: "30m",
      every: "15m",
      partitionBy: "$m",
      output: { avg: { $avg: "$v" }, max: { $max: "$v" }, last: { $last: "$v" } },
    },
  }]);
  const id = (minute: number, partition: string) => ({ timestamp: at(minute).toISOString(), partition });
  deepStrictEqual(rows, [
    { _id: id(-15, "a"), avg: 2, max: 3, last: 3 },
    { _id: id(0, "a"), avg: 2, max: 3, last: 3 },
    { _id: id(0, "b"), avg: 10, max: 10, last: 10 },
    { _id: id(15, "b"), avg: 10, max: 10, last: 10 },
  ]);
});
