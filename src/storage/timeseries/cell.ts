/** One value of a column as a BSON value or as the bytes of a BSON element. */
import {
  BsonType,
  type BsonWriter,
  Decimal128,
  Int32,
  ObjectId,
  readText,
  readValue,
  Timestamp,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { BYTES, type Column, sizeOfType } from "../../column/mod.ts";
import type { FieldName } from "./shape.ts";

const TWO_32 = 4294967296;

/** Value `index` of a column. */
export function valueAt(column: Column, index: number): Value {
  const type = column.typeAt(index);
  if (column.width === BYTES) {
    const { arena } = column;
    const start = column.startAt(index);
    if (type === BsonType.String) return readText(arena, start, column.endAt(index));
    return readValue(arena, type as BsonType, start);
  }
  const { words, width } = column;
  const at = index * width;
  switch (type) {
    case BsonType.Double:
      return column.doubles[index];
    case BsonType.Int32:
      return Int32.of(words[at]!);
    case BsonType.Boolean:
      return words[at] !== 0;
    case BsonType.Null:
      return null;
    case BsonType.Date:
      return dateOf(words[at]!, words[at + 1]!);
    case BsonType.Int64:
      return int64Of(words[at]!, words[at + 1]!);
    case BsonType.ObjectId:
      return new ObjectId(column.wordBytes.slice(at * 4, at * 4 + 12));
    case BsonType.Decimal128:
      return new Decimal128(column.wordBytes.slice(at * 4, at * 4 + 16));
    case BsonType.Timestamp:
      return Timestamp.fromBits(words[at]!, words[at + 1]!);
    default:
      return readValue(column.wordBytes, type as BsonType, 0);
  }
}

function int64Of(low: number, high: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

function dateOf(low: number, high: number): UtcDate {
  const ms = high * TWO_32 + (low >>> 0);
  return Number.isSafeInteger(ms) ? new UtcDate(ms) : UtcDate.of(int64Of(low, high));
}

/** Writes value `index` of a column as an element, every bit as it was. */
export function writeCell(column: Column, index: number, name: FieldName, writer: BsonWriter): void {
  const type = column.typeAt(index);
  if (column.width === BYTES) {
    writer.encodedHeader(type as BsonType, name.bytes);
    return writeBytes(column, type, index, writer);
  }
  const { words, width } = column;
  writer.wordElement(type as BsonType, name.bytes, words, index * width, sizeOfType(type));
}

function writeBytes(column: Column, type: number, index: number, writer: BsonWriter): void {
  const start = column.startAt(index);
  const end = column.endAt(index);
  if (type !== BsonType.String) return writer.bytes(column.arena, start, end);
  writer.int32(end - start + 1);
  writer.bytes(column.arena, start, end);
  writer.byte(0);
}
