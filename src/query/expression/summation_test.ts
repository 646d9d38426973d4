import assert from "node:assert/strict";
import { Decimal128, Int32 } from "../../bson/mod.ts";
import type { NumberValue } from "./number.ts";
import { Summation } from "./summation.ts";

function sum(...values: readonly NumberValue[]): NumberValue {
  const total = new Summation();
  for (const value of values) total.add(value);
  return total.result();
}

Deno.test("sums of doubles are MongoDB's, to the last bit", () => {
  assert.equal(sum(...new Array<number>(10).fill(0.1)), 1);
  assert.equal(sum(1e16, 1, -1e16), 0);
  assert.equal(sum(1e16, 1, 1, 1, -1e16), 4);
  assert.equal(sum(2147483648n, 2.675, 0.1, 0.00001, new Int32(-2147483647)), 3.775010108947754);
  assert.equal(sum(Infinity, 1), Infinity);
  assert.equal(sum(Infinity, -Infinity), NaN);
});

Deno.test("the sum of integers is the narrowest integer type that was seen and fits, then a double", () => {
  assert.deepEqual(sum(new Int32(2147483647), new Int32(1)), 2147483648n);
  assert.equal(sum(5n, new Int32(-5)), 0n);
  assert.equal(sum(9223372036854775807n, -1n), 9223372036854775806n);
  assert.equal(sum(9223372036854775807n, new Int32(1)), 9223372036854775808);
  assert.equal(String(sum(0.1, Decimal128.fromString("0"))), "0.1000000000000000055511151231257827");
});

Deno.test("merged partial sums are the sum of all", () => {
  const parts: readonly (readonly NumberValue[])[] = [
    [new Int32(1), new Int32(2)],
    [3n],
    [9007199254740993n, 9007199254740993n],
  ];
  const merged = new Summation();
  for (const part of parts) {
    const one = new Summation();
    for (const value of part) one.add(value);
    merged.merge(one.partial());
  }
  assert.deepEqual(merged.result(), sum(...parts.flat()));
});
