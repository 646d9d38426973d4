/**
 * Values and codes are those of MongoDB 8.0's own tests (`jstests/aggregation/expressions/expression_convert_bindata.js`) and of its
 * source (`parseBinDataFormat` and `computeBinDataType` of `$convert`).
 */
import assert from "node:assert/strict";
import { Binary, BuiltDocument, Int32, ObjectId, UtcDate, type Value } from "../../bson/mod.ts";
import { compileExpression } from "./compile.ts";
import { NO_SCOPE } from "./expression.ts";
import { parseExpression } from "./parse.ts";

const UUID = "867dee52-c331-484e-92d1-c56479b8e67e";
const BASE64 = "hn3uUsMxSE6S0cVkebjmfg==";
const BYTES = Uint8Array.fromBase64(BASE64);
const SMILES = "🙂😎";

const binary = (subtype: number, bytes = BYTES) => new Binary(bytes, subtype);
const target = (type: string, subtype?: number) =>
  BuiltDocument.of({ type, subtype: subtype === undefined ? undefined : Int32.of(subtype) });

function evaluate(expression: Value): Value {
  return compileExpression(parseExpression(expression, { variables: new Set() }))(NO_SCOPE);
}

function convert(input: Value, to: Value, format?: Value, onError?: Value): Value {
  const constant = BuiltDocument.of({ $literal: input });
  return evaluate(BuiltDocument.of({ $convert: BuiltDocument.of({ input: constant, to, format, onError }) }));
}

Deno.test("a type may be named in a document", () => {
  assert.equal(convert(1.9, target("string")), "1.9");
  assert.deepEqual(convert(1.9, target("date")), new UtcDate(1));
  assert.deepEqual(convert(1.9, target("int")), Int32.of(1));
});

Deno.test("texts become binary data, and that texts", () => {
  const pairs: readonly (readonly [string, string, Binary])[] = [
    [UUID, "uuid", binary(4)],
    [BASE64, "base64", binary(0)],
    [BASE64.slice(0, -2), "base64url", binary(0)],
    ["867DEE52C331484E92D1C56479B8E67E", "hex", binary(0)],
    [SMILES, "utf8", binary(0, new TextEncoder().encode(SMILES))],
    ["", "base64", binary(0, new Uint8Array(0))],
  ];
  for (const [text, format, data] of pairs) {
    assert.deepEqual(convert(text, target("binData", data.sub_type), format), data, format);
    assert.equal(convert(data, "string", format), text, format);
  }
  assert.equal(convert(binary(4), "string", "auto"), UUID);
  assert.equal(convert(binary(0), "string", "auto"), BASE64);
  assert.equal(convert(binary(4), "string", "base64"), BASE64);
  assert.deepEqual(evaluate(BuiltDocument.of({ $toUUID: UUID.toUpperCase() })), binary(4));
  assert.equal(evaluate(BuiltDocument.of({ $toUUID: null })), null);
  assert.equal(evaluate(BuiltDocument.of({ $toString: BuiltDocument.of({ $literal: binary(4) }) })), UUID);
});

Deno.test("binary data stays what it is, of its subtype only", () => {
  assert.deepEqual(convert(binary(4), target("binData", 4)), binary(4));
  assert.deepEqual(convert(binary(0), "binData"), binary(0));
});

Deno.test("what cannot be converted is a failure, which onError takes", () => {
  const failures: readonly (readonly [Value, Value, string?])[] = [
    [new ObjectId(), target("binData", 4)],
    [Int32.of(1), "binData"],
    [UUID, target("binData", 0), "uuid"],
    ["867dee--52-c331-484e-", target("binData", 4), "uuid"],
    ["867dee--52-c331-484e-", target("binData", 0), "base64"],
    ["867dee--52-c331-484e-", target("binData", 0), "base64url"],
    ["867dee--52-c331-484e-zx", target("binData", 0), "hex"],
    [UUID, target("binData", 0), "auto"],
    [BASE64, target("binData", 4), "base64"],
    [binary(4), target("binData", 0)],
    [binary(255), target("binData", 0)],
    [binary(0), "string", "uuid"],
    [binary(0), "string", "utf8"],
    [BASE64, "binData"],
    [binary(0), "string"],
  ];
  for (const [input, to, format] of failures) {
    assert.throws(() => convert(input, to, format), { code: 241 });
    assert.equal(convert(input, to, format, "failed"), "failed");
  }
  assert.throws(() => evaluate(BuiltDocument.of({ $toUUID: "x" })), { code: 241 });
});

Deno.test("a subtype or a format that there is not", () => {
  for (const subtype of [-1, 127, 256, 1000]) {
    assert.throws(() => convert(BASE64, target("binData", subtype), "base64", "failed"), { code: 4341107 });
  }
  const named = (subtype: Value) => BuiltDocument.of({ type: "binData", subtype });
  assert.throws(() => convert(BASE64, named(1.5), "base64", "failed"), { code: 4341106 });
  assert.throws(() => convert(BASE64, named("1"), "base64", "failed"), { code: 4341108 });
  assert.throws(() => convert(BASE64, "binData", "base32"), { code: 4341125 });
  assert.throws(() => convert(BASE64, "binData", Int32.of(1)), { code: 4341114 });
});
