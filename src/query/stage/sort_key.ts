/**
 * What a row sorts by. A missing field is null; of an array the smallest element counts, or the greatest when the
 * order is descending, and an empty array stands before null (as BSON undefined). Parts that go through one array
 * are taken from the same element: the row's key is the best of the keys of all elements, like an index over them
 * would hold (MongoDB's `BtreeKeyGenerator`).
 */
import { CommandError } from "../../base/mod.ts";
import { BsonUndefined, compareValues, Document, isArray, type Value } from "../../bson/mod.ts";
import { arrayOffset } from "../filter/path.ts";

export interface SortPart {
  readonly path: readonly string[];
  readonly descending: boolean;
}

/** One value a part. */
export type SortKey = readonly Value[];

/** Negative, zero or positive as key `a` stands before, with or after `b`. */
export type KeyOrder = (a: SortKey, b: SortKey) => number;

export function keyOrder(parts: readonly SortPart[]): KeyOrder {
  const signs = parts.map((part) => part.descending ? -1 : 1);
  if (signs.length === 1) {
    const sign = signs[0]!;
    return (a, b) => sign * compareValues(a[0], b[0]);
  }
  return (a, b) => {
    for (let i = 0; i < signs.length; i++) {
      const order = compareValues(a[i], b[i]);
      if (order !== 0) return signs[i]! * order;
    }
    return 0;
  };
}

/** @throws CommandError BadValue when two parts go through different arrays */
export function sortKeyReader(parts: readonly SortPart[]): (row: Document) => SortKey {
  const order = keyOrder(parts);
  const paths = parts.map((part) => part.path);
  return (row) => {
    const key = new Array<Value>(paths.length);
    for (let i = 0; i < paths.length; i++) {
      const value = plainValue(row, paths[i]!);
      if (isArray(value)) return bestKey(row, paths, order);
      key[i] = value;
    }
    return key;
  };
}

/** The value at a path; the first array on the way stands for what is behind it. */
function plainValue(row: Document, path: readonly string[]): Value {
  let value: Value = row;
  for (let i = 0; i < path.length; i++) {
    if (!(value instanceof Document)) return isArray(value) ? value : null;
    value = value.get(path[i]!);
  }
  return value === undefined ? null : value;
}

function bestKey(row: Document, paths: readonly (readonly string[])[], order: KeyOrder): SortKey {
  const cursors = paths.map((path) => advance({ value: row, path, at: 0, array: undefined, prefix: "" }));
  let best: SortKey | undefined;
  expand(cursors, (key) => {
    if (best === undefined || order(key, best) < 0) best = key;
  });
  return best!;
}

/** How far a part has been followed. */
interface Cursor {
  readonly value: Value;
  readonly path: readonly string[];
  /** The next name of the path. */
  readonly at: number;
  /** The array it stopped at, not yet opened. */
  readonly array: readonly Value[] | undefined;
  /** The names up to that array: parts with the same one open it together. */
  readonly prefix: string;
}

/** Follows a part to its end or to an array that must be opened; a number in the path picks an element. */
function advance(cursor: Cursor): Cursor {
  let { value, at } = cursor;
  const { path } = cursor;
  for (;;) {
    if (isArray(value)) {
      const offset = at < path.length ? arrayOffset(path[at]!) : -1;
      if (offset < 0 || offset >= value.length) {
        return { value, path, at, array: value, prefix: `${cursor.prefix}/${path.slice(0, at).join(".")}` };
      }
      value = value[offset];
      at++;
    } else if (at === path.length) {
      return { ...cursor, value: value === undefined ? null : value, at, array: undefined };
    } else if (value instanceof Document) {
      value = value.get(path[at++]!);
    } else {
      return { ...cursor, value: null, at: path.length, array: undefined };
    }
  }
}

/** Opens the arrays that the parts stopped at, all the same one, element by element. */
function expand(cursors: readonly Cursor[], visit: (key: SortKey) => void): void {
  const open = cursors.filter((cursor) => cursor.array !== undefined);
  if (open.length === 0) return visit(cursors.map((cursor) => cursor.value));
  const { array, prefix } = open[0]!;
  if (open.some((cursor) => cursor.prefix !== prefix)) {
    throw new CommandError("BadValue", "cannot sort with keys that are parallel arrays");
  }
  if (array!.length === 0) {
    return visit(cursors.map((cursor) => cursor.array === undefined ? cursor.value : emptyValue(cursor)));
  }
  for (const element of array!) {
    expand(cursors.map((cursor) => cursor.array === undefined ? cursor : enter(cursor, element)), visit);
  }
}

/** An empty array sorts as undefined where the path ends at it, as a missing field where it goes on. */
function emptyValue(cursor: Cursor): Value {
  return cursor.at === cursor.path.length ? BsonUndefined.VALUE : null;
}

/** An array inside of the array is not opened again where the path ends. */
function enter(cursor: Cursor, element: Value): Cursor {
  if (cursor.at === cursor.path.length) return { ...cursor, value: element, array: undefined };
  if (!(element instanceof Document)) return { ...cursor, value: null, array: undefined };
  return advance({ ...cursor, value: element, array: undefined });
}
