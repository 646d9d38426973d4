/** A stored row, or a document in one, as a `Document`: only the values that are asked for are read from columns. */
import { BsonType, type BsonWriter, Document, RawDocument, UtcDate, type Value } from "../../bson/mod.ts";
import type { RowSource } from "./row_source.ts";
import { FieldKind, type ShapeField, type ShapeNode } from "./shape.ts";

/** The document of a row. It stays readable for as long as it is held, whatever becomes of its files. */
export function documentOf(source: RowSource, row: number): Document {
  const shape = source.shapeOf(row);
  return shape === undefined
    ? new RawDocument(source.wholeBytes(row))
    : new StoredDocument(source, row, shape.root);
}

class StoredDocument extends Document {
  constructor(
    private readonly source: RowSource,
    private readonly row: number,
    private readonly node: ShapeNode,
  ) {
    super();
  }

  override get(name: string): Value {
    const field = this.node.find(name);
    return field === undefined ? undefined : fieldValue(this.source, this.row, field);
  }

  override has(name: string): boolean {
    return this.node.find(name) !== undefined;
  }

  override names(): readonly string[] {
    return this.node.names;
  }

  override values(): readonly Value[] {
    return this.node.fields.map((field) => fieldValue(this.source, this.row, field));
  }

  override writeTo(writer: BsonWriter): void {
    writeNode(this.source, this.row, this.node, writer);
  }
}

function fieldValue(source: RowSource, row: number, field: ShapeField): Value {
  switch (field.kind) {
    case FieldKind.Leaf:
      return source.valueOf(field.column, row);
    case FieldKind.Time:
      return new UtcDate(source.timeOf(row));
    case FieldKind.Meta:
      return source.metaOf(row);
    case FieldKind.Nested:
      return new StoredDocument(source, row, field.nested!);
  }
}

function writeNode(source: RowSource, row: number, node: ShapeNode, writer: BsonWriter): void {
  const start = writer.beginDocument();
  for (const field of node.fields) writeField(source, row, field, writer);
  writer.endDocument(start);
}

function writeField(source: RowSource, row: number, field: ShapeField, writer: BsonWriter): void {
  switch (field.kind) {
    case FieldKind.Leaf:
      return source.writeValue(field.column, row, field.name, writer);
    case FieldKind.Time:
      writer.encodedHeader(BsonType.Date, field.name.bytes);
      return writer.int64OfNumber(source.timeOf(row));
    case FieldKind.Meta:
      writer.encodedHeader(source.metaTypeOf(row) as BsonType, field.name.bytes);
      return source.writeMeta(row, writer);
    case FieldKind.Nested:
      writer.encodedHeader(BsonType.Object, field.name.bytes);
      writeNode(source, row, field.nested!, writer);
  }
}
