/** The paths that modifiers name: dotted, with `$` for the element that the filter found and `$[…]` for those of an array. */
import { CommandError } from "../../base/mod.ts";

/**
 * Takes a path apart.
 *
 * @throws CommandError when a part is empty, or a `$` stands where it means nothing
 */
export function checkPath(path: string): readonly string[] {
  if (path === "") throw new CommandError("EmptyFieldName", "An empty update path is not valid.");
  const parts = path.split(".");
  if (parts.includes("")) {
    throw new CommandError(
      "EmptyFieldName",
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  return parts;
}

/** @throws CommandError when `$` and `$[…]` stand first or `$` stands twice */
export function checkPositions(parts: readonly string[]): void {
  const path = parts.join(".");
  if (parts.filter((part) => part === "$").length > 1) {
    throw new CommandError(
      "BadValue",
      `Too many positional (i.e. '$') elements found in path '${path}'`,
    );
  }
  if (parts[0] === "$") {
    throw new CommandError(
      "BadValue",
      `Cannot have positional (i.e. '$') element in the first position in path '${path}'`,
    );
  }
  if (arrayIdentifier(parts[0]!) !== undefined) {
    throw new CommandError(
      "BadValue",
      `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
    );
  }
}

/** Of `$[id]` the `id`, which is empty for all elements; undefined for any other part. */
export function arrayIdentifier(part: string): string | undefined {
  return part.startsWith("$[") && part.endsWith("]") ? part.slice(2, -1) : undefined;
}

/** Whether a part stands for elements that are known only when the update is applied. */
export function isDynamic(part: string): boolean {
  return part === "$" || arrayIdentifier(part) !== undefined;
}

/** The place that a part of a path names in an array; undefined where it is no number. */
export function arrayPlace(part: string): number | undefined {
  return /^[0-9]{1,10}$/.test(part) ? Number(part) : undefined;
}
