/**
 * The bytes of a row's document with what differs from row to row left to fill in. Rows of one shape and page whose values
 * all have a fixed size differ in those alone, and in the meta from series to series; so a row is written by one copy and
 * one store a value, many rows one behind the other by copies that double, and column by column.
 */
import { BsonType, BsonWriter, indexHeaderBytes } from "../../bson/mod.ts";
import { BYTES, sizeOfType, type Words } from "../../column/mod.ts";
import type { RowSource } from "./row_source.ts";
import type { PageColumn } from "./page_column.ts";
import { FieldKind, type ShapeField, type ShapeNode } from "./shape.ts";

const TWO_32 = 4294967296;

/** A value to fill in: where it stands, and where it comes from. */
interface Slot {
  /** From the start of the document, or from the end of its meta. */
  readonly at: number;
  readonly isBehindMeta: boolean;
  readonly page: PageColumn;
  readonly words: Words;
  readonly width: number;
  /** Its bytes. */
  readonly size: number;
}

/** Where the meta stands: the byte that is its type, and its bytes; what follows it. */
interface MetaPlace {
  readonly typeAt: number;
  readonly at: number;
  readonly rest: Uint8Array;
}

export class RowTemplate {
  private bytes: Uint8Array;
  /** Where the meta ends. */
  private metaEnd = 0;

  private constructor(
    private readonly source: RowSource,
    private readonly writer: BsonWriter,
    private readonly meta: MetaPlace | undefined,
    private readonly time: Pick<Slot, "at" | "isBehindMeta"> | undefined,
    private readonly slots: readonly Slot[],
  ) {
    this.bytes = writer.written();
    if (meta !== undefined) this.metaEnd = this.bytes.length - meta.rest.length;
  }

  /**
   * The template of the rows like `row`, with the meta of that; undefined when they have values of any length.
   *
   * @param columnOf a column in the rows' page, none of whose values need have been read
   */
  static of(
    source: RowSource,
    row: number,
    root: ShapeNode,
    columnOf: (column: number) => PageColumn,
  ): RowTemplate | undefined {
    const maker = new TemplateMaker(source, row, columnOf);
    if (!maker.addNode(root)) return undefined;
    return new RowTemplate(source, maker.writer, maker.metaPlace(), maker.time, maker.slots);
  }

  /** Rows of the series of `row` follow. */
  enter(row: number): void {
    const { meta, writer, source } = this;
    if (meta === undefined) return;
    writer.truncate(meta.at);
    source.writeMeta(row, writer);
    this.metaEnd = writer.length;
    writer.bytes(meta.rest);
    this.bytes = writer.written();
    const view = writer.memoryView;
    view.setUint8(meta.typeAt, source.metaTypeOf(row));
    view.setInt32(0, writer.length, true);
  }

  /**
   * Appends the document of a row whose values are there.
   *
   * @param row its number in its page
   * @param times of the rows of the page
   */
  write(row: number, times: Float64Array, writer: BsonWriter): void {
    const start = writer.length;
    writer.bytes(this.bytes);
    ONE_ROW[0] = row;
    this.fill(writer.memoryView, start, 0, ONE_ROW, 0, 1, times);
  }

  /** Sees to it that the values of the page's rows `[from, to)` are there. */
  readRows(from: number, to: number): void {
    for (const { page } of this.slots) page.readRows(from, to);
  }

  /** How many elements of an array, from place `index` on, stay within so many bytes. */
  countWithin(bytes: number, index: number): number {
    return Math.floor(bytes / (indexHeaderBytes(index) + this.bytes.length));
  }

  /** Appends the documents of `rows[0, count)`, whose values are there, as elements of an array, from place `index` on. */
  writeElements(
    rows: Int32Array,
    count: number,
    index: number,
    times: Float64Array,
    writer: BsonWriter,
  ): void {
    for (let from = 0; from < count;) {
      const start = writer.length;
      writer.indexHeader(BsonType.Object, index + from);
      const headerBytes = writer.length - start;
      writer.bytes(this.bytes);
      const stride = writer.length - start;
      const to = Math.min(count, 10 ** (headerBytes - HEADER_BYTES_BESIDE_DIGITS) - index);
      writer.repeatElement(start, index + from, to - from - 1);
      this.fill(writer.memoryView, start + headerBytes, stride, rows, from, to, times);
      from = to;
    }
  }

  /** Fills in copies of the bytes, the first of which stands at `start`, for `rows[from, to)`. */
  private fill(
    out: DataView,
    start: number,
    stride: number,
    rows: Int32Array,
    from: number,
    to: number,
    times: Float64Array,
  ): void {
    const { time, slots, metaEnd } = this;
    if (time !== undefined) {
      storeTimes(out, start + time.at + (time.isBehindMeta ? metaEnd : 0), stride, times, rows, from, to);
    }
    for (const { at, isBehindMeta, page, words, width, size } of slots) {
      const first = start + at + (isBehindMeta ? metaEnd : 0);
      const places = placesOf(rows, from, to, page.indexes);
      if (size === 1) storeBytes(out, first, stride, words, places, from, to);
      else storeWords(out, first, stride, words, width, places, from, to);
    }
  }
}

const ONE_ROW = new Int32Array(1);
const HEADER_BYTES_BESIDE_DIGITS = indexHeaderBytes(0) - 1;

let places = new Int32Array(256);

/** Where the values of `rows[from, to)` stand, at the same places; good until the next call. */
function placesOf(rows: Int32Array, from: number, to: number, indexes: Int32Array | undefined): Int32Array {
  if (indexes === undefined) return rows;
  if (places.length < to) places = new Int32Array(to);
  for (let k = from; k < to; k++) places[k] = indexes[rows[k]!]!;
  return places;
}

function storeTimes(
  out: DataView,
  at: number,
  stride: number,
  times: Float64Array,
  rows: Int32Array,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k++) {
    const ms = times[rows[k]!]!;
    const high = Math.floor(ms / TWO_32);
    out.setInt32(at, (ms - high * TWO_32) | 0, true);
    out.setInt32(at + 4, high, true);
    at += stride;
  }
}

/** The values at `indexes[from, to)`, `width` words each. */
function storeWords(
  out: DataView,
  at: number,
  stride: number,
  words: Words,
  width: number,
  indexes: Int32Array,
  from: number,
  to: number,
): void {
  if (words instanceof Int8Array) return store8(out, at, stride, words, indexes, from, to);
  if (words instanceof Int16Array) return store16(out, at, stride, words, indexes, from, to);
  for (let word = 0; word < width; word++) {
    store32(out, at + 4 * word, stride, words, width, word, indexes, from, to);
  }
}

// One function for each kind of array: a loop that meets several is three times slower.

function store8(
  out: DataView,
  at: number,
  stride: number,
  words: Int8Array,
  indexes: Int32Array,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k++) {
    out.setInt32(at, words[indexes[k]!]!, true);
    at += stride;
  }
}

function store16(
  out: DataView,
  at: number,
  stride: number,
  words: Int16Array,
  indexes: Int32Array,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k++) {
    out.setInt32(at, words[indexes[k]!]!, true);
    at += stride;
  }
}

/** Word `word` of `width` of each value. */
function store32(
  out: DataView,
  at: number,
  stride: number,
  words: Int32Array,
  width: number,
  word: number,
  indexes: Int32Array,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k++) {
    out.setInt32(at, words[indexes[k]! * width + word]!, true);
    at += stride;
  }
}

function storeBytes(
  out: DataView,
  at: number,
  stride: number,
  words: Words,
  indexes: Int32Array,
  from: number,
  to: number,
): void {
  for (let k = from; k < to; k++) {
    out.setUint8(at, words[indexes[k]!]!);
    at += stride;
  }
}

class TemplateMaker {
  readonly writer = new BsonWriter();
  time: Pick<Slot, "at" | "isBehindMeta"> | undefined;
  readonly slots: Slot[] = [];
  private metaTypeAt = -1;
  private metaAt = 0;
  /** Where the meta ends; the start of the document before there is one. */
  private metaEnd = 0;

  constructor(
    private readonly source: RowSource,
    private readonly row: number,
    private readonly columnOf: (column: number) => PageColumn,
  ) {}

  /** @returns whether all values in it have a fixed size */
  addNode(node: ShapeNode): boolean {
    const start = this.writer.beginDocument();
    const isFixed = node.fields.every((field) => this.addField(field));
    this.writer.endDocument(start);
    return isFixed;
  }

  metaPlace(): MetaPlace | undefined {
    if (this.metaTypeAt < 0) return undefined;
    return { typeAt: this.metaTypeAt, at: this.metaAt, rest: this.writer.copyFrom(this.metaEnd) };
  }

  private addField(field: ShapeField): boolean {
    const { writer, source, row } = this;
    switch (field.kind) {
      case FieldKind.Leaf:
        return this.addLeaf(field);
      case FieldKind.Time:
        writer.encodedHeader(BsonType.Date, field.name.bytes);
        this.time = this.place();
        writer.int64OfNumber(0);
        return true;
      case FieldKind.Meta:
        this.metaTypeAt = writer.length;
        writer.encodedHeader(source.metaTypeOf(row) as BsonType, field.name.bytes);
        this.metaAt = writer.length;
        source.writeMeta(row, writer);
        this.metaEnd = writer.length;
        return true;
      case FieldKind.Nested:
        writer.encodedHeader(BsonType.Object, field.name.bytes);
        return this.addNode(field.nested!);
    }
  }

  private addLeaf({ column, name }: ShapeField): boolean {
    const page = this.columnOf(column);
    const { values } = page;
    const { type, width, words } = values;
    if (values.types !== undefined || width === BYTES) return false;
    const { writer } = this;
    writer.encodedHeader(type as BsonType, name.bytes);
    const place = this.place();
    const size = sizeOfType(type);
    for (let i = 0; i < size; i++) writer.byte(0);
    if (size > 0) this.slots.push({ ...place, page, words, width, size });
    return true;
  }

  /** Where the writer stands. */
  private place(): Pick<Slot, "at" | "isBehindMeta"> {
    return { at: this.writer.length - this.metaEnd, isBehindMeta: this.metaEnd > 0 };
  }
}
