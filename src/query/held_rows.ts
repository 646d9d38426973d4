/**
 * Rows that a stage holds, by their place, without an object each. What stages made, and views of stored columns where the fields that
 * are read later are known, become rows of columns; else bytes are copied beside those of other rows. A row that is read is a
 * view of these, or the document that came where it fits neither.
 */
import { ROW_COPY_CHUNK_BYTES } from "../base/mod.ts";
import { BsonWriter, BuiltDocument, type Document, RawDocument } from "../bson/mod.ts";
import { ColumnRow } from "./column_row.ts";
import { keyedAs, KeyedRow } from "./keyed_row.ts";
import { approximateBytes, detachedRow, OBJECT_BYTES } from "./memory.ts";
import { RowColumns } from "./row_columns.ts";
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
  private readonly columns: RowColumns;
  private readonly copies = new RowBytes();
  private readonly whole: Document[] = [];

  /** @param fields top-level ones that are read of the rows later; undefined for all */
  constructor(private readonly fields: ReadonlySet<string> | undefined) {
    this.columns = new RowColumns(fields);
  }

  get length(): number {
    return this.ways.length;
  }

  /** Adds what is to be kept of a row. @returns the bytes that it takes, about */
  add(row: Document): number {
    if (row instanceof ColumnRow || row instanceof KeyedRow) return this.addWhole(row);
    if (row instanceof BuiltDocument || (this.fields !== undefined && !(row instanceof RawDocument))) {
      const place = this.columns.add(row);
      if (place === undefined) return this.addWhole(row);
      return this.note(place, IN_COLUMNS) + this.columns.lastBytes;
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
        return this.columns.at(index);
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
