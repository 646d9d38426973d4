import assert from "node:assert/strict";
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Int32, UtcDate, type Value } from "../../bson/mod.ts";
import { compileExpression, fieldsOf, isConstant } from "./compile.ts";
import type { Scope } from "./expression.ts";
import { operatorNames } from "./operators.ts";
import { parseExpression } from "./parse.ts";

/** A document from a plain record; whole numbers are int32. */
function doc(record: Record<string, unknown>): BuiltDocument {
  return new BuiltDocument(Object.keys(record), Object.values(record).map(value));
}

function value(of: unknown): Value {
  if (typeof of === "number") return Number.isInteger(of) ? Int32.of(of) : of;
  if (Array.isArray(of)) return of.map(value);
  if (of !== null && typeof of === "object" && Object.getPrototypeOf(of) === Object.prototype) {
    return doc(of as Record<string, unknown>);
  }
  return of as Value;
}

function parse(of: unknown, variables: readonly string[] = []) {
  return parseExpression(value(of), { variables: new Set(variables) });
}

function evaluate(of: unknown, row: Record<string, unknown> = {}, variables: Scope["variables"] = new Map()) {
  return compileExpression(parse(of, [...variables.keys()]))({ root: doc(row), variables });
}

const ERRORS: readonly (readonly [expression: unknown, code: number, message: string])[] = [
  [{ $foo: 1 }, 168, "Unrecognized expression '$foo'"],
  [{ $abs: [1, 2] }, 16020, "Expression $abs takes exactly 1 arguments. 2 were passed in."],
  [
    { $round: [1, 2, 3] },
    28667,
    "Expression $round takes at least 1 arguments, and at most 2, but 3 were passed in.",
  ],
  ["$a.", 40353, "FieldPath must not end with a '.'."],
  ["$a..b", 15998, "FieldPath field names may not be empty strings."],
  ["$a.$b", 16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField."],
  ["$$nope", 17276, "Use of undefined variable: nope"],
  [
    { $add: [1, 2], a: 1 },
    15983,
    "an object representing an expression must have exactly one field: { $add: [ 1, 2 ], a: 1 }",
  ],
  [{ $let: { vars: { X: 1 }, in: 1 } }, 9, "'X' starts with an invalid character for a user variable name"],
  [{ $meta: "textScore" }, 40218, "query requires text score metadata, but it is not available"],
  [{ $function: {} }, 238, "the expression $function is not implemented"],
];

Deno.test("what is wrong with an expression is said in MongoDB's words", () => {
  for (const [expression, code, message] of ERRORS) {
    assert.throws(() => parse(expression), (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.deepEqual([error.code, error.message], [code, message]);
      return true;
    });
  }
});

Deno.test("a path goes through arrays of documents and drops what is missing", () => {
  const row = { a: [{ b: 1 }, { c: 2 }, 3, [{ b: 4 }], { b: [5] }], d: { e: { f: 6 } } };
  assert.deepEqual(evaluate("$a.b", row), [Int32.of(1), [Int32.of(5)]]);
  assert.deepEqual(evaluate("$d.e.f", row), Int32.of(6));
  assert.equal(evaluate("$d.x.f", row), undefined);
  assert.equal(evaluate("$$ROOT.d.x", row), undefined);
});

Deno.test("a missing field leaves an object and is null in an array", () => {
  const object = evaluate({ a: "$x", b: "$y" }, { y: 1 }) as BuiltDocument;
  assert.deepEqual([object.names(), object.values()], [["b"], [Int32.of(1)]]);
  assert.deepEqual(evaluate(["$x", "$y"], { y: 1 }), [null, Int32.of(1)]);
});

Deno.test("variables: of the command, of $let, and a CURRENT that is bound anew", () => {
  assert.equal(evaluate("$$limit", {}, new Map([["limit", 2.5]])), 2.5);
  assert.deepEqual(
    evaluate({ $let: { vars: { low: "$a" }, in: { $add: ["$$low", "$a"] } } }, { a: 2 }),
    Int32.of(4),
  );
  const rebound = { $let: { vars: { CURRENT: "$inner" }, in: ["$a", "$$ROOT.a"] } };
  assert.deepEqual(evaluate(rebound, { a: 1, inner: { a: 2 } }), [Int32.of(2), Int32.of(1)]);
});

Deno.test("the fields an expression reads are known, unless it reads the row as a whole", () => {
  const expression = {
    $cond: [{ $gt: ["$a.b", 1] }, { x: "$c" }, { $map: { input: "$d", in: "$$this.e" } }],
  };
  assert.deepEqual([...fieldsOf(parse(expression)) ?? []].sort(), ["a", "c", "d"]);
  assert.equal(fieldsOf(parse({ $mergeObjects: ["$$ROOT", { a: 1 }] })), undefined);
  assert.equal(fieldsOf(parse({ $getField: "a.b" })), undefined);
});

Deno.test("constants are folded once, and what fails in them fails when compiled", () => {
  assert.ok(isConstant(parse({ $add: [1, { $multiply: [2, 3] }] })));
  assert.ok(!isConstant(parse({ $rand: {} })));
  assert.throws(() => compileExpression(parse({ $divide: [1, 0] })), /can't \$divide by zero/);
  const hopeless = { $switch: { branches: [{ case: false, then: 1 }] } };
  assert.throws(() => compileExpression(parse(hopeless)), /all the cases evaluate to false/);
  // MongoDB finds this one only when a row comes by.
  const late = compileExpression(parse({ $regexMatch: { input: 1, regex: "a" } }));
  assert.throws(() => late({ root: doc({}), variables: new Map() }), /needs 'input' to be of type string/);
});

Deno.test("a date plus a fraction rounds the sum, halves toward zero", () => {
  const sums: readonly (readonly [ms: number, amount: number, sum: number])[] = [
    [1000, 1.5, 1001],
    [1000, 1.6, 1002],
    [1000, -1.5, 998],
    [-1000, 0.5, -999],
    [0, -0.4, 0],
  ];
  for (const [ms, amount, sum] of sums) {
    assert.deepEqual(evaluate({ $add: ["$d", amount] }, { d: new UtcDate(ms) }), new UtcDate(sum));
  }
});

Deno.test("the registry is sorted and has no name twice", () => {
  const names = operatorNames();
  assert.deepEqual(names, [...new Set(names)].sort());
  assert.ok(names.length > 140);
});

Deno.test("what $map makes has a limit, however deep its arrays are and however often a value is in them", () => {
  const range = (end: number) => ({ $range: [0, end] });
  const square = { $map: { input: range(4000), in: range(4000) } };
  assert.throws(() => evaluate(square), { name: "CommandError", code: 146 });
  const texts = { $map: { input: range(4000), as: "x", in: { $map: { input: range(4000), in: "$$x" } } } };
  assert.throws(() => evaluate(texts), { name: "CommandError", code: 146 });
  const doubled = { $reduce: { input: range(60), initialValue: "a", in: { a: "$$value", b: "$$value" } } };
  assert.throws(() => evaluate({ $map: { input: [1], in: doubled } }), { name: "CommandError", code: 146 });
  assert.equal(
    (evaluate({ $map: { input: range(100_000), in: { a: "$$this" } } }) as Value[]).length,
    100_000,
  );
});
