/**
 * Which values a dotted path names in a document, as MongoDB's matcher walks it (its `ElementPath` and
 * `BSONElementIterator`):
 *
 * - A path goes through documents by name. A field that is not there, or a scalar with path left, names one missing
 *   value.
 * - An array on the way: every element that is a document is walked with the rest of the path; a number in the path
 *   also picks the element at that place. Scalars in the array name nothing, so an empty array names no value at all.
 * - An array at the end names each of its elements, and then itself; for `$size` and `$elemMatch` only itself. It is at
 *   the end, too, where nothing but a dot follows.
 */
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import type { Path } from "./filter.ts";

/** Asked about each value, until it says yes. */
export type ValueTest = (value: Value) => boolean;

/** Whether `test` holds for some value at `path`. @param leafArrays whether an array at the end is looked into */
export function someValueAt(document: Document, path: Path, test: ValueTest, leafArrays: boolean): boolean {
  return someFrom(document, path, 0, test, leafArrays);
}

function someFrom(
  document: Document,
  path: Path,
  from: number,
  test: ValueTest,
  leafArrays: boolean,
): boolean {
  let current = document;
  for (let i = from; i < path.length; i++) {
    const value = current.get(path[i]!);
    if (isArray(value)) return someOfArray(value, path, i + 1, test, leafArrays);
    if (i === path.length - 1) return test(value);
    if (!(value instanceof Document)) return test(undefined);
    current = value;
  }
  return test(current);
}

function someOfArray(
  array: readonly Value[],
  path: Path,
  next: number,
  test: ValueTest,
  leafArrays: boolean,
): boolean {
  if (isEnd(path, next)) return leafArrays ? someOfLeafArray(array, test) : test(array);
  const part = path[next]!;
  const offset = arrayOffset(part);
  for (let i = 0; i < array.length; i++) {
    const element = array[i];
    if (element instanceof Document && someFrom(element, path, next, test, leafArrays)) return true;
    if (i === offset && someAtOffset(element, path, next + 1, test, leafArrays)) return true;
  }
  return false;
}

/** Whether what is left of a path is an empty text. */
export function isEnd(path: Path, next: number): boolean {
  return next === path.length || (next === path.length - 1 && path[next] === "");
}

/** The element that a number in the path picked: with path left, only a document or an array leads on. */
function someAtOffset(
  element: Value,
  path: Path,
  next: number,
  test: ValueTest,
  leafArrays: boolean,
): boolean {
  if (next === path.length) return test(element);
  if (element instanceof Document) return someFrom(element, path, next, test, leafArrays);
  if (!isArray(element)) return false;
  // It is looked into even for those who want no elements.
  return isEnd(path, next)
    ? someOfLeafArray(element, test)
    : someOfArray(element, path, next, test, leafArrays);
}

/** The elements of an array, then the array itself. */
export function someOfLeafArray(array: readonly Value[], test: ValueTest): boolean {
  for (let i = 0; i < array.length; i++) {
    if (test(array[i])) return true;
  }
  return test(array);
}

/** The place in an array that a path's component names, or -1: decimal digits without leading zeros. */
export function arrayOffset(part: string): number {
  return /^(0|[1-9][0-9]{0,9})$/.test(part) ? Number(part) : -1;
}

/** An array read as a document whose names are its places, as `$elemMatch` reads nested arrays. */
export function arrayAsDocument(array: readonly Value[]): Document {
  return new BuiltDocument(array.map((_, i) => String(i)), array);
}
