/**
 * The remainder of a row: the top-level fields that have no column of their own, as one value in a column for all such.
 * It is a BSON document,
 *
 *     { "": binary, field, field, … }      binary: varint each: how many fields of the row's shape come before the field
 *
 * so that the row's fields come back in their order: those of the shape, and these between them.
 */
import {
  BsonType,
  type BsonWriter,
  type RawDocument,
  skipElement,
  type Value,
  valueStart,
} from "../../bson/mod.ts";
import { ByteReader, ByteWriter } from "../../column/mod.ts";

/** Length and subtype of a binary, the length of a document. */
const LENGTH_BYTES = 4;
const GENERIC_SUBTYPE = 0;

/** Gathers the remainder of one row after another. */
export class RemainderWriter {
  /** Fields of this row so far. */
  count = 0;
  /** Their names, a character a byte; fewer where one comes twice. */
  readonly names = new Set<string>();
  private readonly positions = new ByteWriter();
  private readonly elements = new ByteWriter();
  private readonly out = new ByteWriter();

  reset(): void {
    this.count = 0;
    this.names.clear();
    this.positions.reset();
    this.elements.reset();
  }

  /** @param element the field: type, name and value */
  add(name: string, element: Uint8Array, position: number): void {
    this.count++;
    this.names.add(name);
    this.positions.varint(position);
    this.elements.bytes(element);
  }

  /** The row's value, valid until the next one. */
  finish(): Uint8Array {
    const { out, positions, elements } = this;
    out.reset();
    out.uint32(0);
    out.byte(BsonType.Binary);
    out.byte(0);
    out.uint32(positions.length);
    out.byte(GENERIC_SUBTYPE);
    out.bytes(positions.written());
    out.bytes(elements.written());
    out.byte(0);
    out.setUint32(0, out.length);
    return out.written();
  }
}

/** A remainder as it is stored. */
export class Remainder {
  /** How many fields of the shape come before each field. */
  readonly positions: readonly number[];
  /** Where each field starts, and where the last one ends. */
  private readonly starts: readonly number[];

  constructor(readonly document: RawDocument) {
    const { bytes } = document;
    const first = document.start + LENGTH_BYTES;
    const binary = valueStart(bytes, first);
    let at = skipElement(bytes, first);
    const reader = new ByteReader(bytes.subarray(binary + LENGTH_BYTES + 1, at));
    const positions: number[] = [];
    const starts = [at];
    while (reader.remaining > 0) {
      positions.push(reader.varint());
      at = skipElement(bytes, at);
      starts.push(at);
    }
    this.positions = positions;
    this.starts = starts;
  }

  /** The value of the first field of that name. */
  get(name: string): Value {
    // The first name is that of the positions.
    return name === "" ? this.values[this.names.indexOf(name)] : this.document.get(name);
  }

  get names(): readonly string[] {
    return this.document.names().slice(1);
  }

  get values(): readonly Value[] {
    return this.document.values().slice(1);
  }

  /** Writes field `index` as it came. */
  writeField(index: number, writer: BsonWriter): void {
    writer.bytes(this.document.bytes, this.starts[index]!, this.starts[index + 1]!);
  }
}
