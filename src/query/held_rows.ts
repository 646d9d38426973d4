/**
 * Rows that a stage holds, by their place, without an object each. Where the fields that are read later are known, a view of stored
 * columns becomes a row of columns again; else its bytes are copied beside those of other rows. A row that is read is a
 * view of these, or the document that came where it owns what it is made of.
 */
import { ROW_COPY_CHUNK_BYTES } from "../base/mod.ts";
import { BsonWriter, BuiltDocument, Document, RawDocument } from "../bson/mod.ts";
import { ColumnRow } from "./column_row.ts";
import { keyedAs, KeyedRow } from "./keyed_row.ts";
import { approximateBytes, detachedRow, OBJECT_BYTES } from "./memory.ts";
import { ValueColumn } from "./value_column.ts";

/** Where a row is, beside its place there. */
const IN_COLUMNS = 0;
const IN_BYTES = 1;
const WHOLE = 2;
const WAYS = 4;
/** What a row costs beside its contents. */
const ROW_BYTES = 9;

export class HeldRows {
  /** `place · WAYS + way`. */
  private readonly ways = new ValueColumn(approximateBytes);
  private readonly columns: RowColumns | undefined;
  private readonly copies = new RowBytes();
  private readonly whole: Document[] = [];

  /** @param fields top-level ones that are read of the rows later; undefined for all */
  constructor(private readonly fields: ReadonlySet<string> | undefined) {
    this.columns = fields && new RowColumns(fields);
  }

  get length(): number {
    return this.ways.length;
  }

  /** Adds what is to be kept of a row. @returns the bytes that it takes, about */
  add(row: Document): number {
    if (row instanceof BuiltDocument || row instanceof ColumnRow || row instanceof KeyedRow) {
      return this.addWhole(row);
    }
    if (this.columns !== undefined && !(row instanceof RawDocument)) {
      const { length } = this.columns;
      const bytes = this.columns.add(row);
      return bytes === undefined ? this.addWhole(row) : this.note(length, IN_COLUMNS) + bytes;
    }
    const at = this.copies.add(row);
    if (at === undefined) return this.addWhole(row);
    return this.note(at, IN_BYTES) + this.copies.lastBytes;
  }

  at(place: number): Document {
    const way = this.ways.numberAt(place);
    const index = Math.floor(way / WAYS);
    switch (way % WAYS) {
      case IN_COLUMNS:
        return this.columns!.at(index);
      case IN_BYTES:
        return this.copies.at(index);
      default:
        return this.whole[index]!;
    }
  }

  private addWhole(row: Document): number {
    const held = heldRow(row, this.fields);
    this.whole.push(held);
    return this.note(this.whole.length - 1, WHOLE) + bytesOf(held);
  }

  private note(index: number, way: number): number {
    this.ways.push(index * WAYS + way);
    return ROW_BYTES;
  }
}

function heldRow(row: Document, fields: ReadonlySet<string> | undefined): Document {
  if (row instanceof KeyedRow) return keyedAs(row, heldRow(row.row, fields));
  return row instanceof ColumnRow ? row : detachedRow(row, fields);
}

function bytesOf(row: Document): number {
  if (row instanceof KeyedRow) return bytesOf(row.row) + approximateBytes(row.sortKey);
  return row instanceof ColumnRow ? OBJECT_BYTES : approximateBytes(row);
}

/** Rows as bytes, many in one buffer. */
class RowBytes {
  /** Of the row that was added last. */
  lastBytes = 0;
  private readonly chunks: Uint8Array[] = [];
  /** Writes into the last chunk. */
  private writer: BsonWriter | undefined;
  /** A chunk that no row stands in. */
  private spare: Uint8Array | undefined;

  /** @returns where it stands; undefined for a row that is longer than a chunk, which is not added */
  add(row: Document): number | undefined {
    if (this.writer !== undefined && this.fits(row, this.writer, this.chunks.at(-1)!)) {
      return this.chunks.length * ROW_COPY_CHUNK_BYTES - ROW_COPY_CHUNK_BYTES + this.writer.length -
        this.lastBytes;
    }
    const chunk = this.spare ?? new Uint8Array(ROW_COPY_CHUNK_BYTES);
    const writer = new BsonWriter(chunk);
    const fits = this.fits(row, writer, chunk);
    this.writer = fits ? writer : undefined;
    this.spare = fits ? undefined : chunk;
    return fits ? (this.chunks.push(chunk) - 1) * ROW_COPY_CHUNK_BYTES : undefined;
  }

  at(place: number): RawDocument {
    return new RawDocument(
      this.chunks[Math.floor(place / ROW_COPY_CHUNK_BYTES)]!,
      place % ROW_COPY_CHUNK_BYTES,
    );
  }

  /** Writes a row. A writer that has no room moves to a larger buffer, and is of no use any more. */
  private fits(row: Document, writer: BsonWriter, chunk: Uint8Array): boolean {
    const start = writer.length;
    row.writeTo(writer);
    this.lastBytes = writer.length - start;
    return writer.memoryView.buffer === chunk.buffer;
  }
}

/** The fields of rows that have the same ones in the same order. */
interface RowLayout {
  readonly names: readonly string[];
  /** By name. */
  readonly columns: readonly ValueColumn[];
  /** By name: the last value that is a document, which rows of one series share, and its copy. */
  readonly shared: { value: Document; copy: Document }[];
}

class RowColumns {
  length = 0;
  private readonly byName = new Map<string, ValueColumn>();
  private readonly layouts: RowLayout[] = [];
  private readonly layoutOf = new ValueColumn(approximateBytes);
  /** Layouts by the very array of names that rows have. */
  private readonly known = new Map<readonly string[], number | undefined>();
  private lastNames: readonly string[] | undefined;
  private lastLayout: number | undefined;

  constructor(private readonly fields: ReadonlySet<string>) {}

  /** @returns the bytes that it takes; undefined for a row with two fields of one name, which is not added */
  add(row: Document): number | undefined {
    const names = row.names();
    if (names !== this.lastNames) {
      this.lastLayout = this.known.has(names) ? this.known.get(names) : this.learn(names);
      this.lastNames = names;
    }
    const layout = this.lastLayout;
    if (layout === undefined) return undefined;
    const { names: kept, columns, shared } = this.layouts[layout]!;
    let bytes = this.layoutOf.push(layout);
    for (let i = 0; i < kept.length; i++) {
      const column = columns[i]!;
      while (column.length < this.length) bytes += column.push(undefined);
      const value = row.get(kept[i]!);
      bytes += column.push(value instanceof Document ? sharedCopy(shared[i]!, value) : value);
    }
    this.length++;
    return bytes;
  }

  at(place: number): ColumnRow {
    const { names, columns } = this.layouts[this.layoutOf.numberAt(place)]!;
    return new ColumnRow(names, columns, place);
  }

  private learn(names: readonly string[]): number | undefined {
    const kept = names.filter((name) => this.fields.has(name));
    const layout = new Set(kept).size === kept.length ? this.layoutOfNames(kept) : undefined;
    if (this.known.size < MOST_KNOWN) this.known.set(names, layout);
    return layout;
  }

  private layoutOfNames(names: readonly string[]): number {
    const known = this.layouts.findIndex((layout) =>
      layout.names.length === names.length && layout.names.every((name, i) => name === names[i])
    );
    if (known >= 0) return known;
    const columns = names.map((name) => this.columnOf(name));
    const shared = names.map(() => ({ value: BuiltDocument.EMPTY, copy: BuiltDocument.EMPTY }));
    return this.layouts.push({ names, columns, shared }) - 1;
  }

  private columnOf(name: string): ValueColumn {
    let column = this.byName.get(name);
    if (column === undefined) this.byName.set(name, column = new ValueColumn(approximateBytes));
    return column;
  }
}

function sharedCopy(last: { value: Document; copy: Document }, value: Document): Document {
  if (last.value !== value) {
    last.copy = detachedRow(value);
    last.value = value;
  }
  return last.copy;
}

/** Rows that make their names anew each time would fill the map. */
const MOST_KNOWN = 256;
