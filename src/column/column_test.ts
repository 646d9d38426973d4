import assert from "node:assert/strict";
import { seededRandom } from "../base/mod.ts";
import { Column, MIXED, viewOf } from "./column.ts";
import { MemoryAccount } from "./memory_account.ts";
import { ValueType } from "./value_type.ts";
import { zeroWords } from "./words.ts";

const random = seededRandom(7);
const below = (limit: number) => Math.floor(random() * limit);
const WORD = new DataView(new ArrayBuffer(4));

/** A number that takes one, two or four bytes, mostly the first. */
function someNumber(): number {
  const bits = [7, 7, 7, 7, 7, 15, 31][below(7)]!;
  return below(2) === 0 ? below(2 ** bits) : -1 - below(2 ** bits);
}

function append(column: Column, value: number): void {
  WORD.setInt32(0, value, true);
  column.append(ValueType.Int32, WORD, 0, 4);
}

/** Words in an array that is as narrow as it can be, or wider. */
function columnOf(values: readonly number[]): Column {
  const least = values.every((value) => value === value << 24 >> 24)
    ? 1
    : values.every((value) => value === value << 16 >> 16)
    ? 2
    : 4;
  const words = zeroWords(values.length, Math.max(least, [1, 2, 4][below(3)]!));
  words.set(values);
  return Column.ofWords(ValueType.Int32, words, values.length);
}

Deno.test("a column takes numbers of all widths, alone and many at once, and counts what it holds", () => {
  for (let round = 0; round < 300; round++) {
    const account = new MemoryAccount();
    const column = new Column(account);
    const expected: number[] = [];
    for (let step = below(30); step >= 0; step--) {
      const kind = below(8);
      if (kind === 0 && expected.length > 0) {
        column.dropLast();
        expected.pop();
      } else if (kind === 1 && below(4) === 0) {
        column.clear();
        expected.length = 0;
      } else if (kind < 4) {
        const value = someNumber();
        append(column, value);
        expected.push(value);
      } else {
        const values = Array.from({ length: below(20) }, someNumber);
        const from = below(values.length + 1);
        const other = columnOf(values);
        if (kind === 4) { for (let i = from; i < values.length; i++) column.appendFrom(other, i); }
        else column.appendRange(other, from, values.length);
        expected.push(...values.slice(from));
      }
      assert.deepEqual([...column.words.subarray(0, column.length)], expected);
      assert.equal(account.bytes, column.memoryBytes);
    }
    const indexes = Int32Array.from({ length: 10 }, () => below(Math.max(1, expected.length)));
    if (expected.length === 0) continue;
    const gathered = Column.gather(column, indexes);
    assert.deepEqual([...gathered.words], [...indexes].map((index) => expected[index]));
    const bit = Column.ofWords(ValueType.Boolean, Int32Array.of(1), 1);
    column.appendFrom(bit, 0);
    assert.equal(column.type, MIXED);
    column.append(ValueType.Double, viewOf(Float64Array.of(0.5)), 0, 8);
    assert.deepEqual([...expected, 1].map((_, i) => column.words[2 * i]), [...expected, 1]);
    assert.equal(column.doubles[expected.length + 1], 0.5);
  }
});

Deno.test("small numbers that come many at once take a byte each, until one comes that needs more", () => {
  const column = new Column();
  for (let i = 0; i < 10; i++) {
    column.appendRange(Column.ofWords(ValueType.Int32, new Int8Array(100), 100), 0, 100);
  }
  assert.equal(column.words.BYTES_PER_ELEMENT, 1);
  append(column, 128);
  assert.equal(column.words.BYTES_PER_ELEMENT, 2);
  assert.equal(column.words[1000], 128);
});
