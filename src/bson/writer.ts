/**
 * Writes BSON into one growing buffer.
 *
 *     const start = writer.beginDocument();
 *     writer.value("ok", 1);
 *     writer.endDocument(start);
 *     const bytes = writer.take();
 */
import { serialize } from "bson";
import { CommandError, MAX_BUFFER_BYTES } from "../base/mod.ts";
import { Document } from "./document.ts";
import { BsonType } from "./type.ts";
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBPointer,
  Decimal128,
  Int32,
  isArray,
  ObjectId,
  Timestamp,
  typeOf,
  UtcDate,
  type Value,
} from "./value.ts";

const INITIAL_BYTES = 256;
/** What `encodeDocument` begins with, and up to which size of a document it goes on with the same buffer. */
const FIRST_KEPT_BYTES = 4096;
const MAX_KEPT_BYTES = 65_536;
const UTF8 = new TextEncoder();
/** Below this length a plain loop beats the encoder's call. */
const SHORT_TEXT_UNITS = 48;
/** Likewise for the call that copies bytes. */
const SHORT_COPY_BYTES = 32;
const TWO_32 = 4294967296;
const ZERO_DIGIT = 48;
/** A type byte, the digits of a place below 2³² and a zero byte. */
const MAX_INDEX_BYTES = 12;

export class BsonWriter {
  private buffer: Uint8Array;
  private view: DataView;
  private at = 0;

  /** @param initial the size of the buffer to begin with, or one to be written over from its first byte on */
  constructor(initial: number | Uint8Array = INITIAL_BYTES) {
    this.buffer = typeof initial === "number" ? new Uint8Array(initial) : initial;
    this.view = new DataView(this.buffer.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.at;
  }

  /** All that was written, without a copy; the writer must not be used again. */
  take(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  /** All that was written so far, without a copy; good until more is written. */
  written(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  /** A copy of all that was written; the writer starts anew. */
  copyAndReset(): Uint8Array {
    const bytes = this.buffer.slice(0, this.at);
    this.at = 0;
    return bytes;
  }

  /** A copy of what was written from a place on. */
  copyFrom(start: number): Uint8Array {
    return this.buffer.slice(start, this.at);
  }

  /** Drops everything written after the first `length` bytes. */
  truncate(length: number): void {
    this.at = length;
  }

  /** Starts a document or an array; hand what it returns to `endDocument`. */
  beginDocument(): number {
    const start = this.at;
    this.int32(0);
    return start;
  }

  /** Ends what `beginDocument` started. */
  endDocument(start: number): void {
    this.byte(0);
    this.view.setInt32(start, this.at - start, true);
  }

  /** An element's type byte and name; its value must follow. */
  header(type: BsonType, name: string): void {
    this.byte(type);
    this.cString(name);
  }

  /** The header of an array's element; its value must follow. @param index its place, a whole number from 0 */
  indexHeader(type: BsonType, index: number): void {
    this.reserve(MAX_INDEX_BYTES);
    const { buffer } = this;
    const digits = digitsOf(index);
    buffer[this.at] = type;
    writeDigits(buffer, this.at + 1, index, digits);
    buffer[this.at + digits + 1] = 0;
    this.at += digits + 2;
  }

  /**
   * An element's type byte and name; its value must follow.
   *
   * @param name the name's bytes with the zero byte behind them
   */
  encodedHeader(type: BsonType, name: Uint8Array): void {
    this.reserve(1 + name.length);
    const { buffer } = this;
    let at = this.at;
    buffer[at++] = type;
    for (let i = 0; i < name.length; i++) buffer[at++] = name[i]!;
    this.at = at;
  }

  /**
   * A whole element of a type of fixed size.
   *
   * @param name as for `encodedHeader`
   * @param words the value from `words[from]` on: little-endian words, the rest of the last one left out
   */
  wordElement(
    type: BsonType,
    name: Uint8Array,
    words: ArrayLike<number>,
    from: number,
    sizeBytes: number,
  ): void {
    this.reserve(1 + name.length + sizeBytes);
    const { buffer, view } = this;
    let at = this.at;
    buffer[at++] = type;
    for (let i = 0; i < name.length; i++) buffer[at++] = name[i]!;
    if (sizeBytes === 1) buffer[at] = words[from]!;
    else for (let i = 0; i < sizeBytes; i += 4) view.setInt32(at + i, words[from + (i >> 2)]!, true);
    this.at = at + sizeBytes;
  }

  /** A whole element; nothing for a missing value. */
  value(name: string, value: Value): void {
    if (value === undefined) return;
    this.header(typeOf(value), name);
    this.payload(value);
  }

  /** As `value`. @param name as for `encodedHeader` */
  namedValue(name: Uint8Array, value: Value): void {
    if (value === undefined) return;
    this.encodedHeader(typeOf(value), name);
    this.payload(value);
  }

  /** A whole document where the writer stands, without type and name. */
  document(document: Document): void {
    document.writeTo(this);
  }

  /** The bytes `source[start, end)` as they are. */
  bytes(source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(end - start);
    if (end - start <= SHORT_COPY_BYTES) {
      const { buffer } = this;
      let at = this.at;
      for (let i = start; i < end; i++) buffer[at++] = source[i]!;
      this.at = at;
      return;
    }
    this.buffer.set(source.subarray(start, end), this.at);
    this.at += end - start;
  }

  /** The memory that is written into, up to `length`, to change what stands there; good until more is written. */
  get memoryView(): DataView {
    return this.view;
  }

  /**
   * Appends `count` copies of the array element that was written from `start` on, under the names that follow its own: all
   * of them of as many digits.
   *
   * @param index the place of that element
   */
  repeatElement(start: number, index: number, count: number): void {
    const size = this.at - start;
    this.reserve(count * size);
    const { buffer } = this;
    const end = this.at + count * size;
    for (let at = this.at; at < end;) {
      const copied = Math.min(at - start, end - at);
      buffer.copyWithin(at, start, start + copied);
      at += copied;
    }
    const digits = digitsOf(index);
    for (let at = this.at, unit = index % 10; at < end; at += size) {
      index++;
      if (++unit === 10) {
        unit = 0;
        writeDigits(buffer, at + 1, index, digits);
        continue;
      }
      // All digits but the last one are those of the name before.
      for (let i = at + 1; i < at + digits; i++) buffer[i] = buffer[i - size]!;
      buffer[at + digits] = ZERO_DIGIT + unit;
    }
    this.at = end;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  int32(value: number): void {
    this.reserve(4);
    this.view.setInt32(this.at, value, true);
    this.at += 4;
  }

  int64(value: bigint): void {
    this.reserve(8);
    this.view.setBigInt64(this.at, value, true);
    this.at += 8;
  }

  /** An int64 that is a whole number within the range of int64. */
  int64OfNumber(value: number): void {
    const high = Math.floor(value / TWO_32);
    this.int32(value - high * TWO_32 | 0);
    this.int32(high);
  }

  double(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** UTF-8 text and a zero byte. */
  cString(text: string): void {
    this.text(text);
    this.byte(0);
  }

  /** A BSON string: length with its zero byte, UTF-8, zero byte. */
  string(text: string): void {
    const start = this.at;
    this.int32(0);
    this.cString(text);
    this.view.setInt32(start, this.at - start - 4, true);
  }

  /** An element's value without type and name. */
  private payload(value: Exclude<Value, undefined>): void {
    if (typeof value === "number") return this.double(value);
    if (typeof value === "string") return this.string(value);
    if (typeof value === "boolean") return this.byte(value ? 1 : 0);
    if (typeof value === "bigint") return this.int64(value);
    if (value === null) return;
    if (value instanceof Int32) return this.int32(value.value);
    if (value instanceof Document) return value.writeTo(this);
    if (isArray(value)) return this.array(value);
    if (value instanceof UtcDate) {
      return Number.isSafeInteger(value.ms) ? this.int64OfNumber(value.ms) : this.int64(value.exactMs);
    }
    if (value instanceof ObjectId) return this.bytes(value.id);
    this.rarePayload(value);
  }

  private rarePayload(value: Exclude<Value, undefined | null | number | readonly Value[]>): void {
    if (value instanceof Decimal128) {
      this.bytes(value.bytes);
    } else if (value instanceof Timestamp) {
      this.int32(value.getLowBits());
      this.int32(value.getHighBits());
    } else if (value instanceof Binary) {
      const data = value.value();
      this.int32(data.length);
      this.byte(value.sub_type);
      this.bytes(data);
    } else if (value instanceof BSONRegExp) {
      this.cString(value.pattern);
      this.cString(value.options);
    } else if (value instanceof BSONSymbol) {
      this.string(value.value);
    } else if (value instanceof Code) {
      this.code(value);
    } else if (value instanceof DBPointer) {
      this.string(value.collection);
      this.bytes(value.oid.id);
    }
  }

  private code(value: Code): void {
    if (!value.scope) return this.string(value.code);
    const start = this.at;
    this.int32(0);
    this.string(value.code);
    this.bytes(serialize(value.scope));
    this.view.setInt32(start, this.at - start, true);
  }

  private array(values: readonly Value[]): void {
    const start = this.beginDocument();
    for (let i = 0; i < values.length; i++) {
      const value = values[i] === undefined ? null : values[i];
      this.value(indexName(i), value);
    }
    this.endDocument(start);
  }

  private text(text: string): void {
    this.reserve(text.length * 3);
    if (text.length <= SHORT_TEXT_UNITS) {
      const start = this.at;
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 127) {
          this.at = start;
          return this.encodeText(text);
        }
        this.buffer[this.at++] = unit;
      }
      return;
    }
    this.encodeText(text);
  }

  private encodeText(text: string): void {
    this.at += UTF8.encodeInto(text, this.buffer.subarray(this.at)).written;
  }

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    if (this.at > MAX_BUFFER_BYTES) throw bufferTooLarge(this.at + bytes);
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.at + bytes));
    grown.set(this.buffer.subarray(0, this.at));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Of what no message could hold: a pipeline can ask for more than there is memory. */
function bufferTooLarge(bytes: number): CommandError {
  return new CommandError(13548, `BufBuilder attempted to grow() to ${bytes} bytes, past the 64MB limit.`);
}

/** What `indexHeader` writes: type byte, digits and a zero byte. */
export function indexHeaderBytes(index: number): number {
  return digitsOf(index) + 2;
}

/** Decimal digits of a whole number from 0. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits++;
  return digits;
}

function writeDigits(bytes: Uint8Array, start: number, value: number, digits: number): void {
  for (let at = start + digits - 1; at >= start; at--) {
    const tenth = Math.floor(value / 10);
    bytes[at] = ZERO_DIGIT + value - tenth * 10;
    value = tenth;
  }
}

const INDEX_NAMES: readonly string[] = Array.from({ length: 1024 }, (_, i) => String(i));

/** The name of an array's element. */
function indexName(index: number): string {
  return INDEX_NAMES[index] ?? String(index);
}

/** The buffer of the last document that was encoded, for the next one. */
let kept: BsonWriter | undefined = new BsonWriter(FIRST_KEPT_BYTES);

/** A document's bytes, newly made, in a buffer of just their size. */
export function encodeDocument(document: Document): Uint8Array {
  // A document may encode others while it writes itself.
  const writer = kept ?? new BsonWriter();
  kept = undefined;
  try {
    document.writeTo(writer);
    return writer.length <= MAX_KEPT_BYTES ? writer.copyAndReset() : writer.take();
  } finally {
    kept = writer.length === 0 ? writer : new BsonWriter(FIRST_KEPT_BYTES);
  }
}
