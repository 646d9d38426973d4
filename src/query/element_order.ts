/** The order of an array's elements by their fields, as `$push` with `$sort` and `$sortArray` have it. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, Document, isArray, isNumber, type Value } from "../bson/mod.ts";
import { toDouble } from "./filter/argument.ts";

export type ElementOrder = (a: Value, b: Value) => number;

/**
 * @param sort a direction a path
 * @param compare orders values
 * @throws CommandError BadValue for what is no such thing
 */
export function orderByFields(sort: Document, compare: ElementOrder): ElementOrder {
  if (sort.isEmpty()) {
    throw new CommandError("BadValue", "The sort pattern is empty when it should be a set of fields.");
  }
  const values = sort.values();
  const parts = sort.names().map((name, i) => ({
    direction: directionOf(values[i]),
    path: fieldPath(name),
  }));
  return (a, b) => {
    for (const { path, direction } of parts) {
      const order = compare(fieldAt(a, path), fieldAt(b, path));
      if (order !== 0) return direction * order;
    }
    return 0;
  };
}

function fieldPath(name: string): readonly string[] {
  if (name === "") throw new CommandError("BadValue", "The sort field cannot be empty");
  const path = name.split(".");
  if (path.includes("")) {
    throw new CommandError("BadValue", `The sort field is a dotted field but has an empty part: ${name}`);
  }
  return path;
}

function directionOf(value: Value): number {
  const direction = isNumber(value) ? toDouble(value) : NaN;
  if (Math.abs(direction) === 1) return direction;
  throw new CommandError("BadValue", "The sort element value must be either 1 or -1");
}

/** What an element sorts by: the field at the path, null where there is none. */
function fieldAt(element: Value, path: readonly string[]): Value {
  let value: Value = element instanceof Document ? element : new BuiltDocument([""], [element]);
  for (const part of path) {
    if (value instanceof Document) value = value.get(part);
    else if (isArray(value)) value = value[Number(part)];
    else return null;
  }
  return value ?? null;
}
