import assert from "node:assert/strict";
import { CommandError, seededRandom } from "../../base/mod.ts";
import {
  BuiltDocument,
  compareValues,
  Decimal128,
  encodeDocument,
  Int32,
  type Value,
} from "../../bson/mod.ts";
import { accumulatorInput, createAccumulator, isAccumulator, parseAccumulator } from "./accumulators.ts";

function value(of: unknown): Value {
  if (typeof of === "number") return Number.isInteger(of) ? Int32.of(of) : of;
  if (Array.isArray(of)) return of.map(value);
  if (of !== null && typeof of === "object" && Object.getPrototypeOf(of) === Object.prototype) return row(of);
  return of as Value;
}

function row(of: object): BuiltDocument {
  return new BuiltDocument(Object.keys(of), Object.values(of).map(value));
}

function accumulate(name: string, argument: unknown, rows: readonly object[]): Value {
  const node = parseAccumulator(name, value(argument), { variables: new Set() });
  const input = accumulatorInput(node);
  const accumulator = createAccumulator(node);
  for (const document of rows) accumulator.add(input({ root: row(document), variables: new Map() }));
  return accumulator.result();
}

function bytes(of: Value): Uint8Array {
  return encodeDocument(new BuiltDocument(["value"], [of]));
}

const MIXED = [{ a: 1 }, { a: "x" }, { a: null }, {}];
const TIES = [{ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 3, b: 1 }, { a: 4, b: 1 }];
const RANKED = [{ a: 1, b: 1 }, { a: 2, b: 1 }, { a: [5, 0], b: 2 }, { a: null }];

/** Answers of MongoDB 6.0.5 to `{$group: {_id: null, result: {<name>: <argument>}}}`. */
const CASES:
  readonly (readonly [name: string, argument: unknown, rows: readonly object[], result: unknown])[] = [
    ["$sum", "$a", MIXED, 1],
    ["$avg", "$a", MIXED, Number.NaN],
    ["$min", "$a", MIXED, 1],
    ["$max", "$a", MIXED, "x"],
    ["$first", "$a", MIXED, 1],
    ["$last", "$a", MIXED, null],
    ["$push", "$a", MIXED, [1, "x", null]],
    ["$count", {}, MIXED, 4],
    ["$sum", "$a", [{}], 0],
    ["$avg", "$a", [{}], null],
    ["$min", "$a", [{ a: null }, {}], null],
    ["$first", "$b", [{}], null],
    ["$mergeObjects", "$a", [{ a: { x: 1 } }, { a: { y: 2, x: 3 } }, { a: null }], { x: 3, y: 2 }],
    ["$stdDevPop", "$a", [{ a: 1 }, { a: 2 }], 0.5],
    ["$stdDevSamp", "$a", [{ a: 1 }, { a: 2 }], 0.7071067811865476],
    ["$stdDevSamp", "$a", [{ a: 1 }], null],
    ["$avg", "$a", [{ a: Decimal128.fromString("1") }, { a: 2 }], Decimal128.fromString("1.5")],
    ["$sum", "$a", [{ a: [1, 2] }, { a: [3] }], 0],
    ["$min", "$a", [{ a: [1, 2] }, { a: [3] }], [1, 2]],
    ["$minN", { n: 2, input: "$a" }, [{ a: null }, {}, { a: 1 }], [1]],
    ["$maxN", { n: 2, input: "$a" }, [{ a: 1 }, { a: 3 }, { a: 2 }], [3, 2]],
    ["$firstN", { n: 5, input: "$a" }, [{ a: null }, {}, { a: 1 }], [null, null, 1]],
    ["$lastN", { n: 2, input: "$a" }, [{ a: 1 }, { a: 3 }, { a: 2 }], [3, 2]],
    ["$topN", { n: 2, sortBy: { b: 1 }, output: "$a" }, TIES, [1, 2]],
    ["$bottomN", { n: 2, sortBy: { b: 1 }, output: "$a" }, TIES, [1, 2]],
    ["$top", { sortBy: { b: 1 }, output: "$a" }, TIES, 1],
    ["$bottom", { sortBy: { b: 1 }, output: "$a" }, TIES, 1],
    ["$bottom", { sortBy: { a: 1 }, output: "$zz" }, TIES, null],
    ["$bottomN", { n: 2, sortBy: { b: 1 }, output: "$a" }, RANKED, [2, [5, 0]]],
    ["$topN", { n: 2, sortBy: { b: -1 }, output: "$a" }, RANKED, [[5, 0], 1]],
  ];

Deno.test("accumulators answer as MongoDB does", () => {
  for (const [name, argument, rows, result] of CASES) {
    // The average of 1 alone is the double 1, which a table of plain numbers cannot say.
    const expected = Number.isNaN(result) ? 1.0 : value(result);
    assert.deepEqual(
      bytes(accumulate(name, argument, rows)),
      bytes(expected),
      `${name} of ${rows.length} rows`,
    );
  }
});

const ERRORS: readonly (readonly [name: string, argument: unknown, code: number, message: string])[] = [
  ["$sum", ["$a", 2], 40237, "The $sum accumulator is a unary operator"],
  ["$foo", "$a", 15952, "unknown group operator '$foo'"],
  ["$count", 1, 14, "$count takes no arguments, i.e. $count:{}"],
  ["$minN", 1, 5787900, "specification must be an object; found $minN: 1"],
  ["$minN", { n: 1 }, 5787907, "Missing value for 'input'"],
  ["$minN", { n: 0, input: "$a" }, 5787908, "'n' must be greater than 0, found 0"],
  ["$minN", { n: 1.5, input: "$a" }, 5787903, "Value for 'n' must be of integral type, but found 1.5"],
  ["$topN", { n: 1, output: 1 }, 5788005, "Missing value for 'sortBy'"],
  ["$top", { n: 1, sortBy: { a: 1 }, output: 1 }, 5788002, "Unknown argument to $top 'n'"],
  ["$mergeObjects", "$a", 40400, "$mergeObjects requires object inputs, but input 1 is of type int"],
];

Deno.test("what is wrong with an accumulator is said in MongoDB's words", () => {
  for (const [name, argument, code, message] of ERRORS) {
    assert.throws(() => accumulate(name, argument, [{ a: 1 }]), (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.deepEqual([error.code, error.message], [code, message]);
      return true;
    });
  }
  assert.ok(isAccumulator("$sum") && !isAccumulator("$abs"));
});

Deno.test("parts that are merged give what the whole gives", () => {
  const random = seededRandom(11);
  const rows = Array.from(
    { length: 60 },
    () => ({ a: Math.floor(random() * 50), b: Math.floor(random() * 9) }),
  );
  const specs: readonly (readonly [string, unknown])[] = [
    ["$sum", "$a"],
    ["$avg", "$a"],
    ["$min", "$a"],
    ["$max", "$a"],
    ["$first", "$a"],
    ["$last", "$a"],
    ["$push", "$a"],
    ["$addToSet", "$a"],
    ["$count", {}],
    ["$minN", { n: 5, input: "$a" }],
    ["$firstN", { n: 5, input: "$a" }],
    ["$lastN", { n: 25, input: "$a" }],
    ["$topN", { n: 7, sortBy: { b: -1, a: 1 }, output: ["$a", "$b"] }],
    ["$bottomN", { n: 7, sortBy: { b: -1, a: 1 }, output: ["$a", "$b"] }],
  ];
  for (const [name, argument] of specs) {
    const node = parseAccumulator(name, value(argument), { variables: new Set() });
    const input = accumulatorInput(node);
    const merged = createAccumulator(node);
    for (const part of [rows.slice(0, 20), rows.slice(20, 40), rows.slice(40)]) {
      const shard = createAccumulator(node);
      for (const document of part) shard.add(input({ root: row(document), variables: new Map() }));
      merged.merge(shard.partial());
    }
    assert.equal(compareValues(merged.result(), accumulate(name, argument, rows)), 0, name);
  }
});

Deno.test("n may depend on the group's _id", () => {
  const node = parseAccumulator("$firstN", value({ n: "$count", input: "$a" }), { variables: new Set() });
  const accumulator = createAccumulator(node, value({ count: 2 }));
  for (const a of [1, 2, 3]) accumulator.add(Int32.of(a));
  assert.deepEqual(accumulator.result(), [Int32.of(1), Int32.of(2)]);
});

Deno.test("accumulators that keep many values tell how much they keep, of those that went no more", () => {
  const sortBy = { a: 1 };
  const arguments_ = {
    $firstN: { n: 3, input: "$p" },
    $lastN: { n: 3, input: "$p" },
    $maxN: { n: 3, input: "$p" },
    $minN: { n: 3, input: "$p" },
    $topN: { n: 3, sortBy, output: "$p" },
    $bottomN: { n: 3, sortBy, output: "$p" },
  };
  for (const [name, argument] of Object.entries(arguments_)) {
    const node = parseAccumulator(name, value(argument), { variables: new Set() });
    const input = accumulatorInput(node);
    const accumulator = createAccumulator(node);
    for (let i = 0; i < 20; i++) {
      accumulator.add(
        input({ root: row({ a: i * 7 % 20, p: `${i}`.padStart(1000) }), variables: new Map() }),
      );
    }
    const kept = accumulator.keptBytes ?? 0;
    assert.ok(kept >= 3000 && kept < 4000, `${name}: ${kept}`);
  }
});
