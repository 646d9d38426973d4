/**
 * A page: some thousand values of one column.
 *
 *     uniform   byte 0 | byte type | values
 *     mixed     byte 1 | integer.ts over the types | for each type, ascending: the values that have it
 *
 *     values of …   double: double.ts · int64, date, timestamp: word64.ts · ObjectId: object_id.ts
 *                   int32, boolean: integer.ts · decimal128: integer.ts over each of its four words, unsigned
 *                   without content (null): nothing · all others: byte_string.ts
 *
 * The count of values stands outside. Booleans go as integers of one bit: a bitmap, or nothing where all are the same.
 */
import { assert } from "../../base/mod.ts";
import { ByteReader, type ByteWriter } from "../byte_buffer.ts";
import { Column } from "../column.ts";
import { BYTES, ValueType, wordsOfType } from "../value_type.ts";
import { bytesFor, type Words, wordsOver, zeroWords } from "../words.ts";
import { BLOCK_VALUES } from "./block_values.ts";
import * as byteString from "./byte_string.ts";
import type { Effort } from "./effort.ts";
import * as double from "./double.ts";
import * as integer from "./integer.ts";
import * as objectId from "./object_id.ts";
import * as word64 from "./word64.ts";

const UNIFORM = 0;
const MIXED_TYPES = 1;
const DOUBLE_BYTES = 8;
const OBJECT_ID_BYTES = 12;

/** Writes all values of `column`, of which there is at least one. */
export function encode(column: Column, out: ByteWriter, effort: Effort = "small"): void {
  const { types, length } = column;
  if (types === undefined) {
    out.byte(UNIFORM);
    out.byte(column.type);
    encodeUniform(column, out, effort);
    return;
  }
  out.byte(MIXED_TYPES);
  integer.encode(Float64Array.from(types.subarray(0, length)), length, out, effort);
  for (const type of typesIn(types, length)) {
    const part = new Column();
    for (let i = 0; i < length; i++) if (types[i] === type) part.appendFrom(column, i);
    encodeUniform(part, out, effort);
  }
}

/** Reads a page of `count` values. */
export function decode(reader: ByteReader, count: number): Column {
  const kind = reader.byte();
  if (kind === UNIFORM) return decodeUniform(reader, reader.byte(), count);
  assert(kind === MIXED_TYPES, `page kind ${kind} is known`);
  const types = decodeTypes(reader, count);
  const parts = typesIn(types, count).map((type) => decodeUniform(reader, type, countOf(type, types)));
  return parts.length === 1 ? parts[0]! : Column.interleaved(types, parts);
}

function decodeTypes(reader: ByteReader, count: number): Uint8Array {
  if (decoded.length < count) decoded = new Int32Array(count);
  integer.decodeInt32s(reader, count, decoded);
  const types = new Uint8Array(count);
  for (let i = 0; i < count; i++) types[i] = decoded[i]!;
  return types;
}

/** Ascending. */
function typesIn(types: Uint8Array, length: number): number[] {
  const seen = new Uint8Array(256);
  for (let i = 0; i < length; i++) seen[types[i]!] = 1;
  const found: number[] = [];
  seen.forEach((isThere, type) => {
    if (isThere === 1) found.push(type);
  });
  return found;
}

function countOf(type: number, types: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < types.length; i++) if (types[i] === type) count++;
  return count;
}

function encodeUniform(column: Column, out: ByteWriter, effort: Effort): void {
  const { type, length } = column;
  if (wordsOfType(type) === 1) return encodeSingleWords(column, out, effort);
  const words = column.wideWords;
  switch (type) {
    case ValueType.Double:
      return double.encode(words, length, out, effort);
    case ValueType.Int64:
    case ValueType.Date:
    case ValueType.Timestamp:
      return word64.encode(words, length, out, effort);
    case ValueType.ObjectId:
      return objectId.encode(words, length, out, effort);
    case ValueType.Decimal128:
      return encodeWords(words, wordsOfType(type), length, out, effort);
  }
  assert(column.dictionary === undefined, "values that are written lie one behind the other");
  if (wordsOfType(type) === BYTES) byteString.encode(column.arena, column.ends, length, out, effort);
}

function encodeSingleWords(column: Column, out: ByteWriter, effort: Effort): void {
  const { length } = column;
  if (effort === "fast") return integer.encodeInt32s(column.wideWords, length, out);
  integer.encode(new Float64Array(column.words.subarray(0, length)), length, out, effort);
}

function decodeUniform(reader: ByteReader, type: number, count: number): Column {
  const width = wordsOfType(type);
  if (width === BYTES) {
    const { arena, ends, dictionary } = byteString.decode(reader, count);
    return Column.ofBytes(type, arena, ends, dictionary);
  }
  if (width === 1) return Column.ofWords(type, decodeSingleWords(reader, count), count);
  const words = new Int32Array(width * count);
  switch (type) {
    case ValueType.Double:
      double.decode(reader, count, words);
      break;
    case ValueType.Int64:
    case ValueType.Date:
    case ValueType.Timestamp:
      word64.decode(reader, count, words);
      break;
    case ValueType.ObjectId:
      objectId.decode(reader, count, words);
      break;
    default:
      decodeWords(reader, width, count, words);
  }
  return Column.ofWords(type, words, count);
}

function encodeWords(
  words: Int32Array,
  width: number,
  count: number,
  out: ByteWriter,
  effort: Effort,
): void {
  const values = new Float64Array(count);
  for (let k = 0; k < width; k++) {
    for (let i = 0; i < count; i++) values[i] = words[i * width + k]! >>> 0;
    integer.encode(values, count, out, effort);
  }
}

/** Numbers on their way into a narrower array: fresh memory for each page costs a tenth of its decoding. */
let decoded = new Int32Array(4096);

/** In the narrowest array that holds them: caches keep twice or four times as many. */
function decodeSingleWords(reader: ByteReader, count: number): Words {
  if (decoded.length < count) decoded = new Int32Array(count);
  integer.decodeInt32s(reader, count, decoded);
  let min = 0;
  let max = 0;
  for (let i = 0; i < count; i++) {
    const value = decoded[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const words = zeroWords(count, bytesFor(min, max));
  words.set(decoded.subarray(0, count));
  return words;
}

/**
 * Bytes that each value of a page takes once it is decoded, where that can be done in blocks; 0 for other pages. ObjectIds
 * always can: some of their parts may be decoded wholly for each block.
 *
 * @param bytes with the page from `at` on
 * @param bounds of all values, where they are numbers
 */
export function blockValueBytes(
  bytes: Uint8Array,
  at: number,
  count: number,
  bounds: { readonly min: number; readonly max: number },
): number {
  if (count <= BLOCK_VALUES || bytes[at] !== UNIFORM) return 0;
  const type = bytes[at + 1]!;
  if (type === ValueType.Int32) {
    return integer.isInBlocks(bytes[at + 2]!) ? bytesFor(bounds.min, bounds.max) : 0;
  }
  if (type === ValueType.ObjectId) return OBJECT_ID_BYTES;
  return type === ValueType.Double && double.isInBlocks(bytes, at + 2) ? DOUBLE_BYTES : 0;
}

/**
 * The column of such a page, none of whose values is decoded yet: `readValues` does that.
 *
 * @param memory where its values lie from `offset` on, a multiple of 8
 */
export function openInBlocks(
  bytes: Uint8Array,
  at: number,
  count: number,
  valueBytes: number,
  memory: ArrayBuffer,
  offset: number,
): Column {
  const words = valueBytes >= DOUBLE_BYTES
    ? new Int32Array(memory, offset, count * valueBytes / Int32Array.BYTES_PER_ELEMENT)
    : wordsOver(memory, offset, count, valueBytes);
  return Column.ofWords(bytes[at + 1]!, words, count);
}

/** Decodes at least the values `[from, to)` of such a page into its column. */
export function readValues(bytes: Uint8Array, at: number, column: Column, from: number, to: number): void {
  const { type, length, words } = column;
  const reader = new ByteReader(bytes, at + 2);
  if (type === ValueType.Double) return double.decode(reader, length, column.wideWords, from, to);
  if (type === ValueType.ObjectId) return objectId.decode(reader, length, column.wideWords, from, to);
  if (words instanceof Int32Array) return void integer.decodeInt32s(reader, length, words, from, to);
  if (decoded.length < length) decoded = new Int32Array(length);
  const read = integer.decodeInt32s(reader, length, decoded, from, to);
  const isAll = read.from === 0 && read.to === decoded.length;
  words.set(isAll ? decoded : decoded.subarray(read.from, read.to), read.from);
}

/** Signed and unsigned numbers of 32 bits come out as the same word. */
function decodeWords(reader: ByteReader, width: number, count: number, words: Int32Array): void {
  const values = new Float64Array(count);
  for (let k = 0; k < width; k++) {
    integer.decode(reader, count, values);
    for (let i = 0; i < count; i++) words[i * width + k] = values[i]!;
  }
}
