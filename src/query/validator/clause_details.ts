/**
 * What MongoDB says of a document that a validator's filter refuses (`errInfo.details`): a tree in which only what failed
 * is told. Under `$not` and `$nor` what is told is what passed: there, clauses are `inverted`.
 */
import { CommandError } from "../../base/mod.ts";
import {
  BsonType,
  BuiltDocument,
  type Document,
  Int32,
  isArray,
  typeOf,
  type Value,
} from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import {
  type Clause,
  type ExpressionClause,
  type FieldClause,
  type ListClause,
  NO_VARIABLES,
  type SchemaClause,
} from "./clause.ts";
import { consideredValues, typeFields, valueFields } from "./considered.ts";
import { schemaDetails } from "./schema_details.ts";

/**
 * Why a clause fails on a document, or why it passes where that is what must not be.
 *
 * @throws CommandError when the clause is one of which nothing can be said
 */
export function clauseDetails(clause: Clause, document: Document, inverted: boolean): Document {
  switch (clause.kind) {
    case "list":
      return listDetails(clause, document, inverted);
    case "not":
      return BuiltDocument.of({
        operatorName: "$not",
        details: clauseDetails(clause.clause, document, !inverted),
      });
    case "field":
      return fieldDetails(clause, document, inverted);
    case "expression":
      return expressionDetails(clause, document, inverted);
    case "schema":
      return schemaClauseDetails(clause, document, inverted);
    case "constant": {
      const [name] = clause.specifiedAs.names();
      throw new CommandError(
        4994600,
        "Cannot generate validation error details: no annotation found for expression " +
          `{ ${elementText(name!, clause.specifiedAs.get(name!))} }`,
      );
    }
  }
}

function listDetails({ operator, clauses }: ListClause, document: Document, inverted: boolean): Document {
  const tellsPassed = (operator === "$nor") !== inverted;
  const told = clauses.map((clause, index) => ({ clause, index }))
    .filter(({ clause }) => passes(clause, document) === tellsPassed)
    .map(({ clause, index }) =>
      BuiltDocument.of({
        index: Int32.of(index),
        details: clauseDetails(clause, document, tellsPassed),
      })
    );
  return BuiltDocument.of({
    operatorName: operator,
    [tellsPassed ? "clausesSatisfied" : "clausesNotSatisfied"]: told,
  });
}

function passes({ matches }: Clause, document: Document): boolean {
  try {
    return matches(document);
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}

function schemaClauseDetails({ schema }: SchemaClause, document: Document, inverted: boolean): Document {
  if (!inverted) return schemaDetails(schema, document);
  return BuiltDocument.of({ operatorName: "$jsonSchema", reason: "schema matched" });
}

function expressionDetails(
  { operator, evaluate, specifiedAs }: ExpressionClause,
  root: Document,
  inverted: boolean,
): Document {
  const about = { operatorName: operator, specifiedAs };
  try {
    const expressionResult = evaluate({ root, variables: NO_VARIABLES });
    const reason = inverted ? "expression did match" : "expression did not match";
    return BuiltDocument.of({ ...about, reason, expressionResult });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const reason = "failed to evaluate aggregation expression";
    return BuiltDocument.of({ ...about, reason, details: errorDocument(error) });
  }
}

/** An error as a document. */
export function errorDocument({ code, codeName, message }: CommandError): Document {
  return BuiltDocument.of({ code: Int32.of(code), codeName, errmsg: message });
}

/** How an operator's question is answered, and of what values it can be asked. */
interface Wording {
  readonly failed: string;
  readonly passed: string;
  /** Whether arrays are asked as they are, not their elements. */
  readonly arraysWhole?: boolean;
  /** The only types that the operator can pass. */
  readonly types?: readonly BsonType[];
  /** Their names, as they are told. */
  readonly expected?: Readonly<Record<string, Value>>;
}

const COMPARISON: Wording = { failed: "comparison failed", passed: "comparison succeeded" };
const BITS: Wording = {
  failed: "bitwise operator failed to match",
  passed: "bitwise operator matched successfully",
  types: [BsonType.Binary, BsonType.Decimal128, BsonType.Double, BsonType.Int32, BsonType.Int64],
  expected: { expectedTypes: ["binData", "decimal", "double", "int", "long"] },
};
const ARRAY = { arraysWhole: true, types: [BsonType.Array], expected: { expectedType: "array" } } as const;

const WORDINGS: Readonly<Record<string, Wording>> = {
  $all: {
    failed: "array did not contain all specified values",
    passed: "array did contain all specified values",
    arraysWhole: true,
  },
  $bitsAllClear: BITS,
  $bitsAllSet: BITS,
  $bitsAnyClear: BITS,
  $bitsAnySet: BITS,
  $elemMatch: {
    ...ARRAY,
    failed: "array did not satisfy the child predicate",
    passed: "array did satisfy the child predicate",
  },
  $geoIntersects: {
    failed: "none of the considered geometries intersected the expression’s geometry",
    passed: "at least one of considered geometries intersected the expression’s geometry",
  },
  $geoWithin: {
    failed: "none of the considered geometries were contained within the expression’s geometry",
    passed: "at least one of considered geometries was contained within the expression’s geometry",
  },
  $in: { failed: "no matching value found in array", passed: "matching value found in array" },
  $mod: {
    failed: "$mod did not evaluate to expected remainder",
    passed: "$mod did evaluate to expected remainder",
    types: [BsonType.Decimal128, BsonType.Double, BsonType.Int32, BsonType.Int64],
    expected: { expectedTypes: ["decimal", "double", "int", "long"] },
  },
  $ne: { failed: "comparison succeeded", passed: "comparison failed" },
  $nin: { failed: "matching value found in array", passed: "no matching value found in array" },
  $regex: {
    failed: "regular expression did not match",
    passed: "regular expression did match",
    types: [BsonType.Regex, BsonType.String, BsonType.Symbol],
    expected: { expectedTypes: ["regex", "string", "symbol"] },
  },
  $size: {
    ...ARRAY,
    failed: "array length was not equal to given size",
    passed: "array length was equal to given size",
  },
  $type: { failed: "type did not match", passed: "type did match" },
};

function fieldDetails(clause: FieldClause, document: Document, inverted: boolean): Document {
  const { operator, operand, path, specifiedAs } = clause;
  const about = { operatorName: operator, specifiedAs };
  const wording = WORDINGS[operator] ?? COMPARISON;
  if (operator === "$all" && isArray(operand) && operand.length === 0) {
    return BuiltDocument.of({ ...about, reason: "expression always evaluates to false" });
  }
  const values = consideredValues(document, path, wording.arraysWhole !== true);
  if (operator === "$exists") {
    return BuiltDocument.of({
      ...about,
      reason: values === undefined ? "path does not exist" : "path does exist",
    });
  }
  if (values === undefined) return BuiltDocument.of({ ...about, reason: "field was missing" });
  const { types, expected = {} } = wording;
  if (!inverted && types !== undefined && !values.some((value) => types.includes(typeOf(value)))) {
    const reason = "type did not match";
    return BuiltDocument.of({ ...about, reason, ...typeFields(values), ...expected, ...valueFields(values) });
  }
  return BuiltDocument.of({
    ...about,
    reason: inverted ? wording.passed : wording.failed,
    ...valueFields(values),
    ...(operator === "$type" && typeFields(values)),
  });
}
