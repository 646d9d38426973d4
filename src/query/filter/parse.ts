/** From the BSON of a filter to its tree. */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import type { ParseContext } from "../expression/expression.ts";
import { parseExpression } from "../expression/parse.ts";
import { isTrue, readInteger, toDouble } from "./argument.ts";
import { type NestedParser, parseAll, parseElemMatch, parseSize } from "./array.ts";
import { parseBits } from "./bits.ts";
import { isReference, parseComparison, parseIn, parseNotEqual } from "./comparison.ts";
import { parseExists, parseType } from "./element.ts";
import { allOf, type Filter, type Path } from "./filter.ts";
import { isGeoOperator, parseGeo } from "./geo.ts";
import { parseMod } from "./modulo.ts";
import { parseJsonSchema } from "./parse_json_schema.ts";
import { parseRegex, parseRegexValue } from "./regex.ts";

const NO_VARIABLES: ParseContext = { variables: new Set() };

/** Names that a DBRef has: they are fields although they start with a dollar sign. */
const REFERENCE_FIELDS = new Set(["$ref", "$id", "$db"]);

/** Known to MongoDB, not yet here; a sorted list. */
const MISSING_TOP_LEVEL = new Set(["$text", "$where"]);
const MISSING_OPERATORS = new Set([
  "$_internalSchemaMinItems",
  "$geoNear",
  "$near",
  "$nearSphere",
]);

/**
 * Parses a filter as find, $match and their like hold it.
 *
 * @throws CommandError with MongoDB's code and wording
 */
export function parseFilter(document: Document, context: ParseContext = NO_VARIABLES): Filter {
  return new FilterParser(context, true).filter(document);
}

class FilterParser implements NestedParser {
  constructor(
    private readonly context: ParseContext,
    /** Not inside `$elemMatch`, where only fields may be asked about. */
    private readonly topLevel: boolean,
  ) {}

  filter(document: Document): Filter {
    const values = document.values();
    const filters: Filter[] = [];
    document.names().forEach((name, i) => {
      if (!name.startsWith("$") || REFERENCE_FIELDS.has(name)) {
        filters.push(...this.field(name, values[i]));
      } else if (name !== "$comment") {
        filters.push(this.topLevelOperator(name, values[i]));
      }
    });
    return allOf(filters);
  }

  private topLevelOperator(name: string, value: Value): Filter {
    switch (name) {
      case "$and":
      case "$or":
      case "$nor":
        return { kind: LOGICAL_KINDS[name], filters: this.branches(name, value) };
      case "$expr":
        this.checkTopLevel(name);
        return { kind: "expr", expression: parseExpression(value, this.context), source: value };
      case "$jsonSchema":
        return { kind: "jsonSchema", schema: parseJsonSchema(value), source: value };
      case "$alwaysTrue":
      case "$alwaysFalse":
        return parseConstant(name, value);
      case "$sampleRate":
        return parseSampleRate(value);
    }
    if (MISSING_TOP_LEVEL.has(name)) {
      this.checkTopLevel(name);
      throw new CommandError("NotImplemented", `${name} is not yet supported in a filter`);
    }
    const hint = name === "$not"
      ? "If you are trying to negate an entire expression, use $nor."
      : "If you have a field name that starts with a '$' symbol, consider using $getField or $setField.";
    throw new CommandError("BadValue", `unknown top level operator: ${name}. ${hint}`);
  }

  private checkTopLevel(name: string): void {
    if (this.topLevel) return;
    throw new CommandError("BadValue", `${name} can only be applied to the top-level document`);
  }

  private branches(name: string, value: Value): readonly Filter[] {
    if (!isArray(value)) throw new CommandError("BadValue", `${name} must be an array`);
    if (value.length === 0) {
      throw new CommandError("BadValue", "$and/$or/$nor must be a nonempty array");
    }
    return value.map((branch) => {
      if (!(branch instanceof Document)) {
        throw new CommandError("BadValue", "$or/$and/$nor entries need to be full objects");
      }
      return this.filter(branch);
    });
  }

  private field(name: string, value: Value): readonly Filter[] {
    const path = name.split(".");
    if (value instanceof Document && isOperators(value)) return this.operators(path, value);
    if (value instanceof BSONRegExp) return [parseRegexValue(path, value)];
    return [parseComparison(path, "$eq", value)];
  }

  operators(path: Path, document: Document): readonly Filter[] {
    const names = document.names();
    const values = document.values();
    const filters: Filter[] = [];
    names.forEach((name, i) => {
      // $regex and $options are one operator in two fields; it stands where the first of them does.
      if (name === "$options" && names.includes("$regex")) return;
      filters.push(this.operator(path, name, values[i], document));
    });
    return filters;
  }

  private operator(path: Path, name: string, value: Value, siblings: Document): Filter {
    switch (name) {
      case "$eq":
      case "$lt":
      case "$lte":
      case "$gt":
      case "$gte":
        return parseComparison(path, name, value);
      case "$ne":
        return parseNotEqual(path, value);
      case "$in":
        return parseIn(path, name, value);
      case "$nin":
        return { kind: "not", filter: parseIn(path, name, value) };
      case "$not":
        return { kind: "not", filter: this.negated(path, value) };
      case "$exists":
        return parseExists(path, value);
      case "$type":
        return parseType(path, value);
      case "$regex":
      case "$options":
        return parseRegex(path, siblings.get("$regex"), siblings.get("$options"));
      default:
        return this.rareOperator(path, name, value);
    }
  }

  private rareOperator(path: Path, name: string, value: Value): Filter {
    switch (name) {
      case "$mod":
        return parseMod(path, value);
      case "$size":
        return parseSize(path, value);
      case "$all":
        return parseAll(path, value, this.nested());
      case "$elemMatch":
        return parseElemMatch(path, value, this.nested());
      case "$bitsAllSet":
      case "$bitsAllClear":
      case "$bitsAnySet":
      case "$bitsAnyClear":
        return parseBits(path, name, value);
    }
    if (isGeoOperator(name)) return parseGeo(path, name, value);
    if (MISSING_OPERATORS.has(name)) {
      throw new CommandError("NotImplemented", `${name} is not yet supported in a filter`);
    }
    throw new CommandError("BadValue", `unknown operator: ${name}`);
  }

  private nested(): FilterParser {
    return new FilterParser(this.context, false);
  }

  private negated(path: Path, value: Value): Filter {
    if (value instanceof BSONRegExp) return parseRegexValue(path, value);
    if (!(value instanceof Document)) {
      throw new CommandError("BadValue", "$not needs a regex or a document");
    }
    if (value.isEmpty()) throw new CommandError("BadValue", "$not cannot be empty");
    return allOf(this.operators(path, value));
  }
}

const LOGICAL_KINDS = { $and: "and", $or: "or", $nor: "nor" } as const;

/** Whether a field's value is a set of operators: judged by its first name, as MongoDB does. */
function isOperators(document: Document): boolean {
  return document.names()[0]?.startsWith("$") === true && !isReference(document);
}

function parseConstant(name: string, value: Value): Filter {
  if (readInteger(name, value) !== 1n) {
    throw new CommandError("FailedToParse", `${name} must be an integer value of 1`);
  }
  return { kind: "constant", value: name === "$alwaysTrue" };
}

function parseSampleRate(value: Value): Filter {
  if (!isNumber(value)) throw new CommandError("BadValue", "argument to $sampleRate must be a numeric type");
  const rate = toDouble(value);
  if (!(rate >= 0 && rate <= 1)) {
    throw new CommandError("BadValue", "numeric argument to $sampleRate must be in [0, 1]");
  }
  return isTrue(rate) ? { kind: "sampleRate", rate } : { kind: "constant", value: false };
}
