/** The meta document of a series whose rows are being read: its fields decoded once, its bytes as they are stored. */
import { type BsonWriter, Document, type RawDocument, type Value } from "../../bson/mod.ts";

export class MetaDocument extends Document {
  private readonly fieldNames: readonly string[];
  private readonly fieldValues: readonly Value[];

  constructor(private readonly stored: RawDocument) {
    super();
    this.fieldNames = stored.names();
    this.fieldValues = stored.values();
  }

  override get(name: string): Value {
    const index = this.fieldNames.indexOf(name);
    return index < 0 ? undefined : this.fieldValues[index];
  }

  override names(): readonly string[] {
    return this.fieldNames;
  }

  override values(): readonly Value[] {
    return this.fieldValues;
  }

  override writeTo(writer: BsonWriter): void {
    this.stored.writeTo(writer);
  }
}
