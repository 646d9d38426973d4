/**
 * The segments that count: their files, what each table has of them, and how others come in their place.
 *
 * What counts is the manifest's to say. A change is in memory once its record is durable; a file is removed once no record
 * names it any more.
 */
import { MAX_OPEN_SEGMENT_FILES, type MemoryBudget } from "../../base/mod.ts";
import { CarriedMasks } from "./carried_masks.ts";
import type { CompactionJob, MergedSegments } from "./compaction.ts";
import type { CompactionPlan, CompactionState } from "./compaction_policy.ts";
import type { Expiry } from "./expiry.ts";
import { FilePool } from "./file_pool.ts";
import type { CompactChange, Manifest, SegmentPlace } from "./manifest.ts";
import type { SegmentMasks } from "./mask_file.ts";
import { MaskFiles, masksOfTable } from "./mask_files.ts";
import { type Pace, pacer } from "./pacer.ts";
import type { PageCache } from "./page_cache.ts";
import { recordedBound } from "./partition.ts";
import { DEFAULT_PARTITION_SIZES } from "./partition_cuts.ts";
import { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { Table } from "./table.ts";
import type { TimeseriesStoreOptions } from "./store_options.ts";

export class SegmentSet {
  readonly masks: MaskFiles;
  private readonly segments = new Map<number, Segment>();
  private readonly files: FilePool;
  /** The end of all that may not run at once: flushes, and segments coming in the place of others. */
  private turn: Promise<unknown> = Promise.resolve();
  /** Segments of which a flush has taken the masks and not written yet. */
  private frozenMasks: ReadonlyMap<number, SegmentMasks> = new Map();
  /** Why the last flush that took masks could not write them. */
  private flushFailure: unknown;

  /** @param tables those that exist, as they come and go */
  constructor(
    private readonly options: TimeseriesStoreOptions,
    private readonly manifest: Manifest,
    private readonly tables: ReadonlyMap<number, Table>,
    private readonly cache: PageCache,
    private readonly memory: MemoryBudget,
  ) {
    this.files = new FilePool(options.disk, MAX_OPEN_SEGMENT_FILES);
    this.masks = new MaskFiles(options.disk, options.directory, manifest);
  }

  /** Runs what must not run while masks are on their way to disk or segments come in the place of others. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => {});
    return turn;
  }

  /** The arrival of the newest segment, 0 when there is none. */
  get latestArrival(): number {
    let latest = 0;
    for (const { place } of this.segments.values()) latest = Math.max(latest, place.arrival);
    return latest;
  }

  /** Adds all that the manifest names. @throws CorruptionError */
  load(): void {
    const masks = this.masks.read();
    for (const [number, place] of this.manifest.segments) {
      const segment = this.open(number, place);
      this.register(segment);
      for (const entry of segment.tables) {
        const own = masksOfTable(masks.get(number), entry);
        this.tables.get(entry.tableId)?.addSegment({ segment, entry, storedMasks: own, masks: own });
      }
    }
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

  /** A segment counts now; that its tables know is the caller's to see to. */
  register(segment: Segment): void {
    this.segments.set(segment.number, segment);
  }

  /** A flush has taken these masks, by segment: the segments stay until `noteStoredMasks`. */
  noteFrozenMasks(masks: ReadonlyMap<number, SegmentMasks>): void {
    this.frozenMasks = masks;
  }

  /** The flush that runs has failed: the masks that it took, if any, wait for the next one. */
  noteFailedFlush(failure: unknown): void {
    this.flushFailure = failure;
  }

  /** The masks that a flush took are on disk. @param tableMasks by table, then segment */
  noteStoredMasks(tableMasks: ReadonlyMap<number, ReadonlyMap<number, SegmentMasks>>): void {
    this.frozenMasks = new Map();
    for (const [tableId, masks] of tableMasks) this.tables.get(tableId)?.noteStoredMasks(masks);
  }

  /**
   * Segments whose rows are all gone, with their tables, by age or one by one, lose their file; scans that still read
   * them keep it open. So do masks that count for none. What is being merged stays: its masks have to be carried over.
   */
  async removeDead(): Promise<void> {
    for (const [number, segment] of this.segments) {
      if (segment.isPinned) continue;
      if (segment.tables.some((entry) => this.tables.get(entry.tableId)?.hasRowsIn(segment))) continue;
      // While the manifest counts it, expiries that hide its rows must not be forgotten.
      await this.manifest.append({ kind: "remove", segment: number });
      if (!this.segments.delete(number)) continue;
      for (const { tableId } of segment.tables) {
        this.tables.get(tableId)?.replaceSegments(new Set([segment]), []);
      }
      this.removeFile(segment);
    }
    this.masks.removeUnused((error) => this.logLeftover(error));
  }

  /** Removes all files from the folder that neither the manifest nor `others` name. */
  removeLeftovers(others: readonly string[]): void {
    const { disk, directory, logger } = this.options;
    const own = this.manifest.ownNames();
    for (const name of others) own.add(name);
    for (const number of this.segments.keys()) own.add(segmentName(number));
    for (const name of this.masks.names()) own.add(name);
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
      memory: this.memory,
      table: (id) => tables.get(id),
      nextNumber: () => manifest.nextNumber(),
      pathOf: (number) => this.pathOf(number),
    };
  }

  /**
   * Puts what a merge wrote in the place of what it read: for good with the record, in memory at once after it.
   *
   * @throws what the last flush threw, where that has yet to write masks of the merge's inputs
   */
  install(plan: CompactionPlan, merged: MergedSegments): Promise<void> {
    return this.inTurn(async () => {
      // Turns are taken one at a time, so a flush that has taken masks and not written them has failed.
      if (plan.inputs.some(({ number }) => this.frozenMasks.has(number))) {
        for (const { path } of merged.written) this.options.disk.remove(path);
        throw this.flushFailure;
      }
      const added = merged.written.map(({ number, place }) => this.open(number, place));
      const carried = new CarriedMasks(merged.inputs, added, this.tables);
      await carried.gather(pacer(this.options.clock, () => {}));
      const masks = await this.masks.write(carried.storedMasks);
      // Its record may be on disk even if the append fails: all files stay then.
      await this.manifest.append({ ...this.compactChange(plan, added), ...(masks && { masks }) });
      this.masks.noteCounted(masks);
      const removed = new Set(plan.inputs);
      for (const { number } of removed) this.segments.delete(number);
      for (const segment of added) this.register(segment);
      for (const [id, table] of this.tables) table.replaceSegments(removed, carried.segmentsOf(id));
      for (const segment of removed) this.removeFile(segment);
      await this.removeDead();
    });
  }

  close(): void {
    for (const segment of this.segments.values()) segment.close();
    this.files.closeAll();
  }

  private compactChange(plan: CompactionPlan, added: readonly Segment[]): CompactChange {
    const removed = new Set(plan.inputs);
    const after = [...[...this.segments.values()].filter((segment) => !removed.has(segment)), ...added];
    const settled = new Set<{ id: number } & Expiry>();
    const byTable = new Map<number, ({ id: number } & Expiry)[]>();
    for (const [id, expiries] of this.manifest.expiries) {
      const own = expiries.map((expiry) => ({ id, ...expiry }));
      byTable.set(id, own);
      for (const expiry of own) settled.add(expiry);
    }
    for (const { tables, place } of after) {
      for (const { tableId, groups } of tables) {
        for (const expiry of byTable.get(tableId) ?? []) {
          if (masks(expiry, place, groups)) settled.delete(expiry);
        }
      }
    }
    return {
      kind: "compact",
      removed: plan.inputs.map(({ number }) => number),
      added: added.map(({ number, place }) => ({ segment: number, ...place })),
      boundsRemoved: plan.boundsRemoved.map(recordedBound),
      boundsAdded: plan.boundsAdded.map(recordedBound),
      settled: [...settled],
    };
  }

  /** What fails here is mended at the next opening, which removes the file. */
  private removeFile(segment: Segment): void {
    try {
      segment.retire();
      this.options.disk.remove(segment.path);
    } catch (error) {
      this.logLeftover(error);
    }
  }

  private logLeftover(error: unknown): void {
    this.options.logger.error("a file that no longer counts stays until the next opening", {
      error: String(error),
    });
  }
}

function segmentName(number: number): string {
  return `${String(number).padStart(8, "0")}.seg`;
}

/** Whether an expiry took rows away that are still in a segment's file. */
function masks(expiry: Expiry, { arrival }: SegmentPlace, groups: readonly RowGroupEntry[]): boolean {
  return arrival <= expiry.throughSegment && groups.some((group) => group.minTime < expiry.beforeMs);
}
