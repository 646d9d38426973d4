import assert from "node:assert/strict";
import { Int32, type UtcDate, type Value } from "../../../bson/mod.ts";
import { type ByteRange, type DiskFile, MemoryDisk, type OpenMode } from "../../../io/mod.ts";
import {
  hexOf,
  insert,
  measurement,
  newCounters,
  openStore,
  scanAll,
  TABLE,
  TABLE_OPTIONS,
} from "../store_fixture.ts";
import type { TimeseriesStore } from "../timeseries_store.ts";

/** A disk whose segments are slow to read, and that notes which reads it was told of before. */
class SlowDisk extends MemoryDisk {
  isSlow = true;
  prefetches = 0;
  foreseen = 0;
  unforeseen = 0;
  prefetchedBytes = 0;
  private ranges: { readonly path: string; readonly range: ByteRange }[] = [];

  override open(path: string, mode: OpenMode): DiskFile {
    const file = super.open(path, mode);
    if (mode !== "read" || !path.endsWith(".seg")) return file;
    let slowReads = 0;
    const readAt = (bytes: Uint8Array, offset: number) => {
      const isForeseen = this.ranges.some(({ path: other, range }) =>
        other === path && offset >= range.offset && offset + bytes.length <= range.offset + range.sizeBytes
      );
      if (isForeseen) this.foreseen++;
      else this.unforeseen++;
      if (this.isSlow) slowReads++;
      return file.readAt(bytes, offset);
    };
    const prefetch = (ranges: readonly ByteRange[]) => {
      if (ranges.length > 0) this.prefetches++;
      for (const { sizeBytes } of ranges) this.prefetchedBytes += sizeBytes;
      this.ranges.push(...ranges.map((range) => ({ path, range })));
      return file.prefetch(ranges);
    };
    const slow = Object.assign(Object.create(file) as DiskFile, { readAt, prefetch });
    return Object.defineProperty(slow, "slowReads", { get: () => slowReads });
  }

  forget(): void {
    this.ranges = [];
    this.prefetches =
      this.foreseen =
      this.unforeseen =
      this.prefetchedBytes =
        0;
  }
}

const SERIES = 40;
const ASKED = [3, 17, 38];

function measurements(rowsOfSeries: number, firstRow = 0, count = SERIES) {
  return Array.from({ length: count }, (_, series) =>
    Array.from(
      { length: rowsOfSeries },
      (_, i) =>
        measurement((firstRow + i) * 1000, series, {
          whole: Int32.of((series * i) % 100),
          wide: Int32.of((i * 0x9e3779b1) | 0),
        }),
    )).flat();
}

/** A store that has just been opened, on a segment for each of the lists. */
async function storeOf(disk: SlowDisk, ...segments: readonly ReturnType<typeof measurements>[]) {
  const written = await openStore(disk);
  await written.createTable(TABLE, TABLE_OPTIONS);
  for (const [i, segment] of segments.entries()) {
    insert(written, i + 1, segment);
    await written.flush();
  }
  await written.close();
  const store = await openStore(disk);
  disk.forget();
  return store;
}

const isAsked = (meta: Value) => ASKED.some((series) => series === meta);

Deno.test("a slow device is asked at once for what a scan of few series needs, once it had to wait", async () => {
  const disk = new SlowDisk();
  const segments = [0, 1, 2].map((i) => measurements(1500, i * 1500));
  const store = await storeOf(disk, ...segments);
  const rows = await scanAll(store, { seriesFilter: isAsked });
  const expected = ASKED.flatMap((series) =>
    segments.flatMap((segment) => segment.slice(series * 1500, (series + 1) * 1500))
  );
  assert.deepEqual(rows.map(hexOf), expected.map(hexOf));
  // The header of the first segment is read, then the others' are asked for, and the pages of all.
  assert.equal(disk.unforeseen, 1);
  assert.equal(disk.prefetches, segments.length - 1 + segments.length);

  disk.forget();
  assert.equal((await scanAll(store, { seriesFilter: isAsked })).length, expected.length);
  assert.equal(disk.prefetches + disk.foreseen + disk.unforeseen, 0, "the cache has it");
  await scanAll(store, { seriesFilter: (meta) => meta === 11 });
  assert.ok(disk.unforeseen > 0);
  assert.equal(disk.prefetches, 0, "what is read at once is not asked for before");
  await store.close();
});

function greatestOf(rows: ReturnType<typeof measurements>): number {
  return rows.reduce((most, row) => Math.max(most, (row.get("wide") as Int32).value), -Infinity);
}

/** The greatest value of a field in each of some spans of time. */
async function greatest(store: TimeseriesStore, field: string, spanMs: number): Promise<Value[]> {
  const result = await store.runFragment(TABLE, {
    checkpoint: () => Promise.resolve(),
    counters: newCounters(),
    paths: [[field]],
    matches: () => true,
    keysReadMeta: false,
    keys: {
      classOf: () => 0,
      spanClassOf: (span) => span,
      groupOf: (_, span) => span,
      spanOf: (ms) => {
        const fromMs = Math.floor(ms / spanMs) * spanMs;
        return { fromMs, endMs: fromMs + spanMs };
      },
    },
    outputs: [{
      kind: "maximum",
      path: 0,
      read: (row) => row.get(field),
      create: () => {
        throw new Error("no value needs it");
      },
    }],
  });
  return Array.from({ length: result.groups }, (_, group) => result.result(0, group));
}

Deno.test("a slow device is asked at once for row groups that are read one after the other", async () => {
  const disk = new SlowDisk();
  const rows = measurements(15_000, 0, 12);
  const store = await storeOf(disk, rows);
  const found = await greatest(store, "wide", 1_000_000);
  const expected = Array.from(
    { length: 15 },
    (_, span) => greatestOf(rows.filter((_row, i) => Math.floor(i % 15_000 / 1000) === span)),
  );
  assert.deepEqual(found.map((value) => (value as Int32).value), expected);
  assert.ok(disk.foreseen > disk.unforeseen, `${disk.foreseen} reads and ${disk.unforeseen}`);
  await store.close();
});

Deno.test("pages that are answered by what is known of them are not asked for", async () => {
  const disk = new SlowDisk();
  const rows = measurements(45_000, 0, 4);
  const store = await storeOf(disk, rows);
  await greatest(store, "wide", 100_000);
  const ofParts = disk.prefetchedBytes;
  await store.close();

  const again = await openStore(disk);
  disk.forget();
  const [most] = await greatest(again, "wide", 1e9);
  assert.equal((most as Int32).value, greatestOf(rows));
  assert.ok(disk.prefetchedBytes > 0);
  assert.ok(disk.prefetchedBytes < ofParts / 2, `${disk.prefetchedBytes} of ${ofParts} bytes`);
  await again.close();
});

Deno.test("a quick device is asked for nothing before it is read", async () => {
  const disk = new SlowDisk();
  disk.isSlow = false;
  const store = await storeOf(disk, measurements(1500), measurements(1500, 1500));
  assert.equal((await scanAll(store, { seriesFilter: isAsked })).length, ASKED.length * 3000);
  assert.equal(disk.prefetches, 0);
  assert.ok(disk.unforeseen > 0);
  await store.close();
});

/** The newest rows of segments that overlap, as a scan gives them: by time, series and segment, from the last on. */
function newestOf(segments: readonly ReturnType<typeof measurements>[], count: number) {
  const rows = segments.flat().map((row) => ({
    row,
    ms: (row.get("t") as UtcDate).ms,
    series: row.get("m") as number,
  }));
  rows.sort((a, b) => a.ms - b.ms || a.series - b.series).reverse();
  return rows.slice(0, count).map(({ row }) => row);
}

Deno.test("a slow device is asked at once for where the newest rows may be, and then for these", async () => {
  const disk = new SlowDisk();
  const segments = [0, 1, 2, 3].map((i) => measurements(1500, i));
  const store = await storeOf(disk, ...segments);
  const rows = await scanAll(store, { timeOrder: -1, limit: 2 * SERIES });
  const expected = newestOf(segments, 2 * SERIES);
  assert.deepEqual(rows.map(hexOf), expected.map(hexOf));
  assert.ok(disk.prefetches > segments.length, `asked ${disk.prefetches} times`);
  assert.ok(disk.foreseen > disk.unforeseen, `${disk.foreseen} reads and ${disk.unforeseen}`);
  await store.close();
});

Deno.test("of pages in the order of time the newest rows need one, of others those that are near are read at once", async () => {
  const disk = new SlowDisk();
  disk.isSlow = false;
  const inOrder = await storeOf(disk, measurements(60_000, 0, 1));
  const counters = newCounters();
  assert.equal((await scanAll(inOrder, { timeOrder: -1, limit: 10, counters })).length, 10);
  assert.equal(counters.pagesSkipped, 14);
  await inOrder.close();

  const others = new SlowDisk();
  others.isSlow = false;
  const store = await storeOf(others, measurements(1500));
  await scanAll(store, { timeOrder: -1, limit: 2 * SERIES });
  // The header, the page with the newest row, the times on both of its sides, the pages of all rows.
  assert.ok(others.unforeseen <= 5, `${others.unforeseen} reads`);
  assert.equal(others.prefetches, 0);
  await store.close();
});
