import assert from "node:assert/strict";
import { CommandError, seededRandom } from "../../base/mod.ts";
import { aggregate, type Plain, type PlainRecord, timeseriesOf } from "../test_collection.ts";
import { TDigest } from "./t_digest.ts";

const SCORES: readonly PlainRecord[] = [77, 94, 100, 60, 55].map((v, i) => ({ t: new Date(i), m: 1, v }));

function group(accumulator: PlainRecord, rows: readonly PlainRecord[] = SCORES): Promise<unknown[]> {
  return aggregate(timeseriesOf(rows), [{ $group: { _id: null, r: accumulator } }, { $project: { _id: 0 } }]);
}

Deno.test("few numbers give the one of the rank that is asked for, as on MongoDB's page of $percentile", async () => {
  const percentile = (p: readonly number[]) =>
    group({ $percentile: { input: "$v", p, method: "approximate" } });
  assert.deepEqual(await percentile([0.5, 0.75, 0.9, 0.95]), [{ r: [77, 94, 100, 100] }]);
  assert.deepEqual(await percentile([0, 0.2, 0.21, 1]), [{ r: [55, 55, 60, 100] }]);
  assert.deepEqual(await group({ $median: { input: "$v", method: "approximate" } }), [{ r: 77 }]);
});

Deno.test("what is no number is left out; nothing gives null", async () => {
  const rows: PlainRecord[] = [null, "x", NaN, 3].map((v, i) => ({ t: new Date(i), m: 1, v }));
  const spec = { input: "$v", p: [0.5, 1], method: "approximate" };
  assert.deepEqual(await group({ $percentile: spec }, rows), [{ r: [3, 3] }]);
  assert.deepEqual(await group({ $percentile: spec }, rows.slice(0, 2)), [{ r: [null, null] }]);
  assert.deepEqual(await group({ $median: { input: "$v", method: "approximate" } }, []), []);
});

Deno.test("in windows and over arrays it is the same", async () => {
  const rows = await aggregate(timeseriesOf(SCORES), [
    {
      $setWindowFields: {
        sortBy: { t: 1 },
        output: {
          r: { $median: { input: "$v", method: "approximate" }, window: { documents: [-1, 1] } },
        },
      },
    },
    { $project: { _id: 0, r: 1, a: { $median: { input: [3, 1, 2], method: "approximate" } } } },
  ]);
  assert.deepEqual(rows, [77, 94, 94, 60, 55].map((r) => ({ r, a: 2 })));
});

const REFUSED: readonly (readonly [Plain, number])[] = [
  [1, 7429703],
  [{ input: "$v", p: [0.5] }, 40414],
  [{ input: "$v", method: "approximate" }, 40414],
  [{ input: "$v", p: [0.5], method: "exact" }, 2],
  [{ input: "$v", p: [0.5], method: 1 }, 14],
  [{ input: "$v", p: [], method: "approximate" }, 7750300],
  [{ input: "$v", p: [2], method: "approximate" }, 7750300],
  [{ input: "$v", p: 0.5, method: "approximate" }, 7750300],
  [{ input: "$v", p: ["$v"], method: "approximate" }, 7750301],
  [{ input: "$v", p: [0.5], method: "approximate", foo: 1 }, 40415],
];

Deno.test("a bad specification is refused with MongoDB's code", async () => {
  for (const [spec, code] of REFUSED) {
    await assert.rejects(
      async () => await group({ $percentile: spec }),
      (error: unknown) => error instanceof CommandError && error.code === code,
      JSON.stringify(spec),
    );
  }
});

Deno.test("a digest of many numbers, merged from parts, is near the true ranks, nearest at the ends", () => {
  const random = seededRandom(5);
  const numbers = Array.from({ length: 200_000 }, () => random() ** 3 * 1000);
  const parts = [new TDigest(), new TDigest(), new TDigest()];
  numbers.forEach((x, i) => parts[i % 3]!.add(x));
  const whole = new TDigest();
  for (const part of parts) whole.mergeState(part.state());
  const sorted = numbers.toSorted((a, b) => a - b);
  const shareBelow = (x: number) => sorted.findIndex((y) => y >= x) / sorted.length;
  for (const p of [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]) {
    const error = Math.abs(shareBelow(whole.percentile(p)!) - p);
    assert.ok(error < 0.002 * Math.sqrt(p * (1 - p)) + 1e-4, `p ${p} is off by ${error}`);
  }
  assert.equal(whole.percentile(0), sorted[0]);
  assert.equal(whole.percentile(1), sorted.at(-1));
  assert.equal(whole.count, numbers.length);
  assert.ok(whole.state().length < 2 * 4000);
});
