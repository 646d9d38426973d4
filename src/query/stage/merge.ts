/**
 * `$merge`: the rows of the pipeline go into a collection, each by itself: `whenMatched` says what becomes of a document
 * with the same values of the fields `on` (the _id, or those of a unique index), `whenNotMatched` what happens where there is none.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { checkVariableBinding } from "../expression/variable.ts";
import { INTERNAL_DATABASES } from "./out.ts";

type WhenMatched = "replace" | "keepExisting" | "merge" | "fail" | "pipeline";
type WhenNotMatched = "insert" | "discard" | "fail";

export interface MergeStage {
  readonly kind: "merge";
  /** Undefined for the pipeline's own. */
  readonly db: string | undefined;
  readonly collection: string;
  /** The fields by which a document is found. */
  readonly on: readonly string[];
  readonly whenMatched: WhenMatched;
  readonly whenNotMatched: WhenNotMatched;
  /** For `whenMatched: pipeline`: stages as written, and the variables that they may read beside `new`, the row. */
  readonly pipeline: readonly Value[];
  readonly lets: readonly { readonly name: string; readonly expression: Expression }[];
  /** As written, for `explain`. */
  readonly source: Value;
}

const FIELDS: ReadonlySet<string> = new Set(["into", "let", "on", "whenMatched", "whenNotMatched"]);
const MATCHED_MODES: ReadonlySet<string> = new Set(["fail", "keepExisting", "merge", "replace"]);
const NOT_MATCHED_MODES: ReadonlySet<string> = new Set(["discard", "fail", "insert"]);

export function parseMerge(value: Value, context: ParseContext): MergeStage {
  const spec = typeof value === "string" ? BuiltDocument.of({ into: value }) : value;
  if (!(spec instanceof Document)) {
    throw new CommandError(
      "TypeMismatch",
      `$merge requires a string or object argument, but found ${typeName(spec)}`,
    );
  }
  const unknown = spec.names().find((name) => !FIELDS.has(name));
  if (unknown !== undefined) {
    throw new CommandError(40415, `BSON field '$merge.${unknown}' is an unknown field.`);
  }
  if (!spec.has("into")) {
    throw new CommandError(40414, "BSON field '$merge.into' is missing but a required field");
  }
  const target = parseInto(spec.get("into"));
  const on = parseOn(spec.get("on"));
  const { whenMatched, pipeline } = parseWhenMatched(spec.get("whenMatched"));
  const whenNotMatched = parseWhenNotMatched(spec.get("whenNotMatched"));
  checkModes(whenMatched, whenNotMatched);
  const lets = parseLet(spec.get("let"), whenMatched, context);
  return { kind: "merge", ...target, on, whenMatched, whenNotMatched, pipeline, lets, source: spec };
}

function parseInto(value: Value): Pick<MergeStage, "db" | "collection"> {
  if (typeof value === "string") return checkTarget(undefined, value);
  if (!(value instanceof Document)) {
    throw new CommandError(
      51178,
      `$merge 'into' field  must be either a string or an object, but found ${typeName(value)}`,
    );
  }
  const db = value.get("db");
  const coll = value.get("coll");
  if (typeof coll !== "string" || coll === "") {
    throw new CommandError(
      5786801,
      "$merge 'into' field must specify a 'coll' that is not empty, null or undefined",
    );
  }
  return checkTarget(typeof db === "string" && db !== "" ? db : undefined, coll);
}

function checkTarget(db: string | undefined, collection: string): Pick<MergeStage, "db" | "collection"> {
  if (collection === "") {
    throw new CommandError("InvalidNamespace", "Invalid $merge target namespace: ''");
  }
  if (db !== undefined && INTERNAL_DATABASES.has(db)) {
    throw new CommandError(31320, `Cannot $merge to internal database: ${db}`);
  }
  return { db, collection };
}

function parseOn(value: Value): readonly string[] {
  if (value === undefined) return ["_id"];
  const fields = typeof value === "string" ? [value] : value;
  if (!isArray(fields)) {
    throw new CommandError(
      51186,
      `$merge 'on' field  must be either a string or an array of strings, but found ${typeName(value)}`,
    );
  }
  if (fields.length === 0) {
    throw new CommandError(
      51187,
      "If explicitly specifying $merge 'on', must include at least one field",
    );
  }
  return fields.map((field, i) => {
    if (typeof field !== "string") {
      throw new CommandError(
        51134,
        `$merge 'on' array elements must be strings, but found ${typeName(field)}`,
      );
    }
    if (fields.indexOf(field) !== i) throw new CommandError(31465, `Found a duplicate field '${field}'`);
    return field;
  });
}

/** @throws CommandError 51183 where the target may have two documents that a row would match */
export function checkMergeKey({ db, collection, on }: MergeStage, context: QueryContext): void {
  const { collections, collation } = context;
  if (collections.hasUniqueKey({ db: db ?? collections.db, collection }, on, collation)) return;
  throw new CommandError(51183, "Cannot find index to verify that join fields will be unique");
}

function parseWhenMatched(value: Value): {
  readonly whenMatched: WhenMatched;
  readonly pipeline: readonly Value[];
} {
  if (value === undefined) return { whenMatched: "merge", pipeline: [] };
  if (isArray(value)) return { whenMatched: "pipeline", pipeline: value };
  if (typeof value !== "string") {
    throw new CommandError(
      51191,
      `$merge 'whenMatched' field  must be either a string or an array, but found ${typeName(value)}`,
    );
  }
  if (!MATCHED_MODES.has(value)) throw unknownMode("whenMatched", value);
  return { whenMatched: value as WhenMatched, pipeline: [] };
}

function parseWhenNotMatched(value: Value): WhenNotMatched {
  if (value === undefined) return "insert";
  if (typeof value !== "string") {
    throw new CommandError(
      "TypeMismatch",
      `BSON field '$merge.whenNotMatched' is the wrong type '${typeName(value)}', expected type 'string'`,
    );
  }
  if (!NOT_MATCHED_MODES.has(value)) throw unknownMode("$merge.whenNotMatched", value);
  return value as WhenNotMatched;
}

function unknownMode(field: string, value: string): CommandError {
  return new CommandError(
    "BadValue",
    `Enumeration value '${value}' for field '${field}' is not a valid value.`,
  );
}

function checkModes(matched: WhenMatched, notMatched: WhenNotMatched): void {
  if ((matched !== "keepExisting" && matched !== "fail") || notMatched === "insert") return;
  throw new CommandError(
    51181,
    `Combination of $merge modes 'whenMatched: ${matched}' and 'whenNotMatched: ${notMatched}' is not supported`,
  );
}

function parseLet(value: Value, whenMatched: WhenMatched, context: ParseContext): MergeStage["lets"] {
  if (value === undefined) return [];
  if (!(value instanceof Document)) {
    throw new CommandError(
      "TypeMismatch",
      `BSON field '$merge.let' is the wrong type '${typeName(value)}', expected type 'object'`,
    );
  }
  if (whenMatched !== "pipeline") {
    throw new CommandError(51199, `Cannot use 'let' variables with 'whenMatched: ${whenMatched}' mode`);
  }
  const values = value.values();
  return value.names().map((name, i) => {
    if (name === "new" && values[i] !== "$$ROOT") {
      throw new CommandError(
        51273,
        "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'",
      );
    }
    checkVariableBinding(name);
    return { name, expression: parseExpression(values[i], context) };
  });
}
