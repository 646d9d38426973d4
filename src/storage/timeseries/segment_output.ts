/** A segment being written, row group by row group, page by page (segment_format.ts, row_group.ts). */
import {
  ByteWriter,
  type Column,
  encodeBytes,
  encodeIntegers,
  encodePage,
  type PageStatistics,
  statisticsOf,
  ValueType,
} from "../../column/mod.ts";
import type { DiskFile } from "../../io/mod.ts";
import { writeBlock } from "./block.ts";
import { encodeRowGroup, NO_WRITTEN_PAGE, type RowGroupHeader, type WrittenPage } from "./row_group.ts";
import { type RowGroupEntry, type TableEntry, writeFooter, writeHeader } from "./segment_format.ts";

const WRITE_BYTES = 1 << 20;

/** What the writer of a row group knows of it, beside its pages. */
export type RowGroupContent = Omit<RowGroupHeader, "pages">;

export class SegmentOutput {
  private readonly out = new ByteWriter(WRITE_BYTES);
  /** Where in the file `out` begins. */
  private start = 0;
  private groupAt = 0;
  private pages: WrittenPage[] = [];
  private minTime = Infinity;
  private maxTime = -Infinity;

  constructor(private readonly file: DiskFile) {
    writeHeader(this.out);
  }

  /** Begins a row group: its pages follow, those of the times first, then column by column. */
  beginGroup(): void {
    this.groupAt = this.start + this.out.length;
    this.pages = [];
    this.minTime = Infinity;
    this.maxTime = -Infinity;
  }

  writeTimes(times: Float64Array): void {
    const sizeBytes = writeBlock(this.out, (out) => encodeIntegers(times, times.length, out));
    const statistics = timeStatistics(times);
    this.minTime = Math.min(this.minTime, statistics.min);
    this.maxTime = Math.max(this.maxTime, statistics.max);
    this.endPage({ ...statistics, sizeBytes });
  }

  /** Writes a page with the values of a column, of which there may be none. */
  writeColumn(column: Column): void {
    if (column.length === 0) return this.endPage(NO_WRITTEN_PAGE);
    const sizeBytes = writeBlock(this.out, (out) => encodePage(column, out));
    this.endPage({ ...statisticsOf(column), sizeBytes });
  }

  endGroup(content: RowGroupContent): RowGroupEntry {
    const { groupAt, pages, minTime, maxTime } = this;
    const pagesBytes = this.start + this.out.length - groupAt;
    const header = new ByteWriter();
    encodeRowGroup({ ...content, pages }, header);
    const headerBytes = writeBlock(this.out, (block) => encodeBytes(header.written(), block));
    return {
      offset: groupAt,
      pagesBytes,
      headerBytes,
      rows: content.rows,
      firstSeries: content.series[0]!,
      lastSeries: content.series[content.series.length - 1]!,
      minTime,
      maxTime,
    };
  }

  /** Ends the file; it is not synced. */
  finish(tables: readonly TableEntry[]): void {
    writeFooter(tables, this.out);
    this.writeOut();
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
