/**
 * BSON bytes read where they lie: documents are never decoded as a whole.
 *
 *     document  int32 length (of all, itself and the end included) | element* | 0x00
 *     element   type byte | name, UTF-8 | 0x00 | value
 *
 * Everything here trusts its bytes: what comes from outside passes `validate` once, at the border.
 */
import { assert } from "../base/mod.ts";
import { Document } from "./document.ts";
import { readText } from "./text.ts";
import { BsonType } from "./type.ts";
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  Code,
  DBPointer,
  Decimal128,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UtcDate,
  type Value,
} from "./value.ts";
import { type BsonWriter } from "./writer.ts";
import { deserialize } from "bson";

const SCRATCH_BYTES = new Uint8Array(8);
const SCRATCH_DOUBLE = new Float64Array(SCRATCH_BYTES.buffer);
const SCRATCH_INT64 = new BigInt64Array(SCRATCH_BYTES.buffer);

/** A document as bytes, not owned: `bytes[start, end)` must not change while the view is used. */
export class RawDocument extends Document {
  readonly end: number;
  private nameCache: readonly string[] | undefined;
  private valueCache: readonly Value[] | undefined;

  constructor(readonly bytes: Uint8Array, readonly start = 0) {
    super();
    this.end = start + readInt32(bytes, start);
    assert(this.end <= bytes.length, "a raw document ends inside its bytes");
  }

  /** Bytes of the whole document. */
  get sizeBytes(): number {
    return this.end - this.start;
  }

  /** The document's own bytes, not copied. */
  slice(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  override get(name: string): Value {
    const at = this.find(name);
    return at < 0 ? undefined : readElementValue(this.bytes, at);
  }

  /** Where the element of that name starts (its type byte), or -1. */
  find(name: string): number {
    const { bytes } = this;
    const last = this.end - 1;
    for (let at = this.start + 4; at < last; at = skipElement(bytes, at)) {
      if (nameEquals(bytes, at + 1, name)) return at;
    }
    return -1;
  }

  override has(name: string): boolean {
    return this.find(name) >= 0;
  }

  override isEmpty(): boolean {
    return this.sizeBytes === 5;
  }

  override names(): readonly string[] {
    return this.nameCache ??= this.readNames();
  }

  private readNames(): readonly string[] {
    const { bytes } = this;
    const last = this.end - 1;
    let names: string[] | undefined;
    for (let at = this.start + 4; at < last;) {
      const nameEnd = endOfCString(bytes, at + 1);
      const name = readText(bytes, at + 1, nameEnd);
      // Many documents in commands have one field: an array that was empty gets room for seventeen.
      if (names === undefined) names = [name];
      else names.push(name);
      at = nameEnd + 1 + valueSize(bytes, elementType(bytes, at), nameEnd + 1);
    }
    return names ?? [];
  }

  override values(): readonly Value[] {
    return this.valueCache ??= this.readValues();
  }

  private readValues(): readonly Value[] {
    const { bytes } = this;
    const last = this.end - 1;
    let values: Value[] | undefined;
    for (let at = this.start + 4; at < last;) {
      const type = elementType(bytes, at);
      const start = valueStart(bytes, at);
      const value = readValue(bytes, type, start);
      if (values === undefined) values = [value];
      else values.push(value);
      at = start + valueSize(bytes, type, start);
    }
    return values ?? [];
  }

  /** Calls `visit` with the offset of each element's type byte, in order. */
  forEachElement(visit: (at: number) => void): void {
    const last = this.end - 1;
    for (let at = this.start + 4; at < last; at = skipElement(this.bytes, at)) visit(at);
  }

  override writeTo(writer: BsonWriter): void {
    writer.bytes(this.bytes, this.start, this.end);
  }
}

/** The little-endian signed 32-bit integer at `at`. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The little-endian double at `at`. */
export function readDouble(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) SCRATCH_BYTES[i] = bytes[at + i]!;
  return SCRATCH_DOUBLE[0]!;
}

/** The little-endian signed 64-bit integer at `at`. */
export function readInt64(bytes: Uint8Array, at: number): bigint {
  for (let i = 0; i < 8; i++) SCRATCH_BYTES[i] = bytes[at + i]!;
  return SCRATCH_INT64[0]!;
}

/** The little-endian signed 64-bit integer at `at` as a number: exact within ±2⁵³. */
export function readInt64AsNumber(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + 4) * 4294967296 + (readInt32(bytes, at) >>> 0);
}

/** The type of the element whose type byte is at `at`. */
export function elementType(bytes: Uint8Array, at: number): BsonType {
  return bytes[at] as BsonType;
}

/** The name of the element whose type byte is at `at`. */
export function readName(bytes: Uint8Array, at: number): string {
  return readText(bytes, at + 1, endOfCString(bytes, at + 1));
}

/** Where the value starts of the element whose type byte is at `at`. */
export function valueStart(bytes: Uint8Array, at: number): number {
  return endOfCString(bytes, at + 1) + 1;
}

/** Where the element after the one at `at` starts. */
export function skipElement(bytes: Uint8Array, at: number): number {
  const start = valueStart(bytes, at);
  return start + valueSize(bytes, elementType(bytes, at), start);
}

/** Bytes that a value of `type` takes at `start`. */
export function valueSize(bytes: Uint8Array, type: BsonType, start: number): number {
  switch (type) {
    case BsonType.Double:
    case BsonType.Date:
    case BsonType.Timestamp:
    case BsonType.Int64:
      return 8;
    case BsonType.Int32:
      return 4;
    case BsonType.Boolean:
      return 1;
    case BsonType.ObjectId:
      return 12;
    case BsonType.Decimal128:
      return 16;
    case BsonType.String:
    case BsonType.Code:
    case BsonType.Symbol:
      return 4 + readInt32(bytes, start);
    case BsonType.Object:
    case BsonType.Array:
    case BsonType.CodeWithScope:
      return readInt32(bytes, start);
    case BsonType.Binary:
      return 5 + readInt32(bytes, start);
    case BsonType.DBPointer:
      return 4 + readInt32(bytes, start) + 12;
    case BsonType.Regex:
      return endOfCString(bytes, endOfCString(bytes, start) + 1) + 1 - start;
    default:
      return 0;
  }
}

/** The value of the element whose type byte is at `at`; documents in it stay views of the same bytes. */
export function readElementValue(bytes: Uint8Array, at: number): Value {
  return readValue(bytes, elementType(bytes, at), valueStart(bytes, at));
}

/** The value of `type` whose bytes start at `start`. */
export function readValue(bytes: Uint8Array, type: BsonType, start: number): Value {
  switch (type) {
    case BsonType.Double:
      return readDouble(bytes, start);
    case BsonType.String:
      return readText(bytes, start + 4, start + 3 + readInt32(bytes, start));
    case BsonType.Object:
      return new RawDocument(bytes, start);
    case BsonType.Array:
      return new RawDocument(bytes, start).values();
    case BsonType.ObjectId:
      return new ObjectId(bytes.slice(start, start + 12));
    case BsonType.Boolean:
      return bytes[start] !== 0;
    case BsonType.Date:
      return readDate(bytes, start);
    case BsonType.Null:
      return null;
    case BsonType.Int32:
      return Int32.of(readInt32(bytes, start));
    case BsonType.Int64:
      return readInt64(bytes, start);
    default:
      return readRareValue(bytes, type, start);
  }
}

function readDate(bytes: Uint8Array, start: number): UtcDate {
  const ms = readInt64AsNumber(bytes, start);
  return Number.isSafeInteger(ms) ? new UtcDate(ms) : UtcDate.of(readInt64(bytes, start));
}

function readRareValue(bytes: Uint8Array, type: BsonType, start: number): Value {
  switch (type) {
    case BsonType.Decimal128:
      return new Decimal128(bytes.slice(start, start + 16));
    case BsonType.Timestamp:
      return new Timestamp(BigInt.asUintN(64, readInt64(bytes, start)));
    case BsonType.Binary: {
      const length = readInt32(bytes, start);
      return new Binary(bytes.slice(start + 5, start + 5 + length), bytes[start + 4]!);
    }
    case BsonType.Undefined:
      return BsonUndefined.VALUE;
    case BsonType.Regex: {
      const patternEnd = endOfCString(bytes, start);
      const optionsEnd = endOfCString(bytes, patternEnd + 1);
      return new BSONRegExp(readText(bytes, start, patternEnd), readText(bytes, patternEnd + 1, optionsEnd));
    }
    case BsonType.Symbol:
      return new BSONSymbol(readText(bytes, start + 4, start + 3 + readInt32(bytes, start)));
    case BsonType.Code:
      return new Code(readText(bytes, start + 4, start + 3 + readInt32(bytes, start)));
    case BsonType.CodeWithScope: {
      const codeLength = readInt32(bytes, start + 4);
      const code = readText(bytes, start + 8, start + 7 + codeLength);
      return new Code(
        code,
        deserialize(bytes.slice(start + 8 + codeLength, start + readInt32(bytes, start))),
      );
    }
    case BsonType.DBPointer: {
      const length = readInt32(bytes, start);
      const id = new ObjectId(bytes.slice(start + 4 + length, start + 16 + length));
      return new DBPointer(readText(bytes, start + 4, start + 3 + length), id);
    }
    case BsonType.MinKey:
      return new MinKey();
    case BsonType.MaxKey:
      return new MaxKey();
    default:
      assert(false, `BSON type ${type} was validated`);
  }
}

function endOfCString(bytes: Uint8Array, at: number): number {
  while (bytes[at] !== 0) at++;
  return at;
}

function nameEquals(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit > 127) return readText(bytes, at, endOfCString(bytes, at)) === name;
    if (bytes[at + i] !== unit) return false;
  }
  return bytes[at + name.length] === 0;
}
