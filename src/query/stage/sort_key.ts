/**
 * What a row sorts by. A missing field is null; of an array the smallest element counts, or the greatest when the
 * order is descending, and an empty array stands before null (as BSON undefined). Parts that go through one array
 * are taken from the same element: the row's key is the best of the keys of all elements, like an index over them
 * would hold (MongoDB's `BtreeKeyGenerator`). By `_id` alone rows sort as the index on `_id` has them: an array counts whole.
 */
import { CommandError } from "../../base/mod.ts";
import { BsonUndefined, BuiltDocument, Document, isArray, type Value, valueOrder } from "../../bson/mod.ts";
import { renderDocument } from "../expression/message.ts";
import { arrayAsDocument, arrayOffset } from "../filter/path.ts";
import type { KeyPart } from "../sorted_places.ts";

export interface SortPart extends KeyPart {
  readonly path: readonly string[];
  /** By chance, anew for each row: `{ $meta: "randVal" }`. Its path names no field. */
  readonly byChance?: true;
}

/** One value a part. */
export type SortKey = readonly Value[];

/** Negative, zero or positive as key `a` stands before, with or after `b`. */
export type KeyOrder = (a: SortKey, b: SortKey) => number;

/** @param parts whose texts compare alike */
export function keyOrder(parts: readonly KeyPart[]): KeyOrder {
  const signs = parts.map((part) => part.descending ? -1 : 1);
  const compare = valueOrder(parts[0]?.collation);
  if (signs.length === 1) {
    const sign = signs[0]!;
    return (a, b) => sign * compare(a[0], b[0]);
  }
  return (a, b) => {
    for (let i = 0; i < signs.length; i++) {
      const order = compare(a[i], b[i]);
      if (order !== 0) return signs[i]! * order;
    }
    return 0;
  };
}

/** @throws CommandError BadValue when two parts go through different arrays */
export function sortKeyReader(parts: readonly SortPart[]): (row: Document) => SortKey {
  const read = shownKeyReader(parts);
  if (!parts.some((part) => part.byChance)) return read;
  return (row) => read(row).map((value, i) => parts[i]!.byChance ? Math.random() : value);
}

/** As `sortKeyReader`, with null for what is by chance: as clients see a key. */
export function shownKeyReader(parts: readonly SortPart[]): (row: Document) => SortKey {
  const order = keyOrder(parts);
  const paths = parts.map((part) => part.path);
  if (paths.length === 1 && paths[0]!.join(".") === "_id") return (row) => [row.get("_id") ?? null];
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
  let best: SortKey | undefined;
  const parts = paths.map((path): Part => ({ rest: path, value: null, positional: undefined }));
  expand(parts, pinned(row, paths), (key) => {
    if (best === undefined || order(key, best) < 0) best = key;
  });
  return best!;
}

/**
 * The fields that the paths start with, decoded once: two parts meet the same array only if it is the same object, and
 * a view of bytes makes a new one at every look.
 */
function pinned(row: Document, paths: readonly (readonly string[])[]): Document {
  const names = [...new Set(paths.map((path) => path[0]!))].filter((name) => row.has(name));
  return new BuiltDocument(names, names.map((name) => pinnedValue(row.get(name))));
}

function pinnedValue(value: Value): Value {
  if (isArray(value)) return value.map(pinnedValue);
  if (!(value instanceof Document)) return value;
  return new BuiltDocument(value.names(), value.values().map(pinnedValue));
}

/** How far one part of the key has been followed. */
interface Part {
  /** The names still to be followed; empty at the end. */
  readonly rest: readonly string[];
  /** The value, once it is found. */
  readonly value: Value;
  /** What a number at the start of `rest` picks from the array that was just opened. */
  readonly positional: Positional | undefined;
}

interface Positional {
  readonly array: readonly Value[];
  readonly isNested: boolean;
  readonly found: Found;
}

/** Where following a path stopped: at its end, at nothing, or at an array with names left. */
interface Found {
  readonly value: Value;
  readonly rest: readonly string[];
}

/** Follows a path to its end or to the first array. */
function follow(start: Value, path: readonly string[]): Found {
  let value = start;
  for (let i = 0; i < path.length; i++) {
    if (isArray(value)) return { value, rest: path.slice(i) };
    if (!(value instanceof Document)) return { value: undefined, rest: [] };
    value = value.get(path[i]!);
  }
  return { value, rest: [] };
}

/**
 * Follows all parts in a document, and on through the elements of the one array that they may meet. Names are those of
 * `BtreeKeyGenerator::_getKeysWithArray`, where the rules for numbers in paths come from.
 */
function expand(parts: readonly Part[], document: Document, visit: (key: SortKey) => void): void {
  let array: readonly Value[] | undefined;
  let opensWhole = false;
  const inArray = new Set<number>();
  const next = parts.map((part, i): Part => {
    if (part.rest.length === 0) return part;
    const inDocument = document.has(part.rest[0]!);
    if (inDocument && part.positional !== undefined) throw ambiguous(part.rest[0]!, part.positional.array);
    const found = inDocument ? follow(document, part.rest) : part.positional?.found ?? NOTHING;
    if (!inDocument && part.positional?.isNested) opensWhole = true;
    if (!isArray(found.value)) return { rest: [], value: found.value ?? null, positional: undefined };
    if (array !== undefined && array !== found.value) {
      throw new CommandError("BadValue", "cannot sort with keys that are parallel arrays");
    }
    array = found.value;
    inArray.add(i);
    return { rest: found.rest, value: null, positional: undefined };
  });
  if (array === undefined) return visit(next.map((part) => part.value));
  openArray(next, array, inArray, opensWhole, visit);
}

const NOTHING: Found = { value: undefined, rest: [] };

function openArray(
  parts: readonly Part[],
  array: readonly Value[],
  inArray: ReadonlySet<number>,
  opensWhole: boolean,
  visit: (key: SortKey) => void,
): void {
  const opened = parts.map((part, i) => inArray.has(i) ? { ...part, positional: pick(array, part) } : part);
  const elements = array.length === 0 ? [BsonUndefined.VALUE] : array;
  for (const element of elements) {
    const entered = opened.map((part, i) =>
      inArray.has(i) && part.rest.length === 0
        ? { ...part, value: opensWhole && array.length > 0 ? array : element }
        : part
    );
    if (entered.every((part) => part.rest.length === 0)) visit(entered.map((part) => part.value));
    else expand(entered, element instanceof Document ? element : BuiltDocument.EMPTY, visit);
  }
}

function pick(array: readonly Value[], part: Part): Positional | undefined {
  const [name, ...rest] = part.rest;
  const offset = name === undefined ? -1 : arrayOffset(name);
  if (offset < 0 || offset >= array.length) return undefined;
  const element = array[offset];
  return { array, isNested: isArray(element), found: follow(element, rest) };
}

function ambiguous(name: string, array: readonly Value[]): CommandError {
  return new CommandError(
    16746,
    "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), " +
      `field: '${name}' for array: ${renderDocument(arrayAsDocument(array))}`,
  );
}
