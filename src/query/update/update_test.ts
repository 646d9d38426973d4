import assert from "node:assert/strict";
import { deserialize, type Document as Plain, serialize } from "bson";
import { encodeDocument, RawDocument } from "../../bson/mod.ts";
import { newScanCounters } from "../source.ts";
import { WritePlan } from "./write_plan.ts";

const NOW_MS = Date.UTC(2024, 0, 2);
const CONTEXT = {
  nowMs: NOW_MS,
  variables: new Map(),
  checkpoint: () => Promise.resolve(),
  counters: newScanCounters(),
};

function raw(value: Plain): RawDocument {
  return new RawDocument(serialize(value));
}

interface Statement {
  readonly filter?: Plain;
  readonly arrayFilters?: readonly Plain[];
}

function planOf(update: Plain | readonly Plain[], { filter = {}, arrayFilters = [] }: Statement): WritePlan {
  const wrapped = raw({ u: update }).get("u");
  return new WritePlan({
    filter: raw(filter),
    update: { update: wrapped, arrayFilters: arrayFilters.map(raw) },
  }, CONTEXT);
}

/** What an update makes of a document; undefined where nothing changes. */
function updated(
  document: Plain,
  update: Plain | readonly Plain[],
  statement: Statement = {},
): Plain | undefined {
  const old = raw(document);
  const changed = planOf(update, statement).updated(old);
  assert.deepEqual(old.slice(), serialize(document), "the old document stays as it is");
  return changed === old ? undefined : deserialize(encodeDocument(changed));
}

Deno.test("a document in which nothing changes is given back as it is", () => {
  const document = { _id: 1, a: 1, n: { x: [1, { y: 2 }] } };
  for (
    const update of [
      { $set: { a: 1, "n.x.1.y": 2 } },
      { $unset: { b: 1, "a.b.c": 1 } },
      { $inc: { a: 0 } },
      { $max: { a: 1 } },
      { $min: { a: 2 } },
      { $addToSet: { "n.x": 1 } },
      { $pull: { "n.x": 9 } },
      { $setOnInsert: { b: 1 } },
      { $rename: { b: "c" } },
      { $set: {} },
      [],
      [{ $set: { a: "$a" } }],
      document,
    ]
  ) {
    assert.equal(updated(document, update), undefined, JSON.stringify(update));
  }
});

Deno.test("what an update does not touch keeps its place, what it makes comes behind in order of the names", () => {
  const update = { $set: { z: 1, b: 2, "m.b": 3, "m.a": 4 } };
  const changed = updated({ _id: 1, b: 1, a: 1 }, update);
  assert.deepEqual(JSON.stringify(changed), '{"_id":1,"b":2,"a":1,"m":{"a":4,"b":3},"z":1}');
});

Deno.test("arrays by place, by position, all of them, and by array filters", () => {
  const document = { _id: 1, a: [1, 5, 9], d: [{ k: 1 }, { k: 2 }] };
  assert.deepEqual(updated(document, { $set: { "a.4": 0 } })?.["a"], [1, 5, 9, null, 0]);
  assert.deepEqual(updated(document, { $set: { "a.$": 0 } }, { filter: { a: { $gt: 4 } } })?.["a"], [
    1,
    0,
    9,
  ]);
  assert.deepEqual(updated(document, { $inc: { "a.$[]": 1 } })?.["a"], [2, 6, 10]);
  const arrayFilters = [{ "e.k": 2 }];
  assert.deepEqual(updated(document, { $set: { "d.$[e].v": 7 } }, { arrayFilters })?.["d"], [{ k: 1 }, {
    k: 2,
    v: 7,
  }]);
  assert.deepEqual(updated(document, { $unset: { "a.1": 1 } })?.["a"], [1, null, 9]);
});

Deno.test("paths that touch each other are refused, at parsing or where $ turns out to", () => {
  const conflict = { codeName: "ConflictingUpdateOperators" };
  assert.throws(() => planOf({ $set: { a: 1 }, $inc: { "a.b": 1 } }, {}), conflict);
  assert.throws(() => planOf({ $rename: { a: "b" }, $set: { b: 1 } }, {}), conflict);
  const filter = { a: 2 };
  const update = { $set: { "a.$": 1, "a.1": 2 } };
  assert.throws(() => updated({ _id: 1, a: [1, 2] }, update, { filter }), conflict);
  assert.deepEqual(updated({ _id: 1, a: [2, 1] }, update, { filter })?.["a"], [1, 2]);
});

Deno.test("an upsert starts from what the filter says that fields equal, its _id in front", () => {
  const inserted = (filter: Plain, update: Plain) => {
    return JSON.stringify(deserialize(encodeDocument(planOf(update, { filter }).inserted())));
  };
  assert.equal(
    inserted({ b: 1, "n.x": { $eq: 2 }, c: { $gt: 1 }, _id: 5 }, { $setOnInsert: { d: 1 }, $inc: { b: 1 } }),
    '{"_id":5,"b":2,"n":{"x":2},"d":1}',
  );
  assert.equal(inserted({ b: 1, _id: 5 }, { c: 1 }), '{"_id":5,"c":1}');
  assert.throws(() => inserted({ $and: [{ a: 1 }, { a: 2 }] }, { $set: { b: 1 } }), {
    codeName: "NotSingleValueField",
  });
});

Deno.test("one instant stands for the time of the statement", () => {
  for (const update of [[{ $set: { at: "$$NOW" } }], { $currentDate: { at: true } }]) {
    assert.deepEqual(updated({ _id: 1 }, update), { _id: 1, at: new Date(NOW_MS) });
  }
});
