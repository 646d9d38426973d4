/**
 * The headers of the row groups of a segment as a query reads them: they lie one behind the other, so who asks for one has
 * those near it read with the same call. They are held here as they were read until somebody asks for them.
 */
import type { ByteRange } from "../../io/mod.ts";
import type { RowGroup } from "./row_group.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { TableNames } from "./shape.ts";

/** The most that is read at once, gaps included. */
const READ_BYTES = 64 << 10;

export class RowGroupHeaders {
  /** Ascending by place. */
  private readonly entries: RowGroupEntry[] = [];
  /** By where they are in the file; made for the first one. */
  private held: Map<number, Uint8Array> | undefined;

  constructor(private readonly segment: Segment, private readonly names: TableNames) {}

  /** The query may ask for this row group; they are named in the order in which the segment has them. */
  add(entry: RowGroupEntry): void {
    this.entries.push(entry);
  }

  /** A row group that was added. @throws CorruptionError */
  rowGroup(entry: RowGroupEntry): RowGroup {
    const { segment, names } = this;
    return segment.knownRowGroup(entry) ?? segment.rowGroup(entry, names, this.contentOf(entry));
  }

  /** Where the header of a row group is that was added, and is not there. */
  unread(entry: RowGroupEntry): ByteRange | undefined {
    return this.held?.has(entry.headerOffset) === true ? undefined : this.segment.unreadHeader(entry);
  }

  /** The content of a header, which is not held afterwards; undefined where there is nothing to be read with it. */
  private contentOf({ headerOffset }: RowGroupEntry): Uint8Array | undefined {
    if (this.held?.has(headerOffset) !== true && !this.readNear(headerOffset)) return undefined;
    const content = this.held!.get(headerOffset);
    this.held!.delete(headerOffset);
    return content;
  }

  /** @returns whether there are several */
  private readNear(headerOffset: number): boolean {
    const { segment, entries } = this;
    const index = entries.findIndex((entry) => entry.headerOffset === headerOffset);
    const isMissing = (entry: RowGroupEntry | undefined) =>
      entry !== undefined && this.unread(entry) !== undefined;
    const span = (from: number, last: number) =>
      entries[last]!.headerOffset + entries[last]!.headerBytes - entries[from]!.headerOffset;
    let [from, end] = [index, index + 1];
    while (isMissing(entries[end]) && span(from, end) <= READ_BYTES) end++;
    while (isMissing(entries[from - 1]) && span(from - 1, end - 1) <= READ_BYTES) from--;
    if (end === from + 1) return false;
    const held = this.held ??= new Map();
    const near = entries.slice(from, end);
    segment.readHeaders(near).forEach((content, i) => held.set(near[i]!.headerOffset, content));
    return true;
  }
}
