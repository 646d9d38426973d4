/** Writes frozen memtables into a level-0 segment: one file with all their tables (segment_format.ts, row_group.ts). */
import { PAGE_ROWS, ROW_GROUP_ROWS } from "../../base/mod.ts";
import {
  ByteWriter,
  Column,
  encodeBytes,
  encodeIntegers,
  encodePage,
  type PageStatistics,
  statisticsOf,
  ValueType,
  viewOf,
} from "../../column/mod.ts";
import type { DiskFile } from "../../io/mod.ts";
import { writeBlock } from "./block.ts";
import { Memtable } from "./memtable.ts";
import { sortedRows } from "./memtable_run.ts";
import { encodeRowGroup, NO_WRITTEN_PAGE, type WrittenPage } from "./row_group.ts";
import { type RowGroupEntry, type TableEntry, writeFooter, writeHeader } from "./segment_format.ts";
import { FIRST_COLUMN_ITEM, WHOLE } from "./shape.ts";

const WRITE_BYTES = 1 << 20;

/**
 * Writes a segment, not synced.
 *
 * @param tables frozen memtables with rows, by ascending table id
 * @param pace awaited between pages, to let others run
 */
export async function writeSegment(
  file: DiskFile,
  tables: ReadonlyMap<number, Memtable>,
  pace: () => Promise<void>,
): Promise<void> {
  const writer = new SegmentWriter(file, pace);
  const entries: TableEntry[] = [];
  for (const [tableId, memtable] of tables) {
    const groups = await writer.writeTable(memtable);
    entries.push({ tableId, dataBytes: memtable.dataBytes, groups });
  }
  writer.finish(entries);
}

class SegmentWriter {
  private readonly out = new ByteWriter(WRITE_BYTES);
  /** Where in the file `out` begins. */
  private start = 0;

  constructor(private readonly file: DiskFile, private readonly pace: () => Promise<void>) {
    writeHeader(this.out);
  }

  async writeTable(memtable: Memtable): Promise<RowGroupEntry[]> {
    const rows = await sortedRows(memtable, this.pace);
    const groups: RowGroupEntry[] = [];
    for (let from = 0; from < rows.length; from += ROW_GROUP_ROWS) {
      groups.push(await this.writeGroup(memtable, rows.subarray(from, from + ROW_GROUP_ROWS)));
    }
    return groups;
  }

  finish(tables: readonly TableEntry[]): void {
    writeFooter(tables, this.out);
    this.writeOut();
  }

  private async writeGroup(memtable: Memtable, rows: Int32Array): Promise<RowGroupEntry> {
    const offset = this.start + this.out.length;
    const shapes = shapesOf(memtable, rows);
    const pages: WrittenPage[] = [];
    const writeColumn = async (write: (page: Int32Array) => WrittenPage) => {
      for (let from = 0; from < rows.length; from += PAGE_ROWS) {
        pages.push(write(rows.subarray(from, from + PAGE_ROWS)));
        this.writeOutIfFull();
        await this.pace();
      }
    };
    await writeColumn((page) => this.writeTimes(memtable, page));
    await writeColumn((page) => this.writeColumnPage(wholeColumn(memtable, page)));
    for (let column = 0; column < shapes.columns.length; column++) {
      await writeColumn((page) => this.writeColumnPage(gather(memtable, page, shapes, column)));
    }
    const pagesBytes = this.start + this.out.length - offset;
    const series = seriesOf(memtable, rows);
    const header = new ByteWriter();
    encodeRowGroup({
      rows: rows.length,
      pathKeys: shapes.columns.map((column) => memtable.dictionary.paths[column]!.key),
      ...series,
      shapes: shapes.items,
      shapeRuns: shapes.runs,
      shapeRunRows: shapes.runRows,
      pages,
    }, header);
    const headerBytes = writeBlock(this.out, (block) => encodeBytes(header.written(), block));
    const times = pages.slice(0, Math.ceil(rows.length / PAGE_ROWS));
    return {
      offset,
      pagesBytes,
      headerBytes,
      rows: rows.length,
      firstSeries: series.series[0]!,
      lastSeries: series.series[series.series.length - 1]!,
      minTime: Math.min(...times.map((page) => page.min)),
      maxTime: Math.max(...times.map((page) => page.max)),
    };
  }

  private writeTimes(memtable: Memtable, rows: Int32Array): WrittenPage {
    const times = Float64Array.from(rows, (row) => memtable.timeOf(row));
    const sizeBytes = writeBlock(this.out, (out) => encodeIntegers(times, times.length, out));
    return { ...timeStatistics(times), sizeBytes };
  }

  private writeColumnPage(column: Column): WrittenPage {
    if (column.length === 0) return NO_WRITTEN_PAGE;
    const sizeBytes = writeBlock(this.out, (out) => encodePage(column, out));
    return { ...statisticsOf(column), sizeBytes };
  }

  private writeOutIfFull(): void {
    if (this.out.length >= WRITE_BYTES) this.writeOut();
  }

  private writeOut(): void {
    this.file.writeAt(this.out.written(), this.start);
    this.start += this.out.length;
    this.out.reset();
  }
}

/** Times have no sum that means anything. */
function timeStatistics(times: Float64Array): PageStatistics {
  let min = Infinity;
  let max = -Infinity;
  for (const time of times) {
    if (time < min) min = time;
    if (time > max) max = time;
  }
  const typeSet = 1 << ValueType.Date;
  return { count: times.length, nulls: 0, typeSet, nans: 0, min, max, sum: 0, sumRest: 0, isExact: true };
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
  const { shapes } = memtable.dictionary;
  const runs: number[] = [];
  const runRows: number[] = [];
  const numberOfShape = new Map<number, number>([[WHOLE, WHOLE]]);
  let last = -1;
  for (const row of rows) {
    const shape = memtable.shapeNumberOf(row);
    if (shape !== last) {
      if (!numberOfShape.has(shape)) numberOfShape.set(shape, numberOfShape.size);
      runs.push(numberOfShape.get(shape)!);
      runRows.push(0);
      last = shape;
    }
    runRows[runRows.length - 1]!++;
  }
  const numberOfColumn = new Map<number, number>();
  const has = new Map<number, Uint8Array>();
  const items: number[][] = [];
  for (const number of numberOfShape.keys()) {
    if (number === WHOLE) continue;
    const shape = shapes[number]!;
    const bits = new Uint8Array(memtable.dictionary.paths.length);
    for (const column of shape.columns()) {
      if (!numberOfColumn.has(column)) numberOfColumn.set(column, numberOfColumn.size);
      bits[column] = 1;
    }
    has.set(number, bits);
    items.push(
      shape.items.map((item) =>
        item < FIRST_COLUMN_ITEM ? item : numberOfColumn.get(item - FIRST_COLUMN_ITEM)! + FIRST_COLUMN_ITEM
      ),
    );
  }
  return { columns: [...numberOfColumn.keys()], has, items, runs, runRows };
}

function seriesOf(memtable: Memtable, rows: Int32Array): { series: number[]; seriesRows: number[] } {
  const series: number[] = [];
  const seriesRows: number[] = [];
  for (const row of rows) {
    const own = memtable.seriesOf(row);
    if (own !== series[series.length - 1]) {
      series.push(own);
      seriesRows.push(0);
    }
    seriesRows[seriesRows.length - 1]!++;
  }
  return { series, seriesRows };
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
  for (const row of rows) {
    if (memtable.shapeNumberOf(row) !== WHOLE) continue;
    const bytes = memtable.wholeBytes(row);
    column.append(ValueType.Object, viewOf(bytes), 0, bytes.length);
  }
  return column;
}
