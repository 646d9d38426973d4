/** What a table holds at a moment: the ground that scans stand on while the table goes on. */
import type { Memtable } from "./memtable.ts";
import type { MetaSource } from "./meta_column.ts";
import type { RowMask } from "./row_mask.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { LookupSource } from "./series_lookup.ts";
import type { TableNames } from "./shape.ts";

/** A table as it is now: what a scan reads from. */
export interface TableSnapshot extends LookupSource, MetaSource {
  readonly names: TableNames;
  /** From old to new. */
  readonly segments: readonly SegmentRows[];
  /** From old to new. */
  readonly memtables: readonly MemtableRows[];
}

/** What a table has in one memtable. */
export interface MemtableRows {
  readonly memtable: Memtable;
  /** Rows from this number on came later. */
  readonly limit: number;
  /** Rows that are gone. */
  readonly removed: RowMask | undefined;
}

/** What a table has in one segment. */
export interface SegmentRows {
  readonly segment: Segment;
  /** Without those that have no rows left. */
  readonly groups: readonly RowGroupEntry[];
  /** Rows of earlier times have expired. */
  readonly firstMs: number;
  /** Rows that are gone, by the offset of their row group; mostly none. The statistics of its pages still count them. */
  readonly masks: ReadonlyMap<number, RowMask>;
}
