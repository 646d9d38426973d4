/**
 * An open segment: the directory in memory, everything else read when it is asked for, through the page cache.
 *
 * A segment that is dropped loses its name at once, but its file stays open until nobody can reach the object any more:
 * rows that a query still holds go on being readable. The registry below closes it then.
 */
import { ByteReader, type Column, decodeBytes, decodeIntegers, decodePage } from "../../column/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { readBlock } from "./block.ts";
import type { PageCache } from "./page_cache.ts";
import { type Page, RowGroup } from "./row_group.ts";
import { readSegment, type RowGroupEntry, type TableEntry } from "./segment_format.ts";
import type { TableNames } from "./shape.ts";

const UNREACHABLE = new FinalizationRegistry<DiskFile>((file) => file.close());

export class Segment {
  readonly sizeBytes: number;

  private constructor(
    readonly path: string,
    /** The number in its name. */
    readonly number: number,
    private readonly file: DiskFile,
    readonly tables: readonly TableEntry[],
    private readonly cache: PageCache,
  ) {
    this.sizeBytes = file.size();
    UNREACHABLE.register(this, file, this);
  }

  /** @throws CorruptionError when it is not a whole segment of a known version */
  static open(disk: Disk, path: string, number: number, cache: PageCache): Segment {
    const file = disk.open(path, "read");
    try {
      return new Segment(path, number, file, readSegment(file), cache);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The header of a row group. @throws CorruptionError */
  rowGroup(entry: RowGroupEntry, names: TableNames): RowGroup {
    const at = entry.offset + entry.pagesBytes;
    return this.cache.get(this.number, at, () => {
      const content = readBlock(this.file, at, entry.headerBytes);
      const value = new RowGroup(decodeBytes(new ByteReader(content)), entry.offset, names);
      return { value, sizeBytes: value.memoryBytes };
    });
  }

  /** The times of a page, milliseconds since 1970. @throws CorruptionError */
  times(page: Page): Float64Array {
    return this.cache.get(this.number, page.offset, () => {
      const reader = new ByteReader(readBlock(this.file, page.offset, page.sizeBytes));
      const value = new Float64Array(page.count);
      decodeIntegers(reader, page.count, value);
      return { value, sizeBytes: value.byteLength };
    });
  }

  /** The values of a page. @throws CorruptionError */
  column(page: Page): Column {
    return this.cache.get(this.number, page.offset, () => {
      const reader = new ByteReader(readBlock(this.file, page.offset, page.sizeBytes));
      const value = decodePage(reader, page.count);
      return { value, sizeBytes: value.memoryBytes };
    });
  }

  /** Closes the file at once: nothing can be read any more. */
  close(): void {
    UNREACHABLE.unregister(this);
    this.file.close();
    this.cache.forget(this.number);
  }
}
