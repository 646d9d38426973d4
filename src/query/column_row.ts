/** A row whose values stand in columns: it is a view, and keeps all of these alive. */
import { type BsonWriter, Document, type Value } from "../bson/mod.ts";
import type { ValueColumn } from "./value_column.ts";

export class ColumnRow extends Document {
  constructor(
    private readonly fieldNames: readonly string[],
    private readonly columns: readonly ValueColumn[],
    private readonly place: number,
  ) {
    super();
  }

  override get(name: string): Value {
    const index = this.fieldNames.indexOf(name);
    return index < 0 ? undefined : this.columns[index]!.at(this.place);
  }

  override has(name: string): boolean {
    return this.fieldNames.includes(name);
  }

  override names(): readonly string[] {
    return this.fieldNames;
  }

  override values(): readonly Value[] {
    return this.columns.map((column) => column.at(this.place));
  }

  override writeTo(writer: BsonWriter): void {
    const { fieldNames, columns, place } = this;
    const start = writer.beginDocument();
    for (let i = 0; i < fieldNames.length; i++) writer.value(fieldNames[i]!, columns[i]!.at(place));
    writer.endDocument(start);
  }
}
