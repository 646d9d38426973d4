import assert from "node:assert/strict";
import { Int32, type Value } from "../../../bson/mod.ts";
import { ValueType } from "../../../column/mod.ts";
import type { Page } from "../row_group.ts";
import type { ColumnView, NumberArray } from "./column_view.ts";
import { ExtremeState } from "./extreme_state.ts";
import type { SliceSource } from "./slice_source.ts";

let read = 0;

/** A page of numbers of one type; what reads them is counted. */
function pageOf(type: number, numbers: NumberArray): SliceSource {
  const statistics: Page = {
    offset: 0,
    sizeBytes: 0,
    count: numbers.length,
    nulls: 0,
    typeSet: 1 << type,
    nans: 0,
    min: Math.min(...numbers),
    max: Math.max(...numbers),
    sum: 0,
    sumRest: 0,
    isExact: true,
  };
  const view: ColumnView = { type, numbers, column: undefined, places: undefined };
  return {
    times: new Float64Array(numbers.length),
    rowCount: numbers.length,
    timeBounds: undefined,
    needsRows: false,
    view: () => {
      read++;
      return view;
    },
    page: () => statistics,
    documentAt: () => assert.fail("columns are enough"),
  };
}

const int32s = (...values: number[]) => pageOf(ValueType.Int32, Int32Array.from(values));
const doubles = (...values: number[]) => pageOf(ValueType.Double, Float64Array.from(values));

/** Takes pages one after another, whole or in two runs. @returns the extreme, and how many pages were read */
function fold(kind: "maximum" | "minimum", pages: readonly SliceSource[], inRuns: boolean): [Value, number] {
  const state = new ExtremeState(
    { kind, path: 0, read: () => assert.fail(), create: () => assert.fail() },
    kind === "maximum",
  );
  state.reserve(1);
  read = 0;
  for (const source of pages) {
    const [starts, ends, groups] = [[0, 1], [1, source.rowCount], [0, 0]].map((list) =>
      Int32Array.from(list)
    );
    if (inRuns) state.addRuns({ source, starts: starts!, ends: ends!, groups: groups!, count: 2 });
    else state.add(source, undefined, 0, source.rowCount, 0);
  }
  return [state.result(0), read];
}

Deno.test("a page is read only if it may have a better value, or one of another type", () => {
  for (const inRuns of [false, true]) {
    const of = (kind: "maximum" | "minimum", ...pages: SliceSource[]) => fold(kind, pages, inRuns);
    assert.deepEqual(of("maximum", int32s(3, 7, 5), int32s(7, 2), int32s(1, 6)), [new Int32(7), 1]);
    assert.deepEqual(of("maximum", int32s(3, 7), int32s(1, 8)), [new Int32(8), 2]);
    assert.deepEqual(of("maximum", int32s(3, 7), doubles(1.5, 2.5)), [new Int32(7), 2]);
    assert.deepEqual(of("minimum", doubles(3.5, 1.5), doubles(1.5, 2), doubles(4, 1.25)), [1.25, 2]);
  }
});
