import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import {
  BuiltDocument,
  Decimal128,
  type Document,
  encodeDocument,
  Int32,
  ObjectId,
  RawDocument,
  Timestamp,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import type { TimeseriesScan } from "./scan_request.ts";
import {
  documentFrom,
  documentOfElements,
  element,
  hexOf,
  insert,
  measurement,
  newCounters,
  openStore,
  openStoreWithTable,
  scanAll,
  TABLE,
} from "./store_fixture.ts";

const TIME = element(9, "t", [0, 1, 0, 0, 0, 0, 0, 0]);
const OBJECT_A1 = [12, 0, 0, 0, 0x10, 97, 0, 1, 0, 0, 0, 0];

function nested(depth: number): Document {
  return depth === 0 ? BuiltDocument.of({ end: 1 }) : BuiltDocument.of({ d: nested(depth - 1), x: depth });
}

/** Documents that a naive store would bend. The times are all the same, so they stand in order of arrival. */
function awkwardDocuments(): RawDocument[] {
  const t = new UtcDate(256);
  const doubleBits = (...bytes: number[]) => element(1, "v", bytes);
  return [
    documentFrom({ t }),
    documentFrom({
      _id: new ObjectId(),
      t,
      a: BuiltDocument.of({ b: 1, c: BuiltDocument.of({ d: "x" }) }),
      z: null,
    }),
    documentFrom({ z: 1, a: 5, t }),
    documentFrom({ a: BuiltDocument.EMPTY, t, e: [], n: BuiltDocument.of({ empty: BuiltDocument.EMPTY }) }),
    documentFrom({ t, a: BuiltDocument.of({ c: 1 }), q: BuiltDocument.of({ b: 2 }) }),
    documentFrom({ t, list: [1, [2, BuiltDocument.of({ a: "b" })], null] }),
    documentFrom({ t, "a.b": 1, "$c": 2, "": 3, a: BuiltDocument.of({ "": 4, b: 5 }) }),
    documentFrom({ t, v: 1.5 }),
    documentFrom({ t, v: new Int32(3) }),
    documentFrom({ t, v: 2n ** 63n - 1n }),
    documentFrom({ t, v: -(2n ** 63n) }),
    documentFrom({ t, v: "text" }),
    documentFrom({ t, v: Decimal128.fromString("-0E+3") }),
    documentFrom({ t, v: true }),
    documentFrom({ t, v: new Timestamp({ t: 4_000_000_000, i: 1 }) }),
    documentFrom({ t, deep: nested(20) }),
    documentFrom({ t: new UtcDate(256), time: new UtcDate(-5) }),
    documentOfElements(TIME, doubleBits(0, 0, 0, 0, 0, 0, 0xf0, 0x7f)),
    documentOfElements(TIME, doubleBits(1, 2, 3, 4, 5, 6, 0xf7, 0xff)),
    documentOfElements(TIME, doubleBits(0, 0, 0, 0, 0, 0, 0, 0x80)),
    documentOfElements(TIME, element(9, "v", [0, 0, 0, 0, 0, 0, 0, 0x80])),
    documentOfElements(TIME, element(9, "v", [255, 255, 255, 255, 255, 255, 255, 0x7f])),
    documentOfElements(TIME, element(2, "v", [4, 0, 0, 0, 0xff, 0xc0, 0x80, 0])),
    documentOfElements(TIME, element(2, "v", [3, 0, 0, 0, 0, 65, 0])),
    documentOfElements(
      TIME,
      element(8, Uint8Array.of(0xff, 0xfe), [1]),
      element(8, Uint8Array.of(0xc3), [0]),
    ),
    documentOfElements(TIME, element(8, "é", [1]), element(3, Uint8Array.of(0x80), OBJECT_A1)),
    documentOfElements(TIME, element(255, "v", []), element(127, "w", []), element(6, "u", [])),
    documentOfElements(TIME, element(8, "x", [1]), element(8, "x", [0])),
    documentOfElements(TIME, element(3, "x", OBJECT_A1), element(3, "x", OBJECT_A1)),
    documentOfElements(TIME, element(3, "x", OBJECT_A1), element(8, "y", [0]), element(3, "x", OBJECT_A1)),
    documentOfElements(TIME, element(8, "t", [1])),
    documentOfElements(TIME, element(13, "code", [2, 0, 0, 0, 97, 0]), element(11, "re", [97, 0, 105, 0])),
    documentOfElements(
      TIME,
      element(5, "bin", [2, 0, 0, 0, 128, 1, 2]),
      element(14, "sym", [2, 0, 0, 0, 97, 0]),
    ),
  ];
}

Deno.test("awkward documents come back byte for byte from the memtable, a segment and after reopening", async () => {
  const disk = new MemoryDisk();
  let store = await openStoreWithTable(disk);
  const documents = awkwardDocuments();
  insert(store, 1, documents);
  const expected = documents.map(hexOf);
  assert.deepEqual((await scanAll(store)).map(hexOf), expected);
  assert.equal(await store.flush(), 1);
  assert.deepEqual((await scanAll(store)).map(hexOf), expected);
  await store.close();
  store = await openStore(disk);
  assert.equal(store.flushedIndex, 1);
  assert.deepEqual((await scanAll(store)).map(hexOf), expected);
  assert.deepEqual(store.totals(), { tables: 1, series: 1, rows: documents.length });
  await store.close();
});

Deno.test("a stored row answers for its fields as the inserted document does", async () => {
  const store = await openStoreWithTable();
  // Of a name that comes twice, and of one that is no UTF-8, bytes are the test; fields are not.
  const documents = awkwardDocuments().filter((document) =>
    new Set(document.names()).size === document.names().length
  );
  insert(store, 1, documents);
  for (const flush of [false, true]) {
    if (flush) await store.flush();
    for (const [i, row] of (await scanAll(store)).entries()) {
      const document = documents[i]!;
      assert.deepEqual(row.names(), document.names());
      assert.equal(row.isEmpty(), false);
      assert.equal(row.get("nothing"), undefined);
      assert.equal(row.has("nothing"), false);
      for (const [k, name] of document.names().entries()) {
        const field = (value: Value) => encodeDocument(new BuiltDocument(["f"], [value])).toHex();
        assert.equal(row.has(name), true);
        assert.equal(field(row.get(name)), field(document.get(name)), name);
        assert.equal(field(row.values()[k]), field(document.values()[k]), name);
      }
    }
  }
});

Deno.test("metas are one series whatever the order of their fields, and come back sorted", async () => {
  const store = await openStoreWithTable();
  const a = BuiltDocument.of({ b: 1, a: BuiltDocument.of({ d: [BuiltDocument.of({ z: 1, y: 2 })], c: 1 }) });
  const b = BuiltDocument.of({ a: BuiltDocument.of({ c: 1, d: [BuiltDocument.of({ y: 2, z: 1 })] }), b: 1 });
  insert(store, 1, [measurement(1, a), measurement(2, b), measurement(3, BuiltDocument.of({ b: 1 }))]);
  insert(store, 2, [
    measurement(4, undefined),
    measurement(5, null),
    measurement(6, 1),
    measurement(7, new Int32(1)),
  ]);
  assert.equal(store.stats(TABLE).series, 6);
  const rows = await scanAll(store, { timeOrder: 1 });
  assert.equal(hexOf(rows[0]!), hexOf(measurement(1, b)));
  assert.equal(hexOf(rows[1]!), hexOf(measurement(2, b)));
  assert.deepEqual(rows.map((row) => row.has("m")), [true, true, true, false, true, true, true]);
});

Deno.test("what has no date as its time is refused one by one, in MongoDB's words", async () => {
  const store = await openStoreWithTable();
  const good = measurement(1, "a");
  const documents = [
    good,
    documentFrom({ m: 1 }),
    documentFrom({ t: 5 }),
    documentFrom({ t: [new UtcDate(1)] }),
    good,
  ];
  const unordered = store.prepareInsert(TABLE, documents, false);
  assert.equal(unordered.accepted, 2);
  assert.deepEqual(
    unordered.errors.map(({ index, error }) => [index, error.code, error.message]),
    [1, 2, 3].map((i) => [
      i,
      2,
      "'t' must be present and contain a valid BSON UTC datetime value",
    ]),
  );
  const ordered = store.prepareInsert(TABLE, documents, true);
  assert.equal(ordered.accepted, 1);
  assert.deepEqual(ordered.errors.map(({ index }) => index), [1]);
  const far = documentOfElements(element(9, "t", [0, 0, 0, 0, 0, 0, 0x40, 0]));
  assert.equal(store.prepareInsert(TABLE, [far], true).errors[0]!.error.code, 2);
  assert.equal(store.prepareInsert(TABLE, [far], true).payload, undefined);
});

interface ModelRow {
  readonly ms: number;
  readonly series: number;
  readonly hex: string;
}

/** Rows of a few series: mostly in order, some late, many at one time; fields come and go. */
function randomRows(
  random: Random,
  count: number,
  firstMs: number,
): { document: RawDocument; row: ModelRow }[] {
  return Array.from({ length: count }, (_, i) => {
    const series = Math.floor(random() * 5);
    const late = random() < 0.2 ? Math.floor(random() * 500) : 0;
    const ms = firstMs + Math.floor(i / 3) - late;
    const fields: Record<string, Value> = { n: i };
    for (const name of ["a", "b", "c"]) {
      if (random() < 0.7) fields[name] = new Int32(Math.floor(random() * 9));
    }
    if (random() < 0.05) fields["o"] = BuiltDocument.of({ p: String(i), q: i });
    const document = measurement(ms, series === 0 ? undefined : BuiltDocument.of({ host: series }), fields);
    return { document, row: { ms, series, hex: hexOf(document) } };
  });
}

async function checkScans(
  store: Awaited<ReturnType<typeof openStore>>,
  model: readonly ModelRow[],
  random: Random,
) {
  const seriesOf = (meta: Value) => meta === undefined ? 0 : (meta as Document).get("host") as number;
  const bySeries = model.map((row, i) => ({ row, i })).sort((a, b) =>
    a.row.series - b.row.series || a.row.ms - b.row.ms || a.i - b.i
  ).map(({ row }) => row);
  const fromMs = Math.floor(random() * 1500);
  const toMs = fromMs + Math.floor(random() * 600);
  const wanted = Math.floor(random() * 5);
  const inRange = (row: ModelRow) => row.ms >= fromMs && row.ms <= toMs;
  for (const ranged of [false, true]) {
    for (const filtered of [false, true]) {
      const request = {
        ...(ranged && { timeRange: { fromMs, toMs } }),
        ...(filtered && { seriesFilter: (meta: Value) => seriesOf(meta) === wanted }),
      };
      const expected = bySeries.filter((row) =>
        (!ranged || inRange(row)) && (!filtered || row.series === wanted)
      );
      const rows = await scanAll(store, request);
      const groups = Map.groupBy(rows, (row) => seriesOf(row.get("m")));
      assert.equal(rows.length, expected.length);
      for (const [series, own] of groups) {
        assert.deepEqual(
          own.map(hexOf),
          expected.filter((row) => row.series === series).map((row) => row.hex),
        );
      }
      await checkEnds(store, request, expected);
      for (const timeOrder of [1, -1] as const) {
        const ordered = await scanAll(store, { ...request, timeOrder });
        const times = ordered.map((row) => (row.get("t") as UtcDate).ms);
        assert.deepEqual(times, times.toSorted((a, b) => (a - b) * timeOrder));
        assert.deepEqual(ordered.map(hexOf).sort(), expected.map((row) => row.hex).sort());
        for (const limit of [1, 9, 300]) {
          const first = await scanAll(store, { ...request, timeOrder, limit });
          assert.deepEqual(first.map(hexOf), ordered.slice(0, limit).map(hexOf));
        }
      }
    }
  }
}

/** @param expected the rows of the request, series by series in order of time and arrival */
async function checkEnds(
  store: Awaited<ReturnType<typeof openStore>>,
  request: Partial<TimeseriesScan>,
  expected: readonly ModelRow[],
) {
  for (const [earliest, latest] of [[true, false], [false, true], [true, true]] as const) {
    const atEnds = [...Map.groupBy(expected, (row) => row.series).values()].flatMap((own) =>
      own.filter(({ ms }) => (earliest && ms === own[0]!.ms) || (latest && ms === own[own.length - 1]!.ms))
    );
    const rows = await scanAll(store, { ...request, seriesEnds: { earliest, latest } });
    const seriesOf = new Map(expected.map(({ hex, series }) => [hex, series]));
    const found = rows.map(hexOf);
    assert.equal(found.length, atEnds.length);
    for (const [series, own] of Map.groupBy(atEnds, (row) => row.series)) {
      assert.deepEqual(found.filter((hex) => seriesOf.get(hex) === series), own.map(({ hex }) => hex));
    }
  }
}

Deno.test("scans by range, series and time order agree with a plain list, over memtables and segments", async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const random = seededRandom(seed);
    const disk = new MemoryDisk();
    let store = await openStoreWithTable(disk);
    const model: ModelRow[] = [];
    for (let round = 1; round <= 5; round++) {
      const rows = randomRows(random, 100 + Math.floor(random() * 200), round * 200);
      for (const chunk of [rows.slice(0, 100), rows.slice(100)]) {
        insert(store, model.length + 1, chunk.map(({ document }) => document));
        model.push(...chunk.map(({ row }) => row));
      }
      if (random() < 0.6) await store.flush();
      await checkScans(store, model, random);
    }
    await store.flush();
    await store.close();
    store = await openStore(disk);
    await checkScans(store, model, random);
    assert.equal(store.stats(TABLE).rows, model.length);
    await store.close();
  }
});

Deno.test("row groups and pages of many rows keep their order, and ranges read few pages", async () => {
  const store = await openStoreWithTable();
  const hosts = 3;
  const count = 90_000;
  const documents = Array.from(
    { length: count },
    (_, i) =>
      measurement(Math.floor(i / hosts) * 1000, new Int32(i % hosts), {
        v: new Int32(i),
        w: i / 10,
        s: `k${i % 7}`,
      }),
  );
  for (let at = 0; at < count; at += 10_000) insert(store, at + 1, documents.slice(at, at + 10_000));
  await store.flush();
  const all = await scanAll(store, { timeOrder: 1 });
  assert.equal(all.length, count);
  for (let i = 0; i < count; i += 97) assert.equal(hexOf(all[i]!), hexOf(documents[i]!));
  const counters = newCounters();
  const timeRange = { fromMs: 20_000_000, toMs: 20_010_000 };
  const some = await scanAll(store, { timeRange, counters });
  assert.equal(some.length, 33);
  assert.deepEqual(
    some.map((row) => (row.get("v") as Int32).value % hosts).filter((host) => host === 1).length,
    11,
  );
  assert.ok(counters.pagesRead < 12, `${counters.pagesRead} pages read`);
  assert.ok(counters.pagesSkipped > 10, `${counters.pagesSkipped} pages skipped`);
  const stats = store.stats(TABLE);
  assert.equal(stats.dataBytes, documents.reduce((sum, document) => sum + document.sizeBytes, 0));
  assert.ok(stats.storageBytes < count * 6, `${stats.storageBytes / count} bytes a row`);
  await store.close();
});

Deno.test("a scan sees the moment it started: not later rows, and all earlier ones through flush and drop", async () => {
  const disk = new MemoryDisk();
  const store = await openStoreWithTable(disk);
  const rows = Array.from({ length: 3000 }, (_, i) => measurement(i, new Int32(i % 2), { v: i }));
  insert(store, 1, rows.slice(0, 2000));
  await store.flush();
  insert(store, 2, rows.slice(2000));
  const seen: number[] = [];
  const scan = store.scan(TABLE, {
    checkpoint: () => Promise.resolve(),
    counters: newCounters(),
    timeOrder: 1,
  });
  insert(store, 3, rows.map((_, i) => measurement(i - 10, new Int32(1), { v: -1 })));
  const first = await scan.next();
  const flushing = store.flush();
  insert(store, 4, [measurement(0, new Int32(1), { v: -2 })]);
  if (!first.done) seen.push(...first.value.map((row) => row.get("v") as number));
  await flushing;
  insert(store, 5, [measurement(2999, new Int32(0), { v: -3 })]);
  await store.dropTable(TABLE);
  assert.equal(disk.list("ts").filter((name) => name.endsWith(".seg")).length, 0);
  for await (const batch of scan) seen.push(...batch.map((row) => row.get("v") as number));
  assert.deepEqual(seen, rows.map((_, i) => i));
  assert.equal(store.hasTable(TABLE), false);
  await store.close();
});

Deno.test("reads and writes go on during a flush, and nothing is lost or doubled", async () => {
  const store = await openStoreWithTable();
  let count = 0;
  const add = (rows: number) => {
    const documents = Array.from({ length: rows }, () => measurement(count++, count % 3, { v: 1 }));
    insert(store, count, documents);
  };
  for (let round = 0; round < 5; round++) {
    add(500);
    const flushing = store.flush();
    add(200);
    assert.equal((await scanAll(store)).length, count);
    await Promise.resolve();
    add(1);
    assert.equal((await scanAll(store)).length, count);
    await flushing;
    assert.equal((await scanAll(store)).length, count);
    assert.equal(store.stats(TABLE).rows, count);
  }
});

Deno.test("replay skips what is in segments, and the memtable's size asks for a flush", async () => {
  const disk = new MemoryDisk();
  let store = await openStore(disk, { memtableBytes: 100_000 });
  await store.createTable(TABLE, { timeField: "t", metaField: "m", spanSeconds: 60 });
  const payloads: Uint8Array[] = [];
  const log = (documents: RawDocument[]) => {
    payloads.push(store.prepareInsert(TABLE, documents, true).payload!.slice());
    store.applyInsert(payloads.length, TABLE, payloads[payloads.length - 1]!);
  };
  while (!store.needsFlush()) log([measurement(payloads.length, 1, { x: payloads.length })]);
  assert.ok(store.memtableBytes >= 100_000);
  assert.equal(await store.flush(), payloads.length);
  assert.equal(store.needsFlush(), false);
  for (let i = 0; i < 10; i++) log([measurement(i, 2)]);
  store.noteIndex(payloads.length + 5);
  const rows = (await scanAll(store)).map(hexOf);
  await store.close();
  store = await openStore(disk);
  for (const [i, payload] of payloads.entries()) store.applyInsert(i + 1, TABLE, payload);
  store.applyInsert(payloads.length + 1, 99, payloads[0]!);
  assert.deepEqual((await scanAll(store)).map(hexOf), rows);
  await store.close();
});

Deno.test("many tables share a segment; dropping all of them removes it, at once or at the next opening", async () => {
  const disk = new MemoryDisk();
  let store = await openStore(disk);
  for (let id = 1; id <= 20; id++) {
    await store.createTable(id, { timeField: "when", metaField: undefined, spanSeconds: 3600 });
    insert(store, id, [documentFrom({ when: new UtcDate(id), m: id })], id);
  }
  await store.flush();
  for (let id = 1; id <= 19; id++) await store.dropTable(id);
  assert.equal(disk.list("ts").filter((name) => name.endsWith(".seg")).length, 1);
  await store.close();
  store = await openStore(disk);
  assert.deepEqual((await scanAll(store, {}, 20)).map(hexOf), [
    hexOf(documentFrom({ when: new UtcDate(20), m: 20 })),
  ]);
  assert.equal(store.hasTable(19), false);
  await store.dropTable(20);
  assert.equal(disk.list("ts").filter((name) => name.endsWith(".seg")).length, 0);
  await store.close();
});

Deno.test("documents of more shapes and columns than a table carries come back all the same", async () => {
  const store = await openStoreWithTable();
  const random = seededRandom(8);
  const documents = Array.from({ length: 3000 }, (_, i) => {
    const fields: Record<string, Value> = {};
    for (let k = 0; k < 12; k++) fields[`f${Math.floor(random() * 4000)}`] = new Int32(k);
    return measurement(i, i % 2, fields);
  });
  insert(store, 1, documents);
  for (const flush of [false, true]) {
    if (flush) await store.flush();
    assert.deepEqual((await scanAll(store, { timeOrder: 1 })).map(hexOf), documents.map(hexOf));
  }
  await store.close();
});
