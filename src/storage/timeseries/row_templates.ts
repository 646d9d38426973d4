/** The templates of the rows of a page. One is kept at a time: rows come series by series. */
import type { ArrayRoom, BsonWriter } from "../../bson/mod.ts";
import { RowTemplate } from "./row_template.ts";
import type { RowSource } from "./row_source.ts";
import type { PageColumn } from "./page_column.ts";
import type { Shape } from "./shape.ts";

/** The page: rows are numbered as in their row group. */
export interface TemplatePage extends RowSource {
  readonly firstRow: number;
  readonly rowCount: number;
  readonly times: Float64Array;
  /** Rows from `row` on that are of one series end before this one. */
  endOfSeries(row: number): number;
  /** With the values of the rows `[from, to)` of the page. */
  readColumn(column: number, from: number, to: number): PageColumn;
}

/** Rows that are written in one go: their documents stay in the processor's cache while it goes through the columns. */
const MAX_ROWS = 256;

export class RowTemplates {
  /** Of the rows `[first, end)` of a shape: null before it is made, undefined where they have none. */
  private template: RowTemplate | undefined | null = null;
  private shape: Shape | undefined;
  private first = 0;
  private end = 0;
  /** Rows that are gathered to be written together, by their number in the page. */
  private readonly rows = new Int32Array(MAX_ROWS);
  private count = 0;
  private limit = 0;

  constructor(private readonly page: TemplatePage) {}

  /** Appends a row's document; false where rows of its kind have no template. */
  write(row: number, shape: Shape, writer: BsonWriter): boolean {
    if (!this.holds(row, shape)) {
      // One row is written as quickly without: a template is made for the second of its kind.
      this.moveTo(row, shape);
      return false;
    }
    const template = this.made(row, shape);
    template?.write(row - this.page.firstRow, this.page.times, writer);
    return template !== undefined;
  }

  /**
   * Begins to gather rows of one shape, to be written as elements of an array by one template.
   *
   * @param next the row behind `row`
   * @returns false where they have no template, or no room for two
   */
  begin(row: number, next: number, shape: Shape, room: ArrayRoom, writtenBytes: number): boolean {
    if (!this.holds(row, shape)) this.moveTo(row, shape);
    if (!this.isNear(next)) return false;
    const template = this.made(row, shape);
    if (template === undefined) return false;
    const fitting = template.countWithin(room.endBytes - writtenBytes, room.index + MAX_ROWS);
    this.limit = Math.min(MAX_ROWS, room.count, fitting);
    this.count = 0;
    return this.limit > 1;
  }

  /** Takes a row of the shape; false where it is another's, or there is no room. */
  add(row: number): boolean {
    if (this.count >= this.limit || !this.isNear(row)) return false;
    this.rows[this.count++] = row - this.page.firstRow;
    return true;
  }

  /** Appends the documents of the rows that were taken, from place `index` on; answers how many. */
  writeElements(index: number, writer: BsonWriter): number {
    this.template!.writeElements(this.rows, this.count, index, this.page.times, writer);
    return this.count;
  }

  private holds(row: number, shape: Shape): boolean {
    return this.shape === shape && this.isNear(row);
  }

  /** Whether a row is of the series that was moved to. */
  private isNear(row: number): boolean {
    return row >= this.first && row < this.end;
  }

  private moveTo(row: number, shape: Shape): void {
    this.first = row;
    this.end = this.page.endOfSeries(row);
    this.shape = shape;
    this.template = null;
  }

  private made(row: number, { root }: Shape): RowTemplate | undefined {
    if (this.template === null) {
      const { page } = this;
      const from = this.first - page.firstRow;
      const to = Math.min(page.rowCount, this.end - page.firstRow);
      this.template = RowTemplate.of(page, row, root, (column) => page.readColumn(column, from, to));
    }
    return this.template;
  }
}
