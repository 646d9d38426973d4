/** `$rename`: an operation where the field goes to, which reads what the update has made so far; `$unset` where it was comes last. */
import { assert, CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { idText } from "./id_text.ts";
import type { Operation } from "./operation.ts";
import { arrayPlace, checkPath, isDynamic } from "./path.ts";

export interface Renaming {
  readonly to: readonly string[];
  /** What happens at `to`; what happens where the field was is `$unset`. */
  readonly target: Operation;
}

/** The path of the field that is renamed. @throws CommandError with MongoDB's code and wording */
export function sourceOfRename(name: string, value: Value): readonly string[] {
  if (typeof value === "string") return checkPath(name);
  throw new CommandError(
    "BadValue",
    `The 'to' field for $rename must be a string: ${elementText(name, value)}`,
  );
}

/** @throws CommandError with MongoDB's code and wording */
export function parseRename(name: string, value: Value): Renaming {
  const from = sourceOfRename(name, value);
  assert(typeof value === "string", "a field is renamed to a text");
  const to = checkPath(value);
  if (value.includes("\0")) {
    throw new CommandError("BadValue", "The 'to' field for $rename cannot contain an embedded null byte");
  }
  if (from.some(isDynamic)) {
    throw new CommandError("BadValue", `The source field for $rename may not be dynamic: ${name}`);
  }
  if (to.some(isDynamic)) {
    throw new CommandError("BadValue", `The destination field for $rename may not be dynamic: ${value}`);
  }
  if (name === value) {
    throw new CommandError(
      "BadValue",
      `The source and target field for $rename must differ: ${elementText(name, value)}`,
    );
  }
  if (name.startsWith(`${value}.`) || value.startsWith(`${name}.`)) {
    throw new CommandError(
      "BadValue",
      `The source and target field for $rename must not be on the same path: ${elementText(name, value)}`,
    );
  }
  return {
    to,
    target: (old, { madeSoFar, touch }) => {
      const root = madeSoFar();
      const moved = valueOfSource(root, from);
      if (moved === undefined) return old;
      checkNoArray(root, to, "destination");
      touch();
      return moved;
    },
  };
}

function valueOfSource(root: Document, path: readonly string[]): Value {
  let value: Value = root;
  for (let i = 0; i < path.length && value !== undefined; i++) {
    const part = path[i]!;
    const place = isArray(value) ? arrayPlace(part) : undefined;
    if (value instanceof Document) value = value.get(part);
    else if (isArray(value) && place !== undefined) value = value[place];
    else throw notTraversable(path, path[i - 1]!, value);
  }
  if (value !== undefined) checkNoArray(root, path, "source");
  return value;
}

function notTraversable(path: readonly string[], part: string, value: Value): CommandError {
  return new CommandError(
    "PathNotViable",
    `cannot use the part (${part} of ${path.join(".")}) to traverse the element ({${
      elementText(part, value)
    }})`,
  );
}

/** A path of `$rename` leads through documents only; of several arrays on it the innermost is named. */
function checkNoArray(root: Document, path: readonly string[], which: "source" | "destination"): void {
  const array = innermostArray(root, path);
  if (array === undefined) return;
  throw new CommandError(
    "BadValue",
    `The ${which} field cannot be an array element, '${path.join(".")}' in doc with ${idText(root)} has an ` +
      `array field called '${array}'`,
  );
}

function innermostArray(root: Document, path: readonly string[]): string | undefined {
  let innermost: string | undefined;
  let value: Value = root;
  for (const part of path.slice(0, -1)) {
    if (value instanceof Document) value = value.get(part);
    else if (isArray(value)) value = value[arrayPlace(part) ?? value.length];
    else break;
    if (isArray(value)) innermost = part;
  }
  return innermost;
}
