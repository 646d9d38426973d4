/** Find's `$slice` and positional `.$`: parts of arrays in the projected document. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import type { Filter } from "../filter/filter.ts";
import { matchedPosition } from "../filter/matched_position.ts";

export type ArrayProjection =
  /** Elements from place `skip` on (from the end when negative), at most `limit` of them. */
  | {
    readonly kind: "slice";
    readonly path: readonly string[];
    readonly skip: number;
    readonly limit: number;
  }
  /** Of the outermost array on the path the element that the find's filter met. */
  | { readonly kind: "positional"; readonly path: readonly string[]; readonly filter: Filter };

/** @returns a function from the document before projection and the projected one to the result */
export function compileArrayProjection(
  projection: ArrayProjection,
): (original: Document, projected: Document) => Document {
  if (projection.kind === "slice") {
    const { path, skip, limit } = projection;
    return (_, projected) => sliceAt(projected, path, 0, (array) => slice(array, skip, limit)) as Document;
  }
  const { path, filter } = projection;
  return (original, projected) =>
    cutAt(
      projected,
      path,
      0,
      (array) => elementOf(array, matchedPosition(filter, original, "written")),
    ) as Document;
}

function slice(array: readonly Value[], skip: number, limit: number): readonly Value[] {
  const from = skip < 0 ? Math.max(array.length + skip, 0) : skip;
  return array.slice(from, from + limit);
}

/** @throws CommandError 51246, 51247 */
function elementOf(array: readonly Value[], position: number | undefined): readonly Value[] {
  if (position === undefined) {
    throw new CommandError(51246, "positional operator '.$' couldn't find a matching element in the array");
  }
  if (position >= array.length) throw new CommandError(51247, "positional operator '.$' element mismatch");
  return [array[position]];
}

/** Cuts the first array on a path. */
function cutAt(
  value: Value,
  path: readonly string[],
  at: number,
  cut: (array: readonly Value[]) => readonly Value[],
): Value {
  if (isArray(value)) return cut(value);
  if (at === path.length || !(value instanceof Document)) return value;
  const child = value.get(path[at]!);
  return child === undefined ? value : setField(value, path[at]!, cutAt(child, path, at + 1, cut));
}

/** Slices the arrays at a path, which goes through documents and through the documents of arrays. */
function sliceAt(
  value: Value,
  path: readonly string[],
  at: number,
  change: (array: readonly Value[]) => readonly Value[],
): Value {
  if (at === path.length) return isArray(value) ? change(value) : value;
  if (isArray(value)) {
    return value.map((element) => element instanceof Document ? sliceAt(element, path, at, change) : element);
  }
  if (!(value instanceof Document)) return value;
  const name = path[at]!;
  const child = value.get(name);
  if (child === undefined) return value;
  return setField(value, name, sliceAt(child, path, at + 1, change));
}

function setField(document: Document, name: string, value: Value): Document {
  const names = document.names();
  return new BuiltDocument(names, document.values().map((old, i) => names[i] === name ? value : old));
}

/** @throws CommandError for a filter that says of no element that it met it */
export function checkPositionalFilter(filter: Filter): void {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return filter.filters.forEach(checkPositionalFilter);
    case "not":
      return checkPositionalFilter(filter.filter);
    case "near":
      throw new CommandError(5626500, "$geoNear, $near, and $nearSphere are not allowed in this context");
    case "expr":
    case "jsonSchema":
      throw new CommandError("QueryFeatureNotAllowed", `$${filter.kind} is not allowed in this context`);
  }
}
