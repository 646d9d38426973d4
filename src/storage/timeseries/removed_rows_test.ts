import assert from "node:assert/strict";
import { ByteReader } from "../../column/mod.ts";
import { readSpans, RemovedRows } from "./removed_rows.ts";

function spansOf(bytes: Uint8Array): number[][] {
  return [...readSpans(new ByteReader(bytes))].flatMap((block) =>
    Array.from({ length: block.count }, (_, i) => [
      block.series[i]!,
      block.fromMs[i]!,
      block.fromOrdinals[i]!,
      block.toMs[i]!,
      block.toOrdinals[i]!,
    ])
  );
}

Deno.test("neighbours become one span; a row between, or another series, ends it", () => {
  const removed = new RemovedRows();
  const rows = [[2, 10, 0, 5], [2, 10, 1, 6], [2, 30, 0, 7], [2, 50, 0, 9], [3, 50, 0, 10]] as const;
  for (const [series, time, ordinal, visit] of rows) removed.add({ series, time, ordinal, visit });
  assert.equal(removed.isEmpty, false);
  const { bytes, hasLongSpans } = removed.take();
  assert.deepEqual(spansOf(bytes), [[2, 10, 0, 30, 0], [2, 50, 0, 50, 0], [3, 50, 0, 50, 0]]);
  assert.equal(hasLongSpans, true);
  assert.equal(removed.isEmpty, true);
  assert.deepEqual(spansOf(removed.take().bytes), []);
});

Deno.test("times from one end to the other are kept, in more spans than one where a span cannot reach", () => {
  const removed = new RemovedRows();
  const [first, last] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  removed.add({ series: 0, time: first, ordinal: 0, visit: 0 });
  removed.add({ series: 0, time: 0, ordinal: 0, visit: 1 });
  removed.add({ series: 0, time: last, ordinal: 3, visit: 2 });
  assert.deepEqual(spansOf(removed.take().bytes), [[0, first, 0, 0, 0], [0, last, 3, last, 3]]);
});

Deno.test("a million rows in one span take a few bytes, every second one of as many some", () => {
  const removed = new RemovedRows();
  for (let i = 0; i < 1_000_000; i++) removed.add({ series: 1, time: i * 1000, ordinal: 0, visit: i });
  assert.ok(removed.take().bytes.length < 50);
  for (let i = 0; i < 1_000_000; i++) removed.add({ series: 1, time: i * 1000, ordinal: 0, visit: i * 2 });
  const { bytes, hasLongSpans } = removed.take();
  assert.ok(bytes.length < 20_000, `${bytes.length} bytes`);
  assert.equal(hasLongSpans, false);
  assert.equal(spansOf(bytes).length, 1_000_000);
});
