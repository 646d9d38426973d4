/**
 * A segment as its readers see it: the directory in memory, everything else read when it is asked for, through the page
 * cache and the pool of open files.
 *
 * A segment that is dropped loses its name at once. If it is part of a snapshot, its file is kept open until nobody can
 * reach the object any more (its rows stay readable); the registry below closes it then.
 */
import {
  blockValueBytes,
  ByteReader,
  type Column,
  decodeBytes,
  decodeIntegers,
  decodePage,
  openInBlocks,
  typeBit,
  ValueType,
} from "../../column/mod.ts";
import type { ByteRange, DiskFile } from "../../io/mod.ts";
import { type BlockPlace, readBlocks } from "./block.ts";
import type { FilePool } from "./file_pool.ts";
import { IdIndex } from "./id_index.ts";
import { LastRows } from "./last_rows.ts";
import type { SegmentPlace } from "./manifest.ts";
import type { PageCache } from "./page_cache.ts";
import { PageColumn } from "./page_column.ts";
import { type Page, RowGroup, TIME_PAGES } from "./row_group.ts";
import { readSegment, type RowGroupEntry, type TableEntry } from "./segment_format.ts";
import type { Path, TableNames } from "./shape.ts";

/** Where arrays of all kinds of numbers may begin. */
const ALIGNMENT = 8;
/** Types of values that are decoded when they are asked for. */
const IN_BLOCKS = typeBit(ValueType.Int32) | typeBit(ValueType.Double) | typeBit(ValueType.ObjectId);

function headerOf({ headerOffset, headerBytes }: RowGroupEntry): ByteRange {
  return { offset: headerOffset, sizeBytes: headerBytes };
}

function idIndexOf({ offset, pagesBytes, idIndexBytes }: RowGroupEntry): ByteRange {
  return { offset: offset + pagesBytes - idIndexBytes, sizeBytes: idIndexBytes };
}

function lastRowsOf(entry: RowGroupEntry): ByteRange {
  return { offset: idIndexOf(entry).offset - entry.lastRowsBytes, sizeBytes: entry.lastRowsBytes };
}

/** As the cache has it: a page whose values are not all decoded is held, too. */
function cached(page: Page, value: PageColumn): { value: PageColumn; sizeBytes: number } {
  const { values, indexes } = value;
  return { value, sizeBytes: values.memoryBytes + page.sizeBytes + (indexes?.byteLength ?? 0) };
}

/** A page that is read with others. */
export interface PageToRead {
  readonly page: Page;
  readonly pageColumn: number;
  /** Among those of its page column. */
  readonly number: number;
}

/**
 * Pages of columns, none of whose values may have been decoded yet. What can be decoded in blocks lies in one piece of memory:
 * thousands of small ones keep the collector busy.
 *
 * @param contents of the pages, over one piece of memory
 * @param placesOf of each page, as `PageColumn` has it
 */
function openColumns(
  contents: readonly Uint8Array[],
  pages: readonly Page[],
  placesOf: (index: number) => Int32Array | undefined,
): PageColumn[] {
  if (contents.length === 0) return [];
  const bytes = new Uint8Array(contents[0]!.buffer);
  const valueBytes = contents.map(({ byteOffset }, i) => {
    return blockValueBytes(bytes, byteOffset, pages[i]!.count, pages[i]!);
  });
  let sizeBytes = 0;
  const offsets = pages.map(({ count }, i) => {
    const offset = sizeBytes;
    sizeBytes += Math.ceil(count * valueBytes[i]! / ALIGNMENT) * ALIGNMENT;
    return offset;
  });
  const memory = new ArrayBuffer(sizeBytes);
  return contents.map((content, i) => {
    const { count } = pages[i]!;
    if (valueBytes[i] === 0) return new PageColumn(decodePage(new ByteReader(content), count), placesOf(i));
    const at = content.byteOffset;
    const values = openInBlocks(bytes, at, count, valueBytes[i]!, memory, offsets[i]!);
    const column = new PageColumn(values, placesOf(i));
    column.decodeLater(bytes, at);
    return column;
  });
}

const UNREACHABLE = new FinalizationRegistry<DiskFile>((file) => file.close());

export class Segment {
  /** The file of a segment that has lost its name. */
  private detached: DiskFile | undefined;
  /** Whether anyone may read it for as long as he holds it. */
  private isShared = false;
  /** Of the row group that was opened last: its neighbours mostly have the same. */
  private recentPaths: readonly Path[] | undefined;
  /** How often reading had to wait for the device. */
  slowReads = 0;
  private pins = 0;
  private isRetired = false;

  private constructor(
    readonly path: string,
    /** The number in its name. */
    readonly number: number,
    readonly place: SegmentPlace,
    readonly sizeBytes: number,
    readonly tables: readonly TableEntry[],
    private readonly files: FilePool,
    private readonly cache: PageCache,
  ) {}

  /** @throws CorruptionError when it is not a whole segment of a known version */
  static open(
    files: FilePool,
    path: string,
    number: number,
    place: SegmentPlace,
    cache: PageCache,
  ): Segment {
    const file = files.file(path);
    return new Segment(path, number, place, file.size(), readSegment(file), files, cache);
  }

  private get file(): DiskFile {
    return this.detached ?? this.files.file(this.path);
  }

  /** A row group, where the cache holds its header. */
  knownRowGroup({ headerOffset }: RowGroupEntry): RowGroup | undefined {
    return this.cache.find(this.number, headerOffset);
  }

  /** A row group. @param content what is in its header, if that is known @throws CorruptionError */
  rowGroup(entry: RowGroupEntry, names: TableNames, content?: Uint8Array): RowGroup {
    return this.cache.get(this.number, entry.headerOffset, () => {
      const value = this.readRowGroup(entry, names, content);
      return { value, sizeBytes: value.memoryBytes };
    });
  }

  /** The contents of the headers of row groups, ascending by place, all read at once. @throws CorruptionError */
  readHeaders(entries: readonly RowGroupEntry[]): Uint8Array[] {
    return this.readBlocks(entries.map(headerOf));
  }

  /** The times of a page, where the cache holds them. */
  knownTimes(page: Page): Float64Array | undefined {
    return this.cache.find(this.number, page.offset);
  }

  /** A page of a column, where the cache holds it. */
  knownColumn(page: Page): PageColumn | undefined {
    return this.cache.find(this.number, page.offset);
  }

  /** The times of a page, milliseconds since 1970. @param content what is in it, if that is known @throws CorruptionError */
  times(page: Page, content?: Uint8Array): Float64Array {
    return this.cache.get(this.number, page.offset, () => {
      const value = this.readTimes(page, content);
      return { value, sizeBytes: value.byteLength };
    });
  }

  /**
   * A page of a column, none of whose values may have been read yet: see `PageColumn.readRows`.
   *
   * @param placesOf says where its values stand, as `PageColumn` has it
   * @param content what is in it, if that is known
   * @throws CorruptionError
   */
  column(page: Page, placesOf: () => Int32Array | undefined, content?: Uint8Array): PageColumn {
    return this.cache.get(
      this.number,
      page.offset,
      () => cached(page, this.openColumn(page, placesOf, content)),
    );
  }

  /** Where the header of a row group is, or its last rows, where the cache does not hold them. */
  unreadHeader(entry: RowGroupEntry): ByteRange | undefined {
    return this.unread(headerOf(entry));
  }

  unreadLastRows(entry: RowGroupEntry): ByteRange | undefined {
    return entry.lastRowsBytes === 0 ? undefined : this.unread(lastRowsOf(entry));
  }

  private unread(range: ByteRange): ByteRange | undefined {
    return this.cache.has(this.number, range.offset) ? undefined : range;
  }

  /** Asks the device for what is about to be read. */
  prefetch(ranges: readonly ByteRange[]): Promise<void> {
    return this.file.prefetch(ranges);
  }

  /** Whether the cache holds a page. */
  holds(page: Page): boolean {
    return this.cache.has(this.number, page.offset);
  }

  /** Whether the cache would hold so many bytes more until they are asked for. */
  hasRoomFor(sizeBytes: number): boolean {
    return this.cache.hasRoomFor(sizeBytes);
  }

  /**
   * Reads pages of a row group at once, and puts into the cache those whose values are decoded when they are asked for.
   *
   * @param asked ascending by place
   * @param withTimes whether times are decoded, too
   * @param hold takes all others as they are
   */
  readTogether(
    group: RowGroup,
    asked: readonly PageToRead[],
    withTimes: boolean,
    hold: (page: Page, content: Uint8Array) => void,
  ): void {
    const contents = this.readBlocks(asked.map(({ page }) => page));
    const times: number[] = [];
    const numbers: number[] = [];
    asked.forEach(({ page, pageColumn }, i) => {
      if (pageColumn === TIME_PAGES ? withTimes : (page.typeSet & ~IN_BLOCKS) === 0) {
        (pageColumn === TIME_PAGES ? times : numbers).push(i);
      } else hold(page, contents[i]!);
    });
    this.keepTimes(times.map((i) => contents[i]!), times.map((i) => asked[i]!.page));
    const opened = openColumns(
      numbers.map((i) => contents[i]!),
      numbers.map((i) => asked[i]!.page),
      (k) => group.placesInPage(asked[numbers[k]!]!.pageColumn, asked[numbers[k]!]!.number),
    );
    opened.forEach((column, k) => {
      const { page } = asked[numbers[k]!]!;
      this.cache.get(this.number, page.offset, () => cached(page, column));
    });
  }

  private keepTimes(contents: readonly Uint8Array[], pages: readonly Page[]): void {
    const all = new Float64Array(contents.reduce((sum, _, i) => sum + pages[i]!.count, 0));
    let end = 0;
    contents.forEach((content, i) => {
      const { offset, count } = pages[i]!;
      const times = all.subarray(end, end += count);
      decodeIntegers(new ByteReader(content), count, times);
      this.cache.get(this.number, offset, () => ({ value: times, sizeBytes: times.byteLength }));
    });
  }

  /** As `column`, past the cache. */
  openColumn(
    page: Page,
    placesOf: () => Int32Array | undefined,
    content = this.readBlock(page),
  ): PageColumn {
    return openColumns([content], [page], placesOf)[0]!;
  }

  /** The last rows of a row group that has them written down. @param series how many it has @throws CorruptionError */
  lastRows(entry: RowGroupEntry, series: number): LastRows {
    return this.cache.get(this.number, lastRowsOf(entry).offset, () => {
      const value = this.readLastRows(entry, series);
      return { value, sizeBytes: value.memoryBytes };
    });
  }

  /** As `lastRows`, past the cache. */
  readLastRows(entry: RowGroupEntry, series: number): LastRows {
    return new LastRows(this.readBlock(lastRowsOf(entry)), series);
  }

  /** What says which pages of a row group have an id; it has one. @throws CorruptionError */
  idIndex(entry: RowGroupEntry): IdIndex {
    const place = idIndexOf(entry);
    return this.cache.get(this.number, place.offset, () => {
      const value = new IdIndex(this.readBlock(place));
      return { value, sizeBytes: value.memoryBytes };
    });
  }

  /** As `rowGroup`, past the cache: for one who reads everything once. */
  readRowGroup(entry: RowGroupEntry, names: TableNames, content = this.readBlock(headerOf(entry))): RowGroup {
    const group = new RowGroup(decodeBytes(new ByteReader(content)), entry.offset, names, this.recentPaths);
    this.recentPaths = group.paths;
    return group;
  }

  /** As `times`, past the cache. */
  readTimes(page: Page, content = this.readBlock(page)): Float64Array {
    const times = new Float64Array(page.count);
    decodeIntegers(new ByteReader(content), page.count, times);
    return times;
  }

  /** As `column`, past the cache. */
  readColumn(page: Page): Column {
    return decodePage(new ByteReader(this.readBlock(page)), page.count);
  }

  private readBlock(place: BlockPlace): Uint8Array {
    return this.readBlocks([place])[0]!;
  }

  private readBlocks(places: readonly BlockPlace[]): Uint8Array[] {
    const { file } = this;
    const before = file.slowReads;
    const contents = readBlocks(file, places);
    this.slowReads += file.slowReads - before;
    return contents;
  }

  /** It becomes part of a snapshot: whoever holds that may read it, now or later, whatever becomes of it. */
  share(): void {
    this.isShared = true;
  }

  /** Makes it readable until `unpin`, whatever becomes of it, for one who holds no rows of it afterwards. */
  pin(): void {
    this.pins++;
  }

  get isPinned(): boolean {
    return this.pins > 0;
  }

  unpin(): void {
    this.pins--;
    if (this.isRetired && this.pins === 0 && !this.isShared) this.close();
  }

  /** Its file is about to lose its name: nobody new reads it, and who holds a snapshot with it still can. */
  retire(): void {
    if (this.isRetired) return;
    if (!this.isShared && this.pins === 0) return this.close();
    this.detached = this.files.take(this.path);
    this.isRetired = true;
    UNREACHABLE.register(this, this.detached, this);
    this.cache.forget(this.number);
  }

  /** Closes the file at once: nothing can be read any more. */
  close(): void {
    UNREACHABLE.unregister(this);
    this.detached?.close();
    this.files.close(this.path);
    this.cache.forget(this.number);
  }
}
