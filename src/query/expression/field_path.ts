/**
 * Dotted paths: how they are checked, and how they are read.
 *
 * A path that meets an array goes on in each document of it and gives the array of what it finds there; elements that
 * are no documents, or have no such field, are left out. What is not found anywhere is missing.
 */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";

const MAX_PATH_DEPTH = 200;

/**
 * The names of a path.
 *
 * @throws CommandError 40353 for a dot at its end, 15998 for an empty name, 16410 for a name that starts with a dollar sign
 */
export function parseFieldPath(text: string): readonly string[] {
  if (text === "") throw new CommandError(40352, "FieldPath cannot be constructed with empty string");
  if (text.endsWith(".")) throw new CommandError(40353, "FieldPath must not end with a '.'.");
  const names = text.split(".");
  if (names.length > MAX_PATH_DEPTH) throw new CommandError("Overflow", "FieldPath is too long");
  names.forEach(checkFieldName);
  return names;
}

/** The fields of a reference to another document (DBRef): names like all others, in spite of the dollar. */
export const REFERENCE_FIELDS: ReadonlySet<string> = new Set(["$ref", "$id", "$db"]);

/** @throws CommandError unless a name may stand in a field path or as a field of an object expression */
export function checkFieldName(name: string): void {
  if (name === "") throw new CommandError(15998, "FieldPath field names may not be empty strings.");
  if (name.startsWith("$") && !REFERENCE_FIELDS.has(name)) {
    throw new CommandError(
      16410,
      "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
    );
  }
  if (name.includes("\0")) throw new CommandError(16411, "FieldPath field names may not contain '\\0'.");
  if (name.includes(".")) {
    throw new CommandError(
      16412,
      "FieldPath field names may not contain '.'. Consider using $getField or $setField.",
    );
  }
}

/** What `path`, from its name number `from` on, finds in a document. */
export function readPath(document: Document, path: readonly string[], from: number): Value {
  const value = document.get(path[from]!);
  return from === path.length - 1 ? value : readPathOfValue(value, path, from + 1);
}

/** What `path`, from its name number `from` on, finds in any value. */
export function readPathOfValue(value: Value, path: readonly string[], from: number): Value {
  if (value instanceof Document) return readPath(value, path, from);
  if (!isArray(value)) return undefined;
  const found: Value[] = [];
  for (const item of value) {
    if (!(item instanceof Document)) continue;
    const nested = readPath(item, path, from);
    if (nested !== undefined) found.push(nested);
  }
  return found;
}
