/** One table as its store holds it in memory. */
import { MemoryAccount } from "../../column/mod.ts";
import { decodeChange } from "./change_payload.ts";
import { type Expiry, firstTimeOf } from "./expiry.ts";
import type { TableOptions } from "./manifest.ts";
import type { MarkedRows } from "./marked_rows.ts";
import type { SegmentMasks } from "./mask_file.ts";
import { appendInsert } from "./insert_payload.ts";
import { MetaCache, type PreparedBatch } from "./measurement.ts";
import { Memtable } from "./memtable.ts";
import { markRows, MemtableRemoval, RowGroupRemoval } from "./removal.ts";
import type { SpanBlock } from "./removed_rows.ts";
import { maskWithout, type RowMask, RowMaskBuilder } from "./row_mask.ts";
import type { TimeRange } from "./run.ts";
import type { TableSnapshot } from "./table_snapshot.ts";
import type { Segment } from "./segment.ts";
import type { FrozenRows } from "./segment_writer.ts";
import type { RowGroupEntry, TableEntry } from "./segment_format.ts";
import { SeriesIndex } from "./series_index.ts";
import { type TableNames, tableNames } from "./shape.ts";
import { ShapeTrie } from "./shape_trie.ts";

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

/** What the log holds for a table. */
export interface LoggedEntry {
  readonly kind: "insert" | "change";
  readonly payload: Uint8Array;
  /** What is known of an insert that was laid out here. */
  readonly batch?: PreparedBatch | undefined;
  /** The rows that a change takes away, where it was made here. */
  readonly marked?: MarkedRows | undefined;
}

interface TableSegment {
  readonly segment: Segment;
  readonly dataBytes: number;
  /** Rows of earlier times are gone. */
  readonly firstMs: number;
  /** Those that have not expired. */
  readonly held: readonly RowGroupEntry[];
  /** Of these, the ones that have rows left. */
  readonly groups: readonly RowGroupEntry[];
  readonly masks: SegmentMasks;
  /** The masks that are on disk: what the log has since taken away comes with the next flush. */
  readonly storedMasks: SegmentMasks;
}

/** What a segment that comes has of the table. */
export interface AddedSegment {
  readonly segment: Segment;
  readonly entry: TableEntry;
  /** Its masks on disk. */
  readonly storedMasks: SegmentMasks;
  /** With what the log has since taken away. */
  readonly masks: SegmentMasks;
}

interface OpenMemtable {
  readonly memtable: Memtable;
  readonly account: MemoryAccount;
  /** Rows that are gone. */
  removed: RowMask | undefined;
}

/** A memtable whose rows are being written, but for those that were gone by then. */
interface FrozenMemtable extends OpenMemtable {
  readonly unwritten: RowMask | undefined;
}

/** Where the rows of a memtable are from now on. */
export interface FlushedMemtable {
  readonly memtable: Memtable;
  /** Rows that were gone before they could be written. */
  readonly unwritten: RowMask | undefined;
  /** Undefined where none was left to be written. */
  readonly written: {
    readonly segment: Segment;
    readonly entry: TableEntry;
    /** In the order in which the segment has them. */
    readonly rows: Int32Array;
  } | undefined;
}

const NO_MASKS: SegmentMasks = new Map();

/** What is kept of the metas of all tables. */
export type MetaCaches = Pick<TableSnapshot, "postings" | "metaColumns">;

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
  /** What the next memtable begins with. */
  private next: { readonly trie: ShapeTrie; readonly account: MemoryAccount } | undefined;
  private frozen: FrozenMemtable | undefined;
  private expiries: readonly Expiry[] = [];
  /** In the order of the log. */
  private readonly unapplied: LoggedEntry[] = [];

  constructor(readonly id: number, readonly options: TableOptions, private readonly caches: MetaCaches) {
    this.names = tableNames(options.timeField, options.metaField);
  }

  /** Bytes of the active memtable. */
  get activeBytes(): number {
    return this.active?.account.bytes ?? 0;
  }

  /**
   * Applies an entry of the log, or keeps it where a file cannot be read now: then nothing may be read from the table nor
   * flushed before `catchUp` has succeeded.
   */
  apply(entry: LoggedEntry): void {
    this.unapplied.push(entry);
    try {
      this.catchUp();
    } catch {
      this.unapplied[this.unapplied.length - 1] = { ...entry, payload: entry.payload.slice() };
    }
  }

  /** Applies what had to wait. @throws CorruptionError, or what the disk throws */
  catchUp(): void {
    while (this.unapplied.length > 0) {
      const { kind, payload, batch, marked } = this.unapplied[0]!;
      if (kind === "change") this.change(payload, marked);
      else appendInsert(this.activeMemtable(), payload, this, batch);
      this.unapplied.shift();
    }
  }

  private activeMemtable(): Memtable {
    this.active ??= this.newMemtable();
    return this.active.memtable;
  }

  /** Takes measurements away and adds others, all at once, or throws and changes nothing. */
  private change(payload: Uint8Array, marked: MarkedRows | undefined): void {
    const { blocks, documentsStart } = decodeChange(payload);
    if (marked !== undefined && this.isAsIn(marked.snapshot)) this.removeMarked(marked);
    else this.remove(blocks());
    if (documentsStart < payload.length) {
      this.activeMemtable().appendAll(payload, documentsStart, payload.length);
    }
  }

  /** Whether all rows of a snapshot lie where they lay then, none of them gone since. */
  private isAsIn({ segments, memtables }: TableSnapshot): boolean {
    return segments === this.segments && memtables.every(({ memtable, removed }, i) => {
      const open = this.memtables[i];
      return open?.memtable === memtable && open.removed === removed;
    });
  }

  private removeMarked(marked: MarkedRows): void {
    let age = 0;
    this.segments = this.segments.map((held) => {
      const masks = held.groups.map((entry) => [entry.offset, marked.maskOf(++age)] as const);
      return withMasksOf(held, masks);
    });
    for (const open of this.memtables.slice(0, marked.snapshot.memtables.length)) {
      open.removed = marked.maskOf(++age);
    }
  }

  private remove(blocks: readonly SpanBlock[]): void {
    if (blocks.length === 0) return;
    const { names } = this;
    const groups = this.segments.map(({ segment, groups, firstMs, masks }) =>
      groups.map((entry) =>
        new RowGroupRemoval({ segment, entry, names, firstMs, mask: masks.get(entry.offset) })
      )
    );
    const memtables = this.memtables.map((open) => new MemtableRemoval(open.memtable, open.removed));
    markRows(blocks, [...groups.flat(), ...memtables]);
    this.segments = this.segments.map((held, i) =>
      withMasksOf(held, groups[i]!.map((removal) => [removal.place.entry.offset, removal.mask()]))
    );
    this.memtables.forEach((open, i) => open.removed = memtables[i]!.mask());
  }

  /** Makes the active memtable the frozen one; undefined when it has no rows. */
  freeze(): FrozenRows | undefined {
    const { active } = this;
    this.active = undefined;
    this.frozen = active && { ...active, unwritten: active.removed };
    this.metas.trim();
    return this.frozen && { memtable: this.frozen.memtable, removed: this.frozen.unwritten };
  }

  /**
   * The frozen memtable's rows are in a segment now, if there was one.
   *
   * @param rows in the order in which the segment has them
   * @returns what became of it
   */
  thaw(
    segment: Segment | undefined,
    entry: TableEntry | undefined,
    rows: Int32Array | undefined,
  ): FlushedMemtable | undefined {
    const { frozen } = this;
    this.frozen = undefined;
    const written = segment && entry && rows && { segment, entry, rows };
    if (segment !== undefined && entry !== undefined) {
      const gone = maskWithout(frozen?.removed, frozen?.unwritten);
      const masks = gone === undefined || rows === undefined
        ? NO_MASKS
        : masksOfRows(gone, rows, entry.groups);
      this.addSegment({ segment, entry, storedMasks: NO_MASKS, masks });
    }
    return frozen && { memtable: frozen.memtable, unwritten: frozen.unwritten, written };
  }

  addSegment(added: AddedSegment): void {
    this.replaceSegments(new Set(), [added]);
  }

  /** Puts segments in the place of others, all at once. Scans that run still see those. */
  replaceSegments(removed: ReadonlySet<Segment>, added: readonly AddedSegment[]): void {
    const left = this.segments.filter(({ segment }) => !removed.has(segment));
    const come = added.map((each) => withoutExpired(tableSegment(each), this.expiries))
      .filter(({ held }) => held.length > 0);
    this.segments = [...left, ...come].sort((a, b) => compareArrivals(a.segment, b.segment));
  }

  /** From which time on the table's rows in a segment are there. */
  firstMsOf(segment: Segment): number {
    return firstTimeOf(segment.place.arrival, this.expiries);
  }

  /** Which rows in a segment are gone, by what is on disk. */
  storedMasksOf(segment: Segment): SegmentMasks {
    return this.segments.find((held) => held.segment === segment)?.storedMasks ?? NO_MASKS;
  }

  /** Which rows in a segment are gone. */
  masksOf(segment: Segment): SegmentMasks {
    return this.segments.find((held) => held.segment === segment)?.masks ?? NO_MASKS;
  }

  /** Whether rows of that segment are left that the log could still have to find. */
  hasRowsIn(segment: Segment): boolean {
    return this.segments.some(({ segment: own, held, storedMasks }) =>
      own === segment && held.some((group) => (storedMasks.get(group.offset)?.count ?? 0) < group.rows)
    );
  }

  /** By number of the segment: its masks, where it has any, and whether they are on disk. */
  segmentMasks(): { readonly segment: number; readonly masks: SegmentMasks; readonly isStored: boolean }[] {
    return this.segments.filter(({ masks }) => masks.size > 0).map(({ segment, masks, storedMasks }) => ({
      segment: segment.number,
      masks,
      isStored: masks === storedMasks,
    }));
  }

  /** These masks are on disk now. */
  noteStoredMasks(stored: ReadonlyMap<number, SegmentMasks>): void {
    this.segments = this.segments.map((held) => {
      const storedMasks = stored.get(held.segment.number);
      return storedMasks === undefined ? held : { ...held, storedMasks };
    });
  }

  /** About how much time a partition covers, in milliseconds, for a start. */
  get spanMs(): number {
    return this.options.spanSeconds * 1000;
  }

  /** Whether rows, or that rows are gone, has yet to be written to its files. */
  isUnflushed(): boolean {
    return this.memtables.length > 0 || this.segments.some(({ masks, storedMasks }) => masks !== storedMasks);
  }

  /** Whether memtables hold rows of earlier times. */
  hasMemtableRowsBefore(ms: number): boolean {
    return this.memtables.some(({ memtable }) => memtable.minTime < ms);
  }

  /** Whether segments hold rows of earlier times. */
  hasSegmentRowsBefore(ms: number): boolean {
    return this.segments.some(({ held, firstMs }) =>
      held.some((group) => Math.max(group.minTime, firstMs) < ms)
    );
  }

  /** Takes the rows away that retention let go of. Scans that run still see them. */
  expire(expiries: readonly Expiry[]): void {
    this.expiries = expiries;
    this.segments = this.segments.map((segment) => withoutExpired(segment, expiries))
      .filter(({ held }) => held.length > 0);
  }

  snapshot(): TableSnapshot {
    for (const { segment } of this.segments) segment.share();
    return {
      names: this.names,
      tableId: this.id,
      index: this.index,
      seriesCount: this.index.size,
      ...this.caches,
      segments: this.segments,
      memtables: this.memtables.map(({ memtable, removed }) => ({
        memtable,
        limit: memtable.length,
        removed,
      })),
    };
  }

  /** Times before and behind which there are no rows; undefined when there are none. */
  timeBounds(): TimeRange | undefined {
    let fromMs = Infinity;
    let toMs = -Infinity;
    for (const { groups } of this.segments) {
      for (const { minTime, maxTime } of groups) {
        fromMs = Math.min(fromMs, minTime);
        toMs = Math.max(toMs, maxTime);
      }
    }
    for (const open of [this.frozen, this.active]) {
      if (open === undefined) continue;
      fromMs = Math.min(fromMs, open.memtable.minTime);
      toMs = Math.max(toMs, open.memtable.maxTime);
    }
    return fromMs > toMs ? undefined : { fromMs, toMs };
  }

  stats(): TableStats {
    const { memtables, segments } = this;
    const memtableRows = sum(memtables, rowsInMemtable);
    const memtableDataBytes = sum(
      memtables,
      (open) => share(open.memtable.dataBytes, rowsInMemtable(open), open.memtable.length),
    );
    return {
      rows: memtableRows + sum(segments, rowsLeft),
      series: this.index.size,
      dataBytes: memtableDataBytes +
        sum(segments, (held) => share(held.dataBytes, rowsLeft(held), rowsHeld(held))),
      storageBytes: sum(
        segments.flatMap(({ held }) => held),
        (group) => group.pagesBytes + group.headerBytes,
      ),
      indexBytes: this.seriesBytes,
      segments: segments.length,
      memtableRows,
      memtableBytes: sum(memtables, ({ account }) => account.bytes),
      memtableDataBytes,
    };
  }

  /** From old to new. */
  private get memtables(): readonly OpenMemtable[] {
    return [this.frozen, this.active].filter((open) => open !== undefined);
  }

  /** The shapes of the memtable that is there or comes next. */
  get trie(): ShapeTrie {
    return this.active?.memtable.trie ?? (this.next ??= this.newShapes()).trie;
  }

  private newShapes(): { readonly trie: ShapeTrie; readonly account: MemoryAccount } {
    const account = new MemoryAccount();
    return { trie: new ShapeTrie(this.names, account), account };
  }

  private newMemtable(): OpenMemtable {
    const { trie, account } = this.next ?? this.newShapes();
    this.next = undefined;
    const memtable = new Memtable(this.index, this.names, this.options, account, trie);
    return { memtable, account, removed: undefined };
  }
}

/** From old to new; of equal arrivals none has rows of the other's partition. */
function compareArrivals(a: Segment, b: Segment): number {
  return a.place.arrival - b.place.arrival || a.number - b.number;
}

function tableSegment({ segment, entry, masks, storedMasks }: AddedSegment): TableSegment {
  const { dataBytes, groups } = entry;
  return withMasks(
    { segment, dataBytes, firstMs: -Infinity, held: groups, groups, masks, storedMasks },
    masks,
  );
}

function withoutExpired(segment: TableSegment, expiries: readonly Expiry[]): TableSegment {
  const firstMs = firstTimeOf(segment.segment.place.arrival, expiries);
  if (firstMs <= segment.firstMs) return segment;
  const isLeft = (group: RowGroupEntry) => group.maxTime >= firstMs;
  return {
    ...segment,
    firstMs,
    held: segment.held.filter(isLeft),
    groups: segment.groups.filter(isLeft),
  };
}

function withMasks(segment: TableSegment, masks: SegmentMasks): TableSegment {
  const groups = segment.held.filter((group) => (masks.get(group.offset)?.count ?? 0) < group.rows);
  return { ...segment, groups, masks };
}

/** The segment with other masks, as it is where they are those that it has. */
function withMasksOf(
  segment: TableSegment,
  changed: readonly (readonly [offset: number, mask: RowMask | undefined])[],
): TableSegment {
  let masks: Map<number, RowMask> | undefined;
  for (const [offset, mask] of changed) {
    if (mask === undefined || mask === segment.masks.get(offset)) continue;
    masks ??= new Map(segment.masks);
    masks.set(offset, mask);
  }
  return masks === undefined ? segment : withMasks(segment, masks);
}

/** The masks of a new segment for rows that went while they were being written; `rows` in the order of the segment. */
export function masksOfRows(gone: RowMask, rows: Int32Array, groups: readonly RowGroupEntry[]): SegmentMasks {
  const masks = new Map<number, RowMask>();
  let first = 0;
  for (const group of groups) {
    const builder = new RowMaskBuilder(undefined);
    for (let row = 0; row < group.rows; row++) if (gone.has(rows[first + row]!)) builder.add(row);
    const mask = builder.build();
    if (mask !== undefined) masks.set(group.offset, mask);
    first += group.rows;
  }
  return masks;
}

function rowsInMemtable({ memtable, removed }: OpenMemtable): number {
  return memtable.length - (removed?.count ?? 0);
}

function rowsHeld({ held }: TableSegment): number {
  return sum(held, (group) => group.rows);
}

function rowsLeft({ groups, masks }: TableSegment): number {
  return sum(groups, (group) => group.rows - (masks.get(group.offset)?.count ?? 0));
}

/** The bytes of some of the rows: all are taken for equally large. */
function share(bytes: number, rows: number, allRows: number): number {
  return rows === allRows ? bytes : Math.round((bytes * rows) / allRows);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
