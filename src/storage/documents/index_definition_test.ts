import assert from "node:assert/strict";
import {
  BsonUndefined,
  BuiltDocument,
  compareBytes,
  IndexKeyReader,
  Int32,
  isArray,
  type Value,
} from "../../bson/mod.ts";
import { indexDefinition, keysOf, mayChangeKeys, noFilters } from "./index_definition.ts";

type Plain = number | string | null | undefined | readonly Plain[] | { readonly [name: string]: Plain };

function valueOf(plain: Plain): Value {
  if (Array.isArray(plain)) return plain.map(valueOf);
  return typeof plain === "object" && plain !== null
    ? documentOf(plain as Record<string, Plain>)
    : plain as Value;
}

function documentOf(fields: Readonly<Record<string, Plain>>): BuiltDocument {
  return BuiltDocument.of(
    Object.fromEntries(Object.entries(fields).map(([name, plain]) => [name, valueOf(plain)])),
  );
}

function definition(key: Readonly<Record<string, number>>, options: Readonly<Record<string, Value>> = {}) {
  const pattern = BuiltDocument.of(
    Object.fromEntries(Object.entries(key).map(([name, direction]) => [name, Int32.of(direction)])),
  );
  const spec = BuiltDocument.of({ key: pattern, name: "i", ...options });
  return indexDefinition(spec, () => (document) => document.get("in") === 1);
}

function shown(value: Value): unknown {
  if (value === undefined) return "missing";
  if (value instanceof BsonUndefined) return "undefined";
  return isArray(value) ? value.map(shown) : value;
}

function valuesOf(
  index: ReturnType<typeof definition>,
  document: Readonly<Record<string, Plain>>,
): unknown[] {
  return keysOf(index, documentOf(document)).keys.map(({ values }) => values.map(shown));
}

Deno.test("the keys of a document", () => {
  const cases: [Record<string, number>, Record<string, Plain>, unknown[]][] = [
    [{ a: 1 }, { a: 5 }, [[5]]],
    [{ a: 1 }, {}, [["missing"]]],
    [{ a: 1 }, { a: null }, [[null]]],
    [{ a: 1 }, { a: [3, 1, 3] }, [[1], [3]]],
    [{ a: -1 }, { a: [3, 1, 2] }, [[3], [2], [1]]],
    [{ a: 1 }, { a: [] }, [["undefined"]]],
    [{ a: 1 }, { a: [[1, 2], 4] }, [[4], [[1, 2]]]],
    [{ "a.b": 1 }, { a: { b: 7 } }, [[7]]],
    [{ "a.b": 1 }, { a: 7 }, [["missing"]]],
    [{ "a.b": 1 }, { a: [] }, [["missing"]]],
    [{ "a.b": 1 }, { a: [{ b: 2 }, { b: [1, 3] }, 9] }, [["missing"], [1], [2], [3]]],
    [{ "a.0": 1 }, { a: [5, 6] }, [[5]]],
    [{ "a.1.b": 1 }, { a: [5, { b: 6 }] }, [[6]]],
    [{ "a.2": 1 }, { a: [5, 6] }, [["missing"]]],
    [{ a: 1, b: 1 }, { a: 1, b: [2, 3] }, [[1, 2], [1, 3]]],
    [{ a: 1, b: -1 }, { a: 1, b: [2, 3] }, [[1, 3], [1, 2]]],
    [{ "a.b": 1, "a.c": 1 }, { a: [{ b: 1, c: 2 }, { b: 3, c: 4 }] }, [[1, 2], [3, 4]]],
    [{ "a.b": 1, x: 1 }, { a: [{ b: 1 }, { b: 3 }], x: 0 }, [[1, 0], [3, 0]]],
  ];
  for (const [key, document, expected] of cases) {
    assert.deepEqual(valuesOf(definition(key), document), expected, JSON.stringify([key, document]));
  }
});

Deno.test("a sparse index has no keys of a document without the fields, a partial one only what its filter lets pass", () => {
  const sparse = definition({ a: 1, b: 1 }, { sparse: true });
  assert.deepEqual(valuesOf(sparse, { c: 1 }), []);
  assert.deepEqual(valuesOf(sparse, { b: 1 }), [["missing", 1]]);
  assert.deepEqual(valuesOf(definition({ a: 1 }, { sparse: true }), { a: null }), [[null]]);
  const partial = definition({ a: 1 }, { partialFilterExpression: BuiltDocument.EMPTY });
  assert.deepEqual(valuesOf(partial, { a: 1, in: 0 }), []);
  assert.deepEqual(valuesOf(partial, { a: 1, in: 1 }), [[1]]);
});

Deno.test("where a field met arrays is told", () => {
  const { arrays } = keysOf(
    definition({ "a.b": 1, c: 1 }),
    documentOf({ a: [{ b: [1] }], c: 1 }),
  );
  assert.deepEqual(arrays, [["a", "a.b"], []]);
});

Deno.test("what no index can hold is refused", () => {
  assert.throws(() => keysOf(definition({ l: 1, k: 1 }), documentOf({ l: [1], k: [2] })), {
    codeName: "CannotIndexParallelArrays",
    message: "cannot index parallel arrays [k] [l]",
  });
  assert.throws(() => keysOf(definition({ "a.0": 1 }), documentOf({ a: [{ 0: 1 }] })), { code: 16746 });
});

Deno.test("keys of descending fields are in descending order, behind ascending ones", () => {
  const index = definition({ a: 1, b: -1 });
  const keyOf = (a: Plain, b: Plain) => keysOf(index, documentOf({ a, b })).keys[0]!.bytes;
  const inOrder: [Plain, Plain][] = [[1, "b"], [1, "a"], [1, 7], [1, null], [2, 9], ["x", "y"], ["x", "x"]];
  const keys = inOrder.map(([a, b]) => keyOf(a, b));
  keys.slice(1).forEach((key, i) =>
    assert.ok(compareBytes(keys[i]!, key) < 0, JSON.stringify(inOrder[i + 1]))
  );
});

Deno.test("a change of fields that an index does not read leaves its keys as they are", () => {
  const change = (...path: string[]) => [{ kind: "update" as const, path }];
  const index = definition({ "a.b": 1, c: -1 });
  assert.equal(mayChangeKeys(index, change("d", "a")), false);
  assert.equal(mayChangeKeys(index, []), false);
  assert.equal(mayChangeKeys(index, change("a", "x")), true);
  assert.equal(mayChangeKeys(index, [...change("d"), ...change("c")]), true);
  assert.equal(mayChangeKeys(index, undefined), true);
  assert.equal(mayChangeKeys(definition({ "$**": 1 }), change("d")), true);
});

Deno.test("beside a hashed field's key stand the types of hashes", () => {
  const key = BuiltDocument.of({ h: "hashed", a: Int32.of(1) });
  const definition = indexDefinition(BuiltDocument.of({ key, name: "ha" }), noFilters);
  const h = BuiltDocument.of({ x: 1, y: 2 });
  const [row] = keysOf(definition, BuiltDocument.of({ h, a: 5n })).keys;
  const reader = new IndexKeyReader(row!.bytes, row!.types);
  reader.next(false);
  assert.equal(reader.next(false), 5n);
});
