/** `$addToSet`, `$pop`, `$pull`, `$pullAll`: operations on the elements of an array. `$push` has a file of its own. */
import { CommandError } from "../../base/mod.ts";
import {
  BSONRegExp,
  BuiltDocument,
  Document,
  equalValues,
  isArray,
  isNumber,
  type Value,
  type ValueKey,
  valueKeys,
} from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { renderDocument, typeName } from "../expression/message.ts";
import { readInteger } from "../filter/argument.ts";
import type { Operation, OperationContext } from "./operation.ts";

export function parseAddToSet(_path: string, value: Value, { collation }: OperationContext): Operation {
  const keyOf = valueKeys(collation);
  const added = distinct(valuesToAdd(value), keyOf);
  return (old, { name }) => {
    if (old === undefined) return added;
    if (!isArray(old)) {
      throw new CommandError(
        "BadValue",
        `Cannot apply $addToSet to non-array field. Field named '${name}' has non-array type ${
          typeName(old)
        }`,
      );
    }
    const present = new Set(old.map(keyOf));
    const fresh = added.filter((item) => !present.has(keyOf(item)));
    return fresh.length === 0 ? old : [...old, ...fresh];
  };
}

function valuesToAdd(value: Value): readonly Value[] {
  if (!(value instanceof Document) || value.names()[0] !== "$each") return [value];
  const each = value.values()[0];
  if (!isArray(each)) {
    throw new CommandError(
      "TypeMismatch",
      `The argument to $each in $addToSet must be an array but it was of type ${typeName(each)}`,
    );
  }
  if (value.names().length > 1) {
    throw new CommandError(
      "BadValue",
      `Found unexpected fields after $each in $addToSet: ${renderDocument(value)}`,
    );
  }
  return each;
}

function distinct(values: readonly Value[], keyOf: (value: Value) => ValueKey): readonly Value[] {
  const seen = new Set<ValueKey>();
  return values.filter((value) => {
    const key = keyOf(value);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

export function parsePop(path: string, value: Value): Operation {
  const fromStart = popsFirst(path, value);
  return (old, place) => {
    if (old === undefined) return old;
    if (!isArray(old)) {
      throw new CommandError(
        "TypeMismatch",
        `Path '${place.path.join(".")}' contains an element of non-array type '${typeName(old)}'`,
      );
    }
    if (old.length === 0) return old;
    return fromStart ? old.slice(1) : old.slice(0, -1);
  };
}

function popsFirst(path: string, value: Value): boolean {
  const integer = isNumber(value)
    ? readInteger(path, value)
    : `Expected a number in: ${elementText(path, value)}`;
  if (typeof integer === "string") throw new CommandError("FailedToParse", integer);
  if (integer !== 1n && integer !== -1n) {
    throw new CommandError("FailedToParse", `$pop expects 1 or -1, found: ${integer}`);
  }
  return integer === -1n;
}

export function parsePull(_path: string, value: Value, context: OperationContext): Operation {
  return culling(pullTest(value, context));
}

export function parsePullAll(_path: string, value: Value, { collation }: OperationContext): Operation {
  if (!isArray(value)) {
    throw new CommandError(
      "BadValue",
      `$pullAll requires an array argument but was given a ${typeName(value)}`,
    );
  }
  const keyOf = valueKeys(collation);
  const doomed = new Set(value.map(keyOf));
  return culling((element) => doomed.has(keyOf(element)));
}

/** Takes away the elements that `isDoomed` says yes to. */
function culling(isDoomed: (element: Value) => boolean): Operation {
  return (old) => {
    if (old === undefined) return old;
    if (!isArray(old)) throw new CommandError("BadValue", "Cannot apply $pull to a non-array value");
    const kept = old.filter((element) => !isDoomed(element));
    return kept.length === old.length ? old : kept;
  };
}

/** A document without operators is a filter over the elements that are documents; any other value is compared. */
function pullTest(value: Value, { compileFilter, collation }: OperationContext): (element: Value) => boolean {
  if (value instanceof Document && !startsWithOperator(value)) {
    const matches = compileFilter(value);
    return (element) => element instanceof Document && matches(element);
  }
  if (value instanceof Document || value instanceof BSONRegExp) {
    const matches = compileFilter(new BuiltDocument([""], [value]));
    return (element) => matches(new BuiltDocument([""], [element]));
  }
  return (element) => equalValues(element, value, collation);
}

/** What may be asked of a value as it is: MongoDB's keywords, among which `$not` is none. */
const VALUE_OPERATORS: ReadonlySet<string> = new Set([
  "$all",
  "$bitsAllClear",
  "$bitsAllSet",
  "$bitsAnyClear",
  "$bitsAnySet",
  "$elemMatch",
  "$eq",
  "$exists",
  "$geoIntersects",
  "$geoNear",
  "$geoWithin",
  "$gt",
  "$gte",
  "$in",
  "$lt",
  "$lte",
  "$mod",
  "$ne",
  "$near",
  "$nearSphere",
  "$nin",
  "$options",
  "$regex",
  "$size",
  "$type",
  "$within",
]);

function startsWithOperator(document: Document): boolean {
  const first = document.names()[0];
  return first !== undefined && VALUE_OPERATORS.has(first);
}
