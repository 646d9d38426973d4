/** A stored row, or a document in one, as a `Document`: only the values that are asked for are read from columns. */
import { assert } from "../../base/mod.ts";
import {
  type ArrayRoom,
  BsonType,
  type BsonWriter,
  Document,
  RawDocument,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { Remainder } from "./remainder.ts";
import type { RowSource } from "./row_source.ts";
import { FieldKind, type Shape, type ShapeField, type ShapeNode } from "./shape.ts";

/** The document of a row. It stays readable for as long as it is held, whatever becomes of its files. */
export function documentOf(source: RowSource, row: number): Document {
  const shape = source.shapeOf(row);
  if (shape === undefined) return new RawDocument(source.wholeBytes(row));
  const { root } = shape;
  return root.remainderColumn < 0
    ? new StoredRow(source, row, shape)
    : new DocumentWithRemainder(source, row, root);
}

class StoredDocument extends Document {
  constructor(
    protected readonly source: RowSource,
    protected readonly row: number,
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

/** A row as a whole: most are written by a template. */
class StoredRow extends StoredDocument {
  constructor(source: RowSource, row: number, private readonly shape: Shape) {
    super(source, row, shape.root);
  }

  override writeTo(writer: BsonWriter): void {
    if (this.source.templates?.write(this.row, this.shape, writer) !== true) super.writeTo(writer);
  }

  override writeElements(
    batch: readonly Document[],
    at: number,
    room: ArrayRoom,
    writer: BsonWriter,
  ): number {
    const { source: { templates }, row, shape } = this;
    const next = batch[at + 1];
    if (
      templates === undefined || !(next instanceof StoredRow) || !next.isLike(this) ||
      !templates.begin(row, next.row, shape, room, writer.length)
    ) return super.writeElements(batch, at, { ...room, count: 1 }, writer);
    for (let k = at; k < batch.length; k++) {
      const row = batch[k]!;
      if (!(row instanceof StoredRow) || !row.isLike(this) || !templates.add(row.row)) break;
    }
    return templates.writeElements(room.index, writer);
  }

  private isLike(other: StoredRow): boolean {
    return this.source === other.source && this.shape === other.shape;
  }
}

/** A row whose fields are those of its shape and, between them, those of its remainder, which is read when need be. */
class DocumentWithRemainder extends Document {
  private remainderCache: Remainder | undefined;

  constructor(
    private readonly source: RowSource,
    private readonly row: number,
    private readonly node: ShapeNode,
  ) {
    super();
  }

  private get remainder(): Remainder {
    if (this.remainderCache === undefined) {
      const value = this.source.valueOf(this.node.remainderColumn, this.row);
      assert(value instanceof RawDocument, "a remainder is a document");
      this.remainderCache = new Remainder(value);
    }
    return this.remainderCache;
  }

  override get(name: string): Value {
    const field = this.node.find(name);
    return field === undefined ? this.remainder.get(name) : fieldValue(this.source, this.row, field);
  }

  override names(): readonly string[] {
    const { names } = this.remainder;
    return this.inOrder((field) => field.name.text, (index) => names[index]!);
  }

  override values(): readonly Value[] {
    const { values } = this.remainder;
    return this.inOrder((field) => fieldValue(this.source, this.row, field), (index) => values[index]);
  }

  override writeTo(writer: BsonWriter): void {
    const start = writer.beginDocument();
    this.inOrder(
      (field) => writeField(this.source, this.row, field, writer),
      (index) => this.remainder.writeField(index, writer),
    );
    writer.endDocument(start);
  }

  /** What is made of each field, in the order of the document. */
  private inOrder<T>(ofShape: (field: ShapeField) => T, ofRemainder: (index: number) => T): T[] {
    const { positions } = this.remainder;
    const made: T[] = [];
    let next = 0;
    for (const [i, field] of this.node.fields.entries()) {
      while (positions[next] === i) made.push(ofRemainder(next++));
      made.push(ofShape(field));
    }
    while (next < positions.length) made.push(ofRemainder(next++));
    return made;
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
