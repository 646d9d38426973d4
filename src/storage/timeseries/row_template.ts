/**
 * The bytes of a row's document with what differs from row to row left to fill in. Rows of one series, shape and page
 * whose values all have a fixed size differ in those alone, so a row is written by one copy and one store a value.
 */
import { BsonType, BsonWriter } from "../../bson/mod.ts";
import { BYTES, type Column, sizeOfType, type Words } from "../../column/mod.ts";
import type { RowSource } from "./row_source.ts";
import { FieldKind, type ShapeField, type ShapeNode } from "./shape.ts";

const TWO_32 = 4294967296;

/** A page of a column: its values and, where some rows have none, how many stand before each row. */
export interface TemplateColumn {
  readonly values: Column;
  readonly indexes: Int32Array | undefined;
}

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
    columnOf: (column: number) => TemplateColumn,
  ): RowTemplate | undefined {
    const maker = new TemplateMaker(source, row, columnOf);
    return maker.addNode(root)
      ? new RowTemplate(maker.writer.take(), maker.timeAt, maker.slots, maker.flags)
      : undefined;
  }

  /** @param row its number in its page. @param ms its time */
  write(row: number, ms: number, writer: BsonWriter): void {
    const start = writer.copyOf(this.bytes);
    if (this.timeAt >= 0) {
      const high = Math.floor(ms / TWO_32);
      writer.setInt32(start + this.timeAt, ms - high * TWO_32);
      writer.setInt32(start + this.timeAt + 4, high);
    }
    for (const { at, words, width, indexes } of this.slots) {
      let from = (indexes === undefined ? row : indexes[row]!) * width;
      for (let to = start + at; to < start + at + 4 * width; to += 4) writer.setInt32(to, words[from++]!);
    }
    for (const { at, words, indexes } of this.flags) {
      writer.setByte(start + at, words[indexes === undefined ? row : indexes[row]!]!);
    }
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
    private readonly columnOf: (column: number) => TemplateColumn,
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
