import { strictEqual } from "node:assert/strict";
import { Int32, UtcDate, type Value } from "../bson/mod.ts";
import { ValueMap } from "./value_map.ts";

Deno.test("a map of values tells apart what BSON equality tells apart, whatever was asked for before", () => {
  // Each line is one entry: values equal in BSON order.
  const entries: readonly (readonly Value[])[] = [
    [new UtcDate(1), new UtcDate(1)],
    [new UtcDate(0), new UtcDate(-0)],
    [1, Int32.of(1), 1n],
    ["1", "1"],
    ["\0d1"],
    [NaN, NaN],
    [null],
    [undefined],
    ["", ""],
    [[new UtcDate(1)]],
  ];
  const map = new ValueMap<number>();
  entries.forEach((values, entry) => {
    for (const value of values) strictEqual(map.get(value), undefined);
    map.set(values[0]!, entry);
  });
  const all = entries.flatMap((values, entry) => values.map((value) => ({ value, entry })));
  for (const before of all) {
    for (const { value, entry } of all) {
      strictEqual(map.get(before.value), before.entry);
      strictEqual(map.get(value), entry);
    }
  }
  strictEqual(map.get(new UtcDate(2)), undefined);
  strictEqual(map.get(new UtcDate(NaN)), undefined);
});
