import assert from "node:assert/strict";
import { ErrorCode, MemoryBudget, type Random, seededRandom } from "../base/mod.ts";
import { type Document, encodeDocument } from "../bson/mod.ts";
import { ArraySource } from "./array_source.ts";
import { execute } from "./execute.ts";
import { explain } from "./explain.ts";
import { QueryMemory } from "./memory.ts";
import { parsePipeline } from "./parse.ts";
import { collectRows } from "./rows.ts";
import { MemorySpill } from "./spill.ts";
import { documentOf, type Plain, plainOf, type PlainRecord, testContext } from "./test_collection.ts";

const ROWS = 3000;
/** So much for all stages; each may hold a fifth of it. */
const TINY_BYTES = 100_000;

function randomRows(random: Random): Document[] {
  const pick = <T>(...values: readonly T[]) => values[Math.floor(random() * values.length)]!;
  return Array.from({ length: ROWS }, (_, i): Document => {
    const value: Plain = pick<Plain>(
      null,
      Math.floor(random() * 40),
      random() * 40,
      `text ${Math.floor(random() * 30)}`,
      [Math.floor(random() * 5), 2.5],
      { x: Math.floor(random() * 4) },
      new Date(Math.floor(random() * 20)),
    );
    const record: PlainRecord = { _id: i, g: Math.floor(random() * 700), n: random() * 1e6 - 5e5 };
    return documentOf(random() < 0.1 ? record : { ...record, v: value });
  });
}

async function run(
  rows: readonly Document[],
  stages: readonly PlainRecord[],
  memory: QueryMemory | undefined,
): Promise<unknown[]> {
  const pipeline = parsePipeline(stages.map(documentOf));
  const context = { ...testContext(), ...(memory && { memory }) };
  return (await collectRows(execute(pipeline, new ArraySource(rows), context))).map(plainOf);
}

function sortById(rows: unknown[]): void {
  const idOf = (row: unknown) => JSON.stringify((row as { readonly _id: unknown })._id);
  rows.sort((a, b) => idOf(a) < idOf(b) ? -1 : 1);
}

const GROUPED: PlainRecord = {
  $group: {
    _id: "$v",
    count: { $sum: 1 },
    sum: { $sum: "$n" },
    avg: { $avg: "$n" },
    min: { $min: "$n" },
    max: { $max: "$v" },
    first: { $first: "$_id" },
    last: { $last: "$v" },
    all: { $push: "$_id" },
    set: { $addToSet: "$v" },
    deviation: { $stdDevSamp: "$n" },
    top: { $topN: { n: 3, sortBy: { n: 1 }, output: "$_id" } },
    least: { $minN: { n: 2, input: "$n" } },
    lastN: { $lastN: { n: 3, input: "$_id" } },
  },
};

const WITH_TIME: PlainRecord = { $set: { t: { $toDate: { $toLong: "$g" } } } };
const TIMED: PlainRecord = {
  timestamp: "$t",
  partitionBy: { $mod: ["$_id", 3] },
  output: {
    count: { $sum: 1 },
    sum: { $sum: "$g" },
    all: { $push: "$_id" },
    first: { $first: "$_id" },
    last: { $last: "$v" },
  },
};

const PIPELINES: Readonly<Record<string, readonly PlainRecord[]>> = {
  "a sort": [{ $sort: { v: 1 } }],
  "a sort by two fields, one descending": [{ $sort: { g: -1, v: 1 } }],
  "a sort with a limit": [{ $sort: { n: 1 } }, { $limit: 700 }],
  "a sort with a skip and a limit": [{ $sort: { v: -1 } }, { $skip: 100 }, { $limit: 900 }],
  // A deviation that is merged from parts may differ in its last digits.
  "groups": [GROUPED, { $set: { deviation: { $round: ["$deviation", 4] } } }],
  "groups by an object of fields": [
    { $group: { _id: { g: "$g", x: "$v.x" }, all: { $push: "$$ROOT" } } },
  ],
  "groups by each row": [{ $group: { _id: "$_id", v: { $first: "$v" } } }],
  "a facet": [
    { $facet: { sorted: [{ $sort: { n: 1 } }, { $limit: 5 }], count: [{ $count: "rows" }], all: [] } },
  ],
  "buckets": [{
    $bucketAuto: { groupBy: "$v", buckets: 7, output: { first: { $first: "$_id" }, n: { $sum: "$n" } } },
  }],
  "buckets with rounded boundaries": [
    {
      $bucketAuto: {
        groupBy: { $abs: "$n" },
        buckets: 5,
        granularity: "E24",
        output: { n: { $sum: 1 }, last: { $last: "$g" } },
      },
    },
  ],
  "what rows were sorted by": [{ $sort: { v: 1, g: -1 } }, { $set: { key: { $meta: "sortKey" } } }],
  "rows drawn at random, all of them": [
    { $sort: { n: 1 } },
    { $sample: { size: ROWS } },
    { $set: { key: { $meta: "sortKey" } } },
    { $sort: { n: 1 } },
  ],
  "what rows in buckets were sorted by": [
    { $sort: { n: 1 } },
    { $limit: 500 },
    {
      $bucketAuto: {
        groupBy: "$g",
        buckets: 3,
        output: { keys: { $firstN: { n: 5, input: { $meta: "sortKey" } } } },
      },
    },
  ],
  "windows": [{
    $setWindowFields: {
      partitionBy: { $mod: ["$g", 3] },
      sortBy: { n: 1 },
      output: {
        place: { $documentNumber: {} },
        rank: { $rank: {} },
        sum: { $sum: "$n", window: { documents: [-20, 5] } },
        avg: { $avg: "$n", window: { range: [-1000, 1000] } },
        all: { $sum: "$g" },
        soFar: { $max: "$v", window: { documents: ["unbounded", "current"] } },
        around: { $push: "$v", window: { documents: [-2, 2] } },
        set: { $addToSet: "$v.x" },
        next: { $shift: { output: "$$ROOT.v", by: 700, default: "none" } },
        first: { $first: "$v", window: { documents: [-500, "current"] } },
        slope: { $derivative: { input: "$g" }, window: { documents: [-300, 0] } },
        area: { $integral: { input: "$g" }, window: { documents: [-300, 0] } },
        deviation: { $stdDevPop: "$n", window: { documents: [-9, 9] } },
        covariance: { $covariancePop: ["$n", "$g"], window: { documents: [-9, "unbounded"] } },
        moving: { $expMovingAvg: { input: "$n", N: 5 } },
        last: { $locf: "$v.x" },
        filled: { $linearFill: { $cond: [{ $eq: [{ $mod: ["$_id", 7] }, 0] }, "$g", null] } },
      },
    },
  }],
  "windows over all rows, as they come": [
    { $sort: { n: 1 } },
    {
      $setWindowFields: {
        output: { all: { $sum: "$n" }, keys: { $firstN: { n: 3, input: { $meta: "sortKey" } } } },
      },
    },
    { $set: { key: { $meta: "sortKey" } } },
  ],
  "filled gaps": [
    { $fill: { sortBy: { n: 1 }, output: { v: { method: "locf" }, w: { value: 1 } } } },
  ],
  "windows of time": [WITH_TIME, { $timeWindow: { ...TIMED, window: "20ms" } }],
  "windows of time that overlap": [WITH_TIME, { $timeWindow: { ...TIMED, window: "100ms", every: "20ms" } }],
  "sessions": [WITH_TIME, { $timeWindow: { ...TIMED, gap: "2ms" } }],
  "windows of states": [WITH_TIME, { $timeWindow: { ...TIMED, state: { $mod: ["$g", 5] } } }],
  "windows of so many rows": [WITH_TIME, { $timeWindow: { ...TIMED, count: 5, every: 2 } }],
  "windows of time that are filled in, of partitions": [
    WITH_TIME,
    {
      $timeWindow: {
        ...TIMED,
        window: "2ms",
        fill: { count: { value: 0 }, sum: "linear", all: "previous", first: "next" },
      },
    },
  ],
  "windows of time that are filled in": [
    WITH_TIME,
    {
      $timeWindow: {
        timestamp: "$t",
        window: "1ms",
        bounds: [new Date(-500), new Date(1500)],
        fill: { count: null, sum: "linear", some: "previous" },
        output: {
          count: { $sum: 1 },
          sum: { $avg: { $cond: [{ $eq: [{ $mod: ["$_id", 9] }, 0] }, "$g", null] } },
          some: { $max: "$v" },
        },
      },
    },
  ],
  "windows of so many rows that overlap much": [
    WITH_TIME,
    { $timeWindow: { ...TIMED, count: 40, every: 1 } },
  ],
  "windows of time that overlap much": [WITH_TIME, {
    $timeWindow: { ...TIMED, window: "100ms", every: "2ms" },
  }],
  "windows of time that overlap, of many partitions": [
    WITH_TIME,
    { $timeWindow: { ...TIMED, partitionBy: "$_id", window: "10ms", every: "5ms" } },
  ],
  "sessions of many partitions": [
    WITH_TIME,
    { $timeWindow: { ...TIMED, partitionBy: { $mod: ["$_id", 1000] }, gap: "50ms" } },
  ],
  "long sessions": [WITH_TIME, { $timeWindow: { ...TIMED, partitionBy: { $mod: ["$_id", 50] }, gap: "1s" } }],
  "windows of states of many partitions": [
    WITH_TIME,
    { $timeWindow: { ...TIMED, partitionBy: { m: { $mod: ["$_id", 1000] } }, state: { $mod: ["$_id", 3] } } },
  ],
  "events of many partitions": [
    WITH_TIME,
    {
      $timeWindow: {
        ...TIMED,
        partitionBy: { $mod: ["$_id", 1000] },
        start: { $lt: ["$n", 0] },
        end: { $gt: ["$n", 2e5] },
      },
    },
  ],
  "windows of so many rows of many partitions": [
    WITH_TIME,
    { $timeWindow: { ...TIMED, partitionBy: { $mod: ["$_id", 1000] }, count: 2, every: 1 } },
  ],
  "ends of groups": [
    { $sort: { n: 1 } },
    { $group: { _id: "$g", first: { $first: "$_id" }, last: { $last: "$n" } } },
    { $sort: { _id: 1 } },
  ],
};

for (const [name, stages] of Object.entries(PIPELINES)) {
  Deno.test(`${name}: the same with and without room in memory`, async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const rows = randomRows(seededRandom(seed));
      const spill = new MemorySpill();
      const budget = new MemoryBudget(TINY_BYTES);
      const memory = new QueryMemory(budget, spill);
      const spilled = await run(rows, stages, memory);
      memory.close();
      const expected = await run(rows, stages, undefined);
      // Groups that were put aside come in another order.
      if (name.startsWith("groups")) [spilled, expected].forEach(sortById);
      assert.deepEqual(spilled, expected);
      if (name !== "ends of groups") assert.ok(spill.created > 1, "files were used");
      assert.equal(spill.open.size, 0);
      assert.equal(budget.heldBytes, 0);
    }
  });
}

Deno.test("many runs are merged level by level, and equal rows keep their order", async () => {
  const rows = Array.from({ length: 40_000 }, (_, i) => documentOf({ _id: i, k: (i * 7919) % 10 }));
  const spill = new MemorySpill();
  const memory = new QueryMemory(new MemoryBudget(TINY_BYTES / 10), spill);
  const sorted = await run(rows, [{ $sort: { k: 1 } }], memory) as { _id: number; k: number }[];
  assert.ok(spill.created > 300);
  assert.equal(sorted.length, rows.length);
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1]!, sorted[i]!];
    assert.ok(a.k < b.k || (a.k === b.k && a._id < b._id));
  }
});

Deno.test("where the disk is not allowed, memory that does not suffice is an error", async () => {
  const rows = randomRows(seededRandom(1));
  const code = ErrorCode.QueryExceededMemoryLimitNoDiskUseAllowed;
  const stages: readonly (readonly [number, ...PlainRecord[]])[] = [
    [code, { $sort: { v: 1 } }],
    [code, { $group: { _id: "$_id" } }],
    [code, { $facet: { all: [] } }],
    [code, { $bucketAuto: { groupBy: "$v", buckets: 3 } }],
    [code, WITH_TIME, { $timeWindow: { timestamp: "$t", window: "1ms", output: { all: { $push: "$v" } } } }],
    [5643011, { $setWindowFields: { output: { all: { $sum: "$n" } } } }],
  ];
  for (const [code, ...pipeline] of stages) {
    const memory = new QueryMemory(new MemoryBudget(TINY_BYTES), undefined);
    await assert.rejects(run(rows, pipeline, memory), { code });
  }
});

Deno.test("the first rows of a sort need no more memory than they take themselves", async () => {
  const rows = Array.from({ length: 2000 }, (_, i) => documentOf({ _id: i, k: -i, text: "x".repeat(500) }));
  const memory = new QueryMemory(new MemoryBudget(TINY_BYTES), undefined);
  const first = await run(rows, [{ $sort: { k: 1 } }, { $limit: 3 }], memory) as { _id: number }[];
  assert.deepEqual(first.map((row) => row._id), [1999, 1998, 1997]);
});

Deno.test("a single group that is larger than memory is error 146, and names what keeps it", async () => {
  const rows = randomRows(seededRandom(1));
  for (const accumulator of ["$push", "$addToSet"]) {
    const memory = new QueryMemory(new MemoryBudget(TINY_BYTES), new MemorySpill());
    const stages = [{ $group: { _id: null, all: { [accumulator]: "$$ROOT" }, count: { $sum: 1 } } }];
    await assert.rejects(run(rows, stages, memory), (error: Error & { code?: number }) => {
      assert.equal(error.code, ErrorCode.ExceededMemoryLimit);
      assert.match(
        error.message,
        new RegExp(`\\${accumulator} used too much memory and cannot spill to disk`),
      );
      return true;
    });
  }
});

Deno.test("a window that is larger than memory is error 146, whatever bounds it", async () => {
  const rows = randomRows(seededRandom(1));
  const output = { all: { $push: "$$ROOT" }, count: { $sum: 1 } };
  const bounds: readonly PlainRecord[] = [
    { window: "1h" },
    { window: "1h", every: "30m" },
    { gap: "1h" },
    { state: "one" },
    { start: true, end: false },
    { count: ROWS },
    { count: ROWS, every: 100 },
  ];
  for (const bound of bounds) {
    const memory = new QueryMemory(new MemoryBudget(TINY_BYTES), new MemorySpill());
    const stages = [WITH_TIME, { $timeWindow: { timestamp: "$t", output, ...bound } }];
    await assert.rejects(run(rows, stages, memory), { code: ErrorCode.ExceededMemoryLimit });
    memory.close();
  }
});

Deno.test("windows of so many rows of which more are open at once than fit in memory say what would be right", async () => {
  const rows = randomRows(seededRandom(1));
  const memory = new QueryMemory(new MemoryBudget(TINY_BYTES), new MemorySpill());
  const windows = { timestamp: "$t", count: ROWS, every: 1, output: { count: { $sum: 1 } } };
  await assert.rejects(run(rows, [WITH_TIME, { $timeWindow: windows }], memory), {
    code: ErrorCode.ExceededMemoryLimit,
    message:
      /\$timeWindow has \d+ windows open at once, which take too much memory: choose a larger 'every'$/,
  });
  memory.close();
});

Deno.test("a set counts each of its values once", async () => {
  const text = encodeDocument(documentOf({ t: "x".repeat(1000) }));
  assert.ok(text.length > 1000);
  const rows = Array.from({ length: 500 }, (_, i) => documentOf({ _id: i, t: "x".repeat(1000) }));
  const memory = new QueryMemory(new MemoryBudget(TINY_BYTES), undefined);
  const result = await run(rows, [{ $group: { _id: null, all: { $addToSet: "$t" } } }], memory);
  assert.equal(result.length, 1);
});

Deno.test("explain says which stages used the disk", async () => {
  const rows = randomRows(seededRandom(1));
  const stages = [{ $sort: { n: 1 } }, { $group: { _id: "$g" } }, { $sort: { _id: 1 } }, { $limit: 3 }];
  const pipeline = parsePipeline(stages.map(documentOf));
  const memory = new QueryMemory(new MemoryBudget(TINY_BYTES), new MemorySpill());
  const text = await explain(pipeline, new ArraySource(rows), { ...testContext(), memory }, "executionStats");
  memory.close();
  const json = JSON.stringify(plainOf(text), (_, value) => typeof value === "bigint" ? `${value}` : value);
  const flags = [...json.matchAll(/"usedDisk":(\w+)/g)].map(([, flag]) => flag);
  assert.deepEqual(flags, ["true", "true", "false"]);
});
