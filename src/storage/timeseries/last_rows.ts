/**
 * The last row of each series in a row group, beside its pages: who asks for the newest values of many series reads one
 * small block instead of a page a series and column.
 *
 *     integers   time of each series' last row
 *     integers   1 where the row before it, of the same series, has the same time
 *     for each column: varint length, page of the values in those rows; length 0 where any row of the group has none
 *
 * It is there where series have many rows, columns several pages, and no row is kept whole. Where many series share a
 * page, or all of them one, the page is as good.
 */
import { PAGE_ROWS } from "../../base/mod.ts";
import {
  ByteReader,
  ByteWriter,
  Column,
  decodeIntegers,
  decodePage,
  encodeIntegers,
  encodePage,
} from "../../column/mod.ts";
import { FIRST_COLUMN_PAGES, WHOLE_PAGES } from "./row_group.ts";

/** Rows that series must have on the average: last rows then take a hundredth of a segment at most. */
const LEAST_SERIES_ROWS = 256;

/** Gathers the last rows from the pages of a row group, those of a column in their order. */
export class LastRowsWriter {
  /** The last row of each series, ascending. */
  private readonly rows: Int32Array;
  private readonly isWanted: boolean;
  private readonly rowCount: number;
  private readonly times: Float64Array;
  private readonly ties: Float64Array;
  private timeBefore = NaN;
  private readonly columns: { values: Column; isFull: boolean }[] = [];
  private hasWholeRows = false;

  /** @param seriesRows how many rows each series has */
  constructor(seriesRows: readonly number[]) {
    let end = 0;
    this.rows = Int32Array.from(seriesRows, (rows) => (end += rows) - 1);
    this.rowCount = end;
    this.isWanted = end > PAGE_ROWS && end >= seriesRows.length * LEAST_SERIES_ROWS;
    this.times = new Float64Array(seriesRows.length);
    this.ties = new Float64Array(seriesRows.length);
  }

  addTimes(page: number, times: Float64Array): void {
    if (!this.isWanted) return;
    this.eachRow(page, (row, place) => {
      const before = row === 0 ? this.timeBefore : times[row - 1]!;
      this.times[place] = times[row]!;
      this.ties[place] = Number(before === times[row] && this.rows[place - 1] !== this.rows[place]! - 1);
    });
    this.timeBefore = times[times.length - 1]!;
  }

  /** Adds a page of a page column, of which there may be no values. */
  addPage(pageColumn: number, page: number, values: Column): void {
    if (!this.isWanted) return;
    if (pageColumn === WHOLE_PAGES) {
      this.hasWholeRows ||= values.length > 0;
      return;
    }
    const column = this.columns[pageColumn - FIRST_COLUMN_PAGES] ??= { values: new Column(), isFull: true };
    column.isFull &&= values.length === Math.min(PAGE_ROWS, this.rowCount - page * PAGE_ROWS);
    if (column.isFull) this.eachRow(page, (row) => column.values.appendFrom(values, row));
  }

  /** Whether there is anything to write; asked once all pages are there. */
  get isWritten(): boolean {
    return this.isWanted && !this.hasWholeRows;
  }

  write(out: ByteWriter): void {
    const count = this.rows.length;
    encodeIntegers(this.times, count, out);
    encodeIntegers(this.ties, count, out);
    for (const { values, isFull } of this.columns) {
      const page = new ByteWriter();
      if (isFull) encodePage(values, page);
      out.sizedBytes(page.written());
    }
  }

  /** Calls `visit` for each last row in a page, with its number there and its place among all. */
  private eachRow(page: number, visit: (row: number, place: number) => void): void {
    const first = page * PAGE_ROWS;
    for (let place = 0; place < this.rows.length; place++) {
      const row = this.rows[place]! - first;
      if (row >= 0 && row < PAGE_ROWS) visit(row, place);
    }
  }
}

/** The last rows of a row group, by the places of their series in it. */
export class LastRows {
  /** Of each, milliseconds since 1970. */
  readonly times: Float64Array;
  private readonly ties: Float64Array;
  /** Pages of values; empty where any row has none. */
  private readonly pages: Uint8Array[] = [];
  private readonly columns: (Column | undefined)[] = [];

  constructor(private readonly bytes: Uint8Array, readonly count: number) {
    const reader = new ByteReader(bytes);
    this.times = new Float64Array(count);
    this.ties = new Float64Array(count);
    decodeIntegers(reader, count, this.times);
    decodeIntegers(reader, count, this.ties);
    while (reader.remaining > 0) this.pages.push(reader.sizedBytes());
  }

  /** About what this holds in memory, all columns decoded. */
  get memoryBytes(): number {
    return 512 + this.bytes.length + this.count * 16 + this.pages.length * (256 + this.count * 8);
  }

  /** Whether a series has other rows of the time of its last one. */
  hasOthers(place: number): boolean {
    return this.ties[place] === 1;
  }

  /** Whether the values of a column are here: each row of the group has one. */
  has(column: number): boolean {
    return this.pages[column]!.length > 0;
  }

  /** The values of such a column. */
  column(column: number): Column {
    return this.columns[column] ??= decodePage(new ByteReader(this.pages[column]!), this.count);
  }
}
