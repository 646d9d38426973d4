/** The rows of one page of a row group, as views see them: columns are read from the file when first asked for. */
import { PAGE_ROWS } from "../../base/mod.ts";
import type { BsonWriter, Value } from "../../bson/mod.ts";
import { valueAt, writeCell } from "./cell.ts";
import type { PageColumn } from "./page_column.ts";
import type { ReadAhead } from "./read_ahead.ts";
import { FIRST_COLUMN_PAGES, type RowGroup, WHOLE_PAGES } from "./row_group.ts";
import type { RowSource } from "./row_source.ts";
import { RowTemplates } from "./row_templates.ts";
import type { SeriesIndex } from "./series_index.ts";
import type { FieldName, Shape } from "./shape.ts";

/** So many series are looked at one by one before they are halved. */
const NEAR_SERIES = 16;

/** What reading adds to. */
export interface PageCounters {
  pagesRead: number;
}

/** Rows are numbered as in their row group. */
export class PageRows implements RowSource {
  /** The number of the first row, and how many there are. */
  readonly firstRow: number;
  readonly rowCount: number;
  private timesRead: Float64Array | undefined;
  private columns: (PageColumn | undefined)[] | undefined;
  /** The series of the row asked for last, and its rows `[seriesFirst, seriesEnd)`. */
  private lastSeries = -1;
  private lastPlace = -1;
  private seriesFirst = 0;
  private seriesEnd = 0;
  /** The shape of the row asked for last, and rows `[shapeFirst, shapeEnd)` that have it, too. */
  private lastShape: Shape | undefined;
  private shapeFirst = 0;
  private shapeEnd = 0;
  private reachedFrom = Infinity;
  private reachedTo = 0;
  private templatesMade: RowTemplates | undefined;

  constructor(
    private readonly pages: ReadAhead,
    private readonly group: RowGroup,
    readonly page: number,
    private readonly series: SeriesIndex,
    private readonly counters: PageCounters,
  ) {
    this.firstRow = page * PAGE_ROWS;
    this.rowCount = Math.min(PAGE_ROWS, group.rows - this.firstRow);
  }

  /** Most of the rows `[from, to)` of the page will be asked for: what is read of a column is read of all of them. */
  reach(from: number, to: number): void {
    this.reachedFrom = from;
    this.reachedTo = to;
  }

  /** Where to begin to read, and to end, for who needs rows from one, and up to one. */
  firstToRead(from: number): number {
    return Math.min(from, this.reachedFrom);
  }

  endToRead(to: number): number {
    return Math.max(to, this.reachedTo);
  }

  /** Of each row, milliseconds since 1970. */
  get times(): Float64Array {
    return this.timesRead ??= this.readTimes();
  }

  private readTimes(): Float64Array {
    this.counters.pagesRead++;
    return this.pages.times(this.page);
  }

  /** A page of a column that has values here, with those of the rows `[from, to)` of the page. */
  readColumn(column: number, from = 0, to = this.rowCount): PageColumn {
    return this.read(column + FIRST_COLUMN_PAGES, from, to);
  }

  /** As `seriesOf`: one look finds the shape of many. */
  shapeOf(row: number): Shape | undefined {
    if (row < this.shapeFirst || row >= this.shapeEnd) {
      const { shapes, shapeRuns, shapeRunEnds } = this.group;
      const run = this.group.shapeRunOf(row);
      this.lastShape = shapes[shapeRuns[run]!];
      this.shapeFirst = run === 0 ? 0 : shapeRunEnds[run - 1]!;
      this.shapeEnd = shapeRunEnds[run]!;
    }
    return this.lastShape;
  }

  timeOf(row: number): number {
    return this.times[row - this.firstRow]!;
  }

  metaOf(row: number): Value {
    return this.series.sharedMetaOf(this.seriesOf(row));
  }

  writeMeta(row: number, writer: BsonWriter): void {
    this.series.writeTo(this.seriesOf(row), writer);
  }

  metaTypeOf(row: number): number {
    return this.series.typeOf(this.seriesOf(row));
  }

  valueOf(column: number, row: number): Value {
    const inPage = row - this.firstRow;
    const { values, indexes } = this.read(column + FIRST_COLUMN_PAGES, inPage, inPage + 1);
    return valueAt(values, indexes === undefined ? inPage : indexes[inPage]!);
  }

  writeValue(column: number, row: number, name: FieldName, writer: BsonWriter): void {
    const inPage = row - this.firstRow;
    const { values, indexes } = this.read(column + FIRST_COLUMN_PAGES, inPage, inPage + 1);
    writeCell(values, indexes === undefined ? inPage : indexes[inPage]!, name, writer);
  }

  get templates(): RowTemplates {
    return this.templatesMade ??= new RowTemplates(this);
  }

  startOfSeries(row: number): number {
    this.seriesOf(row);
    return this.seriesFirst;
  }

  endOfSeries(row: number): number {
    this.seriesOf(row);
    return this.seriesEnd;
  }

  wholeBytes(row: number): Uint8Array {
    const inPage = row - this.firstRow;
    const { values, indexes } = this.read(WHOLE_PAGES, inPage, inPage + 1);
    const index = indexes === undefined ? inPage : indexes[inPage]!;
    return values.arena.subarray(values.startAt(index), values.endAt(index));
  }

  /** Rows are mostly asked for one after the other: one look finds the series of many. */
  seriesOf(row: number): number {
    if (row < this.seriesFirst || row >= this.seriesEnd) {
      const place = this.placeOfRow(row);
      this.lastPlace = place;
      this.lastSeries = this.group.series[place]!;
      this.seriesFirst = this.group.firstRowOf(place);
      this.seriesEnd = this.group.seriesEnds[place]!;
    }
    return this.lastSeries;
  }

  /** The place of a row's series among those of the row group: mostly a few behind the last one. */
  private placeOfRow(row: number): number {
    const { seriesEnds } = this.group;
    if (row >= this.seriesEnd) {
      const limit = Math.min(seriesEnds.length, this.lastPlace + NEAR_SERIES);
      for (let place = this.lastPlace + 1; place < limit; place++) if (row < seriesEnds[place]!) return place;
    }
    return this.group.placeOfRow(row);
  }

  private read(pageColumn: number, from: number, to: number): PageColumn {
    const columns = this.columns ??= new Array(this.group.paths.length + FIRST_COLUMN_PAGES);
    const column = columns[pageColumn] ??= this.load(pageColumn);
    if (from < to) column.readRows(this.firstToRead(from), this.endToRead(to));
    return column;
  }

  private load(pageColumn: number): PageColumn {
    this.counters.pagesRead++;
    return this.pages.column(pageColumn, this.page);
  }
}
