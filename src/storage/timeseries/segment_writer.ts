/** Writes frozen memtables into a level-0 segment: one file with all their tables (segment_format.ts, row_group.ts). */
import { PAGE_ROWS, ROW_GROUP_ROWS } from "../../base/mod.ts";
import { Column, ValueType, viewOf } from "../../column/mod.ts";
import type { DiskFile } from "../../io/mod.ts";
import { ID_FIELD } from "./id_key.ts";
import { Memtable } from "./memtable.ts";
import { sortedRows } from "./memtable_run.ts";
import type { RowMask } from "./row_mask.ts";
import { SegmentOutput } from "./segment_output.ts";
import { renumbered, WHOLE } from "./shape.ts";
import { runsOf } from "./value_runs.ts";

/** A frozen memtable, and which of its rows are gone and not to be written. */
export interface FrozenRows {
  readonly memtable: Memtable;
  readonly removed: RowMask | undefined;
}

/**
 * Writes a segment, not synced.
 *
 * @param tables frozen memtables with rows to be written, by ascending table id
 * @param pace awaited between pages, to let others run
 * @returns by table: the memtable's rows in the order in which the segment has them
 */
export async function writeSegment(
  file: DiskFile,
  tables: ReadonlyMap<number, FrozenRows>,
  pace: () => Promise<void>,
): Promise<ReadonlyMap<number, Int32Array>> {
  const output = new SegmentOutput(file, "fast");
  const written = new Map<number, Int32Array>();
  for (const [tableId, { memtable, removed }] of tables) {
    const rows = await sortedRows(memtable, removed, pace);
    await writeRows(output, memtable, rows, pace);
    output.endTable(tableId, (rows) => Math.round((memtable.dataBytes * rows) / memtable.length));
    written.set(tableId, rows);
  }
  output.finish();
  return written;
}

/** Writes the rows of a memtable as row groups. */
export async function writeMemtable(
  output: SegmentOutput,
  memtable: Memtable,
  pace: () => Promise<void>,
): Promise<void> {
  await writeRows(output, memtable, await sortedRows(memtable, undefined, pace), pace);
}

async function writeRows(
  output: SegmentOutput,
  memtable: Memtable,
  rows: Int32Array,
  pace: () => Promise<void>,
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROW_GROUP_ROWS) {
    await writeGroup(output, memtable, rows.subarray(from, from + ROW_GROUP_ROWS), pace);
  }
}

async function writeGroup(
  output: SegmentOutput,
  memtable: Memtable,
  rows: Int32Array,
  pace: () => Promise<void>,
): Promise<void> {
  const shapes = shapesOf(memtable, rows);
  const writePages = async (write: (page: Int32Array) => void) => {
    for (let from = 0; from < rows.length; from += PAGE_ROWS) {
      write(rows.subarray(from, from + PAGE_ROWS));
      await pace();
    }
  };
  const series = runsOf(memtable.seriesOfAll(rows));
  output.beginGroup(series.lengths);
  await writePages((page) => output.writeTimes(memtable.timesOf(page)));
  await writePages((page) => output.writeColumn(wholeColumn(memtable, page)));
  for (let column = 0; column < shapes.columns.length; column++) {
    const isId = memtable.dictionary.paths[shapes.columns[column]!]!.key === ID_FIELD;
    await writePages((page) => {
      const values = gather(memtable, page, shapes, column);
      if (isId) output.writeIds(values);
      else output.writeColumn(values);
    });
  }
  output.endGroup({
    rows: rows.length,
    pathKeys: shapes.columns.map((column) => memtable.dictionary.paths[column]!.key),
    series: series.values,
    seriesRows: series.lengths,
    shapes: shapes.items,
    shapeRuns: shapes.runs,
    shapeRunRows: shapes.runRows,
  });
}

/** The shapes and columns of a row group, numbered anew: only those that its rows have. */
interface GroupShapes {
  /** The memtable's number of each column. */
  readonly columns: readonly number[];
  /** For each of the memtable's shapes, the columns its rows have as 1. */
  readonly has: ReadonlyMap<number, Uint8Array>;
  readonly items: readonly (readonly number[])[];
  readonly runs: readonly number[];
  readonly runRows: readonly number[];
}

function shapesOf(memtable: Memtable, rows: Int32Array): GroupShapes {
  const runs = runsOf(memtable.shapesOf(rows));
  const numberOfShape = new Map<number, number>([[WHOLE, WHOLE]]);
  for (const shape of runs.values) {
    if (!numberOfShape.has(shape)) numberOfShape.set(shape, numberOfShape.size);
  }
  const { shapes, paths } = memtable.dictionary;
  const numberOfColumn = new Map<number, number>();
  const has = new Map<number, Uint8Array>();
  const items: number[][] = [];
  for (const number of numberOfShape.keys()) {
    if (number === WHOLE) continue;
    const shape = shapes[number]!;
    const bits = new Uint8Array(paths.length);
    for (const column of shape.columns()) {
      if (!numberOfColumn.has(column)) numberOfColumn.set(column, numberOfColumn.size);
      bits[column] = 1;
    }
    has.set(number, bits);
    items.push(renumbered(shape.items, (column) => numberOfColumn.get(column)!));
  }
  return {
    columns: [...numberOfColumn.keys()],
    has,
    items,
    runs: runs.values.map((shape) => numberOfShape.get(shape)!),
    runRows: runs.lengths,
  };
}

function gather(memtable: Memtable, rows: Int32Array, shapes: GroupShapes, index: number): Column {
  const column = shapes.columns[index]!;
  const having = shapes.runs.length === 1 ? rows : rowsWith(memtable, rows, shapes, column);
  return Column.gather(memtable.columnFor(column), memtable.indexesIn(column, having));
}

/** The rows that have a value in a column. */
function rowsWith(memtable: Memtable, rows: Int32Array, shapes: GroupShapes, column: number): Int32Array {
  let shape = -1;
  let has = false;
  return rows.filter((row) => {
    const own = memtable.shapeNumberOf(row);
    if (own !== shape) {
      shape = own;
      has = shapes.has.get(own)?.[column] === 1;
    }
    return has;
  });
}

function wholeColumn(memtable: Memtable, rows: Int32Array): Column {
  const column = new Column();
  if (!memtable.hasWholeRows) return column;
  for (const row of rows) {
    if (memtable.shapeNumberOf(row) !== WHOLE) continue;
    const bytes = memtable.wholeBytes(row);
    column.append(ValueType.Object, viewOf(bytes), 0, bytes.length);
  }
  return column;
}
