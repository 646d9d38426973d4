import assert from "node:assert/strict";
import { type Random, seededRandom, SILENT_LOGGER } from "../base/mod.ts";
import {
  BSONSymbol,
  BsonUndefined,
  BuiltDocument,
  Decimal128,
  Document,
  encodeDocument,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  RawDocument,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import { MemoryDisk, SimulatedClock } from "../io/mod.ts";
import {
  collectRows,
  execute,
  newScanCounters,
  NO_COLLECTIONS,
  parsePipeline,
  type ScanCounters,
  type Source,
} from "../query/mod.ts";
import { TimeseriesStore } from "../storage/mod.ts";

const TABLE = 1;
const SERIES = 2000;

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

/** Values that are equal across types, that differ by type alone, and those that comparisons treat in ways of their own. */
const SCALARS: readonly Value[] = [
  ...[1, 2, 2.5, -0, 0, NaN, Infinity].map((value) => value),
  ...[new Int32(1), new Int32(2), new Int32(0), 1n, 2n, 2n ** 60n],
  ...["1", "2", "2.5", "NaN"].map((text) => Decimal128.fromString(text)),
  ...["", "a", "b", "ab", "1", "é", "\0", "a\0b", "\ufffd"],
  new BSONSymbol("a"),
  ...[null, true, false, BsonUndefined.VALUE, new MinKey(), new MaxKey()],
  ...[new UtcDate(1), new UtcDate(2), new ObjectId(new Uint8Array(12))],
];

function randomValue(random: Random, depth: number): Value {
  const choice = random();
  if (depth > 0 && choice < 0.15) {
    return Array.from({ length: Math.floor(random() * 4) }, () => randomValue(random, depth - 1));
  }
  if (depth > 0 && choice < 0.3) return randomDocument(random, depth - 1);
  return pick(random, SCALARS);
}

function randomDocument(random: Random, depth: number): Document {
  const fields = ["a", "b", "0"].filter(() => random() < 0.6);
  return BuiltDocument.of(Object.fromEntries(fields.map((name) => [name, randomValue(random, depth)])));
}

function fieldsOf(document: Document): Record<string, Value> {
  return Object.fromEntries(document.names().map((name) => [name, document.get(name)]));
}

function randomFilter(random: Random, depth: number): Document {
  if (depth > 0 && random() < 0.4) {
    const branches = Array.from(
      { length: 1 + Math.floor(random() * 3) },
      () => randomFilter(random, depth - 1),
    );
    return BuiltDocument.of({ [pick(random, ["$and", "$or", "$nor"])]: branches });
  }
  const path = pick(random, ["m", "m.a", "m.b", "m.0", "m.a.b", "m.a.0", "m.a.0.b", "m.c"]);
  return BuiltDocument.of({ [path]: randomCondition(random) });
}

function randomCondition(random: Random): Value {
  const operand = () => {
    const value = randomValue(random, 2);
    return value === BsonUndefined.VALUE ? null : value;
  };
  switch (Math.floor(random() * 5)) {
    case 0:
      return BuiltDocument.of({ $eq: operand() });
    case 1:
      return BuiltDocument.of({ $in: Array.from({ length: 3 }, operand) });
    case 2:
      return BuiltDocument.of({ $exists: random() < 0.5 });
    case 3:
      return BuiltDocument.of({ $not: BuiltDocument.of({ $gte: operand() }) });
    default:
      return BuiltDocument.of({ [pick(random, ["$lt", "$lte", "$gt", "$gte"])]: operand() });
  }
}

async function openStore(): Promise<TimeseriesStore> {
  const store = await TimeseriesStore.open({
    disk: new MemoryDisk(),
    directory: "ts",
    clock: new SimulatedClock(),
    logger: SILENT_LOGGER,
  });
  await store.createTable(TABLE, { timeField: "t", metaField: "m", spanSeconds: 3600 });
  return store;
}

function insert(store: TimeseriesStore, logIndex: number, metas: readonly Value[]): void {
  const documents = metas.map((meta, i) => {
    const fields = { t: new UtcDate(logIndex * 10_000 + i), ...(meta !== undefined && { m: meta }) };
    return new RawDocument(encodeDocument(BuiltDocument.of(fields)));
  });
  store.applyInsert(logIndex, TABLE, store.prepareInsert(TABLE, documents, true).payload!.slice());
}

/** The store as the query engine reads it, with its indexes on metas or without. */
function sourceOf(store: TimeseriesStore, withLookup: boolean): Source {
  return {
    shape: { kind: "timeseries", timeField: "t", metaField: "m" },
    scan: ({ seriesLookup, seriesTests, ...request }) => {
      const hints = { ...(seriesLookup && { seriesLookup }), ...(seriesTests && { seriesTests }) };
      return store.scan(TABLE, { ...request, ...(withLookup && hints) });
    },
  };
}

async function rowsOf(source: Source, filter: Document, counters: ScanCounters): Promise<string[]> {
  const checkpoint = () => Promise.resolve();
  const context = { nowMs: 0, variables: new Map(), checkpoint, counters, collections: NO_COLLECTIONS };
  const pipeline = parsePipeline([BuiltDocument.of({ $match: filter })]);
  const rows = await collectRows(execute(pipeline, source, context));
  return rows.map((row) => encodeDocument(row).toHex());
}

Deno.test("a filter on metas finds the same rows with an index and without, whatever the metas are", async () => {
  const random = seededRandom(5);
  const store = await openStore();
  let made = 0;
  const uniqueMeta = () => BuiltDocument.of({ ...fieldsOf(randomDocument(random, 2)), n: new Int32(made++) });
  const metas = () =>
    [undefined, ...SCALARS].concat(
      Array.from({ length: SERIES }, () => random() < 0.2 ? randomValue(random, 3) : uniqueMeta()),
    );
  insert(store, 1, metas());
  let helped = 0;
  for (let step = 0; step < 200; step++) {
    // Series that come after an index was built are found as well.
    if (step % 100 === 50) insert(store, 1 + step, metas().slice(-150));
    if (step === 120) await store.flush();
    const filter = randomFilter(random, 2);
    const [with_, without] = [newScanCounters(), newScanCounters()];
    const found = await rowsOf(sourceOf(store, true), filter, with_);
    const expected = await rowsOf(sourceOf(store, false), filter, without);
    assert.deepEqual(found, expected, encodeDocument(filter).toHex());
    assert.equal(with_.seriesMatched, without.seriesMatched);
    if (with_.seriesScanned < without.seriesScanned) helped++;
  }
  assert.ok(helped > 60, `an index helped ${helped} times`);
});

Deno.test("a path of the meta leaves few series to judge, asked for first by their bytes and then by an index", async () => {
  const store = await openStore();
  const metas = Array.from(
    { length: 5000 },
    (_, i) => BuiltDocument.of({ host: `host_${i}`, rack: new Int32(i % 10), up: i % 2 === 0 }),
  );
  insert(store, 1, metas);
  const cases: readonly [Document, number][] = [
    [BuiltDocument.of({ "m.host": "host_77" }), 1],
    [BuiltDocument.of({ "m.host": BuiltDocument.of({ $in: ["host_1", "host_2", "none"] }) }), 2],
    [BuiltDocument.of({ "m.rack": 3, "m.up": false }), 500],
    [BuiltDocument.of({ "m.rack": BuiltDocument.of({ $gte: 8 }) }), 1000],
    [
      BuiltDocument.of({
        $or: [BuiltDocument.of({ "m.host": "host_1" }), BuiltDocument.of({ "m.rack": 4n })],
      }),
      501,
    ],
    [BuiltDocument.of({ "m.none": BuiltDocument.of({ $exists: true }) }), 0],
    [BuiltDocument.of({ "m.host": BuiltDocument.of({ $gt: "host_499", $lt: "host_5" }) }), 10],
  ];
  for (const [filter, series] of cases) {
    for (let round = 0; round < 2; round++) {
      const counters = newScanCounters();
      const rows = await rowsOf(sourceOf(store, true), filter, counters);
      assert.deepEqual([rows.length, counters.seriesScanned, counters.seriesMatched], [
        series,
        series,
        series,
      ]);
    }
  }
});

Deno.test("a filter finds the same rows by values of metas as by metas, each different value asked about once", async () => {
  const store = await openStore();
  const metas = Array.from({ length: 600 }, (_, i) =>
    BuiltDocument.of({
      host: `host_${i}`,
      ...(i % 3 > 0 && { rack: i % 3 === 1 ? null : new Int32(i % 10) }),
      site: BuiltDocument.of({ city: ["Aarhus", "Bern", "éa"][i % 3], level: i % 7 + 0.5 }),
      tags: [i],
    }));
  insert(store, 1, metas);
  const of = BuiltDocument.of;
  const filters = [
    of({ "m.host": of({ $regex: "7$" }) }),
    of({ "m.host": of({ $not: of({ $regex: "7$" }) }), "m.rack": of({ $ne: null }) }),
    of({ "m.rack": of({ $ne: new Int32(5) }) }),
    of({ "m.rack": of({ $nin: [null, 2] }) }),
    of({ "m.rack": of({ $exists: false }) }),
    of({ "m.rack": of({ $type: "int" }) }),
    of({ "m.rack": of({ $mod: [2, 1] }) }),
    of({ "m.rack": of({ $bitsAllSet: [0] }) }),
    of({ "m.rack": of({ $gte: 0 }), "m.site.city": of({ $in: ["Bern", "éa"] }) }),
    of({ "m.site.city": of({ $ne: "Bern" }), "m.site.level": of({ $gt: 2 }) }),
    of({ $nor: [of({ "m.site.city": "Bern" }), of({ "m.site.level": 0.5 })] }),
    of({ "m.site.city.none": of({ $exists: false }), "m.host": of({ $ne: "host_1" }) }),
    // Documents and arrays are left to the metas.
    of({ "m.site": of({ $ne: 1 }) }),
    of({ "m.tags": of({ $nin: [1, 2] }) }),
    of({ m: of({ $ne: 1 }) }),
    of({ $or: [of({ "m.site.city": of({ $ne: "Bern" }) }), of({ "m.rack": 1 })] }),
  ];
  for (const filter of filters) {
    const [with_, without] = [newScanCounters(), newScanCounters()];
    // What is asked for the first time is judged by metas.
    await rowsOf(sourceOf(store, true), filter, newScanCounters());
    const found = await rowsOf(sourceOf(store, true), filter, with_);
    assert.deepEqual(found, await rowsOf(sourceOf(store, false), filter, without));
    assert.equal(with_.seriesMatched, without.seriesMatched);
    assert.ok(found.length > 0 && found.length < 600 || filter.has("m.site") || filter.has("m"));
  }
});
