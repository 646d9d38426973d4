/**
 * Rows that kernels read together: one page of a row group, or one memtable. Rows are numbered from 0; a slice of them is
 * `[from, to)` of these numbers, or of an array of them.
 */
import { type Document } from "../../../bson/mod.ts";
import { BYTES, type Column, MIXED, NO_TYPE, ValueType } from "../../../column/mod.ts";
import type { LastRows } from "../last_rows.ts";
import type { Memtable } from "../memtable.ts";
import type { PageRows } from "../page_rows.ts";
import { FIRST_COLUMN_PAGES, type Page, type RowGroup, TIME_PAGES, WHOLE_PAGES } from "../row_group.ts";
import type { PageColumn } from "../page_column.ts";
import { type Path, REMAINDER_KEY } from "../shape.ts";
import { documentOf } from "../stored_document.ts";
import { type ColumnView, NO_VALUES, viewOf, viewOfTimes } from "./column_view.ts";

export interface SliceSource {
  /** Of each row, milliseconds since 1970. */
  readonly times: Float64Array;
  readonly rowCount: number;
  /** The first and the last time of all rows, where they are known without reading any. */
  readonly timeBounds: { readonly min: number; readonly max: number } | undefined;
  /** Whether what is asked for may lie in arrays, documents or rows kept whole: then rows have to be read as documents. */
  readonly needsRows: boolean;
  /**
   * The column at a path, by its place among those asked for: with the values of the rows `[from, to)`, or of those that
   * `rows[from, to)` name, ascending. There is at least one; others may not have been read.
   */
  view(path: number, rows: Int32Array | undefined, from: number, to: number): ColumnView;
  /** What is known of all values at a path; undefined when nothing is. */
  page(path: number): Page | undefined;
  documentAt(row: number): Document;
  /** Documents of most of the rows `[from, to)` will be asked for: what is read for one is read for all. */
  expectDocuments?(from: number, to: number): void;
  /** The series of a row, and the first row behind it that is of another; only where rows lie series by series. */
  seriesOf?(row: number): number;
  endOfSeries?(row: number): number;
}

/** Adds the documents of rows: `[from, to)`, or those that `rows[from, to)` name. */
export function addDocuments(
  source: SliceSource,
  rows: Int32Array | undefined,
  from: number,
  to: number,
  out: Document[],
): void {
  for (let k = from; k < to; k++) out.push(source.documentAt(rows === undefined ? k : rows[k]!));
}

/** Where the paths asked for lie in a dictionary of columns. */
export interface ResolvedPath {
  readonly isTime: boolean;
  /** The column of the path, or -1. */
  readonly column: number;
  /** Columns that stand where documents on the way would. */
  readonly above: readonly number[];
  /** Columns in a document at the path. */
  readonly below: readonly number[];
  /** The column of the remainder, where rows may have the path when their column does not; -1 for none. */
  readonly remainder: number;
  /** Names that are not UTF-8 may look the same. */
  readonly isAmbiguous: boolean;
}

/** All paths that are asked for, and those that may lie in other columns, too, or in documents. */
export interface ResolvedPaths {
  readonly all: readonly ResolvedPath[];
  readonly doubtful: readonly ResolvedPath[];
}

const NO_RESOLVED: ResolvedPaths = { all: [], doubtful: [] };

/** What is read of rows: all the paths that are asked for, some of them, or these and the rows themselves, as documents. */
export type RowParts = "all paths" | "some paths" | "documents";

const NO_COLUMNS: readonly number[] = [];

/** The paths that a query asks for, in one row group after another: most have the same columns. */
export class AskedPaths {
  private columns: readonly Path[] | undefined;
  private resolved = NO_RESOLVED;
  /** Those of the times and of the columns at the paths, once somebody has asked. */
  private pageColumns: readonly number[] | undefined;
  /** Whether most pages have rows that are read as documents. */
  areRowsRead = false;
  /** Whether pages whose rows are all asked for are mostly answered by what is known of them; undefined before the first. */
  areStatisticsUsed: boolean | undefined;

  /**
   * @param parts what is read of each row, beside its time
   * @param rowFields what is read of rows as documents; undefined for all fields
   */
  constructor(
    private readonly asked: readonly (readonly string[])[],
    private readonly timeField: string,
    private readonly parts: RowParts,
    private readonly rowFields: ReadonlySet<string> | undefined,
  ) {
    if (parts === "documents") this.areStatisticsUsed = false;
  }

  /** Whether it is known which page columns are read together. */
  get isKnown(): boolean {
    return this.areRowsRead || this.parts === "all paths";
  }

  /** The page columns that are read together, as far as that is known, ascending. */
  pageColumnsIn(columns: readonly Path[]): readonly number[] {
    if (!this.isKnown) return [];
    return this.areRowsRead ? this.rowColumnsIn(columns) : this.pathColumnsIn(columns);
  }

  /** The page columns that may be read, ascending. */
  possibleColumnsIn(columns: readonly Path[]): readonly number[] {
    const ofPaths = this.pathColumnsIn(columns);
    return this.parts === "documents" ? ascending([...ofPaths, ...this.rowColumnsIn(columns)]) : ofPaths;
  }

  private pathColumnsIn(columns: readonly Path[]): readonly number[] {
    const { all } = this.in(columns);
    return this.pageColumns ??= pageColumnsOf(all);
  }

  private rowColumnsIn(columns: readonly Path[]): number[] {
    const { rowFields, timeField } = this;
    const found = rowFields === undefined || rowFields.has(timeField)
      ? [TIME_PAGES, WHOLE_PAGES]
      : [WHOLE_PAGES];
    columns.forEach(({ key, names }, column) => {
      if (rowFields !== undefined && key !== REMAINDER_KEY && !rowFields.has(names[0]!.text)) return;
      found.push(column + FIRST_COLUMN_PAGES);
    });
    return found;
  }

  /** Where they lie in a dictionary of columns that does not change. */
  in(columns: readonly Path[]): ResolvedPaths {
    if (columns !== this.columns) {
      this.resolved = resolvePaths(this.asked, columns, this.timeField);
      this.columns = columns;
      this.pageColumns = undefined;
    }
    return this.resolved;
  }
}

/** Those of the times and of the columns at paths, ascending. */
function pageColumnsOf(paths: readonly ResolvedPath[]): number[] {
  const found = [TIME_PAGES];
  for (const { column } of paths) if (column >= 0) found.push(column + FIRST_COLUMN_PAGES);
  return ascending(found);
}

function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function resolvePaths(
  asked: readonly (readonly string[])[],
  paths: readonly Path[],
  timeField: string,
): ResolvedPaths {
  const remainder = paths.findIndex((path) => path.key === REMAINDER_KEY);
  const all = asked.map((names): ResolvedPath => {
    let own = -1;
    let isAmbiguous = false;
    let above = NO_COLUMNS;
    let below = NO_COLUMNS;
    for (let column = 0; column < paths.length; column++) {
      const others = paths[column]!.names;
      const shared = Math.min(others.length, names.length);
      let same = 0;
      while (same < shared && others[same]!.text === names[same]) same++;
      if (same < shared) continue;
      if (others.length < names.length) above = [...above, column];
      else if (others.length > names.length) below = [...below, column];
      else if (own < 0) own = column;
      else isAmbiguous = true;
    }
    const isTime = names.length === 1 && names[0] === timeField;
    return { isTime, remainder: isTime ? -1 : remainder, column: own, above, below, isAmbiguous };
  });
  return { all, doubtful: all.filter(isDoubtful) };
}

function isDoubtful({ isAmbiguous, remainder, above, below }: ResolvedPath): boolean {
  return isAmbiguous || remainder >= 0 || above.length > 0 || below.length > 0;
}

const NESTED_TYPES = (1 << ValueType.Object) | (1 << ValueType.Array);

/** A page of a row group. */
export class PageSource implements SliceSource {
  readonly needsRows: boolean;
  private readonly views: (ColumnView | undefined)[];
  private readonly columns: (PageColumn | undefined)[];
  /** The rows that views will be asked for next. */
  private from = 0;
  private to = 0;

  constructor(
    private readonly rows: PageRows,
    private readonly group: RowGroup,
    private readonly paths: ResolvedPaths,
  ) {
    const count = paths.all.length;
    this.views = new Array(count);
    this.columns = new Array(count);
    this.needsRows = this.statistics(WHOLE_PAGES - FIRST_COLUMN_PAGES).count > 0 ||
      paths.doubtful.some((path) =>
        path.isAmbiguous ||
        path.above.some((column) => (this.statistics(column).typeSet & NESTED_TYPES) !== 0) ||
        path.below.some((column) => this.statistics(column).count > 0) ||
        this.mayBeInRemainder(path)
      );
  }

  get number(): number {
    return this.rows.page;
  }

  get firstRow(): number {
    return this.rows.firstRow;
  }

  get rowCount(): number {
    return this.rows.rowCount;
  }

  get times(): Float64Array {
    return this.rows.times;
  }

  get timeBounds(): Page {
    return this.group.page(TIME_PAGES, this.number);
  }

  /** Views will be asked for the rows `[from, to)`, or some of them: they are read together. */
  reach(from: number, to: number): void {
    this.from = from;
    this.to = to;
  }

  view(path: number, rows: Int32Array | undefined, from: number, to: number): ColumnView {
    const view = this.views[path] ??= this.open(path);
    const column = this.columns[path];
    if (column !== undefined) {
      const first = rows === undefined ? from : rows[from]!;
      const end = rows === undefined ? to : rows[to - 1]! + 1;
      column.readRows(Math.min(first, this.from), Math.max(end, this.to));
    }
    return view;
  }

  page(path: number): Page | undefined {
    const { isTime, column } = this.paths.all[path]!;
    return isTime || column < 0 ? undefined : this.statistics(column);
  }

  documentAt(row: number): Document {
    return documentOf(this.rows, this.firstRow + row);
  }

  expectDocuments(from: number, to: number): void {
    this.rows.reach(from, to);
  }

  seriesOf(row: number): number {
    return this.rows.seriesOf(this.firstRow + row);
  }

  endOfSeries(row: number): number {
    return this.rows.endOfSeries(this.firstRow + row) - this.firstRow;
  }

  private mayBeInRemainder({ column, remainder }: ResolvedPath): boolean {
    if (remainder < 0 || this.statistics(remainder).count === 0) return false;
    return column < 0 || this.statistics(column).count < this.rowCount;
  }

  private statistics(column: number): Page {
    return this.group.page(column + FIRST_COLUMN_PAGES, this.number);
  }

  private open(path: number): ColumnView {
    const { isTime, column } = this.paths.all[path]!;
    if (isTime) return viewOfTimes(this.times);
    if (column < 0 || this.statistics(column).count === 0) return NO_VALUES;
    const opened = this.columns[path] = this.rows.readColumn(column, this.from, this.to);
    return viewOf(opened.values, opened.indexes, opened.values.length);
  }
}

/** The last rows of the series in a row group, numbered by their places there. */
export class LastRowSource implements SliceSource {
  readonly needsRows = false;
  readonly timeBounds = undefined;
  private readonly views: (ColumnView | undefined)[] = [];

  /** @param document gives that of a row */
  constructor(
    private readonly lastRows: LastRows,
    private readonly paths: ResolvedPaths,
    readonly documentAt: (place: number) => Document,
  ) {}

  /** Whether last rows say all that is asked for. */
  static suits(lastRows: LastRows, { all }: ResolvedPaths): boolean {
    return all.every(({ isTime, column, above, below, remainder, isAmbiguous }) =>
      isTime ||
      (!isAmbiguous && above.length === 0 && below.length === 0 &&
        (column < 0 ? remainder < 0 : lastRows.has(column)))
    );
  }

  get times(): Float64Array {
    return this.lastRows.times;
  }

  get rowCount(): number {
    return this.lastRows.count;
  }

  view(path: number): ColumnView {
    return this.views[path] ??= this.open(this.paths.all[path]!);
  }

  page(): undefined {
    return undefined;
  }

  private open({ isTime, column }: ResolvedPath): ColumnView {
    if (isTime) return viewOfTimes(this.times);
    return column < 0 ? NO_VALUES : viewOf(this.lastRows.column(column), undefined, this.rowCount);
  }
}

/** The rows of a memtable below a limit. */
export class MemtableSource implements SliceSource {
  readonly times: Float64Array;
  readonly timeBounds = undefined;
  readonly needsRows: boolean;
  private readonly paths: ResolvedPaths;
  private readonly views: (ColumnView | undefined)[] = [];

  constructor(
    private readonly memtable: Memtable,
    readonly rowCount: number,
    asked: readonly (readonly string[])[],
    timeField: string,
  ) {
    this.times = memtable.allTimes;
    this.paths = resolvePaths(asked, memtable.dictionary.paths, timeField);
    this.needsRows = memtable.hasWholeRows || this.paths.doubtful.some((path) =>
      path.isAmbiguous ||
      path.above.some((column) => hasNested(memtable.columnIfAny(column))) ||
      path.below.some((column) => (memtable.columnIfAny(column)?.length ?? 0) > 0) ||
      this.mayBeInRemainder(path)
    );
  }

  view(path: number): ColumnView {
    return this.views[path] ??= this.read(this.paths.all[path]!);
  }

  page(): undefined {
    return undefined;
  }

  documentAt(row: number): Document {
    return documentOf(this.memtable, row);
  }

  private mayBeInRemainder({ column, remainder }: ResolvedPath): boolean {
    if (remainder < 0 || (this.memtable.columnIfAny(remainder)?.length ?? 0) === 0) return false;
    return column < 0 || this.memtable.columnIfAny(column)?.length !== this.memtable.length;
  }

  private read({ isTime, column }: ResolvedPath): ColumnView {
    if (isTime) return viewOfTimes(this.times);
    const values = column < 0 ? undefined : this.memtable.columnIfAny(column);
    if (values === undefined || values.length === 0) return NO_VALUES;
    return viewOf(values, this.memtable.placesIn(column, this.rowCount), values.length);
  }
}

function hasNested(column: Column | undefined): boolean {
  if (column === undefined || column.type === NO_TYPE || column.width !== BYTES) return false;
  if (column.type !== MIXED) return column.type === ValueType.Object || column.type === ValueType.Array;
  return column.types!.subarray(0, column.length).some((type) =>
    type === ValueType.Object || type === ValueType.Array
  );
}
