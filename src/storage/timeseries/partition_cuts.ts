/** Where partitions end: what is full is cut, what is small is joined. */
import {
  FULL_PARTITION_BYTES,
  LEAST_PARTITION_MS,
  LEAST_PARTITION_PUSH_BYTES,
  MAX_PARTITION_BYTES,
  SMALL_SEGMENT_BYTES,
} from "../../base/mod.ts";
import { type Bound, partitionOf } from "./partition.ts";
import { piecesOf, type TableLookup } from "./partition_volume.ts";
import type { Segment } from "./segment.ts";

/** How large partitions and their segments are; smaller in tests. */
export interface PartitionSizes {
  /** Segments up to this are of the smallest size. */
  readonly smallSegmentBytes: number;
  /** What level 0 has of a partition stays there while it is less. */
  readonly leastPushBytes: number;
  /** A partition of this size ends where its rows end, when later ones come; neighbours below half of it become one. */
  readonly fullBytes: number;
  /** A partition beyond this is cut. */
  readonly maxPartitionBytes: number;
}

export const DEFAULT_PARTITION_SIZES: PartitionSizes = {
  smallSegmentBytes: SMALL_SEGMENT_BYTES,
  leastPushBytes: LEAST_PARTITION_PUSH_BYTES,
  fullBytes: FULL_PARTITION_BYTES,
  maxPartitionBytes: MAX_PARTITION_BYTES,
};

/**
 * Bounds that cut what segments hold into parts of about equal size, none much larger than half of a partition's limit:
 * between tables where that will do, within the time of a large table. None when all of it is of one short time.
 */
export function cutsOf(segments: readonly Segment[], tables: TableLookup, sizes: PartitionSizes): Bound[] {
  const pieces = segments.flatMap((segment) => [...piecesOf(segment, tables, () => true)])
    .map(({ tableId, minTime, maxTime, bytes }) => ({ tableId, ms: (minTime + maxTime) / 2, bytes }))
    .sort((a, b) => a.tableId - b.tableId || a.ms - b.ms);
  const total = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  const target = total / Math.ceil(total / (sizes.maxPartitionBytes / 2));
  const ofTable = new Map<number, number>();
  for (const { tableId, bytes } of pieces) ofTable.set(tableId, (ofTable.get(tableId) ?? 0) + bytes);
  const cuts: Bound[] = [];
  let bytes = 0;
  let before: number | undefined;
  let last = -Infinity;
  for (const piece of pieces) {
    const { tableId } = piece;
    if (tableId !== before) {
      last = spanStart(piece.ms, LEAST_PARTITION_MS);
      // A large table has partitions of its own.
      const isBorder = ofTable.get(tableId)! >= target ||
        (before !== undefined && ofTable.get(before)! >= target);
      if (before !== undefined && (bytes >= target / 2 || isBorder)) {
        cuts.push({ tableId, fromMs: -Infinity });
        bytes = 0;
      }
      before = tableId;
    } else if (bytes >= target) {
      const spanMs = Math.max(LEAST_PARTITION_MS, tables(tableId)?.spanMs ?? 0);
      const wide = spanStart(piece.ms, spanMs);
      const fromMs = wide > last ? wide : spanStart(piece.ms, LEAST_PARTITION_MS);
      if (fromMs > last) {
        cuts.push({ tableId, fromMs });
        last = fromMs;
        bytes = 0;
      }
    }
    bytes += piece.bytes;
  }
  return cuts;
}

/**
 * The end of a table's newest partition, if it is full and ends where its rows end: then rows that come in order of time
 * are never merged with it. Undefined when it is not full or shared with other tables.
 *
 * @param segments what level 1 has of the partition
 */
export function endOfFull(
  tableId: number,
  segments: readonly Segment[],
  tables: TableLookup,
  sizes: PartitionSizes,
): Bound | undefined {
  const bytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (bytes < sizes.fullBytes) return undefined;
  let maxTime = -Infinity;
  for (const { tables: entries } of segments) {
    for (const entry of entries) {
      if (entry.tableId !== tableId) return undefined;
      for (const group of entry.groups) maxTime = Math.max(maxTime, group.maxTime);
    }
  }
  const spanMs = Math.max(LEAST_PARTITION_MS, tables(tableId)?.spanMs ?? 0);
  return { tableId, fromMs: spanStart(maxTime, spanMs) + spanMs };
}

/** Bounds between neighbours that are small together. */
export function superfluousBounds(
  bounds: readonly Bound[],
  volumes: ReadonlyMap<number, number>,
  sizes: PartitionSizes,
): Bound[] {
  const superfluous: Bound[] = [];
  let bytes = volumes.get(0) ?? 0;
  bounds.forEach((bound, i) => {
    const next = volumes.get(i + 1) ?? 0;
    if (bytes + next < sizes.fullBytes / 2) {
      superfluous.push(bound);
      bytes += next;
    } else {
      bytes = next;
    }
  });
  return superfluous;
}

/** The partition that a segment of level 1 lies in. */
export function partitionOfSegment(segment: Segment, bounds: readonly Bound[]): number {
  const { tableId, groups } = segment.tables[0]!;
  return partitionOf(bounds, tableId, groups[0]!.minTime);
}

function spanStart(ms: number, spanMs: number): number {
  return Math.floor(ms / spanMs) * spanMs;
}
