import assert from "node:assert/strict";
import {
  Binary,
  BSONSymbol,
  BuiltDocument,
  Code,
  Decimal128,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { duplicateKeyError, takenId } from "./duplicate_key.ts";

/** What MongoDB 6.0.5 answered to a second insert of each _id. */
const CASES: readonly (readonly [Value, string])[] = [
  [new Int32(1), "1"],
  [1.5, "1.5"],
  [2, "2.0"],
  [1e20, "1e+20.0"],
  [1e-7, "1e-07.0"],
  [NaN, "nan.0"],
  [Infinity, "inf.0"],
  [-Infinity, "-inf.0"],
  [-0, "-0.0"],
  [9007199254740993n, "9007199254740993"],
  [Decimal128.fromString("1.50"), "1.50"],
  ["a", '"a"'],
  ['q"uo\\te\n\u0001é', '"q"uo\\te\n\u0001é"'],
  ["x".repeat(300), `"${"x".repeat(150)}..."`],
  [new ObjectId("64b000000000000000000001"), "ObjectId('64b000000000000000000001')"],
  [true, "true"],
  [null, "null"],
  [new UtcDate(1700000000123), "new Date(1700000000123)"],
  [new UtcDate(-62167219200000), "new Date(-62167219200000)"],
  [new Timestamp({ t: 1, i: 2 }), "Timestamp(1, 2)"],
  [new Binary(Uint8Array.of(0x68, 0x69), 0), "BinData(0, 6869)"],
  [new Binary(Uint8Array.of(0x68, 0x69), 5), "BinData(5, 6869)"],
  [
    new Binary(Uint8Array.from({ length: 16 }, (_, i) => i * 17), 4),
    'UUID("00112233-4455-6677-8899-aabbccddeeff")',
  ],
  [new MinKey(), "MinKey"],
  [new MaxKey(), "MaxKey"],
  [new Code("f()"), "f()"],
  [new Code("f()", { a: 1 }), "CodeWScope( f(), { a: 1 })"],
  [new BSONSymbol("s"), '"s"'],
  [
    BuiltDocument.of({ a: new Int32(1), b: BuiltDocument.of({ c: "x" }), d: [new Int32(1), 2.5] }),
    '{ a: 1, b: { c: "x" }, d: [ 1, 2.5 ] }',
  ],
  [BuiltDocument.EMPTY, "{}"],
  [BuiltDocument.of({ a: [] }), "{ a: [] }"],
  [BuiltDocument.of({ a: [BuiltDocument.of({ b: new Int32(1) })] }), "{ a: [ { b: 1 } ] }"],
  [BuiltDocument.of({ "a b": new Int32(1) }), "{ a b: 1 }"],
];

Deno.test("a duplicate key is told in MongoDB's words", () => {
  for (const [id, shown] of CASES) {
    const error = duplicateKeyError("d.k", takenId(id));
    assert.equal(
      error.message,
      `E11000 duplicate key error collection: d.k index: _id_ dup key: { _id: ${shown} }`,
    );
    assert.deepEqual([error.code, error.codeName], [11000, "DuplicateKey"]);
    assert.deepEqual(Object.keys(error.extra), ["keyPattern", "keyValue"]);
    const { keyPattern, keyValue } = error.extra as Readonly<Record<string, BuiltDocument>>;
    assert.deepEqual(keyPattern?.get("_id"), Int32.of(1));
    assert.deepEqual(keyValue?.get("_id"), id);
  }
});

Deno.test("doubles are shown with sixteen digits", () => {
  const shown = (value: number) => /_id: (.*) }$/.exec(duplicateKeyError("d.k", takenId(value)).message)?.[1];
  assert.deepEqual(
    [0.1, 123456.789, 0.0001, 0.00001, 1e15, 1e16, 1234567890123456, 0.30000000000000004].map(shown),
    [
      "0.1",
      "123456.789",
      "0.0001",
      "1e-05.0",
      "1000000000000000.0",
      "1e+16.0",
      "1234567890123456.0",
      "0.3",
    ],
  );
});
