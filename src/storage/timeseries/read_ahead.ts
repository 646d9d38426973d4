/**
 * The pages of a row group as a query reads them. Pages of one column lie one behind the other, columns side by side: a query
 * that goes on to the next pages, or to other columns, says so, and what lies near each other is read together, with one call
 * and into one piece of memory. Pages of numbers, whose values are decoded in blocks, go to the cache at once; others are held
 * here as they were read until somebody asks for them.
 */
import type { ByteRange } from "../../io/mod.ts";
import type { PageColumn } from "./page_column.ts";
import { type Page, type RowGroup, TIME_PAGES } from "./row_group.ts";
import type { PageToRead, Segment } from "./segment.ts";

/** What is read of one column takes at most about so many bytes once it is decoded, and so does that of all columns. */
const AHEAD_BYTES = 512 << 10;
const ALL_AHEAD_BYTES = 8 << 20;
/** About what a value takes. */
const VALUE_BYTES = 8;
/** Bytes that are read for nothing rather than that there is another call, or another wait for the device. */
const GAP_BYTES = 64 << 10;
/** The same where it is known which pages are read, and a slow device was asked for them. */
const SMALL_GAP_BYTES = 4 << 10;
/** The most that is read at once, gaps included. */
const READ_BYTES = 2 << 20;
/** More columns are read one by one: each would be looked for at each read. */
const MAX_TOGETHER = 64;
/** Pages that are held as they were read take at most about so many bytes. */
const HELD_BYTES = 2 * READ_BYTES;
const NOTHING: readonly number[] = [];

export class ReadAhead {
  private from = 0;
  private end = 0;
  private together = NOTHING;
  /** Contents of pages that were read with others, by where they are in the file; made for the first one. */
  private held: Map<number, Uint8Array> | undefined;
  private heldBytes = 0;
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

  /** As `reach`, of one page, unless more is known of it. */
  reachPage(page: number): void {
    if (page < this.from || page >= this.end) this.reach(page, page + 1);
  }

  /** Who asks for a page of one of these page columns, ascending, will ask for those of the others, too. */
  readTogether(pageColumns: readonly number[]): void {
    this.together = pageColumns.length <= MAX_TOGETHER ? pageColumns : NOTHING;
  }

  /**
   * Where the pages of page columns are that are not there, gaps included, up to what is read at once: what is best asked for
   * before any is read.
   *
   * @param pages ascending
   */
  unread(pageColumns: readonly number[], pages: readonly number[]): ByteRange[] {
    const found: Page[] = [];
    for (const pageColumn of pageColumns) {
      for (const number of pages) {
        const page = this.group.page(pageColumn, number);
        if (page.count > 0) found.push(page);
      }
    }
    return this.unreadOf(found);
  }

  /** As `unread`, of pages that are ascending by place. */
  unreadOf(pages: readonly Page[]): ByteRange[] {
    return joined(pages.filter((page) => !this.has(page)));
  }

  /** Reads pages that will be asked for, and are ascending by place: those that lie near each other together. */
  read(pages: readonly PageToRead[]): void {
    const missing = pages.filter(({ page }) => !this.has(page));
    for (let from = 0, end = 0; from < missing.length; from = end) {
      end = endOfNear(missing, from, SMALL_GAP_BYTES);
      if (end > from + 1) this.readNear(missing.slice(from, end));
    }
  }

  times(page: number): Float64Array {
    const { segment, group } = this;
    const place = group.page(TIME_PAGES, page);
    const known = segment.knownTimes(place);
    if (known !== undefined) return known;
    this.readFrom(TIME_PAGES, page);
    return segment.times(place, this.taken(place));
  }

  /** A page of a page column that has values there. */
  column(pageColumn: number, page: number): PageColumn {
    const known = this.segment.knownColumn(this.group.page(pageColumn, page));
    return known ?? this.readColumn(pageColumn, page);
  }

  private readColumn(pageColumn: number, page: number): PageColumn {
    const { segment, group } = this;
    this.readFrom(pageColumn, page);
    const place = group.page(pageColumn, page);
    return segment.column(place, () => group.placesInPage(pageColumn, page), this.taken(place));
  }

  /** The content of a page that is held; not for long. */
  private taken(page: Page): Uint8Array | undefined {
    const content = this.held?.get(page.offset);
    if (content !== undefined) this.held!.delete(page.offset);
    return content;
  }

  /** Reads the page, if it is not there, with those that are best read together with it, if there are any. */
  private readFrom(pageColumn: number, page: number): void {
    const { group, together, end } = this;
    const isAlone = together.length === 0 && end === page + 1;
    if (page < this.from || page >= end || isAlone || this.has(group.page(pageColumn, page))) return;
    if (together.includes(pageColumn) && this.readPages(together, pageColumn, page, end)) return;
    this.readPages([pageColumn], pageColumn, page, end);
  }

  private has(page: Page): boolean {
    return this.segment.holds(page) || this.held?.has(page.offset) === true;
  }

  /** @returns whether there are several that the cache has room for */
  private readPages(
    columns: readonly number[],
    pageColumn: number,
    first: number,
    end: number,
  ): boolean {
    const found: PageToRead[] = [];
    for (const column of columns) this.addPages(column, first, end, found);
    const near = nearTo(pageColumn, found);
    return near.length > 1 && this.readNear(near, pageColumn === TIME_PAGES);
  }

  /** @returns whether the cache has room for them: what it does not keep would be read once more for each page */
  private readNear(pages: readonly PageToRead[], withTimes = false): boolean {
    const { segment, group } = this;
    if (!segment.hasRoomFor(pages.reduce((sum, { page }) => sum + memoryOf(page), 0))) return false;
    segment.readTogether(group, pages, withTimes, (page, content) => this.hold(page, content));
    return true;
  }

  private hold(page: Page, content: Uint8Array): void {
    const held = this.held ??= new Map();
    if (this.heldBytes > HELD_BYTES) {
      held.clear();
      this.heldBytes = 0;
    }
    held.set(page.offset, content);
    this.heldBytes += content.length;
  }

  /** Adds the pages `[first, end)` of a column that are to be read. */
  private addPages(pageColumn: number, first: number, end: number, found: PageToRead[]): void {
    const { group, limitBytes } = this;
    let bytes = 0;
    for (let number = first; number < end; number++) {
      const page = group.page(pageColumn, number);
      const sizeBytes = memoryOf(page);
      if (page.count === 0 || this.has(page) || (number > first && bytes + sizeBytes > limitBytes)) break;
      bytes += sizeBytes;
      found.push({ page, pageColumn, number });
    }
  }
}

/** About what a page takes once it is decoded. */
function memoryOf({ count, sizeBytes }: Page): number {
  return Math.max(count * VALUE_BYTES, sizeBytes);
}

/** Of pages that are ascending by place, those of a page column and those about it that no wide gap parts from it. */
function nearTo(pageColumn: number, found: readonly PageToRead[]): readonly PageToRead[] {
  let from = found.findIndex((page) => page.pageColumn === pageColumn);
  if (from < 0) return [];
  const end = endOfNear(found, from);
  while (from > 0 && gapBefore(found, from) <= GAP_BYTES && span(found, from - 1, end - 1) <= READ_BYTES) {
    from--;
  }
  return found.slice(from, end);
}

/** Of pages that are ascending by place, the end of those behind one that no wide gap parts from it. */
function endOfNear(found: readonly PageToRead[], from: number, gapBytes = GAP_BYTES): number {
  let end = from + 1;
  while (end < found.length && gapBefore(found, end) <= gapBytes && span(found, from, end) <= READ_BYTES) {
    end++;
  }
  return end;
}

/** The ranges of pages that are ascending by place, those that no wide gap parts as one, until there are `READ_BYTES`. */
function joined(pages: readonly Page[]): ByteRange[] {
  const ranges: { offset: number; sizeBytes: number }[] = [];
  let bytes = 0;
  let end = -Infinity;
  for (const { offset, sizeBytes } of pages) {
    if (offset - end > GAP_BYTES) ranges.push({ offset, sizeBytes: 0 });
    const range = ranges[ranges.length - 1]!;
    end = offset + sizeBytes;
    bytes += end - range.offset - range.sizeBytes;
    if (bytes > READ_BYTES) break;
    range.sizeBytes = end - range.offset;
  }
  return ranges;
}

function gapBefore(found: readonly PageToRead[], index: number): number {
  const { offset, sizeBytes } = found[index - 1]!.page;
  return found[index]!.page.offset - offset - sizeBytes;
}

/** Bytes from one page to the end of another. */
function span(found: readonly PageToRead[], from: number, last: number): number {
  const { offset, sizeBytes } = found[last]!.page;
  return offset + sizeBytes - found[from]!.page.offset;
}
