import { deepStrictEqual } from "node:assert/strict";
import { BsonType } from "./type.ts";
import { Decimal128, Int32, ObjectId, type Value } from "./value.ts";
import { BsonWriter } from "./writer.ts";

const NAME = new TextEncoder().encode("größe\0");

Deno.test("an element written from words and an encoded name is the element written from a value", () => {
  const cases: readonly [BsonType, Value, readonly number[], number][] = [
    [BsonType.Null, null, [], 0],
    [BsonType.Boolean, true, [1], 1],
    [BsonType.Int32, Int32.of(-5), [-5], 4],
    [BsonType.Int64, 7n - 2n ** 40n, [7, -256], 8],
    [BsonType.Double, 1.5, [0, 0x3ff80000], 8],
    [BsonType.ObjectId, new ObjectId("0102030405060708090a0b0c"), [0x04030201, 0x08070605, 0x0c0b0a09], 12],
    [BsonType.Decimal128, Decimal128.fromString("1"), [1, 0, 0, 0x30400000], 16],
  ];
  // From the first byte on, and where the buffer has to grow in the middle.
  for (const initialBytes of [256, 1]) {
    for (const [type, value, words, sizeBytes] of cases) {
      const expected = new BsonWriter();
      expected.value("größe", value);
      const element = new BsonWriter(initialBytes);
      element.wordElement(type, NAME, Int32Array.of(99, ...words), 1, sizeBytes);
      const header = new BsonWriter(initialBytes);
      header.encodedHeader(type, NAME);
      const bytes = expected.take();
      deepStrictEqual(element.take(), bytes);
      deepStrictEqual(header.take(), bytes.subarray(0, bytes.length - sizeBytes));
    }
  }
});

Deno.test("an int64 from a number is the same int64", () => {
  const wholes = [
    0,
    -0,
    1,
    -1,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    -(2 ** 32),
    2 ** 53 - 1,
    -(2 ** 53) + 1,
    2 ** 62,
    -(2 ** 63),
  ];
  for (const value of [...wholes, 1_700_000_000_123, -1_700_000_000_123]) {
    const expected = new BsonWriter();
    expected.int64(BigInt(value));
    const written = new BsonWriter();
    written.int64OfNumber(value);
    deepStrictEqual(written.take(), expected.take(), String(value));
  }
});

Deno.test("bytes are copied whatever their number", () => {
  const source = Uint8Array.from({ length: 100 }, (_, i) => i);
  for (const count of [0, 1, 31, 32, 33, 90]) {
    const writer = new BsonWriter(1);
    writer.bytes(source, 5, 5 + count);
    deepStrictEqual(writer.take(), source.subarray(5, 5 + count));
  }
});

Deno.test("the places of an array's elements are written as decimal names", () => {
  for (const index of [0, 7, 9, 10, 11, 99, 100, 999, 1000, 65_535, 100_000, 999_999, 4_294_967_295]) {
    const writer = new BsonWriter();
    writer.indexHeader(BsonType.Null, index);
    const named = new BsonWriter();
    named.header(BsonType.Null, String(index));
    deepStrictEqual(writer.take(), named.take());
  }
});
