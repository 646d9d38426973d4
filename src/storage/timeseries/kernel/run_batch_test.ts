import assert from "node:assert/strict";
import { seededRandom } from "../../../base/mod.ts";
import { BuiltDocument, type Value } from "../../../bson/mod.ts";
import { Column, ValueType } from "../../../column/mod.ts";
import { viewOf } from "./column_view.ts";
import { CountState } from "./count_state.ts";
import { ExtremeState } from "./extreme_state.ts";
import type { Accumulator, FoldedOutput } from "./fragment.ts";
import type { OutputState } from "./output_state.ts";
import { RunBatch } from "./run_batch.ts";
import type { SliceSource } from "./slice_source.ts";
import { SumState } from "./sum_state.ts";

const ROWS = 400;
const GROUPS = 8;

/** Keeps what it is given. */
function listing(): Accumulator {
  const values: Value[] = [];
  return {
    add: (value) => void values.push(value),
    partial: () => values,
    merge: (partial) => void values.push(partial),
    result: () => values,
  };
}

function outputOf(kind: FoldedOutput["kind"]): FoldedOutput {
  return { kind, path: 0, read: () => undefined, create: listing };
}

function sourceOf(column: Column): SliceSource {
  const view = viewOf(column, undefined, column.length);
  return {
    times: new Float64Array(column.length),
    rowCount: column.length,
    timeBounds: undefined,
    needsRows: false,
    view: () => view,
    page: () => undefined,
    documentAt: () => BuiltDocument.EMPTY,
  };
}

function columnsOf(random: () => number): Column[] {
  const below = (count: number) => Math.floor(random() * count);
  const numbers = () => Array.from({ length: ROWS }, () => below(200) - 100);
  const words = [Int8Array.from(numbers()), Int16Array.from(numbers()), Int32Array.from(numbers())]
    .map((words) => Column.ofWords(ValueType.Int32, words, ROWS));
  const doubles = Float64Array.from({ length: ROWS }, () => random() - 0.5);
  const dates = BigInt64Array.from({ length: ROWS }, () => BigInt(below(1000)));
  return [
    ...words,
    Column.ofWords(ValueType.Double, new Int32Array(doubles.buffer), ROWS),
    Column.ofWords(ValueType.Date, new Int32Array(dates.buffer), ROWS),
  ];
}

Deno.test("runs taken together give what they give one by one", () => {
  const random = seededRandom(3);
  const kinds: (() => OutputState)[] = [
    () => new CountState(),
    () => new SumState(outputOf("sum"), false),
    () => new SumState(outputOf("average"), true),
    () => new ExtremeState(outputOf("minimum"), false),
    () => new ExtremeState(outputOf("maximum"), true),
  ];
  for (const kind of kinds) {
    const together = kind();
    const single = kind();
    for (const state of [together, single]) state.reserve(GROUPS);
    // Dates behind numbers take groups over to accumulators.
    for (const source of [...columnsOf(random), ...columnsOf(random)].map(sourceOf)) {
      const batch = new RunBatch();
      for (let at = 0; at < ROWS;) {
        const from = at + Math.floor(random() * 3);
        const to = Math.min(ROWS, from + 1 + Math.floor(random() * 20));
        if (from >= to) break;
        const group = Math.floor(random() * GROUPS);
        assert.ok(batch.takes(source, from));
        batch.add(source, from, to, group);
        single.add(source, undefined, from, to, group);
        at = to;
      }
      together.addRuns(batch);
    }
    for (let group = 0; group < GROUPS; group++) {
      assert.deepEqual(together.partial(group), single.partial(group));
    }
  }
});

Deno.test("a batch takes neighbouring runs of one source", () => {
  const [one, other] = columnsOf(seededRandom(1)).map(sourceOf);
  const batch = new RunBatch();
  assert.ok(batch.takes(one!, 3000));
  batch.add(one!, 0, 10, 0);
  assert.ok(batch.takes(one!, 100));
  assert.ok(!batch.takes(one!, 3000), "what is between them may have to be read");
  assert.ok(!batch.takes(other!, 10));
  batch.clear();
  assert.ok(batch.takes(other!, 10));
});
