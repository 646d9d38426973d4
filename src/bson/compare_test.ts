import assert from "node:assert/strict";
import {
  Binary,
  BSONRegExp,
  BsonUndefined,
  BuiltDocument,
  Code,
  compareText,
  compareValues,
  Decimal128,
  Int32,
  keyOf,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UtcDate,
  type Value,
} from "./mod.ts";

const decimal = (text: string) => Decimal128.fromString(text);

/** Groups of equal values, in BSON order. */
const ORDER: readonly (readonly Value[])[] = [
  [new MinKey()],
  [undefined, BsonUndefined.VALUE],
  [null],
  [NaN, decimal("NaN")],
  [-Infinity, decimal("-Infinity")],
  [decimal("-1E+400")],
  [-1.5, decimal("-1.50")],
  [0, -0, Int32.of(0), 0n, decimal("-0"), decimal("0E+10")],
  [decimal("0.1")],
  [0.1],
  [1, Int32.of(1), 1n, decimal("1.000")],
  [9007199254740992, 9007199254740992n],
  [9007199254740993n, decimal("9007199254740993")],
  [9007199254740994],
  [9223372036854775807n],
  [9223372036854775808, decimal("9223372036854775808")],
  [Infinity, decimal("Infinity")],
  [""],
  ["a"],
  ["a\0b"],
  ["ab"],
  ["\uffff"],
  ["\u{10000}"],
  [BuiltDocument.of({})],
  [BuiltDocument.of({ b: 1 }), BuiltDocument.of({ b: Int32.of(1) })],
  [BuiltDocument.of({ b: 1, a: 1 })],
  [BuiltDocument.of({ a: "x" })],
  [[]],
  [[1], [1n]],
  [[1, 2]],
  [new Binary(new Uint8Array([9]), 0)],
  [new Binary(new Uint8Array([1]), 5)],
  [new Binary(new Uint8Array([1, 1]), 0)],
  [new ObjectId("000000000000000000000001")],
  [new ObjectId("f00000000000000000000000")],
  [false],
  [true],
  [new UtcDate(-1)],
  [new UtcDate(5)],
  [new Timestamp(0x1ffffffffn)],
  [new Timestamp(0xfffffffe00000000n)],
  [new BSONRegExp("a", "")],
  [new BSONRegExp("a", "i")],
  [new Code("f")],
  [new MaxKey()],
];

Deno.test("values compare in BSON order, numbers exactly across types", () => {
  for (const [i, group] of ORDER.entries()) {
    for (const [j, other] of ORDER.entries()) {
      for (const a of group) {
        for (const b of other) {
          assert.equal(Math.sign(compareValues(a, b)), Math.sign(i - j), `${String(a)} against ${String(b)}`);
        }
      }
    }
  }
});

Deno.test("a value's key is equal for exactly the equal values", () => {
  for (const [i, group] of ORDER.entries()) {
    for (const [j, other] of ORDER.entries()) {
      for (const a of group) {
        for (const b of other) {
          // A Map holds NaN equal to itself and −0 to 0, so the comparison is a Map's.
          assert.equal(new Set([keyOf(a), keyOf(b)]).size === 1, i === j, `${String(a)} and ${String(b)}`);
        }
      }
    }
  }
});

Deno.test("nested values do not run together in a key", () => {
  assert.notEqual(keyOf(["ab", "c"]), keyOf(["a", "bc"]));
  assert.notEqual(keyOf(["1"]), keyOf([1]));
  assert.notEqual(keyOf([null]), keyOf(["null"]));
  assert.notEqual(
    keyOf(BuiltDocument.of({ a: 1, b: 2 })),
    keyOf(BuiltDocument.of({ a: BuiltDocument.of({ b: 2 }) })),
  );
  assert.notEqual(keyOf("\0d5"), keyOf(new UtcDate(5)));
});

Deno.test("text compares by UTF-8 bytes", () => {
  const texts = ["", "a", "é", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}", "z", "aé"];
  const utf8 = (text: string) =>
    [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte)).join("");
  for (const a of texts) {
    for (const b of texts) {
      const expected = utf8(a) < utf8(b) ? -1 : utf8(a) > utf8(b) ? 1 : 0;
      assert.equal(Math.sign(compareText(a, b)), expected, JSON.stringify([a, b]));
    }
  }
});
