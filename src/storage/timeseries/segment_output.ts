/** A segment being written, row group by row group, page by page (segment_format.ts, row_group.ts). */
import {
  ByteWriter,
  type Column,
  type Effort,
  encodeIntegers,
  encodePacked,
  encodePage,
  type PageStatistics,
  statisticsOf,
  typeBit,
  ValueType,
} from "../../column/mod.ts";
import type { DiskFile } from "../../io/mod.ts";
import { writeBlock } from "./block.ts";
import { IdIndexWriter } from "./id_index.ts";
import { ID_FIELD, IdBounds } from "./id_key.ts";
import { LastRowsWriter } from "./last_rows.ts";
import {
  encodeRowGroup,
  FIRST_COLUMN_PAGES,
  NO_WRITTEN_PAGE,
  pageCount,
  type RowGroupHeader,
  WHOLE_PAGES,
  type WrittenPage,
} from "./row_group.ts";
import { type RowGroupEntry, type TableEntry, writeFooter, writeHeader } from "./segment_format.ts";
import { REMAINDER_KEY } from "./shape.ts";

/** Written at once, about: a merge may have hundreds of outputs open. */
const WRITE_BYTES = 64 * 1024;
/** What an output holds: what is to be written, and headers. */
export const OUTPUT_BYTES = 2 * WRITE_BYTES;
/** A shorter header, that of a few rows, would lose a fifth of it at the price of writing all their pages. */
const LEAST_COMPRESSED_HEADER_BYTES = 1024;

/** Whose header gets its place in the file when it is written. */
type HeadlessEntry = Omit<RowGroupEntry, "headerOffset"> & { headerOffset: number };

/** What the writer of a row group knows of it, beside its pages. */
export type RowGroupContent = Omit<RowGroupHeader, "pages">;

export class SegmentOutput {
  private readonly out = new ByteWriter(WRITE_BYTES);
  /** Of the row group that ends. */
  private readonly header = new ByteWriter();
  /** Those of row groups that are written, as blocks: who reads several has them with one call. */
  private readonly headers = new ByteWriter();
  /** The row groups of these, their headers' places counted from the first one. */
  private headless: HeadlessEntry[] = [];
  private readonly tables: TableEntry[] = [];
  /** Of the table that is being written. */
  private groups: RowGroupEntry[] = [];
  /** Where in the file `out` begins. */
  private start = 0;
  private groupAt = 0;
  private pages: WrittenPage[] = [];
  private pagesOfColumn = 1;
  private minTime = Infinity;
  private maxTime = -Infinity;
  private ids = new IdIndexWriter();
  private idBounds = new IdBounds();
  private idBytes = 0;
  private lastRows = new LastRowsWriter([]);

  /** @param effort "fast" for a segment that is soon merged */
  constructor(private readonly file: DiskFile, private readonly effort: Effort) {
    writeHeader(this.out);
  }

  /**
   * Begins a row group: its pages follow, those of the times first, then column by column.
   *
   * @param seriesRows how many rows each of its series has
   */
  beginGroup(seriesRows: readonly number[]): void {
    this.groupAt = this.start + this.out.length;
    this.pages = [];
    this.minTime = Infinity;
    this.maxTime = -Infinity;
    this.ids = new IdIndexWriter();
    this.idBounds = new IdBounds();
    this.idBytes = 0;
    this.lastRows = new LastRowsWriter(seriesRows);
    this.pagesOfColumn = pageCount(seriesRows.reduce((sum, rows) => sum + rows, 0));
  }

  writeTimes(times: Float64Array): void {
    this.lastRows.addTimes(this.pages.length, times);
    const sizeBytes = writeBlock(this.out, (out) => encodeIntegers(times, times.length, out, this.effort));
    const statistics = timeStatistics(times);
    this.minTime = Math.min(this.minTime, statistics.min);
    this.maxTime = Math.max(this.maxTime, statistics.max);
    this.endPage({ ...statistics, sizeBytes });
  }

  /** Writes a page with the values of a column, of which there may be none. */
  writeColumn(column: Column): void {
    const index = this.pages.length;
    this.lastRows.addPage(Math.floor(index / this.pagesOfColumn), index % this.pagesOfColumn, column);
    if (column.length === 0) return this.endPage(NO_WRITTEN_PAGE);
    const sizeBytes = writeBlock(this.out, (out) => encodePage(column, out, this.effort));
    this.endPage({ ...statisticsOf(column), sizeBytes });
  }

  /** As `writeColumn`, of the ids. */
  writeIds(column: Column): void {
    this.ids.addPage(column);
    this.idBounds.add(column);
    this.writeColumn(column);
    this.idBytes += this.pages[this.pages.length - 1]!.sizeBytes;
  }

  endGroup(content: RowGroupContent): void {
    const { groupAt, pages, minTime, maxTime, header, headers } = this;
    const lastRowsBytes = this.writeLastRows();
    const idIndexBytes = this.writeIdIndex(content.rows);
    const pagesBytes = this.start + this.out.length - groupAt;
    header.reset();
    encodeRowGroup({ ...content, pages }, header);
    const headerOffset = headers.length;
    const headerBytes = writeBlock(
      headers,
      (block) => encodePacked(header.written(), block, LEAST_COMPRESSED_HEADER_BYTES),
    );
    const entry = {
      offset: groupAt,
      pagesBytes,
      headerOffset,
      headerBytes,
      rows: content.rows,
      firstSeries: content.series[0]!,
      lastSeries: content.series[content.series.length - 1]!,
      minTime,
      maxTime,
      lastRowsBytes,
      idIndexBytes,
      minId: this.idBounds.min,
      maxId: this.idBounds.max,
      otherIdPages: otherIdPages(content, pages),
    };
    this.groups.push(entry);
    this.headless.push(entry);
    if (headers.length >= WRITE_BYTES) this.writeHeaders();
  }

  /**
   * Ends a table, if there are row groups of it.
   *
   * @param dataBytesOf the bytes as BSON of so many rows
   */
  endTable(tableId: number, dataBytesOf: (rows: number) => number): void {
    const { groups } = this;
    if (groups.length === 0) return;
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    this.tables.push({ tableId, dataBytes: dataBytesOf(rows), groups });
    this.groups = [];
  }

  private writeLastRows(): number {
    const { lastRows } = this;
    return lastRows.isWritten ? writeBlock(this.out, (out) => lastRows.write(out)) : 0;
  }

  /** Pages are told apart only where there are several, and ids. */
  private writeIdIndex(rows: number): number {
    if (pageCount(rows) === 1 || this.idBytes === 0) return 0;
    return writeBlock(this.out, (out) => this.ids.write(this.idBytes, out));
  }

  /** Ends the file; it is not synced. */
  finish(): void {
    this.writeHeaders();
    writeFooter(this.tables, this.out);
    this.writeOut();
  }

  private writeHeaders(): void {
    const { out, headers, headless } = this;
    const at = this.start + out.length;
    for (const entry of headless) entry.headerOffset += at;
    this.headless = [];
    out.bytes(headers.written());
    headers.reset();
  }

  private endPage(page: WrittenPage): void {
    this.pages.push(page);
    if (this.out.length >= WRITE_BYTES) this.writeOut();
  }

  private writeOut(): void {
    this.file.writeAt(this.out.written(), this.start);
    this.start += this.out.length;
    this.out.reset();
  }
}

/** The pages with rows whose id may lie elsewhere than in the column of ids, or be an array, a bit each. */
function otherIdPages({ rows, pathKeys }: RowGroupContent, pages: readonly WrittenPage[]): number {
  const count = pageCount(rows);
  const mayHold = (column: number, page: number) => {
    const { count: values, typeSet } = pages[column * count + page]!;
    const key = column === WHOLE_PAGES ? REMAINDER_KEY : pathKeys[column - FIRST_COLUMN_PAGES]!;
    if (key === ID_FIELD) return (typeSet & typeBit(ValueType.Array)) !== 0;
    return values > 0 && (key === REMAINDER_KEY || key.startsWith(`${ID_FIELD}\0`));
  };
  let bits = 0;
  for (let column = WHOLE_PAGES; column < pathKeys.length + FIRST_COLUMN_PAGES; column++) {
    for (let page = 0; page < count; page++) if (mayHold(column, page)) bits |= 1 << page;
  }
  return bits;
}

/** Times have no sum that means anything. */
function timeStatistics(times: Float64Array): PageStatistics {
  let min = Infinity;
  let max = -Infinity;
  for (const time of times) {
    if (time < min) min = time;
    if (time > max) max = time;
  }
  const typeSet = 1 << ValueType.Date;
  return { count: times.length, nulls: 0, typeSet, nans: 0, min, max, sum: 0, sumRest: 0, isExact: true };
}
