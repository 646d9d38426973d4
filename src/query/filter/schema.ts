/** A `$jsonSchema`, parsed: readonly plain objects, one for each type of value that it speaks of. */
import type { BsonType, Value } from "../../bson/mod.ts";
import type { NumberValue } from "../expression/number.ts";

/** A bound on numbers, or on how many of something there are. */
export interface Range<T> {
  readonly least: T | undefined;
  readonly greatest: T | undefined;
}

export interface Schema {
  /** BSON type numbers; undefined for any. */
  readonly types: ReadonlySet<BsonType> | undefined;
  readonly values: readonly Value[] | undefined;
  readonly all: readonly Schema[];
  readonly any: readonly Schema[] | undefined;
  readonly one: readonly Schema[] | undefined;
  readonly not: Schema | undefined;
  readonly numbers: NumberSchema;
  readonly text: TextSchema;
  readonly array: ArraySchema;
  readonly object: ObjectSchema;
}

export interface NumberSchema extends Range<Value> {
  readonly excludesLeast: boolean;
  readonly excludesGreatest: boolean;
  readonly multipleOf: NumberValue | undefined;
}

export interface TextSchema {
  /** Code points. */
  readonly length: Range<number>;
  readonly pattern: string | undefined;
}

export interface ArraySchema {
  readonly length: Range<number>;
  readonly unique: boolean;
  /** By place; the others follow `rest`. */
  readonly first: readonly Schema[];
  /** Undefined where anything may follow, false where nothing may. */
  readonly rest: Schema | false | undefined;
}

export interface ObjectSchema {
  readonly count: Range<number>;
  readonly required: readonly string[];
  readonly properties: ReadonlyMap<string, Schema>;
  /** By regular expression over names. */
  readonly patterns: readonly (readonly [string, Schema])[];
  /** Of fields that neither `properties` nor `patterns` name. */
  readonly others: Schema | false | undefined;
  /** Where a field is there: what the document must be then. */
  readonly dependencies: readonly (readonly [string, Schema])[];
}
