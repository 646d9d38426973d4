/**
 * A value as bytes whose order, byte by byte, is BSON order, and which are equal for exactly the values that
 * `compareValues` calls equal: 1, 1.0 and NumberLong(1) have one key. No key begins another, so keys of several values
 * may simply be joined.
 *
 *     key       tag of the type's rank | body
 *     number    double, 8 bytes, sortable | 0x40 below, 0x80 equal to, 0xc0 above that double | digits, unless equal
 *     digits    exponent of ten, 2 bytes | decimal digits + 1, one a byte | 0x00        (inverted when negative)
 *     text      UTF-8 with 0x00 as 0x00 0xff | 0x00 0x00
 *     document  (tag | name as text | body)* | 0x00
 *     array     (tag | body)* | 0x00
 *     binary    length, 4 bytes | subtype | bytes
 *     date      double, sortable          timestamp  8 bytes, big-endian       ObjectId  12 bytes
 *
 * Sortable: big-endian, the sign bit flipped where it is clear, all bits where it is set; NaN is all zeros. Numbers
 * that no double holds (large int64, most decimals) stand beside the nearest double, ordered by their digits.
 *
 * What equal values differ in stands in key_types.ts; index_key_reader.ts reads both.
 */
import { compareNumbers, rankOfType } from "./compare.ts";
import { decimalParts } from "./decimal.ts";
import { Document } from "./document.ts";
import { readInt32, readValue } from "./raw.ts";
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
  isNumber,
  ObjectId,
  Timestamp,
  typeOf,
  UtcDate,
  type Value,
} from "./value.ts";

/** Makes the lowest rank, −1, a tag above the byte that ends documents and arrays. */
const TAG_OF_RANK_ZERO = 2;
export const END = 0;
export const BELOW = 0x40;
export const EQUAL = 0x80;
const ABOVE = 0xc0;
export const EXPONENT_BIAS = 0x8000;
const UTF8 = new TextEncoder();
const UTF8_DECODER = new TextDecoder();
const INITIAL_BYTES = 256;
/** Characters of texts that are sooner written one by one than by the encoder. */
const SHORT_TEXT = 32;
/** A buffer that a huge value made larger is let go. */
const MAX_KEPT_BYTES = 65_536;

/** The key of a value, of any type; a missing one has a key too. */
export function encodeIndexKey(value: Value): Uint8Array {
  WRITER.reset();
  writeKey(WRITER, value);
  return WRITER.take();
}

/** As `encodeIndexKey`, of values that lie in bytes, one after another: a text of ASCII is never made of its bytes. */
export class StoredValueKey {
  private readonly writer = new KeyWriter();

  /** The key of the value of `type` whose bytes start at `start`; in `view`, until the next one is made. @returns its length */
  encode(bytes: Uint8Array, type: BsonType, start: number): number {
    const { writer } = this;
    writer.reset();
    if (type === BsonType.String) {
      writer.byte(TEXT_TAG);
      if (writer.asciiText(bytes, start + 4, start + 3 + readInt32(bytes, start))) return writer.length;
      writer.reset();
    }
    writeKey(writer, readValue(bytes, type, start));
    return writer.length;
  }

  get view(): DataView {
    return this.writer.view;
  }
}

/**
 * The bytes of a text whose key this is, where those bytes alone have that key among all that lie anywhere as a string;
 * undefined for other keys.
 */
export function textOfKey(key: Uint8Array): Uint8Array | undefined {
  const end = key.length - 2;
  if (key[0] !== TEXT_TAG) return undefined;
  const text = key.subarray(1, end);
  // Zeros are written otherwise, and what is no UTF-8 is read as the replacement character.
  return text.includes(0) || UTF8_DECODER.decode(text).includes("\ufffd") ? undefined : text;
}

function writeKey(writer: KeyWriter, value: Value): void {
  writer.byte(tagOf(value));
  writeBody(writer, value);
}

const TEXT_TAG = rankOfType(BsonType.String) + TAG_OF_RANK_ZERO;

function tagOf(value: Value): number {
  return rankOfType(typeOf(value)) + TAG_OF_RANK_ZERO;
}

export function rankOfTag(tag: number): number {
  return tag - TAG_OF_RANK_ZERO;
}

function writeBody(writer: KeyWriter, value: Value): void {
  if (isNumber(value)) writeNumber(writer, value);
  else if (typeof value === "string") writer.text(value);
  else if (typeof value === "boolean") writer.byte(Number(value));
  else if (value instanceof ObjectId) writer.bytes(value.id);
  else if (value instanceof UtcDate) writer.sortable(value.ms);
  else if (value instanceof Document) writeDocument(writer, value);
  else if (isArray(value)) writeArray(writer, value);
  else writeRare(writer, value);
}

/** What is not here has no body: its tag says all. */
function writeRare(writer: KeyWriter, value: Value): void {
  if (value instanceof BSONSymbol) writer.text(value.value);
  else if (value instanceof Code) writer.text(value.code);
  else if (value instanceof Timestamp) {
    writer.uint32(value.high);
    writer.uint32(value.low);
  } else if (value instanceof Binary) {
    writer.uint32(value.length());
    writer.byte(value.sub_type);
    writer.bytes(value.value());
  } else if (value instanceof BSONRegExp) {
    writer.text(value.pattern);
    writer.text(value.options);
  } else if (value instanceof DBPointer) {
    writer.text(value.collection);
    writer.bytes(value.oid.id);
  }
}

/** The type stands before the name, as in MongoDB's comparison of documents. */
function writeDocument(writer: KeyWriter, document: Document): void {
  const names = document.names();
  const values = document.values();
  for (let i = 0; i < names.length; i++) {
    writer.byte(tagOf(values[i]));
    writer.text(names[i]!);
    writeBody(writer, values[i]);
  }
  writer.byte(END);
}

function writeArray(writer: KeyWriter, values: readonly Value[]): void {
  for (const value of values) writeKey(writer, value);
  writer.byte(END);
}

function writeNumber(writer: KeyWriter, value: number | bigint | Int32 | Decimal128): void {
  const nearest = nearestDouble(value);
  writer.sortable(nearest);
  const order = typeof value === "number" || value instanceof Int32 ? 0 : compareNumbers(value, nearest);
  if (order === 0) return writer.byte(EQUAL);
  writer.byte(order < 0 ? BELOW : ABOVE);
  writeDigits(writer, typeof value === "bigint" ? { coefficient: value, exponent: 0 } : finiteParts(value));
}

function nearestDouble(value: number | bigint | Int32 | Decimal128): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Int32) return value.value;
  const parts = decimalParts(value);
  switch (parts.kind) {
    case "finite":
      return Number(`${parts.coefficient}e${parts.exponent}`);
    case "nan":
      return NaN;
    default:
      return parts.kind === "positiveInfinity" ? Infinity : -Infinity;
  }
}

interface Digits {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Only a decimal can differ from its nearest double here, and then it is finite. */
function finiteParts(value: number | Int32 | Decimal128): Digits {
  const parts = value instanceof Decimal128 ? decimalParts(value) : undefined;
  return parts?.kind === "finite" ? parts : { coefficient: 0n, exponent: 0 };
}

/** ±0.d₁d₂d₃… · 10^exponent with d₁ ≠ 0 and without zeros at the end: one form for each number. */
function writeDigits(writer: KeyWriter, { coefficient, exponent }: Digits): void {
  const negative = coefficient < 0n;
  const digits = String(negative ? -coefficient : coefficient);
  const mask = negative ? 0xff : 0;
  const scale = EXPONENT_BIAS + exponent + digits.length;
  writer.byte((scale >> 8) ^ mask);
  writer.byte((scale & 0xff) ^ mask);
  const significant = digits.replace(/0+$/, "");
  for (let i = 0; i < significant.length; i++) writer.byte((significant.charCodeAt(i) - 47) ^ mask);
  writer.byte(mask);
}

const SCRATCH = new DataView(new ArrayBuffer(8));

class KeyWriter {
  private buffer = new Uint8Array(INITIAL_BYTES);
  private at = 0;
  private bufferView = new DataView(this.buffer.buffer);

  reset(): void {
    this.at = 0;
    if (this.buffer.length > MAX_KEPT_BYTES) this.buffer = new Uint8Array(INITIAL_BYTES);
  }

  get length(): number {
    return this.at;
  }

  /** Over what was written, and what lies behind it; until more is. */
  get view(): DataView {
    if (this.bufferView.buffer !== this.buffer.buffer) this.bufferView = new DataView(this.buffer.buffer);
    return this.bufferView;
  }

  take(): Uint8Array {
    return this.buffer.slice(0, this.at);
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  uint32(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.byte((value >>> shift) & 0xff);
  }

  text(text: string): void {
    // A UTF-16 unit takes three bytes at most.
    this.reserve(text.length * 3 + 2);
    if (!this.shortText(text)) this.utf8(text);
    this.byte(0);
    this.byte(0);
  }

  /** A short text of ASCII without zeros; @returns false, with nothing written, for others */
  private shortText(text: string): boolean {
    const { buffer, at } = this;
    const { length } = text;
    if (length > SHORT_TEXT) return false;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit === 0 || unit > 127) return false;
      buffer[at + i] = unit;
    }
    this.at += length;
    return true;
  }

  private utf8(text: string): void {
    const { written } = UTF8.encodeInto(text, this.buffer.subarray(this.at));
    const zero = this.buffer.subarray(this.at, this.at + written).indexOf(0);
    if (zero < 0) this.at += written;
    else this.escaped(this.buffer.slice(this.at, this.at + written));
  }

  /** As `text`, of bytes; @returns whether they are ASCII without zeros, nothing of use being written for others */
  asciiText(bytes: Uint8Array, start: number, end: number): boolean {
    this.reserve(end - start + 2);
    const { buffer } = this;
    let { at } = this;
    let all = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      // Below 0 for a zero, above 127 for what is no ASCII: the eighth bit is set for both.
      all |= byte | (byte - 1);
      buffer[at++] = byte;
    }
    buffer[at++] = 0;
    buffer[at++] = 0;
    this.at = at;
    return (all & 0x80) === 0;
  }

  private escaped(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.byte(byte);
      if (byte === 0) this.byte(0xff);
    }
  }

  sortable(value: number): void {
    if (Number.isNaN(value)) {
      this.uint32(0);
      return this.uint32(0);
    }
    // Adding zero makes −0 the 0 that it equals.
    SCRATCH.setFloat64(0, value + 0);
    const high = SCRATCH.getUint32(0);
    const low = SCRATCH.getUint32(4);
    const negative = high >>> 31 === 1;
    this.uint32(negative ? ~high : high | 0x80000000);
    this.uint32(negative ? ~low : low);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.at + bytes));
    grown.set(this.buffer.subarray(0, this.at));
    this.buffer = grown;
  }
}

/** One for all keys: each is taken before the next begins. */
const WRITER = new KeyWriter();
