import assert from "node:assert/strict";
import { MemoryBudget } from "../../base/mod.ts";
import { UtcDate } from "../../bson/mod.ts";
import { type DiskFile, MemoryDisk, type OpenMode } from "../../io/mod.ts";
import { FilePool } from "./file_pool.ts";
import { PageCache } from "./page_cache.ts";
import { RowGroupHeaders } from "./row_group_headers.ts";
import { Segment } from "./segment.ts";
import { documentFrom, insert, openStore } from "./store_fixture.ts";
import { verifySegment } from "./verify_segment.ts";

const TABLES = 300;
const OPTIONS = { timeField: "t", metaField: undefined, spanSeconds: 3600 } as const;
const NAMES = { time: { text: "t", bytes: Uint8Array.of(0x74) }, meta: undefined };

/** Counts what is read. */
class CountingDisk extends MemoryDisk {
  reads = 0;

  override open(path: string, mode: OpenMode): DiskFile {
    const file = super.open(path, mode);
    const readAt = (bytes: Uint8Array, offset: number) => {
      this.reads++;
      return file.readAt(bytes, offset);
    };
    return Object.assign(Object.create(file) as DiskFile, { readAt });
  }
}

/** A segment with a row group for each of many tables, of many columns. */
async function openSegment(disk: CountingDisk): Promise<{ segment: Segment; path: string }> {
  const store = await openStore(disk);
  for (let id = 1; id <= TABLES; id++) {
    await store.createTable(id, OPTIONS);
    const fields = Array.from({ length: 30 }, (_, i) => [`table ${id}, field ${i * 7919}`, id / (i + 3)]);
    insert(store, id, [documentFrom({ t: new UtcDate(id), ...Object.fromEntries(fields) })], id);
  }
  await store.flush();
  await store.close();
  const path = `ts/${disk.list("ts").find((name) => name.endsWith(".seg"))}`;
  const cache = new PageCache(new MemoryBudget(1e9), () => 1e9);
  const segment = Segment.open(new FilePool(disk, 4), path, 1, { arrival: 1, level: 0 }, cache);
  disk.reads = 0;
  return { segment, path };
}

Deno.test("headers lie together behind the pages of their row groups, and are read together", async () => {
  const disk = new CountingDisk();
  const { segment, path } = await openSegment(disk);
  assert.deepEqual((await verifySegment(disk, path)).damages, []);
  disk.reads = 0;
  const entries = segment.tables.flatMap(({ groups }) => groups);
  const headerBytes = entries.reduce((sum, entry) => sum + entry.headerBytes, 0);
  const parts = headerBytes / (64 << 10);
  assert.ok(parts > 2, `${headerBytes} bytes of headers`);
  const between = entries.filter(({ headerOffset }) => headerOffset < entries.at(-1)!.offset);
  assert.ok(between.length > 0 && between.length < entries.length);

  const headers = new RowGroupHeaders(segment, NAMES);
  for (const entry of entries) headers.add(entry);
  for (const [i, entry] of entries.entries()) {
    const { rows, paths } = headers.rowGroup(entry);
    assert.equal(rows, 1);
    assert.equal(paths[0]!.key, `table ${i + 1}, field 0`);
  }
  assert.ok(disk.reads <= 2 * Math.ceil(parts), `${disk.reads} reads of ${headerBytes} bytes`);
  disk.reads = 0;
  for (const entry of entries) headers.rowGroup(entry);
  assert.equal(disk.reads, 0, "the cache has them");
});

Deno.test("only headers that were named are read, those before the one that is asked for, too", async () => {
  const disk = new CountingDisk();
  const { segment } = await openSegment(disk);
  const entries = segment.tables.flatMap(({ groups }) => groups).slice(10, 20);
  const headers = new RowGroupHeaders(segment, NAMES);
  const named = entries.filter((_, i) => i % 2 === 0);
  for (const entry of named) headers.add(entry);
  headers.rowGroup(named.at(-1)!);
  for (const entry of named) {
    assert.equal(headers.unread(entry), undefined);
    headers.rowGroup(entry);
  }
  assert.equal(disk.reads, 1);
  assert.equal(segment.knownRowGroup(entries[1]!), undefined);
});
