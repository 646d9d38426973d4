/** The rows of one page of a row group, as views see them: columns are read from the file when first asked for. */
import { PAGE_ROWS } from "../../base/mod.ts";
import type { Value } from "../../bson/mod.ts";
import type { Column } from "../../column/mod.ts";
import { FIRST_COLUMN_PAGES, type RowGroup, TIME_PAGES, WHOLE_PAGES } from "./row_group.ts";
import type { RowSource } from "./row_source.ts";
import type { Segment } from "./segment.ts";
import type { SeriesIndex } from "./series_index.ts";
import { FIRST_COLUMN_ITEM, type Shape } from "./shape.ts";

/** What reading adds to. */
export interface PageCounters {
  pagesRead: number;
}

/** A page column that was read: its values, and the index of each row's where some rows have none. */
interface ReadColumn {
  readonly values: Column;
  readonly indexes: Int32Array | undefined;
}

/** Rows are numbered as in their row group. */
export class PageRows implements RowSource {
  readonly times: Float64Array;
  private readonly firstRow: number;
  private readonly columns: (ReadColumn | undefined)[] = [];

  constructor(
    private readonly segment: Segment,
    private readonly group: RowGroup,
    readonly page: number,
    private readonly series: SeriesIndex,
    private readonly counters: PageCounters,
  ) {
    this.firstRow = page * PAGE_ROWS;
    this.times = segment.times(group.page(TIME_PAGES, page));
    counters.pagesRead++;
  }

  shapeOf(row: number): Shape | undefined {
    return this.group.shapeOf(row);
  }

  timeOf(row: number): number {
    return this.times[row - this.firstRow]!;
  }

  metaOf(row: number): Value {
    return this.series.metaOf(this.group.seriesOf(row));
  }

  rawMetaOf(row: number): { type: number; bytes: Uint8Array } {
    const series = this.group.seriesOf(row);
    return { type: this.series.typeOf(series), bytes: this.series.bytesOf(series) };
  }

  columnFor(column: number): Column {
    return this.read(column + FIRST_COLUMN_PAGES).values;
  }

  indexIn(column: number, row: number): number {
    const { indexes } = this.read(column + FIRST_COLUMN_PAGES);
    const inPage = row - this.firstRow;
    return indexes === undefined ? inPage : indexes[inPage]!;
  }

  wholeBytes(row: number): Uint8Array {
    const { values, indexes } = this.read(WHOLE_PAGES);
    const inPage = row - this.firstRow;
    const index = indexes === undefined ? inPage : indexes[inPage]!;
    return values.arena.subarray(values.startAt(index), values.ends[index]!);
  }

  private read(pageColumn: number): ReadColumn {
    return this.columns[pageColumn] ??= this.load(pageColumn);
  }

  private load(pageColumn: number): ReadColumn {
    const page = this.group.page(pageColumn, this.page);
    this.counters.pagesRead++;
    const values = this.segment.column(page);
    return { values, indexes: page.count === this.times.length ? undefined : this.indexesOf(pageColumn) };
  }

  /** For each row of the page the values before it in a page column. */
  private indexesOf(pageColumn: number): Int32Array {
    const indexes = new Int32Array(this.times.length);
    const has = new Map<Shape | undefined, boolean>([[undefined, pageColumn === WHOLE_PAGES]]);
    const item = pageColumn - FIRST_COLUMN_PAGES + FIRST_COLUMN_ITEM;
    for (let i = 0, index = 0; i < indexes.length; i++) {
      const shape = this.group.shapeOf(this.firstRow + i);
      if (!has.has(shape)) has.set(shape, pageColumn !== WHOLE_PAGES && shape!.items.includes(item));
      indexes[i] = index;
      if (has.get(shape)) index++;
    }
    return indexes;
  }
}
