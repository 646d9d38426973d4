/**
 * Random updates of random documents: each modifier at paths that lead to values of all types, to nothing, or nowhere. The
 * same draws give the same updates for ever.
 *
 * Not asked is what changes from run to run ($currentDate, a generated _id), nor what MongoDB does by accident (see
 * random_query.ts).
 */
import type { Document } from "bson";

/** What random documents and filters are drawn from. */
export interface Draws {
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  value(depth: number): unknown;
  number(): unknown;
  filter(depth: number): Document;
  expression(depth: number): unknown;
  document(): Document;
}

const PATHS = [
  "a",
  "b",
  "c",
  "d",
  "n",
  "n.x",
  "n.y",
  "n.z.w",
  "a.0",
  "a.1",
  "a.5",
  "a.x",
  "a.0.x",
  "b.y",
  "z",
];
const DYNAMIC_PATHS = ["a.$[]", "a.$[].x", "a.$[e]", "a.$[e].x", "a.$", "a.$.x", "n.x.$[]", "b.$[e]"];

/** Commands that put some documents into an empty collection, update them, and show what came of it. */
export function randomUpdate(draws: Draws, collection: string): Document[] {
  const documents = Array.from({ length: 1 + draws.below(3) }, (_, i) => ({ ...draws.document(), _id: i }));
  return [
    { delete: collection, deletes: [{ q: {}, limit: 0 }] },
    { insert: collection, documents },
    { update: collection, updates: [randomStatement(draws)] },
    { find: collection, sort: { $natural: 1 }, batchSize: 1000 },
  ];
}

/** One statement of an update: `{q, u, …}`. */
export function randomStatement(draws: Draws): Document {
  const chosen = draws.below(12);
  const update = chosen === 0 ? replacement(draws) : chosen === 1 ? pipeline(draws) : modifiers(draws);
  const usesFilters = JSON.stringify(update).includes("$[e]");
  return {
    q: draws.below(3) === 0 ? {} : draws.filter(1),
    u: update,
    ...(chosen !== 0 && draws.below(2) === 0 ? { multi: true } : {}),
    ...(draws.below(6) === 0 ? { upsert: true, q: { _id: 100 + draws.below(3), ...equalities(draws) } } : {}),
    ...(usesFilters ? { arrayFilters: [{ [draws.pick(["e", "e.x"])]: condition(draws) }] } : {}),
  };
}

function equalities(draws: Draws): Document {
  return Object.fromEntries(
    Array.from({ length: draws.below(3) }, () => [draws.pick(["a", "b", "n.x", "n.y"]), draws.value(1)]),
  );
}

function condition(draws: Draws): unknown {
  return draws.pick<() => unknown>([
    () => draws.value(0),
    () => ({ [draws.pick(["$gt", "$lt", "$gte", "$lte", "$ne", "$eq"])]: draws.value(0) }),
    () => ({ $in: [draws.value(0), draws.value(0)] }),
    () => ({ $exists: true }),
  ])();
}

function replacement(draws: Draws): Document {
  const { _id, ...rest } = draws.document();
  void _id;
  return rest;
}

function pipeline(draws: Draws): Document[] {
  const stages: (() => Document)[] = [
    () => ({ $set: { [draws.pick(["a", "z", "n.x", "n.z"])]: draws.pick(["$c", "$d", "$n", "$b"]) } }),
    () => ({ $unset: draws.pick(["b", "n.y"]) }),
    () => ({ $replaceWith: { a: "$a", kept: "$$ROOT.c" } }),
    () => ({ $set: { sum: { $add: ["$c", "$d"] } } }),
    () => ({ $set: { [draws.pick(["a", "b", "n.x", "z", "a.x"])]: draws.expression(2) } }),
    () => ({ $project: { [draws.pick(["a", "b", "n"])]: draws.pick([0, 1]) } }),
    () => ({ $project: { c: 1, n: 1, z: draws.expression(1) } }),
    () => ({ $unset: [draws.pick(["a", "a.x", "n"]), draws.pick(["c", "z"])] }),
  ];
  return Array.from({ length: 1 + draws.below(3) }, () => draws.pick(stages)());
}

function modifiers(draws: Draws): Document {
  const update: Record<string, Record<string, unknown>> = {};
  for (let count = draws.pick([1, 1, 1, 2, 3]); count > 0; count--) {
    const [name, value] = modifier(draws);
    const path = draws.below(4) === 0 && name !== "$rename" ? draws.pick(DYNAMIC_PATHS) : draws.pick(PATHS);
    (update[name] ??= {})[path] = value;
  }
  return update;
}

function modifier(draws: Draws): [string, unknown] {
  const value = () => draws.value(1);
  const list = () => Array.from({ length: draws.below(4) }, () => draws.value(1));
  return draws.pick<() => [string, unknown]>([
    () => ["$set", value()],
    () => ["$set", value()],
    () => ["$setOnInsert", value()],
    () => ["$unset", ""],
    () => ["$inc", draws.number()],
    () => ["$mul", draws.number()],
    () => ["$min", value()],
    () => ["$max", value()],
    () => ["$rename", draws.pick(PATHS)],
    () => ["$bit", { [draws.pick(["and", "or", "xor"])]: draws.number() }],
    () => ["$push", value()],
    () => ["$push", push(draws)],
    () => ["$addToSet", value()],
    () => ["$addToSet", { $each: list() }],
    () => ["$pop", draws.pick([1, -1])],
    () => ["$pull", value()],
    () => ["$pull", condition(draws)],
    () => ["$pull", { [draws.pick(["x", "y"])]: condition(draws) }],
    () => ["$pullAll", list()],
  ])();
}

function push(draws: Draws): Document {
  const $each = Array.from({ length: draws.below(4) }, () => draws.value(1));
  return {
    $each,
    ...(draws.below(2) === 0 ? { $position: draws.below(7) - 3 } : {}),
    ...(draws.below(2) === 0 ? { $slice: draws.below(7) - 3 } : {}),
    ...(draws.below(3) === 0 ? { $sort: draws.pick<unknown>([1, -1, { x: 1 }, { y: -1, x: 1 }]) } : {}),
  };
}
