import { deepStrictEqual } from "node:assert/strict";
import { aggregate, type Plain, type PlainRecord, timeseriesOf } from "../test_collection.ts";

const at = (second: number) => new Date(Date.UTC(2024, 0, 1, 0, 0, second));
const text = (second: number) => at(second).toISOString();

interface Row {
  readonly _id: { readonly timestamp: string; readonly end: string | null; readonly state?: unknown };
  readonly n: readonly number[];
}

const secondOf = (time: string | null) => time === null ? "…" : (Date.parse(time) - at(0).getTime()) / 1000;

/** Rows as [second, fields]; windows as "start–end: seconds of the rows (state)". */
async function windows(rows: readonly [number, PlainRecord?][], options: PlainRecord): Promise<string[]> {
  const source = timeseriesOf(rows.map(([second, fields]) => ({ t: at(second), n: second, ...fields })));
  const spec = { timestamp: "$t", output: { n: { $push: "$n" } }, ...options };
  return (await aggregate(source, [{ $timeWindow: spec }]) as Row[]).map(({ _id, n }) => {
    const state = "state" in _id ? ` (${_id.state})` : "";
    return `${secondOf(_id.timestamp)}–${secondOf(_id.end)}: ${n.join(" ")}${state}`;
  });
}

const seconds = (...all: number[]): [number][] => all.map((second) => [second]);
const withState = (...all: [number, Plain][]): [number, PlainRecord][] =>
  all.map(([second, s]) => [second, { s }]);

Deno.test("a session ends where more than the gap passes, whatever the order of arrival", async () => {
  const rows = seconds(31, 1, 5, 20, 30, 10);
  deepStrictEqual(await windows(rows, { gap: "5s" }), ["1–10: 1 5 10", "20–20: 20", "30–31: 30 31"]);
  deepStrictEqual(await windows(rows, { gap: "10s" }), ["1–31: 1 5 10 20 30 31"]);
  deepStrictEqual(await windows([], { gap: "10s" }), []);
});

Deno.test("rows next to each other with one state are a window; a row without one ends it", async () => {
  const rows = withState([1, "on"], [2, "on"], [3, "off"], [4, "on"], [5, null], [6, "on"]);
  deepStrictEqual(await windows([...rows, [7]], { state: "$s" }), [
    "1–2: 1 2 (on)",
    "3–3: 3 (off)",
    "4–4: 4 (on)",
    "6–6: 6 (on)",
  ]);
  deepStrictEqual(await windows(withState([1, 5], [2, 7], [3, 20]), { state: { $gt: ["$s", 10] } }), [
    "1–2: 1 2 (false)",
    "3–3: 3 (true)",
  ]);
});

Deno.test("an event goes from the row that starts it to the row that ends it", async () => {
  const rows = withState([1, 5], [2, 90], [3, 95], [4, 40], [5, 30], [6, 99]);
  const options = { start: { $gt: ["$s", 80] }, end: { $lt: ["$s", 50] } };
  deepStrictEqual(await windows(rows, options), ["2–4: 2 3 4", "6–…: 6"]);
  const both = { start: { $gt: ["$s", 80] }, end: { $gt: ["$s", 92] } };
  deepStrictEqual(await windows(rows, both), ["2–3: 2 3", "6–6: 6"]);
});

Deno.test("windows of so many rows, one behind the other or overlapping", async () => {
  const rows = seconds(1, 2, 3, 4, 5);
  deepStrictEqual(await windows(rows, { count: 2 }), ["1–2: 1 2", "3–4: 3 4", "5–5: 5"]);
  deepStrictEqual(await windows(rows, { count: 3, every: 2 }), ["1–3: 1 2 3", "3–5: 3 4 5", "5–5: 5"]);
  deepStrictEqual(await windows(rows, { count: 3, every: 1 }), [
    "1–3: 1 2 3",
    "2–4: 2 3 4",
    "3–5: 3 4 5",
    "4–5: 4 5",
    "5–5: 5",
  ]);
});

Deno.test("each partition has windows of its own; all come in order of time", async () => {
  const source = timeseriesOf([
    { t: at(1), m: { host: "a" } },
    { t: at(2), m: { host: "b" } },
    { t: at(3), m: { host: "a" } },
    { t: at(9), m: { host: "b" } },
  ]);
  const spec = {
    timestamp: "$t",
    gap: "3s",
    partitionBy: { host: "$m.host" },
    output: { n: { $sum: 1 }, length: { $delta: { $toLong: "$t" } } },
  };
  deepStrictEqual(await aggregate(source, [{ $timeWindow: spec }]), [
    { _id: { timestamp: text(1), end: text(3), host: "a" }, n: 2, length: 2000n },
    { _id: { timestamp: text(2), end: text(2), host: "b" }, n: 1, length: 0n },
    { _id: { timestamp: text(9), end: text(9), host: "b" }, n: 1, length: 0n },
  ]);
});
