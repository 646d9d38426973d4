/**
 * `$push`: adds one value, or those of `$each`, at `$position`, then sorts the array by `$sort` and cuts it to `$slice`.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, isNumber, type Value, valueOrder } from "../../bson/mod.ts";
import { typeName } from "../expression/message.ts";
import { readInteger, toDouble } from "../filter/argument.ts";
import { idText } from "./id_text.ts";
import type { Operation, OperationContext, Place } from "./operation.ts";

type Order = (a: Value, b: Value) => number;

interface Push {
  readonly values: readonly Value[];
  /** Where the values go, from the end when negative; undefined for the end. */
  readonly position: number | undefined;
  /** How many stay: the first ones, or the last ones when negative; undefined for all. */
  readonly slice: number | undefined;
  readonly order: Order | undefined;
}

export function parsePush(_path: string, value: Value, { collation }: OperationContext): Operation {
  const push = value instanceof Document && value.has("$each")
    ? parseModifiers(value, valueOrder(collation))
    : { values: [value], position: undefined, slice: undefined, order: undefined };
  return (old, place) => pushed(push, old, place);
}

function pushed(push: Push, old: Value, place: Place): Value {
  if (old !== undefined && !isArray(old)) {
    throw new CommandError(
      "BadValue",
      `The field '${place.path.join(".")}' must be an array but is of type ${typeName(old)} in document ` +
        `{${idText(place.root)}}`,
    );
  }
  const { values, position, slice, order } = push;
  if (old?.length === 0 && values.length === 0) return old;
  if (old !== undefined && values.length === 0 && order === undefined && keepsAll(slice, old.length)) {
    return old;
  }
  if (position === undefined && order === undefined && keepsAll(slice, (old?.length ?? 0) + values.length)) {
    place.appended();
  }
  const array = [...old ?? []];
  array.splice(position ?? array.length, 0, ...values);
  if (order !== undefined) array.sort(order);
  return slice === undefined ? array : slice >= 0 ? array.slice(0, slice) : array.slice(slice);
}

function keepsAll(slice: number | undefined, length: number): boolean {
  return slice === undefined || Math.abs(slice) >= length;
}

function parseModifiers(value: Document, compare: Order): Push {
  const each = value.get("$each");
  if (!isArray(each)) {
    throw new CommandError(
      "BadValue",
      `The argument to $each in $push must be an array but it was of type: ${typeName(each)}`,
    );
  }
  for (const name of value.names()) {
    if (name === "$each" || name === "$slice" || name === "$sort" || name === "$position") continue;
    throw new CommandError("BadValue", `Unrecognized clause in $push: ${name}`);
  }
  const slice = value.get("$slice");
  const position = value.get("$position");
  const sort = value.get("$sort");
  return {
    values: each,
    slice: slice === undefined ? undefined : integerOf("$slice", slice),
    order: sort === undefined ? undefined : parseOrder(sort, compare),
    position: position === undefined ? undefined : integerOf("$position", position),
  };
}

function integerOf(name: string, value: Value): number {
  const integer = isNumber(value) ? readInteger(name, value) : undefined;
  if (typeof integer === "bigint") return Number(integer);
  throw new CommandError(
    "BadValue",
    name === "$slice"
      ? `The value for $slice must be an integer value but was given type: ${typeName(value)}`
      : `The value for $position must be an integer value, not of type: ${typeName(value)}`,
  );
}

function parseOrder(sort: Value, compare: Order): Order {
  if (isNumber(sort)) {
    const direction = toDouble(sort);
    if (Math.abs(direction) !== 1) {
      throw new CommandError("BadValue", "The $sort element value must be either 1 or -1");
    }
    return (a, b) => direction * compare(a, b);
  }
  if (!(sort instanceof Document)) {
    throw new CommandError(
      "BadValue",
      "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields",
    );
  }
  return parseFieldOrder(sort, compare);
}

function parseFieldOrder(sort: Document, compare: Order): Order {
  if (sort.isEmpty()) {
    throw new CommandError("BadValue", "The sort pattern is empty when it should be a set of fields.");
  }
  const values = sort.values();
  const parts = sort.names().map((name, i) => ({
    path: fieldPath(name),
    direction: directionOf(values[i]),
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
