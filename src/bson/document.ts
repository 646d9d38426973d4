/**
 * A document: ordered fields, read lazily. Every kind of row the query engine meets is one: bytes off the wire
 * (`RawDocument`), a document made by a stage (`BuiltDocument`), a row of columns (a class of the storage room).
 *
 * Duplicate names are legal in BSON; `get` answers the first, as MongoDB does.
 */
import { BsonType } from "./type.ts";
import type { BsonWriter } from "./writer.ts";
import type { Value } from "./value.ts";

/** Fields in their order; one that is undefined was removed, and takes its place again when it is set. */
export interface Layout {
  readonly names: readonly string[];
  readonly values: readonly Value[];
}

/** Where in an array documents are written: the place of the first, how many may be, and the length to stay within. */
export interface ArrayRoom {
  readonly index: number;
  readonly count: number;
  /** Of the writer; the first document may pass it. */
  readonly endBytes: number;
}

export abstract class Document {
  /** The value of a top-level field; `undefined` when it is not there. The name is not a path: no dots are read. */
  abstract get(name: string): Value;

  /** The names of the fields, in their order. */
  abstract names(): readonly string[];

  /** The values of the fields, in the order of `names`. */
  abstract values(): readonly Value[];

  /** Appends the document's bytes (length, elements, end) where the writer stands. */
  abstract writeTo(writer: BsonWriter): void;

  /**
   * Appends the document, which is `batch[at]`, as an element of an array, and behind it those that follow in the batch as
   * far as they are written together in one go.
   *
   * @returns how many were written
   */
  writeElements(batch: readonly Document[], at: number, room: ArrayRoom, writer: BsonWriter): number {
    for (let written = 0;; written++) {
      const document = batch[at + written];
      if (written === room.count || document?.constructor !== this.constructor) return written;
      const before = writer.length;
      writer.indexHeader(BsonType.Object, room.index + written);
      document.writeTo(writer);
      if (written === 0 || writer.length <= room.endBytes) continue;
      writer.truncate(before);
      return written;
    }
  }

  /** The fields and, with values undefined, those that were removed and whose places are kept. */
  layout(): Layout {
    return { names: this.names(), values: this.values() };
  }

  /** Whether there is a field of that name. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Whether there are no fields. */
  isEmpty(): boolean {
    return this.names().length === 0;
  }
}

/** A document made in memory. Owns its arrays, which its maker no longer touches. */
export class BuiltDocument extends Document {
  static readonly EMPTY = new BuiltDocument([], []);

  constructor(
    private readonly fieldNames: readonly string[],
    private readonly fieldValues: readonly Value[],
    /** Where fields were removed: what is left, and the places of the others. */
    private readonly places?: Layout,
  ) {
    super();
  }

  /** The document that is laid out so: removed fields are not in it, but a later one of that name takes the place. */
  static laidOut(layout: Layout): BuiltDocument {
    const { names, values } = layout;
    if (!values.includes(undefined)) return new BuiltDocument(names, values);
    const present = names.filter((_, i) => values[i] !== undefined);
    return new BuiltDocument(present, values.filter((value) => value !== undefined), layout);
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

  /** Whether it knows more of its fields than what they are: the places of some that were removed. */
  get hasPlaces(): boolean {
    return this.places !== undefined;
  }

  override layout(): Layout {
    return this.places ?? { names: this.fieldNames, values: this.fieldValues };
  }

  /** A copy with another value, not undefined, in a field that is there; undefined where there is no such field. */
  withValue(name: string, value: Value): BuiltDocument | undefined {
    const index = this.fieldNames.indexOf(name);
    if (index < 0 || this.places !== undefined) return undefined;
    const values = this.fieldValues.slice();
    values[index] = value;
    return new BuiltDocument(this.fieldNames, values);
  }

  override writeTo(writer: BsonWriter): void {
    const start = writer.beginDocument();
    for (let i = 0; i < this.fieldNames.length; i++) writer.value(this.fieldNames[i]!, this.fieldValues[i]);
    writer.endDocument(start);
  }

  /** Documents that one stage made mostly share their names: after a few these are encoded once for all that follow. */
  override writeElements(
    batch: readonly Document[],
    at: number,
    room: ArrayRoom,
    writer: BsonWriter,
  ): number {
    let names: readonly string[] | undefined;
    let encoded: readonly Uint8Array[] | undefined;
    let alike = 0;
    for (let written = 0;; written++) {
      const document = batch[at + written];
      if (written === room.count || !(document instanceof BuiltDocument)) return written;
      const before = writer.length;
      writer.indexHeader(BsonType.Object, room.index + written);
      if (document.fieldNames !== names) {
        names = document.fieldNames;
        encoded = undefined;
        alike = 0;
      }
      if (++alike > FEW_DOCUMENTS) document.writeNamed(encoded ??= names.map(encodedName), writer);
      else document.writeTo(writer);
      if (written === 0 || writer.length <= room.endBytes) continue;
      writer.truncate(before);
      return written;
    }
  }

  /** As `writeTo`. @param names those of the fields, as `encodedName` gives them */
  private writeNamed(names: readonly Uint8Array[], writer: BsonWriter): void {
    const start = writer.beginDocument();
    for (let i = 0; i < names.length; i++) writer.namedValue(names[i]!, this.fieldValues[i]);
    writer.endDocument(start);
  }
}

/** So many are sooner written than their names encoded. */
const FEW_DOCUMENTS = 16;

const UTF8 = new TextEncoder();

/** A name's bytes with the zero byte behind them. */
function encodedName(name: string): Uint8Array {
  return UTF8.encode(`${name}\0`);
}

/** Collects fields in order; `build` hands them over. Fields set to `undefined` are left out. */
export class DocumentBuilder {
  private names: string[] = [];
  private values: Value[] = [];
  private hasGaps = false;

  /** Adds a field at the end without looking whether the name is there already. */
  append(name: string, value: Value): this {
    if (value !== undefined) {
      this.names.push(name);
      this.values.push(value);
    }
    return this;
  }

  /** Replaces the field where it stands or stood, or adds it at the end; `undefined` removes it. */
  set(name: string, value: Value): this {
    const index = this.names.indexOf(name);
    if (index < 0) return this.append(name, value);
    this.values[index] = value;
    this.hasGaps ||= value === undefined;
    return this;
  }

  /** The document; the builder is empty again. */
  build(): BuiltDocument {
    const { names, values } = this;
    const document = this.hasGaps
      ? BuiltDocument.laidOut({ names, values })
      : new BuiltDocument(names, values);
    this.names = [];
    this.values = [];
    this.hasGaps = false;
    return document;
  }

  /** A builder that holds all fields of `document`. */
  static from(document: Document): DocumentBuilder {
    const builder = new DocumentBuilder();
    const { names, values } = document.layout();
    builder.names = [...names];
    builder.values = [...values];
    builder.hasGaps = values.includes(undefined);
    return builder;
  }
}
