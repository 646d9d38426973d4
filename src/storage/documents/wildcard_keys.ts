/**
 * The keys of a wildcard index: one for each value at each path that it goes over, of two fields, the path and the value.
 * Paths name no places in arrays: elements stand under the array's. A document is no value of its own unless it is empty,
 * an empty array counts as undefined, and an array within an array is one value.
 */
import { BsonUndefined, Document, Int32, isArray, isNumber, type Value } from "../../bson/mod.ts";

export interface Wildcard {
  /** Dotted paths, part by part: with what is below them they are all that the index goes over, or all that it leaves out. */
  readonly paths: readonly (readonly string[])[];
  readonly isExclusion: boolean;
  /** Whether it goes over _id, of which `paths` says nothing. */
  readonly withId: boolean;
}

const PATH_FIELD = "$_path";
const ALL = "$**";
export const WILDCARD_FIELDS = [PATH_FIELD, ALL].map((name) => ({ path: [name], descending: false }));

/** Undefined where the key pattern is no wildcard's. @param projection checked: inclusions or exclusions alone, but for _id */
export function parseWildcard(keyPattern: Document, projection: Value): Wildcard | undefined {
  const [name = ""] = keyPattern.names();
  if (name !== ALL && !name.endsWith(`.${ALL}`)) return undefined;
  if (name !== ALL) {
    const root = name.split(".").slice(0, -1);
    return { paths: [root], isExclusion: false, withId: root[0] === ID };
  }
  if (!(projection instanceof Document)) return { paths: [], isExclusion: true, withId: false };
  const leaves = leavesOf(projection, []);
  const others = leaves.filter(({ path }) => path[0] !== ID);
  const ids = leaves.filter(({ path }) => path[0] === ID);
  return {
    paths: others.map(({ path }) => path),
    isExclusion: others.length === 0 ? ids.every(({ included }) => !included) : !others[0]!.included,
    withId: ids.some(({ included }) => included),
  };
}

const ID = "_id";

function leavesOf(
  projection: Document,
  above: readonly string[],
): readonly { readonly path: readonly string[]; readonly included: boolean }[] {
  const values = projection.values();
  return projection.names().flatMap((name, i) => {
    const path = [...above, ...name.split(".")];
    const value = values[i];
    if (value instanceof Document) return leavesOf(value, path);
    return [{
      path,
      included: isNumber(value) ? Number(value instanceof Int32 ? value.value : value) !== 0 : value === true,
    }];
  });
}

/** Whether the index goes over a path. */
export function coversPath({ paths, isExclusion, withId }: Wildcard, path: readonly string[]): boolean {
  if (path[0] === ID) return withId;
  return paths.some((root) => beginsWith(path, root)) !== isExclusion;
}

/** Whether the index may go over paths below one. */
function coversBelow(wildcard: Wildcard, path: readonly string[]): boolean {
  if (coversPath(wildcard, path)) return true;
  return !wildcard.isExclusion && wildcard.paths.some((root) => beginsWith(root, path));
}

function beginsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((part, i) => path[i] === part);
}

/** Path and value of each key, and for each of both fields the paths of arrays met. */
export function wildcardKeys(
  wildcard: Wildcard,
  document: Document,
): { readonly found: (readonly Value[])[]; readonly arrays: Set<string>[] } {
  const found: (readonly Value[])[] = [];
  const arrays = new Set<string>();
  const add = (path: readonly string[], value: Value) => {
    if (coversPath(wildcard, path)) found.push([path.join("."), value]);
  };
  const visitFields = (fields: Document, above: readonly string[]) => {
    const values = fields.values();
    fields.names().forEach((name, i) => {
      const path = [...above, name];
      if (coversBelow(wildcard, path)) visit(path, values[i]);
    });
  };
  const visit = (path: readonly string[], value: Value) => {
    if (isArray(value)) return visitElements(path, value);
    if (value instanceof Document && !value.isEmpty()) return visitFields(value, path);
    add(path, value);
  };
  const visitElements = (path: readonly string[], elements: readonly Value[]) => {
    arrays.add(path.join("."));
    if (elements.length === 0) return add(path, BsonUndefined.VALUE);
    for (const element of elements) isArray(element) ? add(path, element) : visit(path, element);
  };
  visitFields(document, []);
  return { found, arrays: [new Set(), arrays] };
}
