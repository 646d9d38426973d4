/** The templates of the rows of a page. One is kept at a time, with the meta of one series: rows come series by series. */
import type { ArrayRoom, BsonWriter } from "../../bson/mod.ts";
import { RowTemplate } from "./row_template.ts";
import type { RowSource } from "./row_source.ts";
import type { PageColumn } from "./page_column.ts";
import type { Shape } from "./shape.ts";

/** The page: rows are numbered as in their row group. */
export interface TemplatePage extends RowSource {
  readonly firstRow: number;
  readonly times: Float64Array;
  /** The first row of the series of `row`, and the one behind its last: they may lie in other pages. */
  startOfSeries(row: number): number;
  endOfSeries(row: number): number;
  /** Where in the page to begin to read, and to end, for who needs rows from one, and up to one. */
  firstToRead(from: number): number;
  endToRead(to: number): number;
  /** With the values of the rows `[from, to)` of the page; more may be read. */
  readColumn(column: number, from: number, to: number): PageColumn;
}

/** Rows that are written in one go: their documents stay in the processor's cache while it goes through the columns. */
const MAX_ROWS = 256;

export class RowTemplates {
  /** Of a shape: null before it is made, undefined where its rows have none. */
  private template: RowTemplate | undefined | null = null;
  private shape: Shape | undefined;
  /** The rows `[first, end)` are of one series; whether the template has the meta of that. */
  private first = 0;
  private end = 0;
  private hasMeta = false;
  /** Rows of the page whose values the template has read. */
  private readFrom = 0;
  private readTo = 0;
  /** Rows that are gathered to be written together, by their number in the page. */
  private readonly rows = new Int32Array(MAX_ROWS);
  private count = 0;
  private limit = 0;
  /** The least and the greatest of them. */
  private least = 0;
  private greatest = 0;

  constructor(private readonly page: TemplatePage) {}

  /** Appends a row's document; false where rows of its kind have no template. */
  write(row: number, shape: Shape, writer: BsonWriter): boolean {
    if (this.shape !== shape) {
      // One row is written as quickly without: a template is made for the second of its kind.
      this.moveTo(shape);
      return false;
    }
    const template = this.at(row, shape);
    if (template === undefined) return false;
    const inPage = row - this.page.firstRow;
    this.readRows(template, inPage, inPage + 1);
    template.write(inPage, this.page.times, writer);
    return true;
  }

  /**
   * Begins to gather rows of one shape, to be written as elements of an array by one template.
   *
   * @param next the row behind `row`
   * @returns false where they have no template, or no room for two
   */
  begin(row: number, next: number, shape: Shape, room: ArrayRoom, writtenBytes: number): boolean {
    if (this.shape !== shape) this.moveTo(shape);
    this.moveToSeries(row);
    if (!this.isNear(next)) return false;
    const template = this.at(row, shape);
    if (template === undefined) return false;
    const fitting = template.countWithin(room.endBytes - writtenBytes, room.index + MAX_ROWS);
    this.limit = Math.min(MAX_ROWS, room.count, fitting);
    this.count = 0;
    this.least = Infinity;
    this.greatest = 0;
    return this.limit > 1;
  }

  /** Takes a row of the shape; false where it is another's, or there is no room. */
  add(row: number): boolean {
    if (this.count >= this.limit || !this.isNear(row)) return false;
    const inPage = row - this.page.firstRow;
    this.rows[this.count++] = inPage;
    if (inPage < this.least) this.least = inPage;
    if (inPage > this.greatest) this.greatest = inPage;
    return true;
  }

  /** Appends the documents of the rows that were taken, from place `index` on; answers how many. */
  writeElements(index: number, writer: BsonWriter): number {
    const template = this.template!;
    this.readRows(template, this.least, this.greatest + 1);
    template.writeElements(this.rows, this.count, index, this.page.times, writer);
    return this.count;
  }

  private readRows(template: RowTemplate, from: number, to: number): void {
    if (from >= this.readFrom && to <= this.readTo) return;
    this.readFrom = this.page.firstToRead(from);
    this.readTo = this.page.endToRead(to);
    template.readRows(this.readFrom, this.readTo);
  }

  /** Whether a row is of the series that was moved to. */
  private isNear(row: number): boolean {
    return row >= this.first && row < this.end;
  }

  private moveTo(shape: Shape): void {
    this.shape = shape;
    this.template = null;
    this.hasMeta = false;
    this.readFrom = this.readTo = 0;
  }

  private moveToSeries(row: number): void {
    if (this.isNear(row)) return;
    this.first = this.page.startOfSeries(row);
    this.end = this.page.endOfSeries(row);
    this.hasMeta = false;
  }

  /** The template with the meta of the row's series. */
  private at(row: number, { root }: Shape): RowTemplate | undefined {
    this.moveToSeries(row);
    if (this.template === null) {
      const { page } = this;
      this.template = RowTemplate.of(page, row, root, (column) => page.readColumn(column, 0, 0));
    } else if (!this.hasMeta) this.template?.enter(row);
    this.hasMeta = true;
    return this.template;
  }
}
