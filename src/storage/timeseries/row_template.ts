/**
 * The bytes of a row's document with what differs from row to row left to fill in. Rows of one series, shape and page
 * whose values all have a fixed size differ in those alone, so a row is written by one copy and one store a value; many
 * rows one behind the other by copies that double, and column by column.
 */
import { BsonType, BsonWriter, indexHeaderBytes } from "../../bson/mod.ts";
import { BYTES, sizeOfType, type Words } from "../../column/mod.ts";
import type { RowSource } from "./row_source.ts";
import type { PageColumn } from "./page_column.ts";
import { FieldKind, type ShapeField, type ShapeNode } from "./shape.ts";

const TWO_32 = 4294967296;

/** A value to fill in: where it stands, and where it comes from. */
interface Slot {
  readonly at: number;
  readonly words: Words;
  readonly width: number;
  readonly indexes: Int32Array | undefined;
}

export class RowTemplate {
  private constructor(
    private readonly bytes: Uint8Array,
    /** Where the time stands, or -1. */
    private readonly timeAt: number,
    private readonly slots: readonly Slot[],
    /** Booleans: a byte each. */
    private readonly flags: readonly Slot[],
  ) {}

  /**
   * The template of the rows like `row`; undefined when they have values of any length.
   *
   * @param columnOf a column in the rows' page
   */
  static of(
    source: RowSource,
    row: number,
    root: ShapeNode,
    columnOf: (column: number) => PageColumn,
  ): RowTemplate | undefined {
    const maker = new TemplateMaker(source, row, columnOf);
    return maker.addNode(root)
      ? new RowTemplate(maker.writer.take(), maker.timeAt, maker.slots, maker.flags)
      : undefined;
  }

  /**
   * Appends a row's document.
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

  /** How many elements of an array, from place `index` on, stay within so many bytes. */
  countWithin(bytes: number, index: number): number {
    return Math.floor(bytes / (indexHeaderBytes(index) + this.bytes.length));
  }

  /** Appends the documents of `rows[0, count)` as elements of an array, from place `index` on. */
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
    if (this.timeAt >= 0) storeTimes(out, start + this.timeAt, stride, times, rows, from, to);
    for (const { at, words, width, indexes } of this.slots) {
      storeWords(out, start + at, stride, words, width, placesOf(rows, from, to, indexes), from, to);
    }
    for (const { at, words, indexes } of this.flags) {
      storeBytes(out, start + at, stride, words, placesOf(rows, from, to, indexes), from, to);
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
  timeAt = -1;
  readonly slots: Slot[] = [];
  readonly flags: Slot[] = [];

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

  private addField(field: ShapeField): boolean {
    const { writer, source, row } = this;
    switch (field.kind) {
      case FieldKind.Leaf:
        return this.addLeaf(field);
      case FieldKind.Time:
        writer.encodedHeader(BsonType.Date, field.name.bytes);
        this.timeAt = writer.length;
        writer.int64OfNumber(0);
        return true;
      case FieldKind.Meta:
        writer.encodedHeader(source.metaTypeOf(row) as BsonType, field.name.bytes);
        source.writeMeta(row, writer);
        return true;
      case FieldKind.Nested:
        writer.encodedHeader(BsonType.Object, field.name.bytes);
        return this.addNode(field.nested!);
    }
  }

  private addLeaf({ column, name }: ShapeField): boolean {
    const { values, indexes } = this.columnOf(column);
    const { type, width, words } = values;
    if (values.types !== undefined || width === BYTES) return false;
    const { writer } = this;
    writer.encodedHeader(type as BsonType, name.bytes);
    const at = writer.length;
    const size = sizeOfType(type);
    for (let i = 0; i < size; i++) writer.byte(0);
    if (size === 1) this.flags.push({ at, words, width, indexes });
    else if (size > 0) this.slots.push({ at, words, width, indexes });
    return true;
  }
}
