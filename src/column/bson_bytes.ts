/** What the values of a column take as BSON. */
import type { Column } from "./column.ts";
import { BYTES, sizeOfType, ValueType } from "./value_type.ts";

/** The length before a text and the zero behind it, which a column leaves out. */
const STRING_FRAME_BYTES = 5;

/** Bytes of all values, without their types and names. */
export function bsonBytes(column: Column): number {
  const { length, types, type, width } = column;
  if (types === undefined && width !== BYTES) return length * sizeOfType(type);
  let bytes = width === BYTES ? valueBytes(column) : 0;
  if (types === undefined) return type === ValueType.String ? bytes + length * STRING_FRAME_BYTES : bytes;
  for (let i = 0; i < length; i++) {
    if (types[i] === ValueType.String) bytes += STRING_FRAME_BYTES;
    else if (width !== BYTES) bytes += sizeOfType(types[i]!);
  }
  return bytes;
}

function valueBytes(column: Column): number {
  const { length, dictionary } = column;
  if (dictionary === undefined) return length === 0 ? 0 : column.endAt(length - 1);
  let bytes = 0;
  for (let i = 0; i < length; i++) bytes += column.endAt(i) - column.startAt(i);
  return bytes;
}
