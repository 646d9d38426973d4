/**
 * A validator's filter, taken apart as it is written: what a document is told that does not pass follows the text of the
 * filter, `{a: {$gt: 1, $lt: 5}}` being two questions.
 */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, ParseContext } from "../expression/expression.ts";
import { REFERENCE_FIELDS } from "../expression/field_path.ts";
import { parseExpression } from "../expression/parse.ts";
import { compileFilter, type Matcher } from "../filter/compile.ts";
import type { Path } from "../filter/filter.ts";
import { parseFilter } from "../filter/parse.ts";

/** One question, or some that belong together. */
export type Clause = ListClause | NotClause | FieldClause | ExpressionClause | SchemaClause | ConstantClause;

/** What every kind has. @throws CommandError from an expression */
interface Question {
  readonly matches: Matcher;
}

export interface ListClause extends Question {
  readonly kind: "list";
  readonly operator: "$and" | "$or" | "$nor";
  readonly clauses: readonly Clause[];
}

export interface NotClause extends Question {
  readonly kind: "not";
  readonly clause: Clause;
}

/** One operator of one field. */
export interface FieldClause extends Question {
  readonly kind: "field";
  readonly operator: string;
  readonly path: Path;
  readonly operand: Value;
  readonly specifiedAs: Document;
}

export interface ExpressionClause extends Question {
  readonly kind: "expression";
  /** `$expr`, or `$sampleRate`, whose result is false. */
  readonly operator: string;
  readonly evaluate: Evaluator;
  readonly specifiedAs: Document;
}

export interface SchemaClause extends Question {
  readonly kind: "schema";
  readonly schema: Document;
}

/** `$alwaysFalse` and `$alwaysTrue`: of these nothing can be said. */
export interface ConstantClause extends Question {
  readonly kind: "constant";
  readonly specifiedAs: Document;
}

/** Known, and asked of no validator. */
const REFUSED: ReadonlySet<string> = new Set(["$text", "$where"]);
const DISTANCES: ReadonlySet<string> = new Set(["$geoNear", "$near", "$nearSphere"]);

/** @throws CommandError for a filter that is wrong, or none that a validator may have */
export function parseClause(filter: Document, context: ParseContext): Clause {
  const clauses = clausesOf(filter, context);
  return clauses.length === 1 ? clauses[0]! : list("$and", clauses, parseTest(filter, context));
}

function clausesOf(filter: Document, context: ParseContext): Clause[] {
  const values = filter.values();
  return filter.names().flatMap((name, i) => {
    if (name === "$comment") return [];
    return name.startsWith("$") && !REFERENCE_FIELDS.has(name)
      ? [documentClause(name, values[i], context)]
      : fieldClauses(name, values[i], context);
  });
}

function documentClause(name: string, value: Value, context: ParseContext): Clause {
  if (REFUSED.has(name)) throw new CommandError("BadValue", `${name} is not allowed in this context`);
  const specifiedAs = BuiltDocument.of({ [name]: value });
  switch (name) {
    case "$and":
    case "$or":
    case "$nor": {
      // First, for what a validator may not have: the filter's own parser has other words for it.
      const branches = branchesOf(value).map((branch) => parseClause(branch, context));
      return list(name, branches, parseTest(specifiedAs, context));
    }
    case "$expr":
      return {
        kind: "expression",
        operator: name,
        evaluate: compileExpression(parseExpression(value, context)),
        specifiedAs,
        matches: parseTest(specifiedAs, context),
      };
    case "$jsonSchema":
      return { kind: "schema", schema: value as Document, matches: parseTest(specifiedAs, context) };
    case "$sampleRate": {
      const matches = parseTest(specifiedAs, context);
      return { kind: "expression", operator: name, evaluate: () => false, specifiedAs, matches };
    }
    default:
      return { kind: "constant", specifiedAs, matches: parseTest(specifiedAs, context) };
  }
}

function branchesOf(value: Value): readonly Document[] {
  return isArray(value) ? value.filter((branch) => branch instanceof Document) : [];
}

function fieldClauses(name: string, value: Value, context: ParseContext): Clause[] {
  if (!isOperators(value)) {
    return [fieldClause(name, value instanceof BSONRegExp ? "$regex" : "$eq", value, value, context)];
  }
  const values = value.values();
  const names = value.names();
  return names.flatMap((operator, i): Clause[] => {
    if (DISTANCES.has(operator)) {
      throw new CommandError(5626500, "$geoNear, $near, and $nearSphere are not allowed in this context");
    }
    if (isPattern(operator) && names.includes("$regex")) {
      // $regex and $options are one operator in two fields.
      const parts = names.filter(isPattern);
      if (parts[0] !== operator) return [];
      const both = new BuiltDocument(parts, parts.map((part) => value.get(part)));
      return [fieldClause(name, "$regex", value.get("$regex"), both, context)];
    }
    if (operator === "$not") return [notClause(name, values[i], context)];
    const specified = BuiltDocument.of({ [operator]: values[i] });
    return [fieldClause(name, operator, values[i], specified, context)];
  });
}

function isPattern(operator: string): boolean {
  return operator === "$regex" || operator === "$options";
}

function notClause(name: string, value: Value, context: ParseContext): NotClause {
  const matches = parseTest(BuiltDocument.of({ [name]: BuiltDocument.of({ $not: value }) }), context);
  const clauses = fieldClauses(name, value, context);
  const inner = BuiltDocument.of({ [name]: value });
  const clause = clauses.length === 1 ? clauses[0]! : list("$and", clauses, parseTest(inner, context));
  return { kind: "not", clause, matches };
}

function fieldClause(
  name: string,
  operator: string,
  operand: Value,
  specified: Value,
  context: ParseContext,
): FieldClause {
  const specifiedAs = BuiltDocument.of({ [name]: specified });
  const matches = parseTest(specifiedAs, context);
  return { kind: "field", operator, path: name.split("."), operand, specifiedAs, matches };
}

function isOperators(value: Value): value is Document {
  if (!(value instanceof Document)) return false;
  const first = value.names()[0];
  return first !== undefined && first.startsWith("$") && !REFERENCE_FIELDS.has(first);
}

function list(operator: ListClause["operator"], clauses: readonly Clause[], matches: Matcher): ListClause {
  return { kind: "list", operator, clauses, matches };
}

function parseTest(filter: Document, context: ParseContext): Matcher {
  return compileFilter(parseFilter(filter, context), NO_VARIABLES);
}

/** A validator has no time of its own: its answer is the document's alone. */
class NoVariables extends Map<string, Value> {
  override get(name: string): Value {
    throw new CommandError(51144, `Builtin variable '$$${name}' is not available`);
  }
}

export const NO_VARIABLES: ReadonlyMap<string, Value> = new NoVariables();
