import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { type Document, Int32, type RawDocument, UtcDate } from "../../bson/mod.ts";
import { type Disk, MemoryDisk } from "../../io/mod.ts";
import { documentsStart } from "./measurement.ts";
import {
  hexOf,
  measurement,
  newCounters,
  openStore,
  scanAll,
  TABLE,
  TABLE_OPTIONS,
} from "./store_fixture.ts";
import type { TableChange } from "./table_change.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

interface Entry {
  readonly index: number;
  readonly kind: "insert" | "change";
  readonly payload: Uint8Array;
}

/** A row as the simple model keeps it, in order of arrival. */
interface ModelRow {
  readonly time: number;
  readonly meta: number;
  readonly n: number;
  readonly document: RawDocument;
}

function modelRow(time: number, meta: number, n: number): ModelRow {
  const document = measurement(time, new Int32(meta), {
    n: new Int32(n),
    ...(n % 7 === 0 && { s: `s${n}` }),
  });
  return { time, meta, n, document };
}

function numberOf(document: Document): number {
  return (document.get("n") as Int32).value;
}

/** A store whose partitions are small, so that every merge cuts some. */
function openSmall(disk: Disk): Promise<TimeseriesStore> {
  const partitionSizes = {
    smallSegmentBytes: 100,
    leastPushBytes: 200,
    fullBytes: 800,
    maxPartitionBytes: 1500,
  };
  return openStore(disk, { partitionSizes });
}

/** A store, the log beside it, and what it should hold. */
class Life {
  readonly log: Entry[] = [];
  rows: ModelRow[] = [];
  private nextNumber = 0;
  private index = 0;
  private merging: Promise<void> = Promise.resolve();

  constructor(readonly random: Random, readonly disk: Disk, public store: TimeseriesStore) {}

  static async begin(seed: number): Promise<Life> {
    const disk = new MemoryDisk();
    const store = await openSmall(disk);
    await store.createTable(TABLE, TABLE_OPTIONS);
    return new Life(seededRandom(seed), disk, store);
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  newRow(): ModelRow {
    return modelRow(this.below(40), this.below(3), this.nextNumber++);
  }

  insert(count: number, running?: TableChange): void {
    const rows = Array.from({ length: count }, () => this.newRow());
    const { payload } = this.store.prepareInsert(TABLE, rows.map((row) => row.document), true);
    running?.noteInsert(payload!, documentsStart(payload!));
    this.append("insert", payload!);
    this.rows.push(...rows);
  }

  append(kind: Entry["kind"], payload: Uint8Array): void {
    const entry = { index: ++this.index, kind, payload: payload.slice() };
    this.log.push(entry);
    apply(this.store, entry);
  }

  /** Removes or replaces the rows that are meant, with inserts and flushes between the scan and the application. */
  async change(isMeant: (row: ModelRow) => boolean, replace: boolean): Promise<void> {
    const change = this.store.beginChange(TABLE);
    const byNumber = new Map(this.rows.map((row) => [row.n, row]));
    const gone = new Set<number>();
    const added: ModelRow[] = [];
    const request = { checkpoint: () => Promise.resolve(), counters: newCounters() };
    for await (const batch of change.scan(request)) {
      for (const row of batch) {
        const known = byNumber.get(numberOf(row.document))!;
        if (!isMeant(known)) continue;
        change.remove(row);
        gone.add(known.n);
        if (!replace) continue;
        added.push(this.random() < 0.5 ? this.newRow() : modelRow(known.time, known.meta, this.nextNumber++));
        change.add(added[added.length - 1]!.document);
      }
    }
    const flushing = this.random() < 0.3 ? this.store.flush() : undefined;
    if (this.random() < 0.5) this.insert(1 + this.below(6), change);
    if (this.random() < 0.5) await flushing;
    const payload = change.take();
    if (payload !== undefined) this.append("change", payload);
    this.rows = [...this.rows.filter((row) => !gone.has(row.n)), ...added];
    await flushing;
  }

  async expire(): Promise<void> {
    const before = this.below(15);
    await this.store.expire(TABLE, before);
    this.rows = this.rows.filter((row) => row.time >= before);
  }

  async reopen(): Promise<void> {
    await this.merging;
    await this.store.close();
    this.store = await openSmall(this.disk);
    for (const entry of this.log) apply(this.store, entry);
  }

  /** Merges while the next steps go on. */
  startMerge(): void {
    this.merging = this.store.compact(TABLE).catch((error) =>
      assert.match(String(error), /being closed|yet to be/)
    );
  }

  async step(allowsExpiry: boolean): Promise<void> {
    const choice = this.random();
    if (choice < 0.3) this.insert(1 + this.below(20));
    else if (choice < 0.4) await this.store.flush();
    else if (choice < 0.45) await this.reopen();
    else if (choice < 0.55) this.startMerge();
    else if (choice < 0.6 && allowsExpiry) await this.expire();
    else await this.change(randomMeaning(this), this.random() < 0.5);
  }

  async check(store = this.store): Promise<void> {
    assert.deepEqual(await contentOf(store), expectedOf(this.rows));
    for (const timeOrder of [1, -1] as const) {
      const found = (await scanAll(store, { timeOrder })).map(numberOf).sort((a, b) => a - b);
      assert.deepEqual(found, this.rows.map((row) => row.n).sort((a, b) => a - b));
    }
    assert.equal(await endsIn(store), expectedEnds(this.rows));
  }
}

function apply(store: TimeseriesStore, { index, kind, payload }: Entry): void {
  if (kind === "insert") store.applyInsert(index, TABLE, payload);
  else store.applyChange(index, TABLE, payload);
}

function randomMeaning(life: Life): (row: ModelRow) => boolean {
  const [a, b, m] = [life.below(40), life.below(40), life.below(3)];
  const divisor = 1 + life.below(5);
  switch (life.below(5)) {
    case 0:
      return (row) => row.time >= Math.min(a, b) && row.time <= Math.max(a, b);
    case 1:
      return (row) => row.meta === m;
    case 2:
      return (row) => row.n % divisor === 0;
    case 3:
      return (row) => row.n === Math.max(...life.rows.map((each) => each.n));
    default:
      return (row) => row.time === a || (row.meta === m && row.n % divisor !== 0);
  }
}

/** By series and time the documents in order of arrival. */
async function contentOf(store: TimeseriesStore): Promise<Record<string, string[]>> {
  const content: Record<string, string[]> = {};
  for (const document of await scanAll(store)) {
    const key = `${(document.get("m") as Int32).value} ${(document.get("t") as UtcDate).ms}`;
    (content[key] ??= []).push(hexOf(document));
  }
  return content;
}

function expectedOf(rows: readonly ModelRow[]): Record<string, string[]> {
  const content: Record<string, string[]> = {};
  for (const { meta, time, document } of rows) (content[`${meta} ${time}`] ??= []).push(hexOf(document));
  return content;
}

async function endsIn(store: TimeseriesStore): Promise<string> {
  const rows = await scanAll(store, { seriesEnds: { earliest: true, latest: true } });
  return rows.map(numberOf).sort((a, b) => a - b).join();
}

function expectedEnds(rows: readonly ModelRow[]): string {
  const ends: number[] = [];
  for (const own of Map.groupBy(rows, (row) => row.meta).values()) {
    const times = own.map((row) => row.time);
    const wanted = [Math.min(...times), Math.max(...times)];
    ends.push(...own.filter((row) => wanted.includes(row.time)).map((row) => row.n));
  }
  return ends.sort((a, b) => a - b).join();
}

Deno.test("changes, inserts, flushes, expiry and reopening in any order leave what a simple list would hold", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const life = await Life.begin(seed);
    for (let step = 0; step < 30; step++) {
      await life.step(true);
      await life.check();
    }
    await life.reopen();
    await life.check();
    await life.store.close();
  }
});

Deno.test("the same log gives the same rows wherever it was flushed", async () => {
  for (let seed = 100; seed <= 130; seed++) {
    const life = await Life.begin(seed);
    for (let step = 0; step < 25; step++) await life.step(false);
    const other = await openStore(new MemoryDisk());
    await other.createTable(TABLE, TABLE_OPTIONS);
    for (const entry of life.log) {
      apply(other, entry);
      if (life.random() < 0.2) await other.flush();
    }
    await life.check(other);
    await other.close();
    await life.store.close();
  }
});
