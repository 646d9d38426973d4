/** A row with some fields set, each at the top: the new ones are read and written without a look at the others. */
import { type BsonWriter, Document, type Layout, type Value } from "../../bson/mod.ts";
import { setAt } from "./nested_field.ts";

export class RowWithFields extends Document {
  private made: Document | undefined;

  /** @param fieldValues by name; undefined for a field that is taken away */
  constructor(
    private readonly row: Document,
    private readonly fieldNames: readonly string[],
    private readonly fieldValues: readonly Value[],
  ) {
    super();
  }

  override get(name: string): Value {
    const index = this.fieldNames.indexOf(name);
    return index < 0 ? this.row.get(name) : this.fieldValues[index];
  }

  override has(name: string): boolean {
    const index = this.fieldNames.indexOf(name);
    return index < 0 ? this.row.has(name) : this.fieldValues[index] !== undefined;
  }

  override names(): readonly string[] {
    return this.whole.names();
  }

  override values(): readonly Value[] {
    return this.whole.values();
  }

  override layout(): Layout {
    return this.whole.layout();
  }

  override writeTo(writer: BsonWriter): void {
    const { row, fieldNames, fieldValues } = this;
    if (fieldNames.some((name) => row.has(name))) return this.whole.writeTo(writer);
    const start = writer.length;
    row.writeTo(writer);
    writer.truncate(writer.length - END_BYTES);
    for (let i = 0; i < fieldNames.length; i++) writer.value(fieldNames[i]!, fieldValues[i]);
    writer.endDocument(start);
  }

  private get whole(): Document {
    const { row, fieldNames, fieldValues } = this;
    return this.made ??= fieldNames.reduce((made, name, i) => setAt(made, [name], 0, fieldValues[i]), row);
  }
}

/** The zero at the end of a document. */
const END_BYTES = 1;
