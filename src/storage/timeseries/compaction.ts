/**
 * Merges segments: their rows, without those of tables that are gone, without those that have expired, go to new
 * segments, one for each partition and one for what is left over.
 *
 * Memory is bounded by one column of one row group of each input, and counted: pages are decoded column by column, values
 * copied slice by slice, and no row is ever looked at as a document.
 */
import {
  type MemoryBudget,
  type MemoryLease,
  MERGED_PAGE_SHARE,
  MIN_MERGED_PAGE_BYTES,
  ROW_GROUP_ROWS,
} from "../../base/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import type { CompactionPlan } from "./compaction_policy.ts";
import type { SegmentPlace } from "./manifest.ts";
import type { SegmentMasks } from "./mask_file.ts";
import { MergeCursor } from "./merge_cursor.ts";
import { MergedGroup, type ShreddedTable, writeMergedGroups } from "./merged_group.ts";
import { MergeGroup } from "./merge_group.ts";
import { mergeRows, type RowTaker } from "./merge_rows.ts";
import type { Pace } from "./pacer.ts";
import { partsOf, type TablePart } from "./partition.ts";
import type { LiveTable } from "./partition_volume.ts";
import type { Segment } from "./segment.ts";
import type { TableEntry } from "./segment_format.ts";
import { OUTPUT_BYTES, SegmentOutput } from "./segment_output.ts";

/** A table whose rows are merged. */
export type MergedTable = LiveTable & ShreddedTable;

/** What a merge took of one table from one segment: all rows but those of earlier times and those masked. */
export interface MergedInput {
  readonly tableId: number;
  readonly segment: Segment;
  readonly entry: TableEntry;
  readonly firstMs: number;
  readonly masks: SegmentMasks;
}

/** What a merge gave. */
export interface MergedSegments {
  readonly written: readonly WrittenSegment[];
  /** By table, from old to new. */
  readonly inputs: readonly MergedInput[];
}

export interface CompactionJob {
  readonly plan: CompactionPlan;
  readonly disk: Disk;
  /** The folder of the segments. */
  readonly directory: string;
  /** A table as it is now; undefined for one that is gone. */
  readonly table: (tableId: number) => MergedTable | undefined;
  /** A number that no segment has had. */
  readonly nextNumber: () => number;
  readonly pathOf: (segment: number) => string;
  /** Awaited now and then; what it throws ends the merge. */
  readonly pace: Pace;
  /** Where what it holds is counted. */
  readonly memory: MemoryBudget;
}

/** A file that a merge wrote, synced. */
export interface WrittenSegment {
  readonly number: number;
  readonly path: string;
  readonly place: SegmentPlace;
}

/** The key of the destination for what is left over. */
const LEFT_OVER = -1;
/** Rows that are noted and not written yet, over all destinations. */
const MAX_PENDING_ROWS = 4 * ROW_GROUP_ROWS;

/** Writes the new segments, durable when it resolves; after a failure none of them is left. */
export async function runCompaction(job: CompactionJob): Promise<MergedSegments> {
  const lease = job.memory.lease();
  const merge = new Merge(job, lease);
  try {
    return await merge.run();
  } catch (error) {
    merge.discard();
    throw error;
  } finally {
    lease.release();
  }
}

/** Where merged rows go: one new segment. */
class Destination {
  readonly output: SegmentOutput;

  constructor(readonly written: WrittenSegment, readonly file: DiskFile, readonly group: MergedGroup) {
    this.output = new SegmentOutput(file, "small");
  }

  async finish(): Promise<void> {
    this.output.finish();
    await this.file.sync();
    this.file.close();
  }
}

class Merge {
  /** By partition. */
  private readonly destinations = new Map<number, Destination>();
  private readonly inputs: MergedInput[] = [];

  constructor(private readonly job: CompactionJob, private readonly lease: MemoryLease) {}

  async run(): Promise<MergedSegments> {
    const held = entriesByTable(this.job.plan.inputs);
    for (const tableId of [...held.keys()].sort((a, b) => a - b)) {
      const table = this.job.table(tableId);
      if (table !== undefined) await this.mergeTable(tableId, table, held.get(tableId)!);
      await this.job.pace();
    }
    const destinations = [...this.destinations.values()];
    for (const destination of destinations) await destination.finish();
    if (destinations.length > 0) await this.job.disk.syncDirectory(this.job.directory);
    return { written: destinations.map(({ written }) => written), inputs: this.inputs };
  }

  /** Removes what was written; what cannot be removed now is at the next opening. */
  discard(): void {
    for (const { file, written } of this.destinations.values()) {
      file.close();
      try {
        this.job.disk.remove(written.path);
      } catch {
        // The disk fails, as the error that brought us here says already.
      }
    }
  }

  private async mergeTable(
    tableId: number,
    table: MergedTable,
    entries: readonly SegmentEntry[],
  ): Promise<void> {
    const { plan: { bounds }, pace } = this.job;
    const held = entries.map(({ segment, entry }): MergedInput => {
      const [firstMs, masks] = [table.firstMsOf(segment), table.storedMasksOf(segment)];
      return { tableId, segment, entry, firstMs, masks };
    });
    this.inputs.push(...held);
    const cursors = held.map(({ segment, entry: { groups, dataBytes }, firstMs, masks }, order) => {
      const rowBytes = dataBytes / groups.reduce((sum, group) => sum + group.rows, 0);
      const open = (index: number) =>
        new MergeGroup(segment, groups[index]!, rowBytes, table.names, this.lease);
      const maskOf = (index: number) => masks.get(groups[index]!.offset);
      return new MergeCursor(order, groups.length, open, maskOf, firstMs);
    });
    const parts = partsOf(bounds, tableId);
    const destinationOf = (partition: number) => this.destinationOf(partition);
    const taker = new PartingTaker(parts, destinationOf, table, pace, this.job.memory.share(1));
    await mergeRows(cursors, taker);
    await taker.writeAll();
    const bytesOf = bytesByRows(held.map(({ entry }) => entry));
    for (const { output } of this.destinations.values()) output.endTable(tableId, bytesOf);
  }

  private destinationOf(partition: number): Destination {
    const isParted = this.job.plan.isParted(partition);
    const key = isParted ? partition : LEFT_OVER;
    const known = this.destinations.get(key);
    if (known !== undefined) return known;
    const number = this.job.nextNumber();
    const path = this.job.pathOf(number);
    const arrival = Math.max(...this.job.plan.inputs.map(({ place }) => place.arrival));
    const written = { number, path, place: { arrival, level: isParted ? 1 : 0 } } as const;
    const group = new MergedGroup(pageBytes(this.job.memory));
    const destination = new Destination(written, this.job.disk.open(path, "create"), group);
    this.lease.grow(OUTPUT_BYTES);
    this.destinations.set(key, destination);
    return destination;
  }
}

/** Parts the rows of one table among destinations by their time, and writes row groups that are full. */
class PartingTaker implements RowTaker {
  private readonly destinations = new Map<number, Destination>();
  private part = 0;
  private pendingRows = 0;
  private pendingBytes = 0;

  /** @param maxPendingBytes of rows that are noted and not written yet, as BSON */
  constructor(
    private readonly parts: readonly TablePart[],
    private readonly destinationOf: (partition: number) => Destination,
    private readonly table: MergedTable,
    private readonly pace: Pace,
    private readonly maxPendingBytes: number,
  ) {}

  /** Whether so much is noted that it has to be written, full row groups or not. */
  private get isPendingMuch(): boolean {
    return this.pendingRows >= MAX_PENDING_ROWS || this.pendingBytes >= this.maxPendingBytes;
  }

  take(group: MergeGroup, series: number, from: number, end: number): number {
    const { parts } = this;
    if (parts.length > 1) {
      const time = group.timeOf(from);
      // Rows of a series come in order of time, and the next series begins early again.
      if (this.part > 0 && time < parts[this.part - 1]!.untilMs) this.part = 0;
      while (time >= parts[this.part]!.untilMs) this.part++;
    }
    const { partition, untilMs } = parts[this.part]!;
    const destination = this.destination(partition);
    let taken = Math.min(end, from + destination.group.roomFor(group));
    if (this.isPendingMuch) taken = from;
    else if (untilMs !== Infinity) taken = group.firstRowFrom(untilMs, from, taken);
    if (taken > from) destination.group.add(group, series, from, taken);
    this.pendingRows += taken - from;
    this.pendingBytes += (taken - from) * group.rowBytes;
    return taken;
  }

  /** Writes what is full, and all that is not small with it: it is made of the same pages. */
  async rest(): Promise<void> {
    const all = [...this.destinations.values()];
    if (this.isPendingMuch) await this.write(all);
    else if (all.some(({ group }) => group.isFull)) {
      await this.write(all.filter(({ group }) => group.isFull || group.rows >= ROW_GROUP_ROWS / 4));
    }
    await this.pace();
  }

  async writeAll(): Promise<void> {
    await this.write([...this.destinations.values()]);
  }

  private destination(partition: number): Destination {
    let destination = this.destinations.get(partition);
    if (destination === undefined) {
      destination = this.destinationOf(partition);
      this.destinations.set(partition, destination);
    }
    return destination;
  }

  private async write(destinations: readonly Destination[]): Promise<void> {
    // Several partitions may share the destination of what is left over.
    const written = [...new Set(destinations)].filter(({ group }) => group.rows > 0);
    for (const { group } of written) {
      this.pendingRows -= group.rows;
      this.pendingBytes -= group.sizeBytes;
    }
    await writeMergedGroups(written, this.table, this.pace);
  }
}

interface SegmentEntry {
  readonly segment: Segment;
  readonly entry: TableEntry;
}

/** What segments have of each table, in their order. */
function entriesByTable(segments: readonly Segment[]): Map<number, SegmentEntry[]> {
  const byTable = new Map<number, SegmentEntry[]>();
  for (const segment of segments) {
    for (const entry of segment.tables) {
      const entries = byTable.get(entry.tableId);
      if (entries === undefined) byTable.set(entry.tableId, [{ segment, entry }]);
      else entries.push({ segment, entry });
    }
  }
  return byTable;
}

/** What a page of a new segment may take, since it is made and read as a whole. */
function pageBytes(memory: MemoryBudget): number {
  return Math.max(MIN_MERGED_PAGE_BYTES, memory.share(MERGED_PAGE_SHARE));
}

/** What rows take as BSON: all of them exactly what they took, a part of them its share by number. */
function bytesByRows(entries: readonly TableEntry[]): (rows: number) => number {
  let rows = 0;
  let bytes = 0;
  for (const { dataBytes, groups } of entries) {
    bytes += dataBytes;
    for (const group of groups) rows += group.rows;
  }
  let before = 0;
  return (count) => {
    const from = Math.round(bytes * before / rows);
    before += count;
    return Math.round(bytes * before / rows) - from;
  };
}
