/**
 * A row group that is being merged: its pages, decoded one column at a time, each once as long as they are asked for in
 * turn, or, where several ask for them one after the other, while all of the column are kept.
 */
import { type MemoryLease, PAGE_ROWS } from "../../base/mod.ts";
import { bsonBytes, type Column } from "../../column/mod.ts";
import { pageCount, type RowGroup, TIME_PAGES } from "./row_group.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { TableNames } from "./shape.ts";

/** A decoded page, and where the values of each of its rows begin if some rows have none. */
interface MergePage {
  readonly values: Column;
  readonly starts: Int32Array | undefined;
}

export class MergeGroup {
  readonly group: RowGroup;
  private readonly columnOfKey: ReadonlyMap<string, number>;
  /** The pages of times that were read last: the merge's place, and the writer's. */
  private timesPage = -1;
  private times: Float64Array = new Float64Array(0);
  /** Decoded pages of one page column. */
  private pageColumn = -1;
  private pages: (MergePage | undefined)[] = [];
  private pagesBytes = 0;
  /** Keeps all pages of the column at hand, not only the last one. */
  keepsPages = false;

  /**
   * @param rowBytes what a row takes as BSON, about
   * @param lease where decoded pages are counted
   */
  constructor(
    readonly segment: Segment,
    readonly entry: RowGroupEntry,
    readonly rowBytes: number,
    names: TableNames,
    private readonly lease: MemoryLease,
  ) {
    this.group = segment.readRowGroup(entry, names);
    this.columnOfKey = new Map(this.group.paths.map(({ key }, column) => [key, column]));
  }

  /** The column of a path, or -1. */
  columnOf(pathKey: string): number {
    return this.columnOfKey.get(pathKey) ?? -1;
  }

  timeOf(row: number): number {
    const page = Math.floor(row / PAGE_ROWS);
    if (page !== this.timesPage) this.readTimes(page);
    return this.times[row - page * PAGE_ROWS]!;
  }

  /** Copies the times of the rows `[from, end)` to `target` from `at` on. */
  copyTimes(from: number, end: number, target: Float64Array, at: number): void {
    while (from < end) {
      const page = Math.floor(from / PAGE_ROWS);
      if (page !== this.timesPage) this.readTimes(page);
      const first = page * PAGE_ROWS;
      const until = Math.min(end, first + PAGE_ROWS);
      target.set(this.times.subarray(from - first, until - first), at);
      at += until - from;
      from = until;
    }
  }

  /** The first row of `[from, end)`, rows of one series, that is not earlier than a time; `end` when all are. */
  firstRowFrom(ms: number, from: number, end: number): number {
    let row = from;
    while (row < end) {
      const page = Math.floor(row / PAGE_ROWS);
      const pageEnd = Math.min(end, (page + 1) * PAGE_ROWS);
      // The page's other rows may be of other series: its bound decides only where all of it is early.
      if (this.group.page(TIME_PAGES, page).max >= ms && this.timeOf(pageEnd - 1) >= ms) {
        return this.search(ms, row, pageEnd - 1);
      }
      row = pageEnd;
    }
    return end;
  }

  /** Adds the values in a column of the rows `[from, end)`, of those that have one. */
  copyValues(pageColumn: number, from: number, end: number, target: Column): void {
    while (from < end) {
      const page = Math.floor(from / PAGE_ROWS);
      const first = page * PAGE_ROWS;
      const until = Math.min(end, first + PAGE_ROWS);
      if (this.group.page(pageColumn, page).count > 0) {
        const { values, starts } = this.readPage(pageColumn, page);
        const [a, b] = [from - first, until - first];
        if (starts === undefined) target.appendRange(values, a, b);
        else target.appendRange(values, starts[a]!, starts[b]!);
      }
      from = until;
    }
  }

  /** Lets go of all decoded pages. */
  release(): void {
    this.pageColumn = -1;
    this.dropPages();
    this.timesPage = -1;
    this.times = new Float64Array(0);
  }

  private readTimes(page: number): void {
    this.times = this.segment.readTimes(this.group.page(TIME_PAGES, page));
    this.timesPage = page;
  }

  /** The first row of `[low, high]` that is not earlier; the last one is not. */
  private search(ms: number, low: number, high: number): number {
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.timeOf(middle) >= ms) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private readPage(pageColumn: number, page: number): MergePage {
    const isNew = this.pages[page] === undefined;
    if (pageColumn !== this.pageColumn || (isNew && !this.keepsPages)) {
      this.dropPages();
      this.pageColumn = pageColumn;
    }
    return this.pages[page] ??= this.counted(this.decode(pageColumn, page));
  }

  private dropPages(): void {
    this.pages = new Array<MergePage | undefined>(pageCount(this.group.rows));
    this.lease.shrink(this.pagesBytes);
    this.pagesBytes = 0;
  }

  /** A page's values are there twice: as they were read, and as they are about to be written. */
  private counted(page: MergePage): MergePage {
    const { values, starts } = page;
    const writtenBytes = Math.max(values.memoryBytes, bsonBytes(values));
    const sizeBytes = values.memoryBytes + writtenBytes + (starts?.byteLength ?? 0);
    this.pagesBytes += sizeBytes;
    this.lease.grow(sizeBytes);
    return page;
  }

  private decode(pageColumn: number, page: number): MergePage {
    const place = this.group.page(pageColumn, page);
    return { values: this.segment.readColumn(place), starts: this.group.placesInPage(pageColumn, page) };
  }
}
