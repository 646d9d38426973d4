/** The harness itself: what the case files' scalars become, what is normalised away and what is not, how a difference is told. */
import assert from "node:assert/strict";
import { type Document, EJSON, Long, ObjectId, UUID } from "bson";
import type { CaseFile } from "./case_file.ts";
import { expandTemplate } from "./case_template.ts";
import { compare, describe } from "./compare.ts";
import { countAnswers } from "./count.ts";
import { normalize } from "./normalize.ts";
import { parseYamlBson } from "./yaml_bson.ts";

const FILE: CaseFile = {
  topic: "topic",
  isolated: false,
  replicaSet: false,
  collections: [
    { name: "plain", create: undefined, documents: [] },
    { name: "series", create: { timeseries: { timeField: "t" } }, documents: [] },
  ],
  cases: [],
};

function normalized(reply: Document, command: Document): string {
  return JSON.stringify(normalize([reply], [command], FILE)[0]);
}

function batch(...firstBatch: Document[]): Document {
  return { cursor: { firstBatch, id: Long.ZERO, ns: "d.c" }, ok: 1 };
}

Deno.test("YAML scalars become exact BSON", () => {
  for (
    const [yaml, json] of [
      ["1", '{"$numberInt":"1"}'],
      ["-0.0", '{"$numberDouble":"-0.0"}'],
      ["1.0", '{"$numberDouble":"1.0"}'],
      ["1e3", '{"$numberDouble":"1000.0"}'],
      [".nan", '{"$numberDouble":"NaN"}'],
      ["2147483648", '{"$numberLong":"2147483648"}'],
      ["9007199254740993", '{"$numberLong":"9007199254740993"}'],
      ["2024-01-01T00:00:00.5Z", '{"$date":{"$numberLong":"1704067200500"}}'],
      ['"2024-01-01"', '"2024-01-01"'],
      ["yes", '"yes"'],
      ["15m", '"15m"'],
      ["$a.b", '"$a.b"'],
      ['{ $numberLong: "1" }', '{"$numberLong":"1"}'],
      ["{ $timestamp: { t: 1, i: 2 } }", '{"$timestamp":{"t":1,"i":2}}'],
    ]
  ) {
    assert.equal(EJSON.stringify([parseYamlBson(yaml ?? "")], { relaxed: false }), `[${json}]`, yaml);
  }
  assert.deepEqual(parseYamlBson("{ $regex: a, $options: i }"), { $regex: "a", $options: "i" });
});

Deno.test("types and order count, what a server makes up does not", () => {
  const find = { find: "plain" };
  assert.notEqual(normalized(batch({ a: 1 }), find), normalized(batch({ a: Long.ONE }), find));
  assert.notEqual(normalized(batch({ a: 1, b: 2 }), find), normalized(batch({ b: 2, a: 1 }), find));
  assert.notEqual(normalized(batch({ a: 1 }, { a: 2 }), find), normalized(batch({ a: 2 }, { a: 1 }), find));
  assert.notEqual(
    normalized({ ok: 0, code: 2, errmsg: "a" }, find),
    normalized({ ok: 0, code: 2, errmsg: "b" }, find),
  );
  const madeUp = () => batch({ _id: new ObjectId(), u: new UUID() });
  assert.equal(normalized(madeUp(), find), normalized(madeUp(), find));
  const clock = { operationTime: 1, $clusterTime: { clusterTime: 2 } };
  assert.equal(normalized({ n: 1, ok: 1, ...clock }, find), normalized({ ok: 1, n: 1 }, find));
});

Deno.test("an ObjectId of the case is no made-up one", () => {
  const _id = new ObjectId("65a000000000000000000000");
  assert.match(normalized(batch({ _id }), { find: "plain", filter: { _id } }), /65a0/);
});

Deno.test("documents have an order only where MongoDB promises one", () => {
  const [a, b] = [batch({ _id: 1 }, { _id: 2 }), batch({ _id: 2 }, { _id: 1 })];
  const group = { $group: { _id: "$a" } };
  for (
    const command of [{ find: "series" }, { aggregate: "plain", pipeline: [{ $sort: { a: 1 } }, group] }]
  ) {
    assert.equal(normalized(a, command), normalized(b, command), JSON.stringify(command));
  }
  for (
    const command of [
      { find: "plain" },
      { find: "series", sort: { t: 1 } },
      { aggregate: "plain", pipeline: [group, { $sort: { _id: 1 } }] },
    ]
  ) {
    assert.notEqual(normalized(a, command), normalized(b, command), JSON.stringify(command));
  }
});

Deno.test("a difference is told with its place", () => {
  const oracleCase = {
    name: "finds",
    oracle: [{ find: "plain" }],
    chronogo: [{ find: "plain" }],
    differs: undefined,
  };
  const file = { ...FILE, cases: [oracleCase] };
  const replies = (value: number) => {
    const reply = batch({ _id: 1, a: { b: value } });
    return new Map([["finds", normalize([reply], oracleCase.oracle, file)]]);
  };
  assert.deepEqual(compare(file, replies(1), replies(1)), []);
  const [difference] = compare(file, replies(1), replies(2));
  assert.ok(difference !== undefined);
  assert.equal(difference.path, "cursor.firstBatch.0.a.b");
  assert.match(describe(difference), /topic: finds\n.*"find":"plain"/);
  assert.match(describe(difference), /MongoDB: +\{"\$numberInt": "1"\}\n +ChronoGo: \{"\$numberInt": "2"\}/);
  assert.equal(
    compare(file, new Map(), replies(1)).length,
    1,
    "a case that was never recorded is a difference",
  );
});

Deno.test("an intended difference has its own answer", () => {
  const oracleCase = {
    name: "pings",
    oracle: [{ ping: 1 }],
    chronogo: [{ ping: 1 }],
    differs: { reason: "why", replies: [{ whole: { ok: 1 } }] },
  };
  const file = { ...FILE, cases: [oracleCase] };
  const answer = (reply: Document) => new Map([["pings", normalize([reply], oracleCase.oracle, file)]]);
  assert.deepEqual(compare(file, answer({ ok: 0, code: 1 }), answer({ ok: 1 })), []);
  assert.equal(compare(file, answer({ ok: 0, code: 1 }), answer({ ok: 0, code: 1 })).length, 1);

  const littleElse = { ...oracleCase, differs: { reason: "why", replies: [{ change: { n: 0 } }] } };
  const other = { ...FILE, cases: [littleElse] };
  assert.deepEqual(compare(other, answer({ n: 1, ok: 1, x: 2 }), answer({ x: 2, n: 0, ok: 1 })), []);
  assert.equal(compare(other, answer({ n: 1, ok: 1, x: 2 }), answer({ x: 3, n: 0, ok: 1 })).length, 1);
});

Deno.test("a case over many values stands for all their combinations", () => {
  const text = {
    each: { op: ["$gt", "$lt"], value: { one: 1, nothing: null } },
    run: { find: "c", filter: { a: { "<op>": "<value>" }, "b<op>": "no <op>" } },
  };
  const run = (op: string, value: unknown) => ({
    run: { find: "c", filter: { a: { [op]: value }, [`b${op}`]: `no ${op}` } },
  });
  assert.deepEqual(expandTemplate("<op> of <value>", text), [
    ["$gt of one", run("$gt", 1)],
    ["$gt of nothing", run("$gt", null)],
    ["$lt of one", run("$lt", 1)],
    ["$lt of nothing", run("$lt", null)],
  ]);
});

Deno.test("the recorded answers are enough", () => {
  const { cases, lines } = countAnswers();
  const sum = [...cases.values(), ...lines.values()].reduce((a, b) => a + b, 0);
  assert.ok(sum >= 3000, `${sum} answers are recorded`);
});
