import assert from "node:assert/strict";
import { BSONSymbol, DBRef, deserialize, Double, serialize } from "bson";
import {
  Binary,
  BSONRegExp,
  BuiltDocument,
  canonicalValue,
  Code,
  Decimal128,
  encodeDocument,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  RawDocument,
  Timestamp,
  UtcDate,
} from "./mod.ts";

const EVERY_TYPE = {
  double: 2.5,
  negativeZero: new Double(-0),
  text: "héllo\0wörld",
  long: "x".repeat(100),
  nested: { z: 1, a: { b: [1, { c: null }] } },
  array: [1, "two", [3]],
  binary: new Binary(new Uint8Array([1, 2, 3]), 5),
  id: new ObjectId("0123456789abcdef01234567"),
  yes: true,
  no: false,
  date: new Date(-5),
  nothing: null,
  regex: new BSONRegExp("^a", "im"),
  code: new Code("f()"),
  scoped: new Code("f(x)", { x: 1 }),
  symbol: new BSONSymbol("s"),
  int: 7,
  big: -9223372036854775808n,
  timestamp: new Timestamp(0x7ffffffffn),
  decimal: Decimal128.fromString("1.50"),
  min: new MinKey(),
  max: new MaxKey(),
  reference: new DBRef("c", new ObjectId("0123456789abcdef01234567")),
  "": "no name",
  "ключ": "name beyond ASCII",
};

Deno.test("a document of every type is read and written back byte for byte", () => {
  const bytes = serialize(EVERY_TYPE);
  const raw = new RawDocument(bytes);
  assert.deepEqual(raw.names(), Object.keys(EVERY_TYPE));
  assert.deepEqual(encodeDocument(new BuiltDocument(raw.names(), raw.values())), new Uint8Array(bytes));
  assert.deepEqual(encodeDocument(raw), new Uint8Array(bytes));
});

Deno.test("fields are found by name, types kept", () => {
  const raw = new RawDocument(serialize(EVERY_TYPE));
  assert.equal(raw.get("double"), 2.5);
  assert.ok(Object.is(raw.get("negativeZero"), -0));
  assert.equal(raw.get("text"), "héllo\0wörld");
  assert.deepEqual(raw.get("int"), Int32.of(7));
  assert.equal(raw.get("big"), -9223372036854775808n);
  assert.deepEqual(raw.get("date"), new UtcDate(-5));
  assert.equal(raw.get("ключ"), "name beyond ASCII");
  assert.equal(raw.get(""), "no name");
  assert.equal(raw.get("nothing"), null);
  assert.equal(raw.get("nothin"), undefined);
  assert.equal(raw.get("absent"), undefined);
  assert.equal(raw.has("nothing"), true);
});

Deno.test("a document inside other bytes is read in its place", () => {
  const inner = serialize({ a: 1 });
  const bytes = new Uint8Array([9, 9, ...inner, 9]);
  const raw = new RawDocument(bytes, 2);
  assert.deepEqual(raw.get("a"), Int32.of(1));
  assert.equal(raw.sizeBytes, inner.length);
});

Deno.test("the canonical form sorts the fields of all documents, not arrays, and keeps types", () => {
  const raw = new RawDocument(serialize({ m: { z: 1, a: { y: 2.5, b: [{ d: 1, c: 2 }, 1] } } }));
  const canonical = canonicalValue(raw.get("m"));
  const bytes = encodeDocument(BuiltDocument.of({ m: canonical }));
  assert.equal(JSON.stringify(deserialize(bytes)), '{"m":{"a":{"b":[{"c":2,"d":1},1],"y":2.5},"z":1}}');
});
