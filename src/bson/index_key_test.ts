import assert from "node:assert/strict";
import { type Random, seededRandom } from "../base/mod.ts";
import { BuiltDocument } from "./document.ts";
import { compareBytes, compareValues } from "./compare.ts";
import { encodeIndexKey, StoredValueKey, textOfKey } from "./index_key.ts";
import { IndexKeyReader } from "./index_key_reader.ts";
import { encodeKeyTypes } from "./key_types.ts";
import { elementType, readValue } from "./raw.ts";
import { BsonType } from "./type.ts";
import { encodeDocument } from "./writer.ts";
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  Code,
  DBPointer,
  Decimal128,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UtcDate,
  type Value,
} from "./value.ts";

const decimal = (text: string) => Decimal128.fromString(text);

const NUMBERS: readonly Value[] = [
  ...[NaN, -Infinity, -Number.MAX_VALUE, -1.5, -1, -5e-324, -0, 0, 5e-324, 0.1, 1, 1.5, 2 ** 53, 2 ** 63],
  ...[Number.MAX_VALUE, Infinity, 1e22, 1e23, 0.30000000000000004, -(2 ** 63), 123456.789],
  ...[0, 1, -1, 2147483647, -2147483648].map((value) => new Int32(value)),
  ...[0n, 1n, -1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  ...[
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "0",
    "-0",
    "0E+6000",
    "1",
    "1.0",
    "1E-6176",
    "-1E-6176",
    "1E+6144",
  ]
    .map(decimal),
  ...[
    "-1E+6144",
    "0.1",
    "0.10",
    "0.1000000000000000055511151231257827",
    "9007199254740993",
    "9007199254740993.5",
  ]
    .map(decimal),
  ...["9223372036854775807", "9223372036854775808", "-9223372036854775808", "1E+22", "1E+23", "0.3", "1.5"]
    .map(
      decimal,
    ),
  ...["9.99999999999999999999999999999999E+6144", "1.7976931348623157E+308", "1.8E+308", "2E-324", "-2E-324"]
    .map(
      decimal,
    ),
];

const TEXTS = [
  "",
  "a",
  "aa",
  "a\0",
  "a\0b",
  "\0",
  "\0\0",
  "\x01",
  "é",
  "\uffff",
  "\u{10000}",
  "zebra",
  "a\xff",
];

const SCALARS: readonly Value[] = [
  undefined,
  BsonUndefined.VALUE,
  null,
  true,
  false,
  new MinKey(),
  new MaxKey(),
  ...NUMBERS,
  ...TEXTS,
  ...TEXTS.map((text) => new BSONSymbol(text)),
  ...TEXTS.map((text) => new Code(text)),
  new Code("a", { x: 1 }),
  ...["000000000000000000000000", "00000000000000000000ff00", "ffffffffffffffffffffffff"].map((hex) =>
    new ObjectId(hex)
  ),
  ...[0, -0, -1, 1, 1e15, -1e15, 2 ** 60].map((ms) => new UtcDate(ms)),
  ...[[0, 0], [0, 1], [1, 0], [0xffffffff, 0xffffffff], [0x7fffffff, 5]].map(([t, i]) =>
    new Timestamp({ t: t!, i: i! })
  ),
  ...[[], [0], [0, 0], [1], [255, 255, 255]].flatMap((bytes) =>
    [0, 4, 128].map((subtype) => new Binary(Uint8Array.from(bytes), subtype))
  ),
  new BSONRegExp("a", "i"),
  new BSONRegExp("a", ""),
  new BSONRegExp("ab", ""),
  new DBPointer("c", new ObjectId("000000000000000000000001")),
  new DBPointer("cc", new ObjectId("000000000000000000000000")),
];

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)]!;
}

function randomNumber(random: Random): Value {
  const magnitude = 10 ** Math.floor(random() * 40 - 15);
  const value = (random() - 0.5) * magnitude;
  switch (Math.floor(random() * 5)) {
    case 0:
      return value;
    case 1:
      return new Int32(value | 0);
    case 2:
      return BigInt.asIntN(64, BigInt(Math.trunc(value)) + BigInt(Math.floor(random() * 3)));
    case 3:
      return decimal(value.toPrecision(17));
    default:
      return decimal(String(value));
  }
}

function randomValue(random: Random, depth: number): Value {
  const kind = random();
  if (depth > 0 && kind < 0.2) {
    return Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth - 1) ?? null);
  }
  if (depth > 0 && kind < 0.45) {
    const names = Array.from(
      { length: Math.floor(random() * 4) },
      () => pick(["a", "b", "", "ab", "é"], random),
    );
    return new BuiltDocument(names, names.map(() => randomValue(random, depth - 1) ?? null));
  }
  return kind < 0.6 ? randomNumber(random) : pick(SCALARS, random);
}

function checkPair(a: Value, b: Value): void {
  const expected = Math.sign(compareValues(a, b));
  const found = Math.sign(compareBytes(encodeIndexKey(a), encodeIndexKey(b)));
  assert.equal(found, expected, `${describe(a)} beside ${describe(b)}`);
}

function describe(value: Value): string {
  return Deno.inspect(value, { depth: 6 });
}

Deno.test("keys order every pair of scalars as BSON does", () => {
  for (const a of SCALARS) {
    for (const b of SCALARS) checkPair(a, b);
  }
});

Deno.test("keys order nested values as BSON does", () => {
  const random = seededRandom(4);
  for (let i = 0; i < 5000; i++) checkPair(randomValue(random, 3), randomValue(random, 3));
});

Deno.test("keys order numbers that lie close, of all types", () => {
  const random = seededRandom(5);
  for (let i = 0; i < 12; i++) {
    const base = 2n ** 53n * BigInt(Math.floor(random() * 1000) + 1) * (random() < 0.5 ? -1n : 1n);
    const near: Value[] = [];
    for (let delta = -3n; delta <= 3n; delta++) {
      near.push(
        base + delta,
        decimal(String(base + delta)),
        decimal(`${base + delta}.5`),
        Number(base + delta),
      );
    }
    for (const a of near) for (const b of near) checkPair(a, b);
  }
});

Deno.test("no key begins another: joined keys order as tuples", () => {
  const random = seededRandom(6);
  for (let i = 0; i < 2000; i++) {
    const [a, b] = [0, 0].map(() => [randomValue(random, 2), randomValue(random, 2)]);
    const expected = compareValues(a![0], b![0]) || compareValues(a![1], b![1]);
    const joined = [a!, b!].map((pair) =>
      Uint8Array.from(pair.flatMap((value) => [...encodeIndexKey(value)]))
    );
    assert.equal(Math.sign(compareBytes(joined[0]!, joined[1]!)), Math.sign(expected));
  }
});

/** Values as a key has them and as they come back. */
function readAgain(values: readonly Value[], descending: readonly boolean[]): readonly Value[] {
  const key = values.flatMap((value, i) =>
    [...encodeIndexKey(value)].map((byte) => descending[i] ? ~byte : byte)
  );
  const reader = new IndexKeyReader(Uint8Array.from(key), encodeKeyTypes(values));
  const found = values.map((_, i) => reader.next(descending[i]!));
  assert.equal(reader.at, key.length);
  return found;
}

function bytesOf(values: readonly Value[]): Uint8Array {
  return encodeDocument(new BuiltDocument(values.map((_, i) => `${i}`), values));
}

Deno.test("keys and types together give back the very values", () => {
  const random = seededRandom(7);
  const exact = SCALARS.filter((value) => value !== undefined);
  for (const value of exact) {
    assert.deepEqual(bytesOf(readAgain([value], [false])), bytesOf([value]), describe(value));
  }
  for (let i = 0; i < 5000; i++) {
    const values = Array.from({ length: 1 + i % 3 }, () => randomValue(random, 3) ?? null);
    const descending = values.map(() => random() < 0.5);
    assert.deepEqual(bytesOf(readAgain(values, descending)), bytesOf(values), describe(values));
  }
});

Deno.test("what most values are needs no types", () => {
  const plain = [1, 2, 3].map((value) => new Int32(value));
  assert.equal(
    encodeKeyTypes([...plain, 1.5, "text", new ObjectId(), null, new UtcDate(5), 1e15, true]),
    null,
  );
  assert.deepEqual(encodeKeyTypes([plain[0], 2, 5n, "text"]), Uint8Array.of(0, 1, 2));
});

Deno.test("the key of a value that lies in bytes is that of the value", () => {
  const key = new StoredValueKey();
  const check = (value: Value, bytes: Uint8Array) => {
    const length = key.encode(bytes, elementType(bytes, 4), 6);
    const { view } = key;
    assert.deepEqual(new Uint8Array(view.buffer, view.byteOffset, length), encodeIndexKey(value));
  };
  const random = seededRandom(11);
  const texts = ["a\x7f", "é", "x".repeat(1000), "x".repeat(70_000), "y"];
  for (const value of [...SCALARS, ...texts, ...Array.from({ length: 500 }, () => randomValue(random, 2))]) {
    if (value !== undefined) check(value, encodeDocument(new BuiltDocument([""], [value])));
  }
  const notUtf8 = Uint8Array.of(14, 0, 0, 0, 2, 0, 3, 0, 0, 0, 97, 255, 0, 0);
  check(readValue(notUtf8, BsonType.String, 6), notUtf8);
});

Deno.test("a text is its key's alone, but for zeros and what stands for bytes that are no UTF-8", () => {
  const text = (value: Value) => {
    const bytes = textOfKey(encodeIndexKey(value));
    return bytes && new TextDecoder().decode(bytes);
  };
  for (const plain of ["", "a", "é", "\u{10000}"]) assert.equal(text(plain), plain);
  for (const other of ["\0", "a\0b", "\ufffd", "a\ufffd", 1, null, new Code("a"), undefined]) {
    assert.equal(text(other), undefined);
  }
});
