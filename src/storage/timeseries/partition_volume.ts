/** How many bytes segments have in which partition, told from their directories without reading rows. */
import { PAGE_ROWS } from "../../base/mod.ts";
import { type Bound, partitionOf } from "./partition.ts";
import { pageCount, TIME_PAGES } from "./row_group.ts";
import type { SegmentMasks } from "./mask_file.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { TableNames } from "./shape.ts";

/** What is asked of a table; undefined for one that is gone. */
export interface LiveTable {
  readonly names: TableNames;
  readonly spanMs: number;
  /** Rows of earlier times in the segment have expired. */
  firstMsOf(segment: Segment): number;
  /** Rows of the segment that were taken away one by one. */
  storedMasksOf(segment: Segment): SegmentMasks;
}

export type TableLookup = (tableId: number) => LiveTable | undefined;

/** Rows of one table that lie together: their bytes, and between which times they are. */
export interface Piece {
  readonly tableId: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly bytes: number;
}

/** Bytes of a segment's rows that are still there. */
export function liveBytes(segment: Segment, tables: TableLookup): number {
  let bytes = 0;
  for (const { tableId, groups } of segment.tables) {
    const table = tables(tableId);
    if (table === undefined) continue;
    const firstMs = table.firstMsOf(segment);
    const masks = table.storedMasksOf(segment);
    for (const group of groups) {
      const left = 1 - (masks.get(group.offset)?.count ?? 0) / group.rows;
      bytes += groupBytes(group) * shareFrom(group, firstMs) * left;
    }
  }
  return bytes;
}

/** What a segment has of tables that are there, page by page where pages tell more than row groups. */
export function* piecesOf(
  segment: Segment,
  tables: TableLookup,
  needsPages: (tableId: number, group: RowGroupEntry) => boolean,
): Generator<Piece> {
  for (const { tableId, groups } of segment.tables) {
    const table = tables(tableId);
    if (table === undefined) continue;
    const firstMs = table.firstMsOf(segment);
    for (const entry of groups) {
      if (entry.maxTime < firstMs) continue;
      const { minTime, maxTime } = entry;
      if (needsPages(tableId, entry)) yield* pagePieces(tableId, segment, entry, table.names);
      else yield { tableId, minTime, maxTime, bytes: groupBytes(entry) };
    }
  }
}

/** Bytes by partition. */
export function volumesOf(
  segments: readonly Segment[],
  bounds: readonly Bound[],
  tables: TableLookup,
): Map<number, number> {
  const volumes = new Map<number, number>();
  const crossesBound = (tableId: number, { minTime, maxTime }: RowGroupEntry) =>
    partitionOf(bounds, tableId, minTime) !== partitionOf(bounds, tableId, maxTime);
  for (const segment of segments) {
    for (const { tableId, minTime, maxTime, bytes } of piecesOf(segment, tables, crossesBound)) {
      const first = partitionOf(bounds, tableId, minTime);
      const last = partitionOf(bounds, tableId, maxTime);
      for (let partition = first; partition <= last; partition++) {
        const from = partition === first ? minTime : bounds[partition - 1]!.fromMs;
        const until = partition === last ? maxTime : bounds[partition]!.fromMs;
        const share = first === last ? 1 : (until - from) / (maxTime - minTime);
        volumes.set(partition, (volumes.get(partition) ?? 0) + bytes * share);
      }
    }
  }
  return volumes;
}

function* pagePieces(
  tableId: number,
  segment: Segment,
  entry: RowGroupEntry,
  names: TableNames,
): Generator<Piece> {
  const group = segment.readRowGroup(entry, names);
  for (let page = 0; page < pageCount(group.rows); page++) {
    const { min: minTime, max: maxTime } = group.page(TIME_PAGES, page);
    const rows = Math.min(PAGE_ROWS, group.rows - page * PAGE_ROWS);
    yield { tableId, minTime, maxTime, bytes: groupBytes(entry) * rows / group.rows };
  }
}

function groupBytes(group: RowGroupEntry): number {
  return group.pagesBytes + group.headerBytes;
}

/** About which share of a row group's rows is not earlier than a time. */
function shareFrom({ minTime, maxTime }: RowGroupEntry, firstMs: number): number {
  if (firstMs <= minTime) return 1;
  if (firstMs > maxTime) return 0;
  return (maxTime - firstMs + 1) / (maxTime - minTime + 1);
}
