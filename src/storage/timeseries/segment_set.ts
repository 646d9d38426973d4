/**
 * The segments that count: their files, what each table has of them, and how others come in their place.
 *
 * What counts is the manifest's to say. A change is in memory once its record is durable; a file is removed once no record
 * names it any more.
 */
import { MAX_OPEN_SEGMENT_FILES } from "../../base/mod.ts";
import type { CompactionJob, WrittenSegment } from "./compaction.ts";
import type { CompactionPlan, CompactionState } from "./compaction_policy.ts";
import type { Expiry } from "./expiry.ts";
import { FilePool } from "./file_pool.ts";
import type { CompactChange, Manifest, SegmentPlace } from "./manifest.ts";
import type { Pace } from "./pacer.ts";
import type { PageCache } from "./page_cache.ts";
import { recordedBound } from "./partition.ts";
import { DEFAULT_PARTITION_SIZES } from "./partition_cuts.ts";
import { Segment } from "./segment.ts";
import type { TableEntry } from "./segment_format.ts";
import type { Table } from "./table.ts";
import type { TimeseriesStoreOptions } from "./timeseries_store.ts";

export class SegmentSet {
  private readonly segments = new Map<number, Segment>();
  private readonly files: FilePool;

  /** @param tables those that exist, as they come and go */
  constructor(
    private readonly options: TimeseriesStoreOptions,
    private readonly manifest: Manifest,
    private readonly tables: ReadonlyMap<number, Table>,
    private readonly cache: PageCache,
  ) {
    this.files = new FilePool(options.disk, MAX_OPEN_SEGMENT_FILES);
  }

  /** The arrival of the newest segment, 0 when there is none. */
  get latestArrival(): number {
    let latest = 0;
    for (const { place } of this.segments.values()) latest = Math.max(latest, place.arrival);
    return latest;
  }

  /** Adds all that the manifest names. @throws CorruptionError */
  load(): void {
    for (const [number, place] of this.manifest.segments) this.add(this.open(number, place));
  }

  pathOf(number: number): string {
    return `${this.options.directory}/${segmentName(number)}`;
  }

  /** The files that hold rows of a table at the call; one that went before its turn is left out. */
  *pathsWith(table: Table): Generator<string, void, undefined> {
    for (const segment of [...this.segments.values()]) {
      if (this.segments.has(segment.number) && table.hasRowsIn(segment)) yield segment.path;
    }
  }

  /** @throws CorruptionError */
  open(number: number, place: SegmentPlace): Segment {
    return Segment.open(this.files, this.pathOf(number), number, place, this.cache);
  }

  /** Makes the rows of a segment seen. */
  add(segment: Segment): void {
    this.segments.set(segment.number, segment);
    for (const entry of segment.tables) this.tables.get(entry.tableId)?.addSegment(segment, entry);
  }

  /** Segments whose rows are all gone, with their tables or by age, lose their file; scans that still read them keep it open. */
  async removeDead(): Promise<void> {
    for (const [number, segment] of this.segments) {
      if (segment.tables.some((entry) => this.tables.get(entry.tableId)?.hasRowsIn(segment))) continue;
      this.segments.delete(number);
      await this.manifest.append({ kind: "remove", segment: number });
      this.removeFile(segment);
    }
  }

  /** Removes all files from the folder that neither the manifest nor `others` name. */
  removeLeftovers(others: readonly string[]): void {
    const { disk, directory, logger } = this.options;
    const own = this.manifest.ownNames();
    for (const name of others) own.add(name);
    for (const number of this.segments.keys()) own.add(segmentName(number));
    for (const name of disk.list(directory)) {
      if (own.has(name)) continue;
      logger.info("removed a file that a crash left behind", { file: `${directory}/${name}` });
      disk.remove(`${directory}/${name}`);
    }
  }

  /** What there is to be merged. */
  get compactionState(): CompactionState {
    const sizes = this.options.partitionSizes ?? DEFAULT_PARTITION_SIZES;
    const { manifest: { bounds }, tables } = this;
    return { segments: [...this.segments.values()], bounds, sizes, tables: (id) => tables.get(id) };
  }

  compactionJob(plan: CompactionPlan, pace: Pace): CompactionJob {
    const { options: { disk, directory }, manifest, tables } = this;
    return {
      plan,
      disk,
      directory,
      pace,
      table: (id) => tables.get(id),
      nextSegment: () => manifest.nextSegment(),
      pathOf: (number) => this.pathOf(number),
    };
  }

  /** Puts what a merge wrote in the place of what it read: for good with the record, in memory at once after it. */
  async install(plan: CompactionPlan, written: readonly WrittenSegment[]): Promise<void> {
    const added = written.map(({ number, place }) => this.open(number, place));
    const removed = new Set(plan.inputs);
    // Its record may be on disk even if the append fails: all files stay then.
    await this.manifest.append(this.compactChange(plan, added));
    for (const { number } of removed) this.segments.delete(number);
    for (const segment of added) this.segments.set(segment.number, segment);
    for (const [id, entries] of entriesByTable([...removed, ...added])) {
      this.tables.get(id)?.replaceSegments(removed, entries.filter(({ segment }) => !removed.has(segment)));
    }
    for (const segment of removed) this.removeFile(segment);
    await this.removeDead();
  }

  close(): void {
    for (const segment of this.segments.values()) segment.close();
    this.files.closeAll();
  }

  private compactChange(plan: CompactionPlan, added: readonly Segment[]): CompactChange {
    const removed = new Set(plan.inputs);
    const after = [...[...this.segments.values()].filter((segment) => !removed.has(segment)), ...added];
    const settled: ({ id: number } & Expiry)[] = [];
    for (const [id, expiries] of this.manifest.expiries) {
      for (const expiry of expiries) {
        if (!after.some((segment) => isMaskedBy(segment, id, expiry))) settled.push({ id, ...expiry });
      }
    }
    return {
      kind: "compact",
      removed: plan.inputs.map(({ number }) => number),
      added: added.map(({ number, place }) => ({ segment: number, ...place })),
      boundsRemoved: plan.boundsRemoved.map(recordedBound),
      boundsAdded: plan.boundsAdded.map(recordedBound),
      settled,
    };
  }

  /** What fails here is mended at the next opening, which removes the file. */
  private removeFile(segment: Segment): void {
    try {
      segment.retire();
      this.options.disk.remove(segment.path);
    } catch (error) {
      this.options.logger.error("a segment that no longer counts keeps its file until the next opening", {
        segment: segment.number,
        error: String(error),
      });
    }
  }
}

function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.seg`;
}

interface SegmentEntry {
  readonly segment: Segment;
  readonly entry: TableEntry;
}

function entriesByTable(segments: Iterable<Segment>): Map<number, SegmentEntry[]> {
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

/** Whether an expiry took rows of a segment that are still in its file. */
function isMaskedBy({ tables, place }: Segment, tableId: number, expiry: Expiry): boolean {
  if (place.arrival > expiry.throughSegment) return false;
  const entry = tables.find((entry) => entry.tableId === tableId);
  return entry !== undefined && entry.groups.some((group) => group.minTime < expiry.beforeMs);
}
