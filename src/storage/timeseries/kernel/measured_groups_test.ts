import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { UtcDate, type Value } from "../../../bson/mod.ts";
import { Column, ValueType, viewOf as bytesOf } from "../../../column/mod.ts";
import { type ColumnView, viewOf, viewOfTimes } from "./column_view.ts";
import { MeasuredGroups } from "./measured_groups.ts";
import { NOT_THERE } from "./pair_table.ts";
import type { SliceSource } from "./slice_source.ts";
import { ValueCodes } from "./value_codes.ts";

function sourceOf(...views: readonly ColumnView[]): SliceSource {
  return {
    times: new Float64Array(0),
    rowCount: 0,
    timeBounds: undefined,
    needsRows: false,
    view: (path) => views[path]!,
    page: () => undefined,
    documentAt: () => {
      throw new Error("no row is asked for as a document");
    },
  };
}

/** Groups by the values themselves; `asked` gathers what was asked about. */
function groupsBy(paths: number, asked: (readonly Value[])[] = []): MeasuredGroups {
  const numbers = new Map<string, number>();
  return new MeasuredGroups({
    paths: Array.from({ length: paths }, (_, i) => i),
    groupOf: (_meta, _ms, values) => {
      asked.push(values);
      const key = values.map((value) => value instanceof UtcDate ? value.ms : String(value)).join();
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, numbers.size);
      return numbers.size - 1;
    },
    groupOfRow: () => 0,
  });
}

function textColumn(texts: readonly string[]): Column {
  const column = new Column();
  for (const text of texts) {
    const bytes = new TextEncoder().encode(text);
    column.append(ValueType.String, bytesOf(bytes), 0, bytes.length);
  }
  return column;
}

Deno.test("rows are parted by their values, each part in the order of its rows", () => {
  const places = Int32Array.of(0, 1, 1, 2, 3, 4);
  const column = textColumn(["b", "a", "b", "a"]);
  const groups = groupsBy(1);
  const source = sourceOf(viewOf(column, places, 4));
  strictEqual(groups.read({ source, rows: undefined, from: 0, to: 5 }, 0, undefined, 0), NOT_THERE);
  deepStrictEqual([...groups.groups.subarray(0, 5)], [0, 1, 2, 0, 2]);
  groups.part(undefined, 0, 5, 3);
  strictEqual(groups.partCount, 3);
  deepStrictEqual([...groups.partGroups.subarray(0, 3)], [0, 1, 2]);
  deepStrictEqual([...groups.partEnds.subarray(0, 3)], [2, 3, 5]);
  deepStrictEqual([...groups.rows.subarray(0, 5)], [0, 3, 1, 2, 4]);
  const rows = Int32Array.of(0, 3);
  strictEqual(groups.read({ source, rows, from: 0, to: 2 }, 0, undefined, 0), 0);
});

Deno.test("a key is asked for once a cell and combination of values", () => {
  const asked: (readonly Value[])[] = [];
  const groups = groupsBy(2, asked);
  const source = sourceOf(
    viewOf(textColumn(["a", "b", "a", "b"]), undefined, 4),
    viewOfTimes(Float64Array.of(1, 1, 2, 1)),
  );
  for (const cell of [0, 0, 1]) {
    groups.read({ source, rows: undefined, from: 0, to: 4 }, cell, undefined, 0);
    deepStrictEqual([...groups.groups.subarray(0, 4)], [0, 1, 2, 1]);
  }
  strictEqual(asked.length, 6);
});

Deno.test("more values than are remembered keep their groups", () => {
  const groups = groupsBy(1);
  const count = 5000;
  for (let round = 0; round < 3; round++) {
    for (let from = 0; from < 100_000; from += count) {
      const source = sourceOf(viewOfTimes(Float64Array.from({ length: count }, (_, i) => from + i)));
      groups.read({ source, rows: undefined, from: 0, to: count }, 0, undefined, 0);
      strictEqual(groups.groups[0], from);
      strictEqual(groups.groups[count - 1], from + count - 1);
    }
  }
});

Deno.test("values of other types, and zeros of other signs, have other numbers", () => {
  const column = new Column();
  const bytes = new DataView(new ArrayBuffer(12));
  const append = (type: number, size: number, write: () => void) => {
    new Uint8Array(bytes.buffer).fill(0);
    write();
    column.append(type, bytes, 0, size);
  };
  const all = () => {
    append(ValueType.Int32, 4, () => bytes.setInt32(0, 5, true));
    append(ValueType.Double, 8, () => bytes.setFloat64(0, 5, true));
    append(ValueType.Double, 8, () => bytes.setFloat64(0, 0, true));
    append(ValueType.Double, 8, () => bytes.setFloat64(0, -0, true));
    append(ValueType.Int64, 8, () => bytes.setInt32(0, 5, true));
    append(ValueType.Boolean, 1, () => bytes.setUint8(0, 1));
    append(ValueType.Null, 0, () => {});
    append(ValueType.ObjectId, 12, () => bytes.setInt32(0, 5, true));
  };
  all();
  all();
  const codes = new ValueCodes();
  const out = new Int32Array(16);
  codes.read(viewOf(column, undefined, 16), undefined, 0, 16, out);
  strictEqual(new Set(out.subarray(0, 8)).size, 8);
  deepStrictEqual([...out.subarray(8)], [...out.subarray(0, 8)]);
});
