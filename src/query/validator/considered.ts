/** The values that a question was asked of, as the details of a failed validation show them. */
import { aliasOfType, compareText, type Document, isArray, typeOf, type Value } from "../../bson/mod.ts";
import type { Path } from "../filter/filter.ts";
import { someValueAt } from "../filter/path.ts";

/**
 * The values that a path names; undefined where it names none.
 *
 * @param intoArrays whether the elements of an array are meant, not the array
 */
export function consideredValues(
  document: Document,
  path: Path,
  intoArrays: boolean,
): readonly Value[] | undefined {
  const found: Value[] = [];
  someValueAt(document, path, (value) => {
    // MongoDB looks no further than to the first that is missing.
    if (value === undefined) return true;
    found.push(value);
    return false;
  }, false);
  if (found.length === 0) return undefined;
  return intoArrays ? found.flatMap((value) => isArray(value) ? value : [value]) : found;
}

/** `consideredValue`, or `consideredValues` where there is not exactly one. */
export function valueFields(values: readonly Value[]): Readonly<Record<string, Value>> {
  return values.length === 1 ? { consideredValue: values[0]! } : { consideredValues: values };
}

/** `consideredType`, or `consideredTypes` by name; nothing without values. */
export function typeFields(values: readonly Value[]): Readonly<Record<string, Value>> {
  const types = [...new Set(values.map((value) => aliasOfType(typeOf(value))))].sort(compareText);
  if (types.length === 0) return {};
  return types.length === 1 ? { consideredType: types[0]! } : { consideredTypes: types };
}
