/**
 * The two executors agree: whatever a fragment answers from columns, rows answer too, bit for bit. Random measurements
 * (all types in one field, missing and nested fields, arrays, NaN, −0, the ends of int64, late rows, rows in segments and
 * in memory) under random pipelines of every form that is pushed down.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { deserialize, EJSON } from "bson";
import { MemoryBudget, type Random, seededRandom, SILENT_LOGGER } from "../../src/base/mod.ts";
import {
  BuiltDocument,
  Collation,
  Decimal128,
  type Document,
  encodeDocument,
  Int32,
  ObjectId,
  RawDocument,
  UtcDate,
  type Value,
} from "../../src/bson/mod.ts";
import { MemoryDisk, SimulatedClock } from "../../src/io/mod.ts";
import {
  collectRows,
  execute,
  explain,
  newScanCounters,
  NO_COLLECTIONS,
  parsePipeline,
  type QueryContext,
  QueryMemory,
  type Source,
} from "../../src/query/mod.ts";
import { TimeseriesStore } from "../../src/storage/mod.ts";

const TABLE = 1;
const START_MS = Date.UTC(2024, 2, 30, 20);
const ROUNDS = 12;
const QUERIES = 60;
const MEMORY_BYTES = 2 ** 26;

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

function whole(random: Random, below: number): number {
  return Math.floor(random() * below);
}

const int = (value: number) => Int32.of(value);
const doc = (record: Readonly<Record<string, Value>>) => BuiltDocument.of(record);

/** A store with rows of some series, some flushed, some late, some in memory. */
async function randomStore(random: Random, style: Style, memory: MemoryBudget): Promise<TimeseriesStore> {
  const store = await TimeseriesStore.open({
    disk: new MemoryDisk(),
    directory: "ts",
    clock: new SimulatedClock(),
    logger: SILENT_LOGGER,
    memory,
  });
  await store.createTable(TABLE, { timeField: "t", metaField: "m", spanSeconds: 3600 });
  const parts = 1 + whole(random, 4);
  const seriesCount = random() < 0.4 ? 50 + whole(random, 400) : 1 + whole(random, 6);
  let logIndex = 1;
  for (let part = 0; part < parts; part++) {
    const rows = 1 + whole(random, part === 0 && random() < 0.3 ? 9000 : 600);
    // Where time stands still, rows of one series and time are its last.
    const moving = random() < 0.3 ? whole(random, rows) : rows;
    const documents = Array.from({ length: rows }, (_, i) => {
      const late = random() < style.late ? -whole(random, 3_600_000) : 0;
      const ms = START_MS + (part * rows + Math.min(i, moving)) * style.stepMs + late;
      return randomRow(random, style, whole(random, seriesCount), ms);
    });
    const { payload } = store.prepareInsert(TABLE, documents, false);
    if (payload !== undefined) store.applyInsert(logIndex++, TABLE, payload.slice());
    if (random() < 0.6) await store.flush();
    if (random() < 0.2) await store.compact(TABLE);
    if (random() < 0.4) await removeSome(store, logIndex++, random);
  }
  // Pages that nothing overlaps are read series after series at once.
  if (random() < 0.3) {
    await store.flush();
    await store.compact(TABLE);
  }
  return store;
}

/** Takes rows away, in long spans and one by one. */
async function removeSome(store: TimeseriesStore, logIndex: number, random: Random): Promise<void> {
  const change = await store.beginChange(TABLE);
  let left = 0;
  for await (
    const batch of change.scan({ checkpoint: () => Promise.resolve(), counters: newScanCounters() })
  ) {
    for (const row of batch) {
      if (left === 0 && random() < 0.05) left = 1 + whole(random, random() < 0.1 ? 5000 : 3);
      if (left === 0) continue;
      left--;
      change.remove(row);
    }
  }
  const taken = change.take();
  if (taken !== undefined) store.applyChange(logIndex, TABLE, taken.payload);
}

interface Style {
  readonly late: number;
  readonly stepMs: number;
  /** How a measurement is made. */
  readonly value: (random: Random) => Value;
  readonly missing: number;
  /** How often a row is one that has to be kept whole. */
  readonly odd: number;
  /** Fields of each row that are of thousands. */
  readonly sparse?: number;
}

const ints = (random: Random): Value => int(whole(random, 100));
const doubles = (random: Random): Value => random() * 100 - 50;
/** As JavaScript's drivers write numbers, and now and then a double that is whole. */
const quarters = (random: Random): Value => {
  const value = whole(random, 60) / 4 - 5;
  return Number.isInteger(value) && random() < 0.8 ? int(value) : random() < 0.02 ? -0 : value;
};
const SPECIALS: readonly Value[] = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  0.1,
  1e300,
  int(0),
  int(2 ** 31 - 1),
  int(-(2 ** 31)),
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 53n + 1n,
  5n,
  null,
  true,
  false,
  "text",
  "Text",
  "téxt",
  "u",
  "",
  new UtcDate(START_MS),
  Decimal128.fromString("1.5"),
  Decimal128.fromString("NaN"),
  [],
  [int(1), 2.5, "x"],
  [doc({ a: int(1) }), doc({ a: int(7) })],
  doc({}),
  doc({ a: int(3), b: doc({ c: 1.5 }) }),
];
const anything = (random: Random): Value => pick(random, SPECIALS);
const mixedNumbers = (random: Random): Value =>
  pick(random, [ints, doubles, (r: Random) => BigInt(whole(r, 1e9)), () => null])(random);
const texts = (random: Random): Value =>
  pick(random, ["text", "Text", "téxt", "u", "", `v${whole(random, 3000)}`]);
const longs = (random: Random): Value => BigInt(whole(random, 2 ** 40)) - 5n;
const dates = (random: Random): Value => new UtcDate(START_MS + whole(random, 1e9));

const STYLES: readonly Style[] = [
  { late: 0, stepMs: 700, value: ints, missing: 0, odd: 0 },
  { late: 0.1, stepMs: 700, value: doubles, missing: 0, odd: 0 },
  { late: 0.05, stepMs: 5000, value: mixedNumbers, missing: 0.2, odd: 0 },
  { late: 0.3, stepMs: 0, value: ints, missing: 0.5, odd: 0.01 },
  { late: 0.02, stepMs: 60_000, value: anything, missing: 0.1, odd: 0.05 },
  { late: 0.02, stepMs: 20_000, value: longs, missing: 0.1, odd: 0 },
  { late: 0, stepMs: 30_000, value: dates, missing: 0, odd: 0 },
  {
    late: 0.02,
    stepMs: 9000,
    value: (random) => pick(random, [ints, ints, ints, ints, anything])(random),
    missing: 0,
    odd: 0,
  },
  { late: 0.05, stepMs: 3000, value: ints, missing: 0.1, odd: 0, sparse: 8 },
  { late: 0.05, stepMs: 3000, value: texts, missing: 0.1, odd: 0 },
  { late: 0.05, stepMs: 3000, value: quarters, missing: 0.2, odd: 0 },
];

/** More than a table has columns for; the common ones may find no place among them either. */
const RARE_FIELDS = ["a", "n", ...Array.from({ length: 3000 }, (_, i) => `rare${i}`)];

function randomRow(random: Random, style: Style, series: number, ms: number): RawDocument {
  const record: Record<string, Value> = { t: new UtcDate(ms) };
  const meta = metaOf(series);
  if (meta !== undefined) record["m"] = meta;
  for (let left = style.sparse ?? 0; left > 0; left--) {
    record[pick(random, RARE_FIELDS)] = style.value(random);
  }
  for (const field of ["a", "b", "c"]) {
    if (random() >= style.missing) record[field] = style.value(random);
  }
  if (random() < 0.5) record["n"] = doc({ x: style.value(random), y: doc({ z: style.value(random) }) });
  if (random() < style.odd) return twice(record, "a", style.value(random));
  record["_id"] = new ObjectId(`${series.toString(16).padStart(8, "0")}${ms.toString(16).padStart(16, "0")}`);
  return new RawDocument(encodeDocument(doc(record)));
}

/** A document with a field more, of a name that it has already: such rows are kept whole. */
function twice(record: Readonly<Record<string, Value>>, name: string, value: Value): RawDocument {
  const names = [...Object.keys(record), name];
  return new RawDocument(encodeDocument(new BuiltDocument(names, [...Object.values(record), value])));
}

function metaOf(series: number): Value {
  switch (series) {
    case 0:
      return doc({ host: "h0", region: "eu", rank: null });
    case 1:
      return doc({ host: "h1", region: "eu", rank: int(1) });
    case 2:
      return doc({ host: "H1", region: "US", rank: 1.0 });
    case 3:
      return undefined;
    case 4:
      return "plain";
    case 5:
      return doc({ host: "h1", tags: [int(1), int(2)] });
    default:
      return doc({
        host: `h${series % 3}`,
        region: "eu",
        ...(series % 3 > 0 && { rank: series % 5 === 0 ? null : int(series) }),
        ...(series % 2 > 0 && { tags: series % 4 === 1 ? [int(0), int(series)] : int(series % 3) }),
      });
  }
}

const PATHS = ["a", "b", "c", "n.x", "n.y.z", "n", "nothing", "f7", "a.a", "n.x.a", "_id"];
const COMPARISONS = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"];

function randomFilter(random: Random, depth: number): Document {
  const path = pick(random, PATHS);
  const operand = random() < 0.5 ? int(whole(random, 100)) : pick(random, SPECIALS);
  switch (whole(random, depth > 0 ? 12 : 9)) {
    case 0:
    case 1:
    case 2:
      return doc({ [path]: doc({ [pick(random, COMPARISONS)]: operand }) });
    case 3:
      return doc({ [path]: doc({ $exists: random() < 0.5 }) });
    case 4:
      return doc({ [path]: doc({ $in: [operand, int(7), null].slice(whole(random, 2)) }) });
    case 5:
      return doc({ [path]: doc({ $type: pick(random, ["number", "int", "string", "null", "array"]) }) });
    case 6:
      return doc({ "m.host": pick(random, ["h0", "h1", "H1", "h2"]) });
    case 7:
      return doc({ t: doc({ $gte: new UtcDate(START_MS + whole(random, 2_000_000)) }) });
    case 8:
      return doc({
        t: doc({
          $gte: new UtcDate(START_MS + whole(random, 500_000)),
          $lt: new UtcDate(START_MS + whole(random, 9_000_000)),
        }),
      });
    case 9:
      return doc({ $or: [randomFilter(random, depth - 1), randomFilter(random, depth - 1)] });
    case 10:
      return doc({ $nor: [randomFilter(random, depth - 1)] });
    default:
      return doc({ $and: [randomFilter(random, depth - 1), randomFilter(random, depth - 1)] });
  }
}

const UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
const ZONES = [undefined, undefined, "Europe/Berlin", "America/New_York", "+05:30"];

function randomTimeKey(random: Random): Value {
  const instant = (i: number) => new UtcDate(START_MS + i * 1_000_000);
  switch (whole(random, 7)) {
    case 0:
      return doc({ $hour: "$t" });
    case 3:
      return doc({
        $cond: [
          doc({ $lt: ["$t", instant(1)] }),
          pick(random, ["$$REMOVE", 1, int(1), [int(2), int(1)]]),
          int(1),
        ],
      });
    case 1:
      return doc({ $dayOfWeek: doc({ date: "$t", timezone: "Europe/Berlin" }) });
    case 2:
      return doc({ $cond: [doc({ $lt: ["$t", instant(2)] }), "early", doc({ $minute: "$t" })] });
    default:
      return doc({
        $dateTrunc: doc({
          date: "$t",
          unit: pick(random, UNITS),
          binSize: random() < 0.5 ? undefined : int(1 + whole(random, 20)),
          timezone: pick(random, ZONES),
        }),
      });
  }
}

/** Keys that read what is measured, alone and beside others, as it is and computed. */
function randomMeasuredKey(random: Random): Value {
  const one = `$${pick(random, PATHS)}`;
  switch (whole(random, 9)) {
    case 0:
      return doc({ value: one });
    case 1:
      return doc({ value: one, other: `$${pick(random, PATHS)}` });
    case 2:
      return doc({ value: one, host: "$m.host", rank: "$m.rank" });
    case 3:
      return doc({ value: one, time: randomTimeKey(random) });
    case 4:
      return doc({ time: randomTimeKey(random), a: one, b: `$${pick(random, PATHS)}`, region: "$m.region" });
    case 5:
      return doc({ $type: one });
    case 6:
      return doc({ $gt: [one, pick<Value>(random, ["$m.rank", int(50), null])] });
    case 7:
      return doc({ $ifNull: [one, "$m.host"] });
    default:
      return one;
  }
}

function randomKey(random: Random): Value {
  switch (whole(random, 14)) {
    case 8:
    case 9:
    case 10:
    case 11:
      return randomMeasuredKey(random);
    case 12:
      return doc({ time: randomTimeKey(random), meta: doc({ rank: "$m.rank", tags: ["$m.tags"] }) });
    case 13:
      return doc({ tags: "$m.tags", rank: "$m.rank" });
    case 0:
      return null;
    case 1:
      return "$m";
    case 2:
      return "$m.host";
    case 3:
      return randomTimeKey(random);
    case 4:
      return doc({ host: "$m.host", time: randomTimeKey(random) });
    case 5:
      return doc({ region: "$m.region", rank: "$m.rank", time: randomTimeKey(random) });
    case 6:
      return doc({ type: doc({ $type: "$m.rank" }), time: randomTimeKey(random) });
    default:
      return doc({ tags: "$m.tags" });
  }
}

const ACCUMULATORS = ["$sum", "$avg", "$min", "$max", "$first", "$last", "$stdDevPop", "$stdDevSamp"];
const KEEPERS = ["$firstN", "$lastN", "$minN", "$maxN"];

/** @param keeps whether outputs may keep many values, for which `$timeWindow` sorts rows */
function randomOutputs(random: Random, keeps = true): Record<string, Value> {
  const outputs: Record<string, Value> = {};
  for (let i = whole(random, 5); i >= 0; i--) {
    const input = random() < 0.8
      ? `$${pick(random, PATHS)}`
      : pick<Value>(random, ["$t", "$m.host", "$m", int(1), 0.1]);
    const kind = random();
    if (kind < 0.03) outputs[`o${i}`] = doc({ [pick(random, ["$first", "$last"])]: "$$ROOT" });
    else if (kind < 0.1) outputs[`o${i}`] = doc({ $count: doc({}) });
    else if (kind < 0.15 && keeps) {
      outputs[`o${i}`] = doc({ [pick(random, ["$push", "$addToSet"])]: input });
    } else if (kind < 0.2 && keeps) {
      outputs[`o${i}`] = doc({ [pick(random, KEEPERS)]: doc({ n: int(3), input }) });
    } else outputs[`o${i}`] = doc({ [pick(random, ACCUMULATORS)]: input });
  }
  return outputs;
}

/** How long windows are, and how far apart they may start. */
const WINDOWS = [["10s", "4s"], ["15m", "10m"], ["2h", "45m"], ["1d", "1d"], ["1mo", "1mo"]] as const;

function randomPipeline(random: Random): Document[] {
  const stages: Document[] = [];
  for (let i = whole(random, 3); i > 0; i--) stages.push(doc({ $match: randomFilter(random, 2) }));
  switch (whole(random, 9)) {
    case 0:
      stages.push(doc({ $count: "n" }));
      break;
    case 1: {
      const [window, every] = pick(random, WINDOWS);
      stages.push(doc({
        $timeWindow: doc({
          timestamp: "$t",
          window,
          every: random() < 0.3 ? every : undefined,
          timezone: pick(random, ZONES),
          partitionBy: pick<Value>(random, [
            undefined,
            "$m.host",
            "$m",
            "$m.rank",
            doc({ h: "$m.host", r: "$m.region" }),
            "$a",
            doc({ value: "$n.x", rank: "$m.rank" }),
          ]),
          output: doc(randomOutputs(random, false)),
        }),
      }));
      break;
    }
    case 2:
      stages.push(doc({
        $bucket: doc({
          groupBy: "$t",
          boundaries: [0, 1, 4, 9].map((i) => new UtcDate(START_MS + i * 600_000)),
          default: "other",
          output: doc(randomOutputs(random)),
        }),
      }));
      break;
    case 3: {
      const window = doc({ date: "$t", unit: pick(random, UNITS), binSize: int(1 + whole(random, 20)) });
      stages.push(doc({ $group: doc({ _id: doc({ $dateTrunc: window }), ...randomOutputs(random) }) }));
      stages.push(doc({ $sort: doc({ _id: int(pick(random, [1, -1])) }) }));
      stages.push(doc({ $limit: int(1 + whole(random, 9)) }));
      break;
    }
    case 4:
      return random() < 0.3 ? latestRows(random) : groupEnds(random);
    case 5:
      stages.push(doc({ $sortByCount: `$${pick(random, PATHS)}` }));
      break;
    default:
      stages.push(doc({ $group: doc({ _id: randomKey(random), ...randomOutputs(random) }) }));
      if (random() < 0.6) stages.push(...sortOfGroups(random));
  }
  return stages;
}

const GROUP_PATHS = [
  "_id",
  "_id.host",
  "_id.time",
  "_id.rank",
  "_id.region",
  "_id.tags",
  "_id.meta",
  "_id.x",
];

/** A sort by parts of the groups' _ids, mostly, and now and then a limit. */
function sortOfGroups(random: Random): Document[] {
  const parts: Record<string, Value> = {};
  for (let i = whole(random, 3); i >= 0; i--) parts[pick(random, GROUP_PATHS)] = int(pick(random, [1, -1]));
  if (random() < 0.1) parts["o0"] = int(1);
  const sort = doc({ $sort: doc(parts) });
  return random() < 0.3 ? [sort, doc({ $limit: int(1 + whole(random, 20)) })] : [sort];
}

/** The newest row of each group by the metaField, in an order that does not depend on which of equal times came first. */
function latestRows(random: Random): Document[] {
  const by = pick<Value>(random, [undefined, "$m.host", "$m.rank", "$m", doc({ r: "$m.region" })]);
  const time = doc({ t: doc({ $lt: new UtcDate(START_MS + whole(random, 2_000_000)) }) });
  return [
    ...(random() < 0.3 ? [doc({ $match: time })] : []),
    doc({ $latest: doc({ by }) }),
    doc({ $sort: doc({ m: int(1), _id: int(1) }) }),
  ];
}

/** The first and last values of groups by the metaField, in order of time; the groups themselves come in any order. */
function groupEnds(random: Random): Document[] {
  const stages: Document[] = [];
  if (random() < 0.3) stages.push(doc({ $match: doc({ "m.host": doc({ $ne: "h1" }) }) }));
  if (random() < 0.3) {
    stages.push(doc({ $match: doc({ t: doc({ $gte: new UtcDate(START_MS + 200_000) }) }) }));
  }
  const path = pick(random, ["m", "m.host", "m.rank", "m.tags", "m.region"]);
  const parts: [string, Value][] = [["t", int(pick(random, [1, -1]))]];
  if (random() < 0.7) parts.push([path, int(pick(random, [1, -1]))]);
  if (random() < 0.5) parts.reverse();
  const key = random() < 0.5 ? `$${path}` : doc({ key: `$${path}`, rank: "$m.rank" });
  const outputs: Record<string, Value> = {};
  for (let i = whole(random, 5); i >= 0; i--) {
    const input = random() < 0.7
      ? `$${pick(random, PATHS)}`
      : pick<Value>(random, ["$t", "$m.host", "$m", 7, "$$ROOT"]);
    outputs[`o${i}`] = doc({ [pick(random, ["$first", "$last"])]: input });
  }
  stages.push(doc({ $sort: doc(Object.fromEntries(parts)) }));
  stages.push(doc({ $group: doc({ _id: key, ...outputs }) }));
  stages.push(doc({ $sort: doc({ _id: int(1) }) }));
  return stages;
}

/** @param memoryBytes what the query may hold, with no disk to put things aside; as much as it likes where left out */
function context(memoryBytes?: number): QueryContext {
  return {
    ...(memoryBytes !== undefined && { memory: new QueryMemory(new MemoryBudget(memoryBytes), undefined) }),
    nowMs: START_MS,
    variables: new Map(),
    collections: NO_COLLECTIONS,
    checkpoint: () => Promise.resolve(),
    counters: newScanCounters(),
  };
}

/** Empties the cache: pages are decoded anew, and so far as their values are asked for. */
function dropPages(memory: MemoryBudget): void {
  memory.totalBytes = 0;
  memory.totalBytes = MEMORY_BYTES;
}

/** Which NaN comes out of a computation is the processor's choice. */
const NEGATIVE_NAN = "000000000000f8ff";
const POSITIVE_NAN = "000000000000f87f";

/** The answer as text: its documents' bytes, or the error. */
async function answer(
  stages: readonly Document[],
  source: Source,
  collation?: Collation,
  memoryBytes?: number,
): Promise<readonly string[]> {
  try {
    const pipeline = parsePipeline(stages, { variables: new Set(), ...(collation && { collation }) });
    const rows = await collectRows(execute(pipeline, source, context(memoryBytes)));
    return rows.map((row) => encodeDocument(row).toHex().replaceAll(NEGATIVE_NAN, POSITIVE_NAN));
  } catch (error) {
    return [String(error)];
  }
}

async function isPushed(stages: readonly Document[], source: Source): Promise<boolean> {
  const plan = await explain(parsePipeline(stages), source, context(), "queryPlanner", "d.c");
  return ((plan.get("chronogo") as Document).get("pushdown") as Document).get("executor") === "columns";
}

function collationOf(sensitivity: "base" | "accent" | "variant"): Collation {
  return new Collation({
    tag: "en",
    usage: "sort",
    sensitivity,
    identical: false,
    numeric: false,
    caseFirst: undefined,
    ignorePunctuation: undefined,
  });
}

for (let round = 0; round < ROUNDS; round++) {
  Deno.test(`columns answer what rows answer, seed ${round}`, async () => {
    const random = seededRandom(round * 7919 + 1);
    const memory = new MemoryBudget(MEMORY_BYTES);
    const store = await randomStore(random, STYLES[round % STYLES.length]!, memory);
    const shape = { kind: "timeseries", timeField: "t", metaField: "m" } as const;
    const onRows: Source = { shape, scan: (request) => store.scan(TABLE, request) };
    const onColumns: Source = {
      ...onRows,
      shape: { ...shape, filtersRows: true },
      runFragment: (request) => store.runFragment(TABLE, request),
      timeBounds: () => store.timeBounds(TABLE),
    };
    let pushed = 0;
    for (let i = 0; i < QUERIES; i++) {
      const stages = randomPipeline(random);
      if (await isPushed(stages, onColumns)) pushed++;
      const text = stages.map((stage) => EJSON.stringify(deserialize(encodeDocument(stage)))).join(", ");
      dropPages(memory);
      deepStrictEqual(await answer(stages, onColumns), await answer(stages, onRows), `query ${i}: ${text}`);
      const collation = collationOf(pick(random, ["base", "accent", "variant"]));
      deepStrictEqual(
        await answer(stages, onColumns, collation),
        await answer(stages, onRows, collation),
        `query ${i} under a collation: ${text}`,
      );
      // Rows that are sorted take memory which columns do without, and so do the groups that $bucket sorts.
      if (["$sort", "$timeWindow", "$bucket"].some((stage) => text.includes(stage))) continue;
      const bytes = 2 ** (10 + whole(random, 12));
      deepStrictEqual(
        await answer(stages, onColumns, undefined, bytes),
        await answer(stages, onRows, undefined, bytes),
        `query ${i} with ${bytes} bytes: ${text}`,
      );
    }
    ok(pushed === QUERIES, `${pushed} of ${QUERIES} queries were pushed down`);
    for (let i = 0; i < QUERIES; i++) {
      const filter = randomFilter(random, 2);
      const stages = [doc({ $match: filter })];
      const text = EJSON.stringify(deserialize(encodeDocument(filter)));
      dropPages(memory);
      deepStrictEqual(await answer(stages, onColumns), await answer(stages, onRows), `filter ${i}: ${text}`);
      const collation = collationOf(pick(random, ["base", "accent", "variant"]));
      deepStrictEqual(
        await answer(stages, onColumns, collation),
        await answer(stages, onRows, collation),
        `filter ${i} under a collation: ${text}`,
      );
    }
    await store.close();
  });
}
