/**
 * The pages of a row group as a query reads them. Pages of one column lie one behind the other: a query that goes on to the
 * next pages says so, and those are read together, with one call and into one piece of memory.
 */
import { typeBit, ValueType } from "../../column/mod.ts";
import type { PageColumn } from "./page_column.ts";
import { type Page, type RowGroup, TIME_PAGES } from "./row_group.ts";
import type { Segment } from "./segment.ts";

/** What is read together takes at most about so many bytes once it is decoded, and so does that of all columns. */
const AHEAD_BYTES = 512 << 10;
const ALL_AHEAD_BYTES = 8 << 20;
/** About what a value takes. */
const VALUE_BYTES = 8;

/** Types of values that are decoded when they are asked for. */
const NUMBERS = typeBit(ValueType.Int32) | typeBit(ValueType.Double);

export class ReadAhead {
  private from = 0;
  private end = 0;
  /** Bytes of one column. */
  private readonly limitBytes: number;

  constructor(private readonly segment: Segment, private readonly group: RowGroup) {
    this.limitBytes = Math.min(AHEAD_BYTES, ALL_AHEAD_BYTES / (group.paths.length + 1));
  }

  /** Who asks for one of the pages `[from, end)` will ask for those behind it, too. */
  reach(from: number, end: number): void {
    this.from = from;
    this.end = end;
  }

  times(page: number): Float64Array {
    const at = this.group.page(TIME_PAGES, page);
    const pages = this.pagesFrom(TIME_PAGES, page);
    if (pages.length > 1) this.segment.timesAhead(pages);
    return this.segment.times(at);
  }

  /** A page of a page column that has values there. */
  column(pageColumn: number, page: number): PageColumn {
    const { segment, group } = this;
    const pages = this.pagesFrom(pageColumn, page);
    if (pages.length > 1) segment.columnsAhead(pages, (i) => group.placesInPage(pageColumn, page + i));
    return segment.column(group.page(pageColumn, page), () => group.placesInPage(pageColumn, page));
  }

  /** The page and those behind it that are best read with it; none or only the page where there are no such. */
  private pagesFrom(pageColumn: number, page: number): readonly Page[] {
    const { segment, group, limitBytes } = this;
    const pages: Page[] = [];
    if (page < this.from) return pages;
    let bytes = 0;
    for (let number = page; number < this.end; number++) {
      const next = group.page(pageColumn, number);
      bytes += next.count * VALUE_BYTES;
      if (next.count === 0 || segment.holds(next) || (number > page && bytes > limitBytes)) break;
      // Others are decoded when they are read, and may not be asked for in the end.
      if (pageColumn !== TIME_PAGES && (next.typeSet & ~NUMBERS) !== 0) break;
      pages.push(next);
    }
    // What the cache does not keep would be read once more for each page.
    return pages.length > 1 && !segment.hasRoomFor(bytes) ? [] : pages;
  }
}
