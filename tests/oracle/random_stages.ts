/**
 * Random pipelines with the stages that join, window, fill and divide. The same draws give the same pipelines for ever.
 *
 * Each begins in the order of `_id`, so that what depends on the order of rows is the same everywhere, and asks for nothing
 * that MongoDB leaves open: windows and fills go by `_id` or sum whole numbers, the rows of `$graphLookup` are sorted. Nor for what
 * its two engines answer differently: the code of a value outside all buckets, the place of a field that `$lookup` fills again, the
 * type of an `$expMovingAvg` after a partition with decimals.
 */
import type { Document } from "bson";
import { BY_ID, lastOf, randomWindow, VALUES } from "./random_window.ts";

/** What the pipelines are drawn from. */
export interface StageDraws {
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  filter(depth: number): Document;
  expression(depth: number): unknown;
}

const KEYS = ["$c", "$d", "$m.h", "$n.x", "$a", "$b"];

/** @param other a plain collection to join with */
export function randomStages(draws: StageDraws, other: string): Document[] {
  const families = [
    lookup,
    lookupPipeline,
    unionWith,
    randomWindow,
    randomWindow,
    randomWindow,
    picks,
    fill,
    densify,
    bucket,
    bucketAuto,
    redact,
    graphLookup,
    facet,
    sortByCount,
    replaceWith,
  ];
  return [
    ...(draws.below(2) === 0 ? [{ $match: draws.filter(1) }] : []),
    BY_ID,
    ...draws.pick(families)(draws, other),
  ];
}

function lookup(draws: StageDraws, other: string): Document[] {
  const spec = {
    from: other,
    localField: draws.pick(["a", "b", "c", "n.x", "m.h", "_id"]),
    foreignField: draws.pick(["a", "b", "c", "n.x", "m.h", "_id"]),
    ...(draws.below(2) === 0 ? { pipeline: [{ $project: { c: 1 } }, { $limit: 3 }] } : {}),
    as: draws.pick(["j", "n.j"]),
  };
  if (draws.below(4) === 0) {
    const pipeline = [{ $match: { $expr: { $gte: ["$c", "$$v"] } } }, { $project: { d: 1, found: "$$v" } }];
    return [{ $limit: 20 }, { $lookup: { ...spec, let: { v: draws.pick(["$c", "$d"]) }, pipeline } }];
  }
  return [{ $limit: 30 }, { $lookup: spec }, ...sorted(spec)];
}

/** By an index MongoDB looks for the values of an array in the order of a hash set, which is another one each time. */
function sorted({ foreignField, as, pipeline }: { foreignField: string; as: string; pipeline?: unknown }) {
  if (foreignField !== "_id" || pipeline !== undefined) return [];
  return [{ $set: { [as]: { $sortArray: { input: `$${as}`, sortBy: { _id: 1 } } } } }];
}

function lookupPipeline(draws: StageDraws, other: string): Document[] {
  const condition = draws.pick<unknown>([
    { $eq: ["$$v", draws.pick(VALUES)] },
    { $gt: ["$$v", draws.pick(VALUES)] },
    { $and: [{ $eq: ["$c", "$$v"] }, draws.expression(1)] },
  ]);
  return [{ $limit: 10 }, {
    $lookup: {
      from: other,
      let: { v: draws.pick(VALUES) },
      pipeline: [{ $match: { $expr: condition } }, BY_ID, { $limit: 3 }, {
        $project: { c: 1, found: "$$v" },
      }],
      as: "j",
    },
  }];
}

function unionWith(draws: StageDraws, other: string): Document[] {
  const pipeline = [{ $match: draws.filter(1) }, { $set: { u: draws.expression(1), from: 1 } }];
  return [{ $unionWith: { coll: other, pipeline } }, { $sort: { _id: 1, from: 1 } }, { $limit: 40 }];
}

/** Groups that keep some of their rows, by an order that tells them all apart. */
function picks(draws: StageDraws): Document[] {
  const sortBy = { [draws.pick(["c", "d", "t"])]: draws.pick([1, -1]), _id: 1 };
  const n = 1 + draws.below(4);
  const output = draws.pick(VALUES);
  const accumulator = draws.pick<Document>([
    { $topN: { n, sortBy, output } },
    { $bottomN: { n, sortBy, output: { a: output, c: "$c" } } },
    { $top: { sortBy, output } },
    { $bottom: { sortBy, output: ["$c", output] } },
    { $firstN: { n, input: output } },
    { $lastN: { n, input: output } },
    { $maxN: { n, input: draws.pick(["$c", "$d", "$t", "$m.h"]) } },
    { $minN: { n, input: draws.pick(["$c", "$d", "$t", "$m.h"]) } },
    { $mergeObjects: "$n" },
    { $stdDevPop: output },
    { $stdDevSamp: output },
    { $count: {} },
    { $addToSet: "$c" },
    { $push: { c: "$c", v: output } },
  ]);
  const id = draws.pick<unknown>([null, "$c", "$m.h", { c: "$c" }]);
  const sets = "$addToSet" in accumulator
    ? [{ $set: { w: { $sortArray: { input: "$w", sortBy: 1 } } } }]
    : [];
  return [{ $group: { _id: id, w: accumulator } }, ...sets, { $sort: { _id: 1 } }];
}

function fill(draws: StageDraws): Document[] {
  const output = draws.pick<Document>([
    { [draws.pick(["a", "b", "n.x", "z"])]: { method: "locf" } },
    { [draws.pick(["d", "n.y", "n.x"])]: { method: "linear" } },
    { [draws.pick(["a", "b", "n.y", "z"])]: { value: draws.expression(1) } },
  ]);
  const partition = draws.pick<Document>([{}, { partitionByFields: ["c"] }, { partitionBy: { c: "$c" } }]);
  return [{ $fill: { ...partition, sortBy: { _id: 1 }, output } }, ...lastOf(["a", "b", "d", "n", "z"])];
}

function densify(draws: StageDraws): Document[] {
  const bounds = draws.pick<unknown>(["full", "partition", [-1, 12], [3, 5.5]]);
  const numbers = { field: draws.pick(["c", "d"]), range: { step: draws.pick([1, 2, 0.5, 2.5]), bounds } };
  const times = {
    field: "t",
    range: {
      step: 1 + draws.below(9),
      unit: "hour",
      bounds: draws.pick(["full", [new Date("2024-01-01"), new Date("2024-01-02T06:00:00Z")]]),
    },
  };
  const spec = draws.below(2) === 0 ? numbers : times;
  const partition = spec.range.bounds === "partition" ? { partitionByFields: ["m.h"] } : {};
  return [
    { $project: { c: 1, d: 1, t: 1, "m.h": 1 } },
    { $densify: { ...spec, ...partition } },
    { $sort: { [spec.field]: 1, "m.h": 1, _id: 1 } },
    { $limit: 100 },
  ];
}

function bucket(draws: StageDraws): Document[] {
  const groupBy = draws.pick(KEYS);
  return [{
    $bucket: { groupBy, boundaries: [-1, 0, 2.5, 7, 100], default: "other", output: outputOfBuckets(draws) },
  }];
}

function bucketAuto(draws: StageDraws): Document[] {
  const granularity = draws.below(4) === 0
    ? { granularity: draws.pick(["R5", "E6", "1-2-5", "POWERSOF2"]) }
    : {};
  const groupBy = draws.pick(["$c", "$d", "$_id", "$t"]);
  return [{
    $bucketAuto: { groupBy, buckets: 1 + draws.below(5), ...granularity, output: outputOfBuckets(draws) },
  }];
}

function outputOfBuckets(draws: StageDraws): Document {
  return { n: { $sum: 1 }, sum: { $sum: "$c" }, most: { [draws.pick(["$max", "$min"])]: "$d" } };
}

function redact(draws: StageDraws): Document[] {
  const variable = () => draws.pick(["$$DESCEND", "$$PRUNE", "$$KEEP"]);
  const condition = draws.pick<unknown>([
    draws.expression(1),
    { $eq: [{ $type: "$x" }, "missing"] },
    { $gt: ["$y", 1] },
  ]);
  return [{ $redact: { $cond: [condition, variable(), variable()] } }, { $limit: 30 }];
}

function graphLookup(draws: StageDraws, other: string): Document[] {
  const spec = {
    from: other,
    startWith: draws.pick(["$c", "$_id", "$m.h", "$n.x", "$a"]),
    connectFromField: draws.pick(["c", "_id", "n.x"]),
    connectToField: draws.pick(["_id", "c", "n.x"]),
    as: "g",
    ...(draws.below(2) === 0 ? { maxDepth: draws.below(3) } : {}),
    ...(draws.below(2) === 0 ? { depthField: "depth" } : {}),
    ...(draws.below(3) === 0 ? { restrictSearchWithMatch: draws.filter(1) } : {}),
  };
  const ids = {
    $sortArray: { input: { $map: { input: "$g", in: ["$$this._id", "$$this.depth"] } }, sortBy: 1 },
  };
  return [{ $limit: 8 }, { $graphLookup: spec }, { $project: { g: ids } }];
}

function facet(draws: StageDraws): Document[] {
  return [{
    $facet: {
      first: [{ $match: draws.filter(1) }, BY_ID, { $limit: 3 }, { $project: { _id: 1 } }],
      groups: [{ $group: { _id: "$c", n: { $sum: 1 } } }, BY_ID],
      computed: [BY_ID, { $project: { _id: 0, x: draws.expression(2) } }, { $limit: 5 }],
    },
  }];
}

function sortByCount(draws: StageDraws): Document[] {
  return [{ $sortByCount: draws.pick(["$c", "$d", "$m.h"]) }, { $sort: { count: -1, _id: 1 } }];
}

function replaceWith(draws: StageDraws): Document[] {
  return [{ $limit: 30 }, {
    $replaceWith: {
      $mergeObjects: [{ k: draws.expression(2) }, draws.pick<unknown>(["$n", null, { c: "$c" }])],
    },
  }];
}
