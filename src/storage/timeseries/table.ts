/** One table as its store holds it in memory. */
import { MemoryAccount } from "../../column/mod.ts";
import { type Expiry, firstTimeOf } from "./expiry.ts";
import type { TableOptions } from "./manifest.ts";
import { MetaCache } from "./measurement.ts";
import { Memtable } from "./memtable.ts";
import type { TableSnapshot } from "./scan.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry, TableEntry } from "./segment_format.ts";
import { SeriesIndex } from "./series_index.ts";
import type { PostingsCache } from "./series_lookup.ts";
import type { TableNames } from "./shape.ts";
import { tableNames } from "./shape_trie.ts";

/** What a table holds. */
export interface TableStats {
  /** Those that expired are counted until the last row of their row group has. */
  readonly rows: number;
  readonly series: number;
  /** Bytes of the rows as BSON, as inserted. */
  readonly dataBytes: number;
  /** Bytes of its row groups on disk. */
  readonly storageBytes: number;
  /** Bytes of its series on disk. */
  readonly indexBytes: number;
  readonly segments: number;
  readonly memtableRows: number;
  readonly memtableBytes: number;
  /** The part of `dataBytes` that is in memtables. */
  readonly memtableDataBytes: number;
}

interface TableSegment {
  readonly segment: Segment;
  readonly dataBytes: number;
  /** Rows of earlier times are gone. */
  readonly firstMs: number;
  readonly groups: readonly RowGroupEntry[];
}

interface OpenMemtable {
  readonly memtable: Memtable;
  readonly account: MemoryAccount;
}

export class Table {
  readonly index = new SeriesIndex();
  readonly metas = new MetaCache();
  /** Series with lower numbers are on disk. */
  persistedSeries = 0;
  /** Bytes of its records in the series file. */
  seriesBytes = 0;
  readonly names: TableNames;
  /** From old to new; replaced, never changed, so that a scan can keep it. */
  private segments: readonly TableSegment[] = [];
  private active: OpenMemtable | undefined;
  private frozen: OpenMemtable | undefined;
  private expiries: readonly Expiry[] = [];

  constructor(readonly id: number, readonly options: TableOptions, private readonly postings: PostingsCache) {
    this.names = tableNames(options.timeField, options.metaField);
  }

  /** Bytes of the active memtable. */
  get activeBytes(): number {
    return this.active?.account.bytes ?? 0;
  }

  /** Adds measurements; returns by how many bytes the memtable grew. */
  append(payload: Uint8Array, start: number): number {
    const before = this.activeBytes;
    this.active ??= this.newMemtable();
    const { memtable, account } = this.active;
    memtable.appendAll(payload, start, payload.length);
    return account.bytes - before;
  }

  /** Makes the active memtable the frozen one; undefined when it has no rows. */
  freeze(): Memtable | undefined {
    this.frozen = this.active;
    this.active = undefined;
    return this.frozen?.memtable;
  }

  /** The frozen memtable's rows are in a segment now, if there was one. */
  thaw(): void {
    this.frozen = undefined;
  }

  addSegment(segment: Segment, entry: TableEntry): void {
    this.replaceSegments(new Set(), [{ segment, entry }]);
  }

  /** Puts segments in the place of others, all at once. */
  replaceSegments(
    removed: ReadonlySet<Segment>,
    added: readonly { readonly segment: Segment; readonly entry: TableEntry }[],
  ): void {
    const left = this.segments.filter(({ segment }) => !removed.has(segment));
    const come = added.map(({ segment, entry: { dataBytes, groups } }) =>
      withoutExpired({ segment, dataBytes, groups, firstMs: -Infinity }, this.expiries)
    ).filter(({ groups }) => groups.length > 0);
    this.segments = [...left, ...come].sort((a, b) => compareArrivals(a.segment, b.segment));
  }

  /** From which time on the table's rows in a segment are there. */
  firstMsOf(segment: Segment): number {
    return firstTimeOf(segment.place.arrival, this.expiries);
  }

  /** Whether rows of that segment are left. */
  hasRowsIn(segment: Segment): boolean {
    return this.segments.some((held) => held.segment === segment);
  }

  /** About how much time a partition covers, in milliseconds, for a start. */
  get spanMs(): number {
    return this.options.spanSeconds * 1000;
  }

  hasMemtableRows(): boolean {
    return this.active !== undefined || this.frozen !== undefined;
  }

  /** Whether memtables hold rows of earlier times. */
  hasMemtableRowsBefore(ms: number): boolean {
    return [this.frozen, this.active].some((open) => open !== undefined && open.memtable.minTime < ms);
  }

  /** Whether segments hold rows of earlier times. */
  hasSegmentRowsBefore(ms: number): boolean {
    return this.segments.some(({ groups, firstMs }) =>
      groups.some((group) => Math.max(group.minTime, firstMs) < ms)
    );
  }

  /** Takes the rows away that retention let go of. Scans that run still see them. */
  expire(expiries: readonly Expiry[]): void {
    this.expiries = expiries;
    this.segments = this.segments.map((held) => withoutExpired(held, expiries))
      .filter((held) => held.groups.length > 0);
  }

  snapshot(): TableSnapshot {
    const memtables = [this.frozen, this.active].filter((open) => open !== undefined);
    return {
      names: this.names,
      tableId: this.id,
      index: this.index,
      seriesCount: this.index.size,
      postings: this.postings,
      segments: this.segments,
      memtables: memtables.map(({ memtable }) => ({ memtable, limit: memtable.length })),
    };
  }

  stats(): TableStats {
    const memtables = [this.frozen, this.active].filter((open) => open !== undefined);
    const memtableRows = sum(memtables, ({ memtable }) => memtable.length);
    const memtableDataBytes = sum(memtables, ({ memtable }) => memtable.dataBytes);
    const groups = this.segments.flatMap((segment) => segment.groups);
    return {
      rows: memtableRows + sum(groups, (group) => group.rows),
      series: this.index.size,
      dataBytes: memtableDataBytes + sum(this.segments, (segment) => segment.dataBytes),
      storageBytes: sum(groups, (group) => group.pagesBytes + group.headerBytes),
      indexBytes: this.seriesBytes,
      segments: this.segments.length,
      memtableRows,
      memtableBytes: sum(memtables, ({ account }) => account.bytes),
      memtableDataBytes,
    };
  }

  private newMemtable(): OpenMemtable {
    const account = new MemoryAccount();
    return { memtable: new Memtable(this.index, this.names, this.options, account), account };
  }
}

/** From old to new; of equal arrivals none has rows of the other's partition. */
function compareArrivals(a: Segment, b: Segment): number {
  return a.place.arrival - b.place.arrival || a.number - b.number;
}

function withoutExpired(held: TableSegment, expiries: readonly Expiry[]): TableSegment {
  const firstMs = firstTimeOf(held.segment.place.arrival, expiries);
  if (firstMs <= held.firstMs) return held;
  return { ...held, firstMs, groups: held.groups.filter((group) => group.maxTime >= firstMs) };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
