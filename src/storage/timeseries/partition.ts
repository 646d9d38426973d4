/**
 * Partitions: spans of (table, time) whose rows share segments.
 *
 * All rows of a store stand in one order, by table and then by time; bounds cut it into partitions. A partition is the
 * rest of one table's time from some moment on, or up to one, or several small tables whole: what matters is that its
 * segments have a good size. Bounds are state of the manifest and move with what is stored (compaction_policy.ts).
 */

/** Where a partition begins and the one before ends. */
export interface Bound {
  readonly tableId: number;
  /** Milliseconds since 1970, included; −Infinity for the table's beginning. */
  readonly fromMs: number;
}

/** A bound as it stands in the manifest: JSON has no infinity. */
export type RecordedBound = readonly [tableId: number, fromMs: number | null];

export function recordedBound({ tableId, fromMs }: Bound): RecordedBound {
  return [tableId, fromMs === -Infinity ? null : fromMs];
}

export function boundOf([tableId, fromMs]: RecordedBound): Bound {
  return { tableId, fromMs: fromMs ?? -Infinity };
}

export function compareBounds(a: Bound, b: Bound): number {
  if (a.tableId !== b.tableId) return a.tableId - b.tableId;
  return a.fromMs < b.fromMs ? -1 : a.fromMs > b.fromMs ? 1 : 0;
}

/** Sorted bounds with some taken away and some added. */
export function changedBounds(
  bounds: readonly Bound[],
  removed: readonly Bound[],
  added: readonly Bound[],
): readonly Bound[] {
  if (removed.length === 0 && added.length === 0) return bounds;
  const isNamed = (bound: Bound) => [...removed, ...added].some((other) => compareBounds(other, bound) === 0);
  return [...bounds.filter((bound) => !isNamed(bound)), ...added].sort(compareBounds);
}

/** The partition of a row: how many of the sorted bounds are not behind it. */
export function partitionOf(bounds: readonly Bound[], tableId: number, ms: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { tableId: table, fromMs } = bounds[middle]!;
    if (table < tableId || (table === tableId && fromMs <= ms)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The part of a table's time that lies in one partition. */
export interface TablePart {
  readonly partition: number;
  /** Its rows are earlier than this and not in an earlier part. */
  readonly untilMs: number;
}

/** How bounds cut a table's time, from early to late; the last part has no end. */
export function partsOf(bounds: readonly Bound[], tableId: number): readonly TablePart[] {
  const parts: TablePart[] = [];
  let partition = partitionOf(bounds, tableId, -Infinity);
  for (; bounds[partition]?.tableId === tableId; partition++) {
    parts.push({ partition, untilMs: bounds[partition]!.fromMs });
  }
  parts.push({ partition, untilMs: Infinity });
  return parts;
}
