/** From the BSON of a filter to its tree. */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import type { ParseContext } from "../expression/expression.ts";
import { REFERENCE_FIELDS } from "../expression/field_path.ts";
import { parseExpression } from "../expression/parse.ts";
import { isTrue, readInteger, toDouble } from "./argument.ts";
import type { NestedParser } from "./array.ts";
import { isReference, parseComparison } from "./comparison.ts";
import { allOf, type Filter, type Path } from "./filter.ts";
import { isDistanceBound } from "./near.ts";
import { FIELD_OPERATORS } from "./operators.ts";
import { parseJsonSchema } from "./parse_json_schema.ts";
import { parseRegexValue } from "./regex.ts";

const NO_VARIABLES: ParseContext = { variables: new Set() };

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
    readonly context: ParseContext,
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
    if (Object.hasOwn(TOP_LEVEL_OPERATORS, name)) return TOP_LEVEL_OPERATORS[name]!(value, name, this);
    const hint = name === "$not"
      ? "If you are trying to negate an entire expression, use $nor."
      : "If you have a field name that starts with a '$' symbol, consider using $getField or $setField.";
    throw new CommandError("BadValue", `unknown top level operator: ${name}. ${hint}`);
  }

  isTopLevelOperator(name: string): boolean {
    return Object.hasOwn(TOP_LEVEL_OPERATORS, name) || name === "$comment" || REFERENCE_FIELDS.has(name);
  }

  /** @throws CommandError inside `$elemMatch` */
  checkTopLevel(name: string): void {
    if (this.topLevel) return;
    throw new CommandError("BadValue", `${name} can only be applied to the top-level document`);
  }

  branches(name: string, value: Value): readonly Filter[] {
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
    return [parseComparison(path, "$eq", value, this.context)];
  }

  operators(path: Path, document: Document): readonly Filter[] {
    const names = document.names();
    const values = document.values();
    const filters: Filter[] = [];
    names.forEach((name, i) => {
      // $regex and $options are one operator in two fields; it stands where the first of them does.
      if (name === "$options" && names.includes("$regex")) return;
      if (isDistanceBound(name) && names.some((each) => each === "$near" || each === "$nearSphere")) return;
      filters.push(this.operator(path, name, values[i], document));
    });
    return filters;
  }

  private operator(path: Path, name: string, value: Value, siblings: Document): Filter {
    if (!Object.hasOwn(FIELD_OPERATORS, name)) {
      const message = name === "$where" ? "$where cannot be applied to a field" : `unknown operator: ${name}`;
      throw new CommandError("BadValue", message);
    }
    return FIELD_OPERATORS[name]!({ path, name, value, siblings, parser: this.nested() });
  }

  private nested(): FilterParser {
    return new FilterParser(this.context, false);
  }
}

type TopLevelParser = (value: Value, name: string, parser: FilterParser) => Filter;

const logical = (kind: "and" | "or" | "nor"): TopLevelParser => (value, name, parser) => ({
  kind,
  filters: parser.branches(name, value),
});

/** Known to MongoDB, not here. */
const missing: TopLevelParser = (_, name, parser) => {
  parser.checkTopLevel(name);
  throw new CommandError("NotImplemented", `${name} is not yet supported in a filter`);
};

/** The operators that stand where a field's name does: one sorted table. */
const TOP_LEVEL_OPERATORS: Readonly<Record<string, TopLevelParser>> = {
  $alwaysFalse: (value, name) => parseConstant(name, value),
  $alwaysTrue: (value, name) => parseConstant(name, value),
  $and: logical("and"),
  $expr: (value, name, parser) => {
    parser.checkTopLevel(name);
    return { kind: "expr", expression: parseExpression(value, parser.context), source: value };
  },
  $jsonSchema: (value) => ({ kind: "jsonSchema", schema: parseJsonSchema(value), source: value }),
  $nor: logical("nor"),
  $or: logical("or"),
  $sampleRate: (value, name, parser) => {
    parser.checkTopLevel(name);
    return parseSampleRate(value);
  },
  $text: missing,
  $where: missing,
};

/** The names of all operators that filters know, those that are missing included: of a document, and of a field. */
export function filterOperatorNames(): {
  readonly document: readonly string[];
  readonly field: readonly string[];
} {
  return {
    document: ["$comment", ...Object.keys(TOP_LEVEL_OPERATORS)].sort(),
    field: Object.keys(FIELD_OPERATORS),
  };
}

/** Whether a field's value is a set of operators: judged by its first name, as MongoDB does. */
function isOperators(document: Document): boolean {
  return document.names()[0]?.startsWith("$") === true && !isReference(document);
}

function parseConstant(name: string, value: Value): Filter {
  const one = readInteger(name, value);
  if (typeof one === "string") throw new CommandError("FailedToParse", one);
  if (one !== 1n) {
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
