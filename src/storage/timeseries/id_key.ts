/**
 * An _id as bytes (`encodeIndexKey`: equal for equal values of all types, ordered as they are), its hash, and both of a
 * column's values without making them: nearly all ids are ObjectIds.
 */
import { BsonType, compareBytes, encodeIndexKey, isArray, ObjectId, type Value } from "../../bson/mod.ts";
import { type Column, viewOf } from "../../column/mod.ts";
import { valueAt } from "./cell.ts";
import { hashOf } from "./key_table.ts";

/** The field, and the key of its path. */
export const ID_FIELD = "_id";
/** An ObjectId's bytes; its key has the type's tag before them. */
const OBJECT_ID_BYTES = 12;
const OBJECT_ID_TAG = encodeIndexKey(new ObjectId(new Uint8Array(OBJECT_ID_BYTES)))[0]!;
/** So much of keys is compared for bounds: an ObjectId, a number as a double, the beginning of a text. */
const BOUND_BYTES = 1 + OBJECT_ID_BYTES;

/** An _id that is looked for. */
export interface IdKey {
  readonly key: Uint8Array;
  readonly hash: number;
}

export function idKeyOf(value: Value): IdKey {
  const key = encodeIndexKey(value);
  return { key, hash: hashOf(key[0]!, viewOf(key), 1, key.length) };
}

/** The hashes of the keys of a column's values. */
export function idHashes(column: Column): Int32Array {
  const hashes = new Int32Array(column.length);
  if (column.type === BsonType.ObjectId) {
    const view = viewOf(column.wordBytes);
    for (let i = 0, at = 0; i < hashes.length; i++, at += OBJECT_ID_BYTES) {
      hashes[i] = hashOf(OBJECT_ID_TAG, view, at, at + OBJECT_ID_BYTES);
    }
  } else {
    for (let i = 0; i < hashes.length; i++) hashes[i] = idKeyOf(valueAt(column, i)).hash;
  }
  return hashes;
}

/** The indexes of a column's values that have one of the keys. */
export function placesOfIds(column: Column, ids: readonly IdKey[]): number[] {
  const places: number[] = [];
  if (column.type === BsonType.ObjectId) {
    for (const { key } of ids) if (key[0] === OBJECT_ID_TAG) addObjectIds(column, key, places);
    return places;
  }
  for (let index = 0; index < column.length; index++) {
    const value = valueAt(column, index);
    if (isArray(value) || isOneOf(encodeIndexKey(value), ids)) places.push(index);
  }
  return places;
}

function addObjectIds(column: Column, key: Uint8Array, places: number[]): void {
  const view = viewOf(key);
  const [a, b, c] = [1, 5, 9].map((at) => view.getInt32(at, true));
  const { words } = column;
  for (let index = 0, at = 0; index < column.length; index++, at += 3) {
    // The last word counts up: it differs most.
    if (words[at + 2] === c && words[at + 1] === b && words[at] === a) places.push(index);
  }
}

/** Whether a key is one of those looked for. */
export function isOneOf(key: Uint8Array, ids: readonly IdKey[]): boolean {
  return ids.some((id) => compareBytes(id.key, key) === 0);
}

/** Grows to hold the beginnings of the lowest and the highest key; both empty before the first. */
export class IdBounds {
  min: Uint8Array = new Uint8Array(0);
  max: Uint8Array = new Uint8Array(0);

  add(column: Column): void {
    if (column.type === BsonType.ObjectId) return this.addObjectIds(column);
    for (let index = 0; index < column.length; index++) this.addKey(encodeIndexKey(valueAt(column, index)));
  }

  private addObjectIds(column: Column): void {
    const view = viewOf(column.wordBytes);
    let min = 0;
    let max = 0;
    for (let index = 1; index < column.length; index++) {
      if (compareObjectIds(view, index, min) < 0) min = index;
      else if (compareObjectIds(view, index, max) > 0) max = index;
    }
    for (const index of [min, max]) {
      const key = new Uint8Array(BOUND_BYTES);
      key[0] = OBJECT_ID_TAG;
      key.set(column.wordBytes.subarray(index * OBJECT_ID_BYTES, (index + 1) * OBJECT_ID_BYTES), 1);
      this.addKey(key);
    }
  }

  private addKey(key: Uint8Array): void {
    const bound = key.slice(0, BOUND_BYTES);
    if (this.min.length === 0 || compareBytes(bound, this.min) < 0) this.min = bound;
    if (this.max.length === 0 || compareBytes(bound, this.max) > 0) this.max = bound;
  }
}

/** Whether a key may lie within bounds that `IdBounds` made. */
export function isWithin(key: Uint8Array, min: Uint8Array, max: Uint8Array): boolean {
  const bound = key.subarray(0, BOUND_BYTES);
  return min.length > 0 && compareBytes(bound, min) >= 0 && compareBytes(bound, max) <= 0;
}

function compareObjectIds(view: DataView, a: number, b: number): number {
  for (let word = 0; word < OBJECT_ID_BYTES; word += 4) {
    const order = view.getUint32(a * OBJECT_ID_BYTES + word) - view.getUint32(b * OBJECT_ID_BYTES + word);
    if (order !== 0) return order;
  }
  return 0;
}
