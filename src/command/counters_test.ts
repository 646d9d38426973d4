import assert from "node:assert/strict";
import { LatencyHistogram } from "./counters.ts";

Deno.test("latencies fall into MongoDB's buckets", () => {
  const histogram = new LatencyHistogram();
  for (const micros of [0, 1, 2, 3, 1500, 2048, 3071, 3072, 4096, 6144, 2 ** 41]) histogram.add(micros);
  assert.deepEqual(histogram.buckets(), [
    { micros: 0, count: 2 },
    { micros: 2, count: 2 },
    { micros: 1024, count: 1 },
    { micros: 2048, count: 2 },
    { micros: 3072, count: 1 },
    { micros: 4096, count: 1 },
    { micros: 6144, count: 1 },
    { micros: 1.5 * 2 ** 40, count: 1 },
  ]);
  assert.equal(histogram.operations, 11);
});
