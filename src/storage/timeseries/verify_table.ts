/**
 * Reads all of one table from its files, past every cache: is it whole, and which column takes how much? Rows in memory
 * are not looked at: they are in the log, which is read with checksums at the next start.
 */
import { CorruptionError } from "../../base/mod.ts";
import type { Disk } from "../../io/mod.ts";
import { ID_FIELD } from "./id_key.ts";
import { type Damage, type SegmentReport, verifySegment } from "./verify_segment.ts";

const LAST_ROWS = "(last rows)";

/** What one column takes, over all segments of its table. */
export interface ColumnSize {
  /** Names from the top down with dots between; what it is in parentheses where it is no column of the rows. */
  readonly name: string;
  readonly values: number;
  /** As BSON, without types and names. */
  readonly rawBytes: number;
  /** With the index of ids, for those. */
  readonly storedBytes: number;
}

export interface TableVerification {
  /** The largest column first. */
  readonly columns: readonly ColumnSize[];
  readonly damages: readonly (Damage & { readonly path: string })[];
}

/** @param paths the table's segments; asked for one after another, each while its segment counts */
export async function verifyTable(
  disk: Disk,
  tableId: number,
  paths: Iterable<string>,
  pause: () => Promise<void>,
): Promise<TableVerification> {
  const columns = new Map<string, ColumnSize>();
  const damages: (Damage & { path: string })[] = [];
  for (const path of paths) {
    let report: SegmentReport;
    try {
      report = await verifySegment(disk, path, { tableId, pause });
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      damages.push({ path, offset: error.offset, reason: error.reason });
      continue;
    }
    for (const damage of report.damages) damages.push({ path, ...damage });
    addColumns(report, columns);
  }
  return { columns: [...columns.values()].sort((a, b) => b.storedBytes - a.storedBytes), damages };
}

function addColumns({ tables }: SegmentReport, columns: Map<string, ColumnSize>): void {
  for (const { entry, pages } of tables.flatMap((table) => table.groups)) {
    for (const { column: name, count, rawBytes, sizeBytes } of pages) {
      addTo(columns, { name, values: count, rawBytes, storedBytes: sizeBytes });
    }
    for (
      const [name, storedBytes] of [[LAST_ROWS, entry.lastRowsBytes], [ID_FIELD, entry.idIndexBytes]] as const
    ) {
      if (storedBytes > 0) addTo(columns, { name, values: 0, rawBytes: 0, storedBytes });
    }
  }
}

function addTo(columns: Map<string, ColumnSize>, { name, values, rawBytes, storedBytes }: ColumnSize): void {
  const before = columns.get(name);
  columns.set(name, {
    name,
    values: values + (before?.values ?? 0),
    rawBytes: rawBytes + (before?.rawBytes ?? 0),
    storedBytes: storedBytes + (before?.storedBytes ?? 0),
  });
}
