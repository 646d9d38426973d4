/**
 * Random `$setWindowFields`, over windows of rows, of values and of times. The same draws give the same stages for ever.
 *
 * Not asked is what MongoDB leaves open: which of the rows that sort equal comes first.
 */
import type { Document } from "bson";
import type { StageDraws } from "./random_stages.ts";

export const BY_ID: Document = { $sort: { _id: 1 } };
export const VALUES = ["$a", "$b", "$c", "$d", "$n.x", "$n.y", "$m.h"];

/** Windows, and the last rows of what comes of them. */
export function randomWindow(draws: StageDraws): Document[] {
  return draws.pick([windowOfDocuments, windowOfDocuments, windowOfRange, rank, pickInWindow, overTime])(
    draws,
  );
}

function windowOfDocuments(draws: StageDraws): Document[] {
  const bound = () => draws.below(7) - 3;
  const [from, to] = [bound(), bound()].sort((a, b) => a - b);
  const documents = draws.pick<unknown[]>([
    ["unbounded", "unbounded"],
    ["unbounded", "current"],
    ["current", "unbounded"],
    [from, to],
    ["unbounded", to],
    [from, "unbounded"],
  ]);
  const name = draws.pick([
    "$sum",
    "$avg",
    "$min",
    "$max",
    "$push",
    "$first",
    "$last",
    "$stdDevPop",
    "$stdDevSamp",
  ]);
  // $min and $max keep either of two equal values of different types.
  const values = ["$min", "$max"].includes(name) ? ["$c", "$d", "$m.h"] : VALUES;
  return [
    windowed(draws, { _id: draws.pick([1, -1]) }, { [name]: draws.pick(values), window: { documents } }),
    ...lastOf(["w", "c"]),
  ];
}

/** Without `current`, which is one row: which of those with equal keys comes first is open. */
function windowOfRange(draws: StageDraws): Document[] {
  const range = draws.pick<unknown[]>([["unbounded", 0], [-1, 1], [-2, 0], [0, 1.5], [0, "unbounded"]]);
  const ofTime = { range: [-draws.below(5), draws.below(3)], unit: draws.pick(["hour", "minute", "day"]) };
  const name = draws.pick(["$sum", "$avg", "$min", "$max"]);
  const byTime = draws.below(2) === 0;
  return [
    windowed(draws, { [byTime ? "t" : "c"]: 1 }, { [name]: "$c", window: byTime ? ofTime : { range } }),
    ...lastOf(["w", "c", "t"]),
  ];
}

function rank(draws: StageDraws): Document[] {
  const [name, argument] = draws.pick<[string, unknown]>([
    ["$rank", {}],
    ["$denseRank", {}],
    ["$documentNumber", {}],
    ["$shift", { output: draws.pick(VALUES), by: draws.below(5) - 2, default: "none" }],
    ["$locf", draws.pick(VALUES)],
    ["$linearFill", draws.pick(["$d", "$n.y"])],
    ["$expMovingAvg", { input: draws.pick(["$c", "$d"]), N: 1 + draws.below(4) }],
    ["$derivative", { input: "$d" }],
    ["$integral", { input: "$d" }],
  ]);
  const ranked = name === "$rank" || name === "$denseRank";
  const sortBy = { [ranked ? draws.pick(["c", "d", "m.h"]) : "_id"]: 1 };
  const window = name === "$derivative" ? { window: { documents: [-1, 0] } } : {};
  return [windowed(draws, sortBy, { [name]: argument, ...window }), ...lastOf(["w", "c", "d"])];
}

function windowed(draws: StageDraws, sortBy: Document, w: Document): Document {
  const partitionBy = draws.pick<Document>([{}, { partitionBy: "$c" }, { partitionBy: "$m.h" }, {
    partitionBy: { c: { $gt: ["$c", 4] } },
  }]);
  return { $setWindowFields: { ...partitionBy, sortBy, output: { w } } };
}

export function lastOf(fields: readonly string[]): Document[] {
  return [BY_ID, { $limit: 60 }, { $project: Object.fromEntries(fields.map((field) => [field, 1])) }];
}

function pickInWindow(draws: StageDraws): Document[] {
  const n = 1 + draws.below(3);
  const sortBy = { [draws.pick(["c", "d"])]: draws.pick([1, -1]), _id: 1 };
  const output = draws.pick(VALUES);
  const picked = draws.pick<Document>([
    { $topN: { n, sortBy, output } },
    { $bottomN: { n, sortBy, output } },
    { $top: { sortBy, output } },
    { $bottom: { sortBy, output } },
    { $firstN: { n, input: output } },
    { $lastN: { n, input: output } },
    { $maxN: { n, input: draws.pick(["$c", "$d", "$t"]) } },
    { $minN: { n, input: draws.pick(["$c", "$d", "$t"]) } },
    { $count: {} },
    { $covariancePop: ["$c", draws.pick(["$d", "$n.y"])] },
    { $covarianceSamp: ["$d", "$c"] },
  ]);
  const documents = [
    draws.pick<unknown>(["unbounded", -draws.below(3)]),
    draws.pick<unknown>(["current", draws.below(3)]),
  ];
  return [windowed(draws, { _id: 1 }, { ...picked, window: { documents } }), ...lastOf(["w", "c"])];
}

function overTime(draws: StageDraws): Document[] {
  const unit = draws.pick(["hour", "minute", "day", "week"]);
  const range = [draws.pick<unknown>(["unbounded", -draws.below(20)]), draws.pick<unknown>(["current", 0])];
  const changing = draws.pick<Document>([
    { $integral: { input: draws.pick(["$c", "$d"]), unit }, window: { range, unit: "hour" } },
    { $derivative: { input: "$d", unit }, window: { range, unit: "hour" } },
    { $derivative: { input: "$c", unit }, window: { documents: [-1, 0] } },
    { $expMovingAvg: { input: "$d", alpha: draws.pick([0.25, 0.5, 0.9]) } },
    { $locf: "$n.x" },
    { $linearFill: "$n.y" },
    { $sum: "$d", window: { range: [-draws.below(10), 0], unit } },
  ]);
  // Of the rows of one time only the last is left: their order is open.
  const single: Document[] = [{
    $group: { _id: "$t", d: { $max: "$d" }, c: { $max: "$c" }, n: { $last: "$n" } },
  }, {
    $project: { _id: 0, t: "$_id", c: 1, d: 1, n: 1 },
  }];
  return [
    ...single,
    { $setWindowFields: { sortBy: { t: 1 }, output: { w: changing } } },
    { $sort: { t: 1 } },
    {
      $limit: 60,
    },
  ];
}
