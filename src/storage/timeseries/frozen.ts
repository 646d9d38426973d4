/** What a flush writes: taken from all tables at one moment, while they go on. */
import type { SegmentMasks } from "./mask_file.ts";
import type { FrozenRows } from "./segment_writer.ts";
import type { NewSeries } from "./series_file.ts";
import type { Table } from "./table.ts";

/** Memtables on their way to a segment, and what else the log records up to then changed. */
export interface Frozen {
  /** Those that have rows left, by ascending table id. */
  readonly memtables: ReadonlyMap<number, FrozenRows>;
  /** By segment: the masks of all its tables, where a change has made any of them other than they are on disk. */
  readonly masks: ReadonlyMap<number, SegmentMasks>;
  /** By table: its own of these masks. */
  readonly tableMasks: ReadonlyMap<number, ReadonlyMap<number, SegmentMasks>>;
  /** For each table that has had a memtable, the series there were. */
  readonly series: readonly NewSeries[];
  /** The last log record that is in them. */
  readonly logIndex: number;
  readonly bytes: number;
}

/**
 * Takes the rows of all tables and their masks; undefined when there is nothing to write.
 *
 * @param logIndex the last log record that was applied to them
 * @param bytes of their active memtables
 */
export function freezeTables(all: readonly Table[], logIndex: number, bytes: number): Frozen | undefined {
  const memtables = new Map<number, FrozenRows>();
  const series: NewSeries[] = [];
  const tables = all.toSorted((a, b) => a.id - b.id);
  for (const table of tables) {
    const rows = table.freeze();
    if (rows === undefined) continue;
    if (rows.memtable.length > (rows.removed?.count ?? 0)) memtables.set(table.id, rows);
    const { id: tableId, index, persistedSeries: first } = table;
    series.push({ tableId, index, first, end: index.size });
  }
  const masks = unstoredMasks(tables);
  if (series.length === 0 && masks.masks.size === 0) return undefined;
  return { memtables, series, logIndex, bytes, ...masks };
}

/** The masks of all segments of which those of any table are not on disk. */
function unstoredMasks(tables: readonly Table[]): Pick<Frozen, "masks" | "tableMasks"> {
  const all = tables.map((table) => ({ id: table.id, segments: table.segmentMasks() }));
  const dirty = new Set<number>();
  for (const { segments } of all) {
    for (const { segment, isStored } of segments) if (!isStored) dirty.add(segment);
  }
  const masks = new Map<number, SegmentMasks>();
  const tableMasks = new Map<number, Map<number, SegmentMasks>>();
  for (const { id, segments } of all) {
    const own = new Map<number, SegmentMasks>();
    for (const each of segments) {
      if (!dirty.has(each.segment)) continue;
      own.set(each.segment, each.masks);
      masks.set(each.segment, new Map([...masks.get(each.segment) ?? [], ...each.masks]));
    }
    if (own.size > 0) tableMasks.set(id, own);
  }
  return { masks, tableMasks };
}
