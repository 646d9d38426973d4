/** `$rename`: one operation where the field goes to, which reads the document before the update, and one where it was. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { idText } from "./id_text.ts";
import type { Operation } from "./operation.ts";
import { checkPath, isDynamic } from "./path.ts";

export interface Renaming {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** What happens at `from`, and at `to`. */
  readonly source: Operation;
  readonly target: Operation;
}

/** @throws CommandError with MongoDB's code and wording */
export function parseRename(name: string, value: Value): Renaming {
  if (typeof value !== "string") {
    throw new CommandError(
      "BadValue",
      `The 'to' field for $rename must be a string: ${elementText(name, value)}`,
    );
  }
  const to = checkPath(value);
  const from = checkPath(name);
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
    from,
    to,
    source: () => undefined,
    target: (old, { root, touch }) => {
      const moved = valueOfSource(root, from);
      if (moved === undefined) return old;
      checkNoArray(root, to, "destination");
      touch();
      return moved;
    },
  };
}

function valueOfSource(root: Document, path: readonly string[]): Value {
  checkNoArray(root, path, "source");
  let value: Value = root;
  for (let i = 0; i < path.length; i++) {
    if (value === undefined) return undefined;
    if (!(value instanceof Document)) {
      throw new CommandError(
        "PathNotViable",
        `cannot use the part (${path[i - 1]} of ${path.join(".")}) to traverse the element ` +
          `({${elementText(path[i - 1]!, value)}})`,
      );
    }
    value = value.get(path[i]!);
  }
  return value;
}

/** A path of `$rename` leads through documents only. */
function checkNoArray(root: Document, path: readonly string[], which: "source" | "destination"): void {
  let value: Value = root;
  for (let i = 0; i < path.length - 1 && value instanceof Document; i++) {
    value = value.get(path[i]!);
    if (!isArray(value)) continue;
    throw new CommandError(
      "BadValue",
      `The ${which} field cannot be an array element, '${path.join(".")}' in doc with ${
        idText(root)
      } has an ` +
        `array field called '${path[i]}'`,
    );
  }
}
