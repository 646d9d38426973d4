import assert from "node:assert/strict";
import { BsonUndefined, BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import { coversPath, parseWildcard, wildcardKeys } from "./wildcard_keys.ts";

const DOCUMENT = BuiltDocument.of({
  _id: 1,
  a: 2,
  b: BuiltDocument.of({ c: 3, d: [4, BuiltDocument.of({ e: 5 }), [6]], f: BuiltDocument.EMPTY }),
  g: [],
});

function shown(value: Value): unknown {
  if (value instanceof BsonUndefined) return "undefined";
  if (value instanceof Document) return "{}";
  return isArray(value) ? value.map(shown) : value;
}

function keysUnder(pattern: string, projection?: Document): readonly unknown[] {
  const wildcard = parseWildcard(BuiltDocument.of({ [pattern]: 1 }), projection)!;
  return wildcardKeys(wildcard, DOCUMENT).found.map(([path, value]) =>
    `${path}=${JSON.stringify(shown(value))}`
  );
}

Deno.test("each value has a key under its path, without places in arrays", () => {
  assert.deepEqual(keysUnder("$**"), [
    "a=2",
    "b.c=3",
    "b.d=4",
    "b.d.e=5",
    "b.d=[6]",
    'b.f="{}"',
    'g="undefined"',
  ]);
  assert.deepEqual(keysUnder("b.$**"), ["b.c=3", "b.d=4", "b.d.e=5", "b.d=[6]", 'b.f="{}"']);
  assert.deepEqual(keysUnder("b.d.$**"), ["b.d=4", "b.d.e=5", "b.d=[6]"]);
  assert.deepEqual(keysUnder("_id.$**"), ["_id=1"]);
});

Deno.test("a projection says which paths there are", () => {
  assert.deepEqual(keysUnder("$**", BuiltDocument.of({ "b.d": 1, g: true })), [
    "b.d=4",
    "b.d.e=5",
    "b.d=[6]",
    'g="undefined"',
  ]);
  assert.deepEqual(keysUnder("$**", BuiltDocument.of({ b: BuiltDocument.of({ c: 1 }), _id: 1 })), [
    "_id=1",
    "b.c=3",
  ]);
  assert.deepEqual(keysUnder("$**", BuiltDocument.of({ b: 0, _id: 1 })), ["_id=1", "a=2", 'g="undefined"']);
  assert.deepEqual(keysUnder("$**", BuiltDocument.of({ _id: 1 })), ["_id=1"]);
});

Deno.test("arrays are told by their paths, and which paths have keys", () => {
  const wildcard = parseWildcard(BuiltDocument.of({ "$**": 1 }), BuiltDocument.of({ "b.d": 0 }))!;
  assert.deepEqual(wildcardKeys(wildcard, DOCUMENT).arrays.map((paths) => [...paths]), [[], ["g"]]);
  assert.deepEqual(["a", "b", "b.d", "b.d.e", "_id"].map((path) => coversPath(wildcard, path.split("."))), [
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.equal(parseWildcard(BuiltDocument.of({ a: 1 }), undefined), undefined);
});
