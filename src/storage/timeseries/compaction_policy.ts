/**
 * Which segments are merged, and when.
 *
 * **Level 0** holds what flushes wrote, any table and time, and at most one segment of what was left over. Once
 * `COMPACTION_FANOUT` flushes are there, all of it is merged and parted: what a partition gets becomes a segment of its
 * own at level 1, unless it is too little to be worth a file; that is left over, in one segment for all partitions, until
 * there is more. So late rows, wherever they fall, cost no more files than they fill.
 *
 * **Level 1** is merged inside each partition by size: `COMPACTION_FANOUT` neighbours in the order of arrival that are of
 * one size (powers of the fanout) become one of the next size, and smaller ones between them go along. A row is written
 * about once for each size, and a partition has fewer than `COMPACTION_FANOUT` segments of each. (Size-tiered compaction:
 * O'Neil et al., The Log-Structured Merge-Tree, 1996; Bentley and Saxe, Decomposable Searching Problems I, 1980.)
 *
 * Only neighbours in the order of arrival are merged, so that rows of one series and time keep theirs. A partition beyond
 * its limit is merged whole and cut; one that no new rows reach any more is merged to one segment; a segment of which
 * half is gone (dropped tables, expired rows) is written anew.
 */
import { COMPACTION_FANOUT, MAX_FLUSHED_SEGMENTS, MAX_PARTITIONS_AT_ONCE } from "../../base/mod.ts";
import { type Bound, changedBounds, partitionOf } from "./partition.ts";
import {
  cutsOf,
  endOfFull,
  partitionOfSegment,
  type PartitionSizes,
  superfluousBounds,
} from "./partition_cuts.ts";
import { liveBytes, type LiveTable, type TableLookup, volumesOf } from "./partition_volume.ts";
import type { Segment } from "./segment.ts";
import { fieldName } from "./shape.ts";

/** A merge to be done. */
export interface CompactionPlan {
  readonly reason: "flushed" | "sizes" | "cut" | "quiet" | "garbage" | "asked";
  /** From old to new. */
  readonly inputs: readonly Segment[];
  readonly boundsRemoved: readonly Bound[];
  readonly boundsAdded: readonly Bound[];
  /** The bounds after it. */
  readonly bounds: readonly Bound[];
  /** Whether a partition's rows go to a segment of their own at level 1. */
  readonly isParted: (partition: number) => boolean;
}

/** What the policy looks at. */
export interface CompactionState {
  readonly segments: readonly Segment[];
  readonly bounds: readonly Bound[];
  readonly tables: TableLookup;
  readonly sizes: PartitionSizes;
}

/** The most urgent merge; undefined when all is well. */
export function nextCompaction(state: CompactionState): CompactionPlan | undefined {
  const flushed = state.segments.filter(isLevel0).sort(byArrival);
  if (isDue(flushed)) return partingPlan(state, flushed, "flushed");
  const partitions = [...byPartition(state).entries()].sort(([, a], [, b]) => bytesOf(a) - bytesOf(b));
  for (const [, segments] of partitions) {
    const plan = sizePlan(state, segments);
    if (plan !== undefined) return plan;
  }
  const garbage = state.segments.find((segment) =>
    liveBytes(segment, state.tables) * 2 < liveBytes(segment, () => ALL_ROWS)
  );
  if (garbage !== undefined) return mergePlan(state, [garbage], "garbage");
  const quiet = partitions.find(([partition, segments]) => isQuiet(state.bounds, partition, segments));
  return quiet && wholePlan(state, quiet[1], "quiet");
}

/**
 * The next merge on the way to one segment a partition, for all partitions with rows of a table that arrived until then.
 *
 * @returns undefined when there is nothing left to do
 */
export function compactionOf(
  state: CompactionState,
  tableId: number,
  throughArrival: number,
): CompactionPlan | undefined {
  const holds = (segment: Segment) => segment.tables.some((entry) => entry.tableId === tableId);
  const flushed = state.segments.filter(isLevel0).sort(byArrival);
  if (flushed.some((segment) => segment.place.arrival <= throughArrival && holds(segment))) {
    return partingPlan(state, flushed, "asked", partitionsOf(tableId, flushed, state.bounds));
  }
  for (const segments of byPartition(state).values()) {
    if (segments.length > 1 && segments.some(holds)) return wholePlan(state, segments, "asked");
  }
  return undefined;
}

/** The partitions that may hold a table's rows in these segments. */
function partitionsOf(tableId: number, segments: readonly Segment[], bounds: readonly Bound[]): Set<number> {
  const partitions = new Set<number>();
  for (const { tables } of segments) {
    for (const { minTime, maxTime } of tables.find((entry) => entry.tableId === tableId)?.groups ?? []) {
      const last = partitionOf(bounds, tableId, maxTime);
      for (let p = partitionOf(bounds, tableId, minTime); p <= last; p++) partitions.add(p);
    }
  }
  return partitions;
}

/** What `liveBytes` sees as rows that are all there. */
const ALL_ROWS: LiveTable = {
  names: { time: fieldName(new Uint8Array(0)), meta: undefined },
  spanMs: 0,
  firstMsOf: () => -Infinity,
  storedMasksOf: () => new Map(),
};

function isLevel0({ place }: Segment): boolean {
  return place.level === 0;
}

function byArrival(a: Segment, b: Segment): number {
  return a.place.arrival - b.place.arrival || a.number - b.number;
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Level 1 by partition, each from old to new. */
function byPartition({ segments, bounds }: CompactionState): Map<number, Segment[]> {
  const partitions = new Map<number, Segment[]>();
  for (const segment of segments.filter((segment) => !isLevel0(segment)).sort(byArrival)) {
    const partition = partitionOfSegment(segment, bounds);
    const held = partitions.get(partition);
    if (held === undefined) partitions.set(partition, [segment]);
    else held.push(segment);
  }
  return partitions;
}

/** Whether enough was flushed: as many segments as fan in, and a good part of what else has to be written anew. */
function isDue(level0: readonly Segment[]): boolean {
  const flushed = level0.filter(({ number, place }) => place.arrival === number);
  if (flushed.length < COMPACTION_FANOUT) return false;
  const rest = bytesOf(level0) - bytesOf(flushed);
  return bytesOf(flushed) * COMPACTION_FANOUT >= rest || flushed.length >= MAX_FLUSHED_SEGMENTS;
}

/** Merges level 0 and parts it. */
function partingPlan(
  state: CompactionState,
  level0: readonly Segment[],
  reason: CompactionPlan["reason"],
  asked: ReadonlySet<number> = new Set(),
): CompactionPlan {
  const { tables } = state;
  const level1 = byPartition(state);
  const { boundsAdded, boundsRemoved } = asked.size > 0
    ? { boundsAdded: [], boundsRemoved: [] }
    : changesOfBounds(state, level0, level1);
  const bounds = changedBounds(state.bounds, boundsRemoved, boundsAdded);
  const heavy = [...volumesOf(level0, bounds, tables)]
    .filter(([partition, bytes]) => bytes >= state.sizes.leastPushBytes || asked.has(partition))
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_PARTITIONS_AT_ONCE + asked.size);
  const parted = new Set(heavy.map(([partition]) => partition));
  for (const partition of asked) parted.add(partition);
  return { reason, inputs: level0, boundsAdded, boundsRemoved, bounds, isParted: (p) => parted.has(p) };
}

function changesOfBounds(
  state: CompactionState,
  level0: readonly Segment[],
  level1: ReadonlyMap<number, readonly Segment[]>,
): { boundsAdded: readonly Bound[]; boundsRemoved: readonly Bound[] } {
  const { bounds, tables } = state;
  const ends = fullEnds(state, level0, level1);
  const withEnds = changedBounds(bounds, [], ends);
  const coming = volumesOf(level0, withEnds, tables);
  // A partition begins when there is something to put in it.
  const boundsAdded = ends.filter((end) =>
    (coming.get(withEnds.indexOf(end) + 1) ?? 0) >= state.sizes.leastPushBytes
  );
  const volumes = volumesOf(level0, bounds, tables);
  for (const [partition, segments] of level1) {
    const bytes = segments.reduce((sum, segment) => sum + liveBytes(segment, tables), 0);
    volumes.set(partition, (volumes.get(partition) ?? 0) + bytes);
  }
  return { boundsAdded, boundsRemoved: superfluousBounds(bounds, volumes, state.sizes) };
}

/** The ends of full partitions that rows of level 0 lie behind. */
function fullEnds(
  { bounds, tables, sizes }: CompactionState,
  level0: readonly Segment[],
  level1: ReadonlyMap<number, readonly Segment[]>,
): Bound[] {
  const ends: Bound[] = [];
  const latest = new Map<number, number>();
  for (const { tables: entries } of level0) {
    for (const { tableId, groups } of entries) {
      const maxTime = Math.max(...groups.map((group) => group.maxTime));
      latest.set(tableId, Math.max(latest.get(tableId) ?? -Infinity, maxTime));
    }
  }
  for (const [partition, segments] of level1) {
    const tableId = segments[0]!.tables[0]!.tableId;
    // Only the newest partition of a table has no end in its time.
    if (bounds[partition]?.tableId === tableId) continue;
    const end = endOfFull(tableId, segments, tables, sizes);
    if (end !== undefined && (latest.get(tableId) ?? -Infinity) >= end.fromMs) ends.push(end);
  }
  return ends;
}

/** Merges inside a partition, if its segments are due. */
function sizePlan(state: CompactionState, segments: readonly Segment[]): CompactionPlan | undefined {
  if (segments.length > 1 && bytesOf(segments) > state.sizes.maxPartitionBytes) {
    const plan = wholePlan(state, segments, "cut");
    if (plan.boundsAdded.length > 0) return plan;
  }
  const inputs = dueNeighbours(segments.map(({ sizeBytes }) => sizeBytes), state.sizes.smallSegmentBytes);
  return inputs === 0 ? undefined : mergePlan(state, segments.slice(-inputs), "sizes");
}

/** Merges all that level 1 has of a partition, and cuts it where it has become too large. */
function wholePlan(
  state: CompactionState,
  segments: readonly Segment[],
  reason: CompactionPlan["reason"],
): CompactionPlan {
  const boundsAdded = bytesOf(segments) > state.sizes.maxPartitionBytes
    ? cutsOf(segments, state.tables, state.sizes)
    : [];
  const bounds = changedBounds(state.bounds, [], boundsAdded);
  return { reason, inputs: segments, boundsRemoved: [], boundsAdded, bounds, isParted: () => true };
}

/**
 * How many of the newest segments are to be merged.
 *
 * @param sizes in bytes, from old to new
 * @param smallBytes up to which all are of one size
 */
export function dueNeighbours(sizes: readonly number[], smallBytes: number): number {
  const tiers = sizes.map((bytes) => tierOf(bytes, smallBytes));
  for (const tier of [...new Set(tiers)].sort((a, b) => a - b)) {
    let count = 0;
    let ofTier = 0;
    while (count < tiers.length && tiers[tiers.length - 1 - count]! <= tier) {
      if (tiers[tiers.length - 1 - count] === tier) ofTier++;
      count++;
    }
    if (ofTier >= COMPACTION_FANOUT) return count;
  }
  return 0;
}

function tierOf(bytes: number, smallBytes: number): number {
  return Math.max(0, Math.ceil(Math.log(bytes / smallBytes) / Math.log(COMPACTION_FANOUT)));
}

/** A partition that ends in its table's time and is in several pieces, the smaller ones not all too small. */
function isQuiet(bounds: readonly Bound[], partition: number, segments: readonly Segment[]): boolean {
  const { tableId } = segments[0]!.tables[0]!;
  if (segments.length < 2 || bounds[partition]?.tableId !== tableId) return false;
  const sizes = segments.map(({ sizeBytes }) => sizeBytes);
  const largest = Math.max(...sizes);
  return (bytesOf(segments) - largest) * COMPACTION_FANOUT >= largest;
}

function mergePlan(
  { bounds }: CompactionState,
  inputs: readonly Segment[],
  reason: CompactionPlan["reason"],
): CompactionPlan {
  const isParted = () => inputs[0]!.place.level === 1;
  return { reason, inputs, boundsRemoved: [], boundsAdded: [], bounds, isParted };
}
