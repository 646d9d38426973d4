/**
 * Reads all of a segment: every checksum, every page decoded, and what the directory, the row group's header and the
 * footer say of each compared with what is there. Nothing is written, nothing cached; what is wrong is gathered, not
 * thrown, so that one bad page does not hide the next.
 */
import { CorruptionError, PAGE_ROWS } from "../../base/mod.ts";
import { compareBytes } from "../../bson/mod.ts";
import {
  bsonBytes,
  ByteReader,
  ByteWriter,
  codecName,
  Column,
  decodeBytes,
  decodeIntegers,
  decodePage,
  integerCodecName,
  type PageStatistics,
  statisticsOf,
} from "../../column/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { readBlock } from "./block.ts";
import { IdIndexWriter } from "./id_index.ts";
import { ID_FIELD, IdBounds } from "./id_key.ts";
import { LastRowsWriter } from "./last_rows.ts";
import { FIRST_COLUMN_PAGES, type Page, pageCount, RowGroup, TIME_PAGES, WHOLE_PAGES } from "./row_group.ts";
import { readSegment, type RowGroupEntry, SEGMENT_HEADER_BYTES, type TableEntry } from "./segment_format.ts";
import { fieldName, type Shape, type TableNames } from "./shape.ts";

/** Something wrong at a place of a file. */
export interface Damage {
  readonly offset: number;
  readonly reason: string;
}

/** A page that could be read. */
export interface PageReport extends PageStatistics {
  /** Its column: the names from the top down with dots between, or what it is where it is no column. */
  readonly column: string;
  readonly offset: number;
  readonly sizeBytes: number;
  /** What its values take as BSON, without types and names. */
  readonly rawBytes: number;
  readonly codec: string;
}

export interface RowGroupReport {
  readonly entry: RowGroupEntry;
  readonly series: number;
  readonly columns: number;
  readonly pages: readonly PageReport[];
}

export interface TableReport {
  readonly entry: TableEntry;
  readonly groups: readonly RowGroupReport[];
}

export interface SegmentReport {
  readonly sizeBytes: number;
  readonly tables: readonly TableReport[];
  readonly damages: readonly Damage[];
}

/** What only the values of a page tell. */
type PageContent = Pick<PageReport, "codec" | "rawBytes">;

const TRAILER_BYTES = 16;
/** A date in BSON. */
const TIME_BYTES = 8;
/** Shapes are counted, not read: what the special fields are called does not matter. */
const NO_NAME = fieldName(new Uint8Array(0));
const NO_NAMES: TableNames = { time: NO_NAME, meta: NO_NAME };

export interface VerifyOptions {
  /** The only table whose row groups are read; all of them when absent. */
  readonly tableId?: number;
  /** Called after some milliseconds of work: lets others run. */
  readonly pause?: () => Promise<void>;
}

/**
 * The file is opened before the first wait: whether it is removed meanwhile does not matter.
 *
 * @throws CorruptionError when header, trailer or footer are not those of a segment
 */
export async function verifySegment(
  disk: Disk,
  path: string,
  options: VerifyOptions = {},
): Promise<SegmentReport> {
  const file = disk.open(path, "read");
  try {
    return await new SegmentVerifier(file, options).run();
  } finally {
    file.close();
  }
}

class SegmentVerifier {
  private readonly damages: Damage[] = [];

  constructor(private readonly file: DiskFile, private readonly options: VerifyOptions) {}

  async run(): Promise<SegmentReport> {
    const entries = readSegment(this.file);
    const sizeBytes = this.file.size();
    const trailer = new Uint8Array(TRAILER_BYTES);
    this.file.readAt(trailer, sizeBytes - TRAILER_BYTES);
    const footerAt = sizeBytes - TRAILER_BYTES - new DataView(trailer.buffer).getUint32(0, true);
    this.verifyPlaces(entries, footerAt);
    let before = -1;
    const tables: TableReport[] = [];
    for (const entry of entries) {
      this.expect(entry.tableId > before, footerAt, `table ${entry.tableId} follows table ${before}`);
      before = entry.tableId;
      if (entry.tableId !== (this.options.tableId ?? entry.tableId)) continue;
      const groups: RowGroupReport[] = [];
      for (const group of entry.groups) groups.push(...await this.verifyGroup(group));
      tables.push({ entry, groups });
    }
    return { sizeBytes, tables, damages: this.damages };
  }

  /** Pages and headers lie one behind the other up to the footer. */
  private verifyPlaces(entries: readonly TableEntry[], footerAt: number): void {
    const places = entries.flatMap(({ groups }) => groups).flatMap((group) => [
      { offset: group.offset, sizeBytes: group.pagesBytes },
      { offset: group.headerOffset, sizeBytes: group.headerBytes },
    ]).sort((a, b) => a.offset - b.offset);
    let end = SEGMENT_HEADER_BYTES;
    for (const { offset, sizeBytes } of places) {
      this.expect(
        offset === end,
        offset,
        `a row group's pages or header start here, what is before ends at ${end}`,
      );
      end = offset + sizeBytes;
    }
    this.expect(end === footerAt, footerAt, `the footer starts here, the row groups end at ${end}`);
  }

  private async verifyGroup(entry: RowGroupEntry): Promise<RowGroupReport[]> {
    const at = entry.headerOffset;
    const group = this.attempt(at, () => {
      const content = readBlock(this.file, at, entry.headerBytes);
      return new RowGroup(decodeBytes(new ByteReader(content)), entry.offset, NO_NAMES);
    });
    if (group === undefined) return [];
    this.expectSame(at, "rows", group.rows, entry.rows);
    this.expectSame(at, "first series", group.series[0], entry.firstSeries);
    this.expectSame(at, "last series", group.series.at(-1), entry.lastSeries);
    this.expectSame(at, "rows of all series", group.seriesEnds.at(-1), entry.rows);
    this.expect(isAscending(group.series), at, "its series are not ascending");
    const pages = await this.verifyPages(group, entry);
    return [{ entry, series: group.series.length, columns: group.paths.length, pages }];
  }

  private async verifyPages(group: RowGroup, entry: RowGroupEntry): Promise<PageReport[]> {
    const { headerOffset: headerAt } = entry;
    const pagesEnd = entry.offset + entry.pagesBytes;
    const reports: PageReport[] = [];
    const lastRows = new LastRowsWriter(
      [...group.seriesEnds].map((end, place) => end - group.firstRowOf(place)),
    );
    let areAllRead = true;
    let sizeBytes = 0;
    let min = Infinity;
    let max = -Infinity;
    for (let index = 0; index < pageCount(group.rows); index++) {
      await this.options.pause?.();
      const expected = valuesInPage(group, index);
      for (let column = 0; column < group.paths.length + FIRST_COLUMN_PAGES; column++) {
        const page = group.page(column, index);
        sizeBytes += page.sizeBytes;
        const name = columnName(group, column);
        const place = page.count > 0 ? page.offset : headerAt;
        this.expectSame(place, `values of ${name} in page ${index}`, page.count, expected[column] ?? 0);
        if (column === TIME_PAGES) {
          min = Math.min(min, page.min);
          max = Math.max(max, page.max);
        }
        const read = this.attempt(
          page.offset,
          () =>
            column === TIME_PAGES
              ? this.verifyTimes(page, group, index, lastRows)
              : this.verifyColumn(page, (values) => lastRows.addPage(column, index, values)),
        );
        if (read === undefined) areAllRead = false;
        else if (page.count > 0) {
          reports.push({
            ...statisticsIn(page),
            offset: page.offset,
            sizeBytes: page.sizeBytes,
            column: name,
            ...read,
          });
        }
      }
    }
    this.expectSame(
      headerAt,
      "bytes of all pages",
      sizeBytes,
      entry.pagesBytes - entry.idIndexBytes - entry.lastRowsBytes,
    );
    if (areAllRead) {
      this.attempt(
        pagesEnd - entry.idIndexBytes - entry.lastRowsBytes,
        () => this.verifyLastRows(lastRows, entry),
      );
    }
    this.attempt(pagesEnd - entry.idIndexBytes, () => this.verifyIds(group, entry));
    this.expectSame(headerAt, "earliest time", min, entry.minTime);
    this.expectSame(headerAt, "latest time", max, entry.maxTime);
    return reports.sort((a, b) => a.offset - b.offset);
  }

  /** The last rows, if there are any, are those of the pages. */
  private verifyLastRows(lastRows: LastRowsWriter, entry: RowGroupEntry): void {
    if (entry.lastRowsBytes === 0) return;
    const at = entry.offset + entry.pagesBytes - entry.idIndexBytes - entry.lastRowsBytes;
    const out = new ByteWriter();
    if (lastRows.isWritten) lastRows.write(out);
    const found = readBlock(this.file, at, entry.lastRowsBytes);
    this.expect(compareBytes(out.written(), found) === 0, at, "the last rows of the series are not theirs");
  }

  /** Bounds and index of the ids are what the ids give. */
  private verifyIds(group: RowGroup, entry: RowGroupEntry): void {
    const at = entry.offset + entry.pagesBytes - entry.idIndexBytes;
    const column = group.paths.findIndex((path) => path.key === ID_FIELD);
    if (column < 0) return this.expectSame(at, "bytes of an index without ids", entry.idIndexBytes, 0);
    const bounds = new IdBounds();
    const writer = new IdIndexWriter();
    let idBytes = 0;
    for (let number = 0; number < pageCount(group.rows); number++) {
      const page = group.page(column + FIRST_COLUMN_PAGES, number);
      const ids = page.count === 0
        ? new Column()
        : decodePage(new ByteReader(readBlock(this.file, page.offset, page.sizeBytes)), page.count);
      bounds.add(ids);
      writer.addPage(ids);
      idBytes += page.sizeBytes;
    }
    const areBounds = compareBytes(bounds.min, entry.minId) === 0 &&
      compareBytes(bounds.max, entry.maxId) === 0;
    this.expect(areBounds, at, "the bounds of the ids are not theirs");
    if (entry.idIndexBytes === 0) return;
    const out = new ByteWriter();
    writer.write(idBytes, out);
    const isIndex = compareBytes(out.written(), readBlock(this.file, at, entry.idIndexBytes)) === 0;
    this.expect(isIndex, at, "the index of the ids is not theirs");
  }

  private verifyTimes(
    page: Page,
    group: RowGroup,
    index: number,
    lastRows: LastRowsWriter,
  ): PageContent {
    const content = readBlock(this.file, page.offset, page.sizeBytes);
    const times = new Float64Array(page.count);
    const reader = new ByteReader(content);
    decodeIntegers(reader, page.count, times);
    this.expectSame(page.offset, "bytes left behind the times", reader.remaining, 0);
    this.expectSame(page.offset, "earliest time", times.reduce((a, b) => Math.min(a, b), Infinity), page.min);
    this.expectSame(page.offset, "latest time", times.reduce((a, b) => Math.max(a, b), -Infinity), page.max);
    lastRows.addTimes(index, times);
    let place = group.placeOfRow(index * PAGE_ROWS);
    for (let i = 1; i < times.length; i++) {
      const row = index * PAGE_ROWS + i;
      if (row >= group.seriesEnds[place]!) place++;
      else if (times[i]! < times[i - 1]!) {
        this.expect(false, page.offset, `row ${row} of the row group is earlier than the one before`);
        break;
      }
    }
    return { codec: `times: ${integerCodecName(content)}`, rawBytes: page.count * TIME_BYTES };
  }

  private verifyColumn(page: Page, addValues: (values: Column) => void): PageContent {
    if (page.count === 0) {
      addValues(new Column());
      return { codec: "", rawBytes: 0 };
    }
    const content = readBlock(this.file, page.offset, page.sizeBytes);
    const reader = new ByteReader(content);
    const column = decodePage(reader, page.count);
    this.expectSame(page.offset, "bytes left behind the values", reader.remaining, 0);
    const found = statisticsOf(column);
    addValues(column);
    for (const field of ["count", "nulls", "typeSet", "nans", "min", "max", "sum", "sumRest"] as const) {
      this.expectSame(page.offset, field, found[field], page[field]);
    }
    this.expectSame(page.offset, "isExact", Number(found.isExact), Number(page.isExact));
    return { codec: codecName(content), rawBytes: bsonBytes(column) };
  }

  private expectSame(offset: number, what: string, found: number | undefined, expected: number): void {
    this.expect(Object.is(found, expected), offset, `${what}: ${found} are there, expected ${expected}`);
  }

  private expect(holds: boolean, offset: number, reason: string): void {
    if (!holds) this.damages.push({ offset, reason });
  }

  /** What `read` gives; undefined when it throws, which is noted. */
  private attempt<T>(offset: number, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof CorruptionError) this.damages.push({ offset: error.offset, reason: error.reason });
      else this.damages.push({ offset, reason: `it cannot be decoded: ${String(error)}` });
      return undefined;
    }
  }
}

/** How many values each page column has in a page, by the shapes of its rows. */
function valuesInPage(group: RowGroup, index: number): Int32Array {
  const counts = new Int32Array(group.paths.length + FIRST_COLUMN_PAGES);
  const rowsOfShape = new Map<Shape | undefined, number>();
  const end = Math.min(group.rows, (index + 1) * PAGE_ROWS);
  for (let row = index * PAGE_ROWS; row < end; row++) {
    const shape = group.shapeOf(row);
    rowsOfShape.set(shape, (rowsOfShape.get(shape) ?? 0) + 1);
  }
  counts[TIME_PAGES] = end - index * PAGE_ROWS;
  for (const [shape, rows] of rowsOfShape) {
    if (shape === undefined) counts[WHOLE_PAGES]! += rows;
    else for (const column of shape.columns()) counts[column + FIRST_COLUMN_PAGES]! += rows;
  }
  return counts;
}

function columnName(group: RowGroup, column: number): string {
  if (column === TIME_PAGES) return "(times)";
  if (column === WHOLE_PAGES) return "(rows kept whole)";
  return group.paths[column - FIRST_COLUMN_PAGES]!.names.map((name) => name.text).join(".");
}

function statisticsIn(page: Page): PageStatistics {
  const { count, nulls, typeSet, nans, min, max, sum, sumRest, isExact } = page;
  return { count, nulls, typeSet, nans, min, max, sum, sumRest, isExact };
}

function isAscending(values: Float64Array): boolean {
  return values.every((value, i) => i === 0 || value > values[i - 1]!);
}
