/**
 * The fields of a command, read in one pass and checked against a table, with MongoDB's codes and wordings:
 * unknown 40415, wrong type 14, missing 40414, below a bound 51024.
 */
import { CommandError } from "../base/mod.ts";
import {
  aliasOfType,
  BsonType,
  Decimal128,
  Document,
  elementType,
  Int32,
  isArray,
  type RawDocument,
  readElementValue,
  readName,
  typeOf,
  type Value,
} from "../bson/mod.ts";

/**
 * What a field may hold. `number` and `flag` take any number, as MongoDB's safe types do; `boolean` is checked
 * with the wording that some fields have. A `!` at the end makes the field required.
 */
export type FieldKind =
  | "any"
  | "string"
  | "object"
  | "array"
  | "bool"
  | "long"
  | "binData"
  | "number"
  | "flag"
  | "boolean"
  | "plainObject";
export type FieldTable = Readonly<Record<string, FieldKind | `${FieldKind}!`>>;

const NUMBER_TYPES: readonly BsonType[] = [
  BsonType.Int64,
  BsonType.Int32,
  BsonType.Decimal128,
  BsonType.Double,
];
/** MongoDB's own text, stray quote included. */
const NUMBER_TEXT = "expected types '[long, int, decimal, double']";
const FLAG_TEXT = "expected types '[bool, long, int, decimal, double']";
const TYPES_OF_KIND: Readonly<Partial<Record<FieldKind, BsonType>>> = {
  string: BsonType.String,
  object: BsonType.Object,
  array: BsonType.Array,
  bool: BsonType.Boolean,
  long: BsonType.Int64,
  binData: BsonType.Binary,
};

/** The top-level fields of a document by name. A name that comes twice counts once, with its first value. */
export class Arguments {
  private readonly offsets = new Map<string, number>();

  constructor(readonly body: RawDocument) {
    body.forEachElement((at) => {
      const name = readName(body.bytes, at);
      if (!this.offsets.has(name)) this.offsets.set(name, at);
    });
  }

  names(): Iterable<string> {
    return this.offsets.keys();
  }

  /** Whether the field is there and not null, which counts as not there. */
  has(name: string): boolean {
    const type = this.type(name);
    return type !== BsonType.Missing && type !== BsonType.Null;
  }

  type(name: string): BsonType {
    const at = this.offsets.get(name);
    return at === undefined ? BsonType.Missing : elementType(this.body.bytes, at);
  }

  /** The value; undefined when it is missing or null. */
  get(name: string): Value {
    const at = this.offsets.get(name);
    const value = at === undefined ? undefined : readElementValue(this.body.bytes, at);
    return value === null ? undefined : value;
  }

  /** Where the element starts (its type byte). */
  offset(name: string): number | undefined {
    return this.offsets.get(name);
  }

  document(name: string): Document | undefined {
    const value = this.get(name);
    return value instanceof Document ? value : undefined;
  }

  string(name: string): string | undefined {
    const value = this.get(name);
    return typeof value === "string" ? value : undefined;
  }

  array(name: string): readonly Value[] | undefined {
    const value = this.get(name);
    return isArray(value) ? value : undefined;
  }

  /** Truth as MongoDB's safe booleans have it: any number but zero is true. */
  flag(name: string): boolean {
    const value = this.get(name);
    return typeof value === "boolean" ? value : value !== undefined && numberOf(value) !== 0;
  }

  /** An integer, fractions cut off. */
  integer(name: string): number | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : Math.trunc(numberOf(value));
  }

  /** An integer that is at least `least`. @throws CommandError 51024 */
  integerFrom(name: string, least: number): number | undefined {
    const value = this.integer(name);
    if (value !== undefined && value < least) {
      throw new CommandError(
        51024,
        `BSON field '${name}' value must be >= ${least}, actual value '${value}'`,
      );
    }
    return value;
  }
}

/** The number that a numeric value holds; NaN for other values. */
export function numberOf(value: Value): number {
  if (typeof value === "number") return value;
  if (value instanceof Int32) return value.value;
  if (typeof value === "bigint") return Number(value);
  return value instanceof Decimal128 ? Number(value.toString()) : NaN;
}

/**
 * Checks fields against a table.
 *
 * @param owner how errors name the document, such as `insert` or `create.timeseries`
 * @param isKnownElsewhere names that others check
 */
export function checkFields(
  fields: Arguments,
  owner: string,
  table: FieldTable,
  isKnownElsewhere: (name: string) => boolean = () => false,
): void {
  for (const name of fields.names()) {
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind === undefined) {
      if (isKnownElsewhere(name)) continue;
      throw new CommandError(40415, `BSON field '${owner}.${name}' is an unknown field.`);
    }
    if (kind !== "any") checkType(`${owner}.${name}`, name, fields.type(name), withoutMark(kind));
  }
  for (const name in table) {
    if (table[name]!.endsWith("!") && !fields.has(name)) throw missingField(`${owner}.${name}`);
  }
}

export function missingField(path: string): CommandError {
  return new CommandError(40414, `BSON field '${path}' is missing but a required field`);
}

/** @throws CommandError TypeMismatch when a value of `type` may not stand at `path` */
export function checkType(path: string, name: string, type: BsonType, kind: FieldKind): void {
  if (kind === "any" || type === BsonType.Null || type === BsonType.Undefined) return;
  switch (kind) {
    case "number":
      if (!NUMBER_TYPES.includes(type)) throw wrongType(path, type, NUMBER_TEXT);
      return;
    case "flag":
      if (type !== BsonType.Boolean && !NUMBER_TYPES.includes(type)) throw wrongType(path, type, FLAG_TEXT);
      return;
    case "boolean":
      if (type !== BsonType.Boolean) {
        throw mismatch(`Field '${name}' should be a boolean value, but found: ${aliasOfType(type)}`);
      }
      return;
    case "plainObject":
      if (type !== BsonType.Object) throw mismatch(`Expected field ${name}to be of type object`);
      return;
    default:
      if (type !== TYPES_OF_KIND[kind]) throw wrongType(path, type, `expected type '${kind}'`);
  }
}

/** @throws CommandError TypeMismatch when an array holds anything but documents */
export function checkArrayOfObjects(fields: Arguments, name: string, owner: string): void {
  fields.array(name)?.forEach((value, i) =>
    checkType(`${owner}.${name}.${i}`, name, typeOf(value), "object")
  );
}

function withoutMark(kind: FieldKind | `${FieldKind}!`): FieldKind {
  return (kind.endsWith("!") ? kind.slice(0, -1) : kind) as FieldKind;
}

function wrongType(path: string, type: BsonType, expected: string): CommandError {
  return mismatch(`BSON field '${path}' is the wrong type '${aliasOfType(type)}', ${expected}`);
}

function mismatch(message: string): CommandError {
  return new CommandError("TypeMismatch", message);
}
