/**
 * Random writes beside `update` with one statement: several statements, deletes, findAndModify, `$merge` and `$out`. The same draws
 * give the same writes for ever.
 *
 * Not asked is what the cases of out.yaml say of equal ids.
 */
import type { Document } from "bson";
import { type Draws, randomStatement } from "./random_update.ts";

/** Commands that fill a collection, write to it in some way, and show what came of it. */
export function randomWrite(draws: Draws, collection: string, source: string): Document[] {
  const documents = Array.from({ length: 1 + draws.below(4) }, (_, i) => ({ ...draws.document(), _id: i }));
  const write = draws.pick([statements, statements, deletes, findAndModify, findAndModify, merge, out]);
  return [
    { delete: collection, deletes: [{ q: {}, limit: 0 }] },
    { insert: collection, documents },
    write(draws, collection, source),
    { find: collection, sort: { _id: 1 }, batchSize: 1000 },
  ];
}

function statements(draws: Draws, collection: string): Document {
  const updates = Array.from({ length: 2 + draws.below(2) }, () => randomStatement(draws));
  return { update: collection, updates, ordered: draws.below(2) === 0 };
}

function deletes(draws: Draws, collection: string): Document {
  const statement = () => ({ q: draws.filter(2), limit: draws.below(2), ...collationOf(draws) });
  return { delete: collection, deletes: Array.from({ length: 1 + draws.below(2) }, statement) };
}

function findAndModify(draws: Draws, collection: string): Document {
  const { q, u, arrayFilters, upsert } = randomStatement(draws);
  const sort = { [draws.pick(["c", "d", "_id"])]: draws.pick([1, -1]), _id: 1 };
  const fields = draws.pick<Document>([{}, { fields: { a: 1, c: 1 } }, { fields: { b: 0, "n.x": 0 } }]);
  const command = { findAndModify: collection, query: q, sort, ...fields, ...collationOf(draws) };
  if (draws.below(4) === 0) return { ...command, remove: true };
  return {
    ...command,
    update: u,
    new: draws.below(2) === 0,
    ...(upsert === true ? { upsert } : {}),
    ...(arrayFilters === undefined ? {} : { arrayFilters }),
  };
}

function merge(draws: Draws, collection: string, source: string): Document {
  const whenMatched = draws.pick<unknown>([
    "replace",
    "keepExisting",
    "merge",
    "merge",
    "fail",
    [{ $set: { a: "$$new.c", old: "$b" } }],
    [{ $replaceWith: { $mergeObjects: ["$$new", { kept: "$c" }] } }],
  ]);
  const spec = {
    into: collection,
    whenMatched,
    whenNotMatched: draws.pick(["insert", "discard", "fail"]),
  };
  const ids = draws.below(2) === 0 ? [{ $set: { _id: { $mod: ["$_id", 6] } } }] : [];
  return { aggregate: source, pipeline: [...written(draws), ...ids, { $merge: spec }], cursor: {} };
}

function out(draws: Draws, collection: string, source: string): Document {
  return { aggregate: source, pipeline: [...written(draws), { $out: collection }], cursor: {} };
}

function written(draws: Draws): Document[] {
  return [
    { $match: draws.filter(1) },
    { $sort: { _id: 1 } },
    { $limit: 1 + draws.below(6) },
    ...draws.pick<Document[]>([
      [{ $set: { z: draws.expression(2) } }],
      [{ $project: { c: 1, a: 1, n: 1, x: draws.expression(2) } }],
      [{ $group: { _id: "$c", n: { $sum: 1 }, d: { $sum: "$d" } } }, { $sort: { _id: 1 } }],
    ]),
  ];
}

function collationOf(draws: Draws): Document {
  return draws.below(4) === 0 ? { collation: { locale: "en", strength: 1 + draws.below(3) } } : {};
}
