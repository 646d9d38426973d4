import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { ArraySource } from "../array_source.ts";
import { parsePipeline } from "../parse.ts";
import { planPipeline } from "../plan.ts";
import { aggregate, documentOf, type PlainRecord } from "../test_collection.ts";

const TIMESERIES = { kind: "timeseries", timeField: "t", metaField: "m" } as const;
const DOCUMENTS = { kind: "documents" } as const;

/** Rows of a few hosts with many equal times and values, series by series as a store gives them. */
function randomRows(seed: number): PlainRecord[] {
  const random = seededRandom(seed);
  const upTo = (n: number) => Math.floor(random() * n);
  const rows = Array.from({ length: 60 }, (_, i): PlainRecord => ({
    t: new Date(upTo(12)),
    ...(upTo(8) > 0 && { m: { host: `h${upTo(4)}`, rack: upTo(3) % 2 === 0 ? upTo(2) : [upTo(2), 5] } }),
    ...(upTo(5) > 0 && { v: upTo(3) === 0 ? upTo(4) + 0.5 : upTo(4) }),
    n: i,
  }));
  const series = (row: PlainRecord) => JSON.stringify(row["m"] ?? null);
  return rows.sort((a, b) =>
    series(a).localeCompare(series(b)) || Number(a["t"]) - Number(b["t"]) || Number(a["n"]) - Number(b["n"])
  );
}

const SORTS: readonly PlainRecord[] = [
  { "m.host": 1, t: -1 },
  { "m.host": -1, t: 1 },
  { t: 1 },
  { t: -1 },
  { t: -1, "m.host": 1 },
  { "m.rack": 1, t: 1 },
  { "m.host": 1 },
  { v: -1, t: 1 },
  { t: 1, v: -1 },
];
const IDS = [
  "$m.host",
  "$m",
  { h: "$m.host" },
  { h: "$m.host", r: "$m.rack" },
  null,
  "$v",
  { $toString: "$v" },
];
const OUTPUTS: readonly PlainRecord[] = [
  { a: { $first: "$n" } },
  { a: { $last: "$n" } },
  { a: { $first: "$n" }, t: { $last: "$t" }, v: { $first: "$v" }, d: { $last: "$$ROOT" } },
  {},
];
const MATCHES: readonly PlainRecord[] = [
  {},
  { t: { $gte: new Date(3), $lt: new Date(9) } },
  { "m.host": { $in: ["h1", "h2"] }, t: { $lte: new Date(8) } },
  { v: { $gt: 1 } },
  { t: { $in: [new Date(2), new Date(9)] } },
];

Deno.test("a group of first and last rows gives what it gives over all rows, in the same order", async () => {
  for (const [seed, shape] of [[1, TIMESERIES], [2, TIMESERIES], [3, DOCUMENTS]] as const) {
    const source = new ArraySource(randomRows(seed).map(documentOf), shape);
    for (const sort of SORTS) {
      for (const _id of IDS) {
        for (const outputs of OUTPUTS) {
          for (const match of MATCHES) {
            const group = { $group: { _id, ...outputs } };
            const stages = [{ $match: match }, { $sort: sort }, group];
            // A limit behind the sort keeps the planner from looking at the two together.
            const plain = [{ $match: match }, { $sort: sort }, { $limit: 1000 }, group];
            deepStrictEqual(
              await aggregate(source, stages),
              await aggregate(source, plain),
              JSON.stringify(stages),
            );
          }
        }
      }
    }
  }
});

Deno.test("only the ends of series are read where nothing else can decide", () => {
  const plan = (...stages: readonly PlainRecord[]) =>
    planPipeline(parsePipeline(stages.map(documentOf)), TIMESERIES);
  const ends = (...stages: readonly PlainRecord[]) => plan(...stages).scan.seriesEnds;
  const first = { $group: { _id: "$m.host", v: { $first: "$v" } } };
  const last = { $group: { _id: { h: "$m.host" }, v: { $last: "$v" } } };
  const newestFirst = { $sort: { "m.host": 1, t: -1 } };
  deepStrictEqual(ends(newestFirst, first), { earliest: false, latest: true });
  deepStrictEqual(ends({ $sort: { t: 1 } }, first), { earliest: true, latest: false });
  deepStrictEqual(ends({ $sort: { t: 1 } }, last), { earliest: true, latest: true });
  const decided = { $match: { t: { $gt: new Date(1) }, $or: [{ "m.host": "a" }, { "m.rack": 1 }] } };
  deepStrictEqual(ends(decided, newestFirst, first), { earliest: false, latest: true });
  const open: readonly (readonly PlainRecord[])[] = [
    [{ $match: { v: { $gt: 1 } } }, newestFirst, first],
    [{ $match: { t: { $in: [new Date(1), new Date(5)] } } }, newestFirst, first],
    [{ $match: { $expr: { $gt: ["$t", new Date(1)] } } }, newestFirst, first],
    [{ $sort: { v: 1, t: 1 } }, first],
    [newestFirst, { $group: { _id: "$v", v: { $first: "$v" } } }],
    [newestFirst, { $group: { _id: { $toLower: "$m.host" }, v: { $first: "$v" } } }],
    [newestFirst, { $limit: 5 }, first],
    [newestFirst, { $group: { _id: "$m.host", v: { $max: "$v" } } }],
    [newestFirst, { $group: { _id: "$m.host", v: { $first: { $add: ["$v", 1] } } } }],
    [{ $unwind: "$v" }, newestFirst, first],
  ];
  for (const stages of open) strictEqual(ends(...stages), undefined, JSON.stringify(stages));
  ok(plan(newestFirst, first).stages.some((stage) => stage.kind === "groupEnds"));
  strictEqual(plan({ $sort: { t: 1 } }, { $group: { _id: "$m", v: { $sum: "$v" } } }).scan.timeOrder, 1);
});
