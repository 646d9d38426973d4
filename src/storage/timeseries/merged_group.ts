/**
 * Row groups made of slices of others: noted first, then written column by column, so that of all row groups that are
 * merged only the pages of one column are in memory.
 *
 * Columns and shapes are numbered anew: only those that its rows have. Rows that have more columns together than a row
 * group may are shredded anew, one by one: rare fields go to the remainder.
 */
import { assert, MAX_ROW_GROUP_BYTES, MAX_TABLE_COLUMNS, PAGE_ROWS, ROW_GROUP_ROWS } from "../../base/mod.ts";
import { encodeDocument } from "../../bson/mod.ts";
import { Column, MemoryAccount } from "../../column/mod.ts";
import { ID_FIELD } from "./id_key.ts";
import { Memtable } from "./memtable.ts";
import type { MergeGroup } from "./merge_group.ts";
import type { Pace } from "./pacer.ts";
import { PageRows } from "./page_rows.ts";
import { ReadAhead } from "./read_ahead.ts";
import { FIRST_COLUMN_PAGES, WHOLE_PAGES } from "./row_group.ts";
import type { RowGroupContent, SegmentOutput } from "./segment_output.ts";
import { writeMemtable } from "./segment_writer.ts";
import type { SeriesIndex } from "./series_index.ts";
import { FIRST_COLUMN_ITEM, renumbered, type TableNames, WHOLE } from "./shape.ts";
import { documentOf } from "./stored_document.ts";

/** Bytes as BSON of rows that are shredded anew at once. */
const MAX_SHREDDED_BYTES = 8 << 20;

/** Rows of one row group, in the order of the new one. */
interface Slice {
  readonly group: MergeGroup;
  readonly from: number;
  end: number;
}

export class MergedGroup {
  rows = 0;
  /** What the rows take as BSON, about. */
  sizeBytes = 0;
  private slices: Slice[] = [];
  private series: number[] = [];
  private seriesRows: number[] = [];

  /** Of the rows, the most that one of a source takes on the average. */
  private rowBytes = 0;

  /** @param pageBytes what one page may take, about: of rows that would take more, a group has a page of fewer rows */
  constructor(private readonly pageBytes: number) {}

  get isFull(): boolean {
    return this.rows >= ROW_GROUP_ROWS || this.sizeBytes >= this.maxBytes(this.rowBytes);
  }

  /** What rows may take together as BSON, about; the last one may pass it. */
  private maxBytes(rowBytes: number): number {
    return rowBytes * PAGE_ROWS > this.pageBytes ? this.pageBytes : MAX_ROW_GROUP_BYTES;
  }

  /** How many rows of a group it has room for. */
  roomFor({ rowBytes }: MergeGroup): number {
    if (this.isFull) return 0;
    const left = Math.ceil((this.maxBytes(rowBytes) - this.sizeBytes) / Math.max(1, rowBytes));
    return Math.min(ROW_GROUP_ROWS - this.rows, left);
  }

  /** Adds the rows `[from, end)` of a group, all of one series. */
  add(group: MergeGroup, series: number, from: number, end: number): void {
    const last = this.series.length - 1;
    if (this.series[last] === series) {
      this.seriesRows[last]! += end - from;
    } else {
      this.series.push(series);
      this.seriesRows.push(end - from);
    }
    this.rows += end - from;
    this.sizeBytes += (end - from) * group.rowBytes;
    this.rowBytes = Math.max(this.rowBytes, group.rowBytes);
    const before = this.slices[this.slices.length - 1];
    if (before !== undefined && before.group === group && before.end === from) before.end = end;
    else this.slices.push({ group, from, end });
  }

  /** Gives the rows away. */
  take(): MergedRows {
    const { rows, slices, series, seriesRows } = this;
    this.rows = 0;
    this.sizeBytes = 0;
    this.rowBytes = 0;
    this.slices = [];
    this.series = [];
    this.seriesRows = [];
    return { rows, slices, series, seriesRows };
  }
}

interface MergedRows {
  readonly rows: number;
  readonly slices: readonly Slice[];
  readonly series: readonly number[];
  readonly seriesRows: readonly number[];
}

/**
 * Writes row groups, each to an output of its own, all of them column by column, so that every page of those they are
 * made of is decoded once. They are empty afterwards.
 *
 * @param pace awaited between pages, to let others run
 */
export async function writeMergedGroups(
  groups: readonly { readonly group: MergedGroup; readonly output: SegmentOutput }[],
  table: ShreddedTable,
  pace: Pace,
): Promise<void> {
  const paths = new PathUnion();
  const parts = groups.map(({ group, output }) => {
    const merged = group.take();
    return { output, merged, shapes: new MergedShapes(merged.slices, paths) };
  });
  const fitting = parts.filter(({ shapes }) => shapes.paths.size <= MAX_TABLE_COLUMNS);
  await writeColumns(fitting, paths.keys, pace);
  for (const { output, merged, shapes } of parts) {
    const { rows, series, seriesRows } = merged;
    const fits = shapes.paths.size <= MAX_TABLE_COLUMNS;
    if (fits) output.endGroup({ rows, series, seriesRows, ...shapes.numbered() });
    else await shredAnew(merged.slices, output, table, pace);
    for (const { group } of merged.slices) group.release();
  }
}

/** What is asked of a table whose rows are shredded anew. */
export interface ShreddedTable {
  readonly index: SeriesIndex;
  readonly names: TableNames;
  readonly options: { readonly timeField: string; readonly metaField: string | undefined };
}

interface Part {
  readonly output: SegmentOutput;
  readonly merged: MergedRows;
  readonly shapes: MergedShapes;
}

async function writeColumns(parts: readonly Part[], keys: readonly string[], pace: Pace): Promise<void> {
  for (const { output, merged } of parts) {
    for (const { group } of merged.slices) group.keepsPages = parts.length > 1;
    output.beginGroup(merged.seriesRows);
    await writeTimes(merged, output, pace);
  }
  for (const { output, merged } of parts) {
    await eachPage(merged.slices, output, pace, ({ group }, from, end, column) => {
      group.copyValues(WHOLE_PAGES, from, end, column);
    });
  }
  for (const [path, key] of keys.entries()) {
    for (const { output, merged, shapes } of parts) {
      if (!shapes.paths.has(path)) continue;
      await eachPage(merged.slices, output, pace, ({ group }, from, end, column) => {
        const own = group.columnOf(key);
        if (own >= 0) group.copyValues(own + FIRST_COLUMN_PAGES, from, end, column);
      }, key === ID_FIELD);
    }
  }
}

async function writeTimes({ rows, slices }: MergedRows, output: SegmentOutput, pace: Pace): Promise<void> {
  const times = new Float64Array(rows);
  let at = 0;
  for (const { group, from, end } of slices) {
    group.copyTimes(from, end, times, at);
    at += end - from;
  }
  for (let from = 0; from < times.length; from += PAGE_ROWS) {
    output.writeTimes(times.subarray(from, from + PAGE_ROWS));
    await pace();
  }
}

/** Makes a column page by page: `add` adds the values of some rows of a slice. */
async function eachPage(
  slices: readonly Slice[],
  output: SegmentOutput,
  pace: Pace,
  add: (slice: Slice, from: number, end: number, column: Column) => void,
  isId = false,
): Promise<void> {
  const write = (column: Column) => isId ? output.writeIds(column) : output.writeColumn(column);
  let column = new Column();
  let room = PAGE_ROWS;
  for (const slice of slices) {
    for (let from = slice.from; from < slice.end;) {
      const end = Math.min(slice.end, from + room);
      add(slice, from, end, column);
      room -= end - from;
      from = end;
      if (room > 0) continue;
      write(column);
      column = new Column();
      room = PAGE_ROWS;
      await pace();
    }
  }
  if (room < PAGE_ROWS) write(column);
}

/** Writes rows by way of memtables, as if they came anew. */
async function shredAnew(
  slices: readonly Slice[],
  output: SegmentOutput,
  { index, names, options }: ShreddedTable,
  pace: Pace,
): Promise<void> {
  let memtable = new Memtable(index, names, options, new MemoryAccount());
  for (const { group: { segment, group }, from, end } of slices) {
    let rows: PageRows | undefined;
    for (let row = from; row < end; row++) {
      const page = Math.floor(row / PAGE_ROWS);
      if (rows?.page !== page) {
        rows = new PageRows(new ReadAhead(segment, group), group, page, index, { pagesRead: 0 });
      }
      const bytes = encodeDocument(documentOf(rows, row));
      memtable.appendAll(bytes, 0, bytes.length);
      if (memtable.dataBytes < MAX_SHREDDED_BYTES) continue;
      await writeMemtable(output, memtable, pace);
      memtable = new Memtable(index, names, options, new MemoryAccount());
    }
    await pace();
  }
  if (memtable.length > 0) await writeMemtable(output, memtable, pace);
}

/** The paths of row groups that are written together, in the order in which their columns are. */
class PathUnion {
  readonly keys: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(key: string): number {
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.keys.push(key) - 1;
      this.numbers.set(key, number);
    }
    return number;
  }
}

/** The shapes and columns of a row group's slices, numbered anew. */
class MergedShapes {
  /** Those of the union's paths that are columns here. */
  readonly paths = new Set<number>();
  private readonly runs: number[] = [];
  private readonly runRows: number[] = [];
  /** The items of the shapes from 1 on, columns by their numbers in the union. */
  private readonly items: (readonly number[])[] = [];
  private readonly numberOfItems = new Map<string, number>();
  /** For each row group, the number here of each of its shapes. */
  private readonly numbers = new Map<MergeGroup, Map<number, number>>();

  constructor(slices: readonly Slice[], private readonly union: PathUnion) {
    for (const slice of slices) this.addSlice(slice);
  }

  /** What the row group's header says of shapes and columns. */
  numbered(): Pick<RowGroupContent, "pathKeys" | "shapes" | "shapeRuns" | "shapeRunRows"> {
    const paths = [...this.paths].sort((a, b) => a - b);
    const columns = new Map(paths.map((path, column) => [path, column]));
    return {
      pathKeys: paths.map((path) => this.union.keys[path]!),
      shapes: this.items.map((items) => renumbered(items, (column) => columns.get(column)!)),
      shapeRuns: this.runs,
      shapeRunRows: this.runRows,
    };
  }

  private addSlice({ group: source, from, end }: Slice): void {
    const { group } = source;
    for (let run = group.shapeRunOf(from); from < end; run++) {
      const until = Math.min(end, group.shapeRunEnds[run]!);
      const shape = group.shapeRuns[run]!;
      this.addRun(shape === WHOLE ? WHOLE : this.numberOf(source, shape), until - from);
      from = until;
    }
  }

  private addRun(number: number, rows: number): void {
    const last = this.runs.length - 1;
    if (this.runs[last] === number) {
      this.runRows[last]! += rows;
    } else {
      this.runs.push(number);
      this.runRows.push(rows);
    }
  }

  private numberOf(source: MergeGroup, shape: number): number {
    let known = this.numbers.get(source);
    if (known === undefined) this.numbers.set(source, known = new Map());
    let number = known.get(shape);
    if (number === undefined) known.set(shape, number = this.newNumber(source, shape));
    return number;
  }

  private newNumber({ group }: MergeGroup, shape: number): number {
    const described = group.shapes[shape];
    assert(described !== undefined, `shape ${shape} is one of the row group's`);
    const items = described.items.map((item) => {
      if (item < FIRST_COLUMN_ITEM) return item;
      const path = this.union.numberOf(group.paths[item - FIRST_COLUMN_ITEM]!.key);
      this.paths.add(path);
      return path + FIRST_COLUMN_ITEM;
    });
    const text = items.join();
    let number = this.numberOfItems.get(text);
    if (number === undefined) {
      number = this.items.push(items);
      this.numberOfItems.set(text, number);
    }
    return number;
  }
}
