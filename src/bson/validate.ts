/**
 * The border: bytes from outside are checked once, here or by who walks over them anyway (storage/timeseries/row_program.ts,
 * with what this file offers); everything behind trusts them.
 *
 * Checked are the lengths of every value, the ends of strings and documents, the types and the depth. Like MongoDB,
 * text is not checked for being UTF-8.
 */
import { CommandError, MAX_BSON_DEPTH } from "../base/mod.ts";
import { type RawDocument, readInt32 } from "./raw.ts";
import { BsonType } from "./type.ts";

const SMALLEST_DOCUMENT_BYTES = 5;
/** Of types whose values are any bytes of a fixed length; −1 for all others. */
const FIXED_SIZES = new Int8Array(256).fill(-1);
for (
  const [type, size] of [
    [BsonType.Undefined, 0],
    [BsonType.Null, 0],
    [BsonType.MinKey, 0],
    [BsonType.MaxKey, 0],
    [BsonType.Int32, 4],
    [BsonType.Double, 8],
    [BsonType.Date, 8],
    [BsonType.Timestamp, 8],
    [BsonType.Int64, 8],
    [BsonType.ObjectId, 12],
    [BsonType.Decimal128, 16],
  ] as const
) FIXED_SIZES[type] = size;

/**
 * Checks the document that starts at `start`.
 *
 * @param end where the bytes at hand end, exclusive
 * @param view of `bytes`, for who checks many documents in them
 * @returns where the document ends, exclusive
 * @throws CommandError InvalidBSON (22) that says what is wrong and where; Overflow (15) when it is nested too deep
 */
export function validateDocument(
  bytes: Uint8Array,
  start: number,
  end: number,
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
): number {
  return checkDocument(bytes, view, start, end, 0);
}

/** Checks documents of which only the lengths were. @throws CommandError as `validateDocument` does */
export function validateDocuments(documents: readonly RawDocument[]): void {
  let view: DataView | undefined;
  for (const { bytes, start, end } of documents) {
    if (view?.buffer !== bytes.buffer || view.byteOffset !== bytes.byteOffset) {
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    validateDocument(bytes, start, end, view);
  }
}

/**
 * Checks a value of a document.
 *
 * @param end where its document's last byte is, the zero
 * @returns where the value ends, exclusive
 * @throws CommandError as `validateDocument` does
 */
export function validateValue(
  bytes: Uint8Array,
  view: DataView,
  type: BsonType,
  start: number,
  end: number,
): number {
  const next = checkValue(bytes, view, type, start, end, 0);
  if (next > end) throw invalid("BSON value exceeds its document", start);
  return next;
}

/**
 * Checks no more than the length and the last byte of the document that starts at `start`.
 *
 * @param end where the bytes at hand end, exclusive
 * @returns where the document ends, exclusive
 * @throws CommandError InvalidBSON (22)
 */
export function validateLength(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < SMALLEST_DOCUMENT_BYTES) throw invalid("BSON data is too short", start);
  const length = readInt32(bytes, start);
  if (length < SMALLEST_DOCUMENT_BYTES) throw invalid(`BSON length ${length} is too small`, start);
  const documentEnd = start + length;
  if (documentEnd > end) {
    throw invalid(`BSON length ${length} exceeds the ${end - start} bytes at hand`, start);
  }
  if (bytes[documentEnd - 1] !== 0) {
    throw invalid("BSON document does not end with a zero byte", documentEnd - 1);
  }
  return documentEnd;
}

function checkDocument(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  depth: number,
): number {
  if (depth > MAX_BSON_DEPTH) {
    throw new CommandError("Overflow", `BSONObj exceeded maximum nested object depth: ${MAX_BSON_DEPTH}`);
  }
  const documentEnd = validateLength(bytes, start, end);
  let at = start + 4;
  for (;;) {
    at = skipPlain(view, at, documentEnd - 1);
    if (at >= documentEnd - 1) break;
    at = checkElement(bytes, view, at, documentEnd - 1, depth);
  }
  if (at !== documentEnd - 1) throw invalid("BSON elements exceed their document", at);
  return documentEnd;
}

/**
 * Skips elements while each is right, and a string or of a fixed size; returns where it stopped. Does nothing that the
 * slower steps could not do: nearly all elements pass here, in one loop.
 */
function skipPlain(view: DataView, at: number, end: number): number {
  while (at < end) {
    const type = view.getUint8(at);
    const size = FIXED_SIZES[type]!;
    if (size < 0 && type !== BsonType.String) return at;
    const value = nameEnd(view, at + 1, end) + 1;
    if (size >= 0) {
      if (value + size > end) return at;
      at = value + size;
      continue;
    }
    if (value + 4 > end) return at;
    const length = view.getInt32(value, true);
    const next = value + 4 + length;
    if (length < 1 || next > end || view.getUint8(next - 1) !== 0) return at;
    at = next;
  }
  return at;
}

/** Where the next zero byte is, four bytes a step (Hacker's Delight, 6–1); `end` when there is none before. */
function nameEnd(view: DataView, at: number, end: number): number {
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true);
    const zeros = (word - 0x01010101) & ~word & 0x80808080;
    if (zeros !== 0) return at + ((31 - Math.clz32(zeros & -zeros)) >> 3);
  }
  while (at < end && view.getUint8(at) !== 0) at++;
  return at;
}

function checkElement(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  depth: number,
): number {
  const type = bytes[at] as BsonType;
  if (type === BsonType.Missing) throw invalid("BSON document ends before its length", at);
  const value = checkCString(bytes, at + 1, end);
  const next = checkValue(bytes, view, type, value, end, depth);
  if (next > end) throw invalid("BSON value exceeds its document", at);
  return next;
}

function checkValue(
  bytes: Uint8Array,
  view: DataView,
  type: BsonType,
  at: number,
  end: number,
  depth: number,
): number {
  const size = FIXED_SIZES[type]!;
  if (size >= 0) return at + size;
  switch (type) {
    case BsonType.Boolean:
      return checkBoolean(bytes, at, end);
    case BsonType.String:
    case BsonType.Symbol:
    case BsonType.Code:
      return checkString(bytes, at, end);
    case BsonType.DBPointer:
      return checkString(bytes, at, end) + 12;
    case BsonType.Regex:
      return checkCString(bytes, checkCString(bytes, at, end), end);
    case BsonType.Binary:
      return checkBinary(bytes, at, end);
    case BsonType.Object:
    case BsonType.Array:
      return checkDocument(bytes, view, at, end, depth + 1);
    case BsonType.CodeWithScope:
      return checkCodeWithScope(bytes, view, at, end, depth);
    default:
      throw invalid(`Unrecognized BSON type ${type}`, at);
  }
}

function checkBoolean(bytes: Uint8Array, at: number, end: number): number {
  if (at < end && bytes[at]! > 1) throw invalid(`BSON boolean holds ${bytes[at]}`, at);
  return at + 1;
}

function checkString(bytes: Uint8Array, at: number, end: number): number {
  const length = checkLength(bytes, at, end, 1, 0);
  const next = at + 4 + length;
  if (bytes[next - 1] !== 0) throw invalid("BSON string does not end with a zero byte", next - 1);
  return next;
}

function checkBinary(bytes: Uint8Array, at: number, end: number): number {
  return at + 5 + checkLength(bytes, at, end, 0, 1);
}

function checkCodeWithScope(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  depth: number,
): number {
  const length = checkLength(bytes, at, end, 14, -4);
  const scope = checkString(bytes, at + 4, at + length);
  const next = checkDocument(bytes, view, scope, at + length, depth + 1);
  if (next !== at + length) throw invalid("BSON code with scope has a wrong length", at);
  return next;
}

/** A length field at `at` that counts at least `least` bytes and ends, with `around` more bytes, before `end`. */
function checkLength(bytes: Uint8Array, at: number, end: number, least: number, around: number): number {
  if (at + 4 > end) throw invalid("BSON value exceeds its document", at);
  const length = readInt32(bytes, at);
  if (length < least || at + 4 + around + length > end) {
    throw invalid(`BSON value has a bad length ${length}`, at);
  }
  return length;
}

function checkCString(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at] !== 0) at++;
  if (at >= end) throw invalid("BSON name does not end with a zero byte", at);
  return at + 1;
}

function invalid(what: string, at: number): CommandError {
  return new CommandError("InvalidBSON", `${what} (at byte ${at})`);
}
