/** `$exists` and `$type`: questions about the element itself. */
import { CommandError } from "../../base/mod.ts";
import { aliasOfType, BsonType, isArray, isNumber, typeOf, typeOfAlias, type Value } from "../../bson/mod.ts";
import { renderValue } from "../expression/message.ts";
import type { Filter, Path } from "./filter.ts";
import { isTrue } from "./argument.ts";

/** The types that `number` stands for. */
export const NUMBER_TYPES = [BsonType.Double, BsonType.Int32, BsonType.Int64, BsonType.Decimal128];

export function parseExists(path: Path, value: Value): Filter {
  const exists: Filter = { kind: "exists", path };
  return isTrue(value) ? exists : { kind: "not", filter: exists };
}

export function parseType(path: Path, value: Value): Filter {
  const names = isArray(value) ? value : [value];
  if (names.length === 0) {
    throw new CommandError("FailedToParse", `${path.join(".")} must match at least one type`);
  }
  return { kind: "type", path, types: new Set(names.flatMap(typesNamed)) };
}

function typesNamed(value: Value): readonly number[] {
  if (typeof value === "string") {
    if (value === "number") return NUMBER_TYPES;
    if (value === "missing") {
      throw new CommandError(
        "BadValue",
        "'missing' is not a legal type name. To query for non-existence of a field, use {$exists:false}.",
      );
    }
    const type = typeOfAlias(value);
    if (type === undefined) throw new CommandError("BadValue", `Unknown type name alias: ${value}`);
    return [type];
  }
  if (!isNumber(value)) {
    throw new CommandError("TypeMismatch", "type must be represented as a number or a string");
  }
  return [typeNumbered(value)];
}

function typeNumbered(value: Value): number {
  const code = Number(renderValue(value));
  if (code === 0) {
    throw new CommandError(
      "BadValue",
      `Invalid numerical type code: ${renderValue(value)}. Instead use {$exists:false}.`,
    );
  }
  const type = code === -1 ? BsonType.MinKey : code;
  if (aliasOfType(type as BsonType) === "unknown" || code === BsonType.MinKey) {
    throw new CommandError("BadValue", `Invalid numerical type code: ${renderValue(value)}`);
  }
  return type;
}

export function typeTest(types: ReadonlySet<number>): (value: Value) => boolean {
  return (value) => value !== undefined && types.has(typeOf(value));
}
