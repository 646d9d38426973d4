/**
 * The meta document of a series whose rows are being read. The first looks for fields go to its bytes, for mostly they are
 * all; then its fields are decoded once.
 */
import { type BsonWriter, Document, type RawDocument, type Value } from "../../bson/mod.ts";

/** Looks at single fields before all are decoded. */
const FIRST_LOOKS = 4;

export class MetaDocument extends Document {
  private looks = 0;
  private decodedNames: readonly string[] | undefined;
  private decodedValues: readonly Value[] | undefined;

  constructor(private readonly stored: RawDocument) {
    super();
  }

  override get(name: string): Value {
    if (this.looks < FIRST_LOOKS) {
      this.looks++;
      return this.stored.get(name);
    }
    const index = this.names().indexOf(name);
    return index < 0 ? undefined : this.values()[index];
  }

  override names(): readonly string[] {
    return this.decodedNames ??= this.stored.names();
  }

  override values(): readonly Value[] {
    return this.decodedValues ??= this.stored.values();
  }

  override writeTo(writer: BsonWriter): void {
    this.stored.writeTo(writer);
  }
}
