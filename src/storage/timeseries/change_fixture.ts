/** What the tests of changes share: a store, the log beside it, and a list of the rows that should be there. */
import assert from "node:assert/strict";
import type { Random } from "../../base/mod.ts";
import { type Document, Int32, type RawDocument, UtcDate } from "../../bson/mod.ts";
import type { Disk } from "../../io/mod.ts";
import type { MarkedRows } from "./marked_rows.ts";
import { hexOf, measurement, newCounters, openStore, scanAll, TABLE } from "./store_fixture.ts";
import type { TableChange } from "./table_change.ts";
import type { TimeseriesStore } from "./timeseries_store.ts";

export interface Entry {
  readonly index: number;
  readonly kind: "insert" | "change";
  readonly payload: Uint8Array;
}

/** A row as the simple model keeps it, in order of arrival. */
export interface ModelRow {
  readonly time: number;
  readonly meta: number;
  readonly n: number;
  readonly document: RawDocument;
}

/** A store whose partitions are small, so that every merge cuts some. */
export function openSmall(disk: Disk, logStart?: number): Promise<TimeseriesStore> {
  const partitionSizes = {
    smallSegmentBytes: 100,
    leastPushBytes: 200,
    fullBytes: 800,
    maxPartitionBytes: 1500,
  };
  return openStore(disk, { partitionSizes, ...(logStart === undefined ? {} : { logStart }) });
}

export function apply(store: TimeseriesStore, { index, kind, payload }: Entry, marked?: MarkedRows): void {
  if (kind === "insert") store.applyInsert(index, TABLE, payload);
  else store.applyChange(index, TABLE, payload, marked);
}

/** Entries are durable once they are in the log; what is not there yet never happened. */
export class ChangeModel {
  readonly log: Entry[] = [];
  rows: ModelRow[] = [];
  private nextNumber = 0;
  private index = 0;

  constructor(readonly random: Random, public store: TimeseriesStore) {}

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  insert(count: number, running?: TableChange): void {
    const rows = Array.from({ length: count }, () => this.newRow());
    const { payload } = this.store.prepareInsert(TABLE, rows.map((row) => row.document), true);
    running?.noteInsert(payload!);
    this.append("insert", payload!);
    this.rows.push(...rows);
  }

  /** Removes or replaces the rows that are meant, with inserts and a flush between the scan and the application. */
  async change(isMeant: (row: ModelRow) => boolean, replace: boolean): Promise<void> {
    const change = await this.store.beginChange(TABLE);
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
        added.push(this.random() < 0.5 ? this.newRow() : this.newRow(known.time, known.meta));
        change.add(added[added.length - 1]!.document);
      }
    }
    const flushing = this.random() < 0.3 ? this.store.flush() : undefined;
    // Its failure is seen below, where it is waited for.
    flushing?.catch(() => {});
    if (this.random() < 0.5) this.insert(1 + this.below(6), change);
    if (this.random() < 0.5) await flushing?.catch(() => {});
    const taken = change.take();
    if (taken !== undefined) this.append("change", taken.payload, taken.marked);
    this.rows = [...this.rows.filter((row) => !gone.has(row.n)), ...added];
    await flushing;
  }

  /** Which rows the next change means. */
  randomMeaning(): (row: ModelRow) => boolean {
    const [a, b, m] = [this.below(40), this.below(40), this.below(3)];
    const divisor = 1 + this.below(5);
    const latest = Math.max(...this.rows.map((each) => each.n));
    switch (this.below(5)) {
      case 0:
        return (row) => row.time >= Math.min(a, b) && row.time <= Math.max(a, b);
      case 1:
        return (row) => row.meta === m;
      case 2:
        return (row) => row.n % divisor === 0;
      case 3:
        return (row) => row.n === latest;
      default:
        return (row) => row.time === a || (row.meta === m && row.n % divisor !== 0);
    }
  }

  async expire(beforeMs: number): Promise<void> {
    await this.store.expire(TABLE, beforeMs);
    this.rows = this.rows.filter((row) => row.time >= beforeMs);
  }

  /** Goes on with a store that was opened anew. */
  adopt(store: TimeseriesStore): void {
    this.store = store;
    for (const entry of this.log) apply(store, entry);
  }

  async check(store = this.store): Promise<void> {
    assert.deepEqual(await contentOf(store), expectedOf(this.rows));
  }

  /** The same, asked for in other ways. */
  async checkOrders(store = this.store): Promise<void> {
    for (const timeOrder of [1, -1] as const) {
      const found = (await scanAll(store, { timeOrder })).map(numberOf).sort((a, b) => a - b);
      assert.deepEqual(found, this.rows.map((row) => row.n).sort((a, b) => a - b));
      const limit = 1 + this.below(20);
      assert.deepEqual(
        (await scanAll(store, { timeOrder, limit })).map(numberOf),
        (await scanAll(store, { timeOrder })).slice(0, limit).map(numberOf),
      );
    }
    assert.equal(await endsIn(store), expectedEnds(this.rows));
  }

  private append(kind: Entry["kind"], payload: Uint8Array, marked?: MarkedRows): void {
    const entry = { index: ++this.index, kind, payload: payload.slice() };
    this.log.push(entry);
    apply(this.store, entry, marked);
  }

  private newRow(time = this.below(40), meta = this.below(3)): ModelRow {
    const n = this.nextNumber++;
    const fields = { n: new Int32(n), ...(n % 7 === 0 && { s: `s${n}` }) };
    return { time, meta, n, document: measurement(time, new Int32(meta), fields) };
  }
}

function numberOf(document: Document): number {
  return (document.get("n") as Int32).value;
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
