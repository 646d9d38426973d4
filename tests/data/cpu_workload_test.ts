import assert from "node:assert/strict";
import { deserialize, type Document } from "bson";
import { CpuWorkload, METRICS } from "./cpu_workload.ts";

const SHAPE = { hosts: 3, startMs: Date.UTC(2024, 0, 1), intervalMs: 10_000, seed: 7 };

function documentsOf(bytes: Uint8Array): Document[] {
  const documents: Document[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += view.getInt32(at, true)) {
    documents.push(deserialize(bytes.subarray(at, at + view.getInt32(at, true))));
  }
  return documents;
}

Deno.test("rows are BSON in order of time, all hosts at each time", () => {
  const documents = documentsOf(new CpuWorkload(SHAPE).next(7).bytes);
  assert.deepEqual(documents.map(({ tags }) => tags.hostname), [0, 1, 2, 0, 1, 2, 0].map((n) => `host_${n}`));
  assert.deepEqual(documents.map(({ timestamp }) => timestamp.getTime() - SHAPE.startMs), [
    ...[0, 0, 0],
    ...[10_000, 10_000, 10_000],
    20_000,
  ]);
  assert.deepEqual(Object.keys(documents[0] ?? {}), ["_id", "timestamp", "tags", ...METRICS]);
  assert.equal(new Set(documents.map(({ _id }) => _id.toHexString())).size, 7);
});

Deno.test("one seed gives the same rows, however they are cut into batches", () => {
  const whole = new CpuWorkload(SHAPE);
  const parts = new CpuWorkload(SHAPE);
  const bytes = whole.next(10).bytes;
  assert.deepEqual(bytes, Uint8Array.of(...parts.next(4).bytes, ...parts.next(6).bytes));
  assert.deepEqual(whole.sums, parts.sums);
  assert.notDeepEqual(bytes, new CpuWorkload({ ...SHAPE, seed: 8 }).next(10).bytes);
});

Deno.test("the sums are those of the rows, and a second walk comes to the same place", () => {
  const workload = new CpuWorkload(SHAPE);
  const documents = documentsOf(workload.next(300).bytes);
  const ofSecondHost = documents.filter(({ tags }) => tags.hostname === "host_1");
  for (const [metric, name] of METRICS.entries()) {
    const sum = ofSecondHost.reduce((total, document) => total + document[name], 0);
    assert.equal(workload.sums[METRICS.length + metric], sum);
  }
  const again = new CpuWorkload(SHAPE);
  again.advanceTo(300);
  assert.deepEqual(again.sums, workload.sums);
  assert.deepEqual(again.values, workload.values);
});
