/**
 * A document: ordered fields, read lazily. Every kind of row the query engine meets is one: bytes off the wire
 * (`RawDocument`), a document made by a stage (`BuiltDocument`), a row of columns (a class of the storage room).
 *
 * Duplicate names are legal in BSON; `get` answers the first, as MongoDB does.
 */
import type { BsonWriter } from "./writer.ts";
import type { Value } from "./value.ts";

export abstract class Document {
  /** The value of a top-level field; `undefined` when it is not there. The name is not a path: no dots are read. */
  abstract get(name: string): Value;

  /** The names of the fields, in their order. */
  abstract names(): readonly string[];

  /** The values of the fields, in the order of `names`. */
  abstract values(): readonly Value[];

  /** Appends the document's bytes (length, elements, end) where the writer stands. */
  abstract writeTo(writer: BsonWriter): void;

  /** Whether there is a field of that name. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Whether there are no fields. */
  isEmpty(): boolean {
    return this.names().length === 0;
  }
}

/** A document made in memory. Owns its two arrays, which its maker no longer touches. */
export class BuiltDocument extends Document {
  static readonly EMPTY = new BuiltDocument([], []);

  constructor(
    private readonly fieldNames: readonly string[],
    private readonly fieldValues: readonly Value[],
  ) {
    super();
  }

  /** From a plain record, for replies: numbers are doubles, as everywhere; `undefined` fields are left out. */
  static of(record: Readonly<Record<string, Value>>): BuiltDocument {
    const entries = Object.entries(record).filter(([, value]) => value !== undefined);
    return new BuiltDocument(entries.map(([name]) => name), entries.map(([, value]) => value));
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
    const start = writer.beginDocument();
    for (let i = 0; i < this.fieldNames.length; i++) writer.value(this.fieldNames[i]!, this.fieldValues[i]);
    writer.endDocument(start);
  }
}

/** Collects fields in order; `build` hands them over. Fields set to `undefined` are left out. */
export class DocumentBuilder {
  private names: string[] = [];
  private values: Value[] = [];

  /** Adds a field at the end without looking whether the name is there already. */
  append(name: string, value: Value): this {
    if (value !== undefined) {
      this.names.push(name);
      this.values.push(value);
    }
    return this;
  }

  /** Replaces the field where it stands, or adds it at the end; `undefined` removes it. */
  set(name: string, value: Value): this {
    const index = this.names.indexOf(name);
    if (index < 0) return this.append(name, value);
    if (value === undefined) {
      this.names.splice(index, 1);
      this.values.splice(index, 1);
    } else {
      this.values[index] = value;
    }
    return this;
  }

  /** The document; the builder is empty again. */
  build(): BuiltDocument {
    const document = new BuiltDocument(this.names, this.values);
    this.names = [];
    this.values = [];
    return document;
  }

  /** A builder that holds all fields of `document`. */
  static from(document: Document): DocumentBuilder {
    const builder = new DocumentBuilder();
    builder.names = [...document.names()];
    builder.values = [...document.values()];
    return builder;
  }
}
