/**
 * `$push`: adds one value, or those of `$each`, at `$position`, then sorts the array by `$sort` and cuts it to `$slice`.
 */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, isNumber, type Value, valueOrder } from "../../bson/mod.ts";
import { type ElementOrder, orderByFields } from "../element_order.ts";
import { typeName } from "../expression/message.ts";
import { readInteger, toDouble } from "../filter/argument.ts";
import { idText } from "./id_text.ts";
import type { Operation, OperationContext, Place } from "./operation.ts";

interface Push {
  readonly values: readonly Value[];
  /** Where the values go, from the end when negative; undefined for the end. */
  readonly position: number | undefined;
  /** How many stay: the first ones, or the last ones when negative; undefined for all. */
  readonly slice: number | undefined;
  readonly order: ElementOrder | undefined;
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

function parseModifiers(value: Document, compare: ElementOrder): Push {
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

function parseOrder(sort: Value, compare: ElementOrder): ElementOrder {
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
  return orderByFields(sort, compare);
}
