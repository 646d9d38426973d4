/**
 * What an expression that must be true says of fields, as filters: `{$expr: {$eq: ["$_id", "$$x"]}}` names the one _id
 * that can match. A filter so implied lets at least the same documents pass; the expression stays and decides.
 */
import { isArray, isNullish, UtcDate, type Value } from "../bson/mod.ts";
import {
  collationOf,
  type Expression,
  isRow,
  type OperatorNode,
  type PathNode,
} from "./expression/expression.ts";
import { readPathOfValue } from "./expression/field_path.ts";
import type { ComparisonOperator, Filter } from "./filter/filter.ts";

/** The other way round. */
const MIRRORED: Readonly<Record<string, ComparisonOperator>> = {
  $eq: "$eq",
  $gt: "$lt",
  $gte: "$lte",
  $lt: "$gt",
  $lte: "$gte",
};

/** What is known where conditions are read. */
export interface Known {
  readonly variables: ReadonlyMap<string, Value>;
  /** The field that holds a date in every row. */
  readonly timeField: string | undefined;
}

/** The filters, and what those of them that are expressions imply. */
export function withImplied(filters: readonly Filter[], known: Known): readonly Filter[] {
  return filters.flatMap((filter) =>
    filter.kind === "expr" ? [filter, ...impliedBy(filter.expression, known)] : [filter]
  );
}

function impliedBy(expression: Expression, known: Known): readonly Filter[] {
  if (expression.kind !== "operator") return [];
  if (expression.name === "$and") return expression.args.flatMap((arg) => impliedBy(arg, known));
  if (!Object.hasOwn(MIRRORED, expression.name) || expression.args.length !== 2) return [];
  return impliedByComparison(expression, known);
}

function impliedByComparison(node: OperatorNode, known: Known): readonly Filter[] {
  const { name, args } = node;
  const [left, right] = args as readonly [Expression, Expression];
  const operator = name as ComparisonOperator;
  if (isField(left)) return comparison(node, left, operator, valueOf(right, known.variables), known);
  if (!isField(right)) return [];
  return comparison(node, right, MIRRORED[name]!, valueOf(left, known.variables), known);
}

function isField(expression: Expression): expression is PathNode {
  return expression.kind === "path" && expression.path.length > 0 &&
    isRow(expression.variable);
}

/** What an expression that reads no document is; undefined where that is not known here. */
function valueOf(expression: Expression, variables: ReadonlyMap<string, Value>): Value {
  if (expression.kind === "constant") return expression.value;
  if (expression.kind !== "path" || !variables.has(expression.variable)) return undefined;
  const value = variables.get(expression.variable);
  return expression.path.length === 0 ? value : readPathOfValue(value, expression.path, 0);
}

/**
 * Expressions compare whole values of all types, filters values of one type and what is in arrays: equality to what is no
 * array and not null is the same for both or wider in a filter, an order only where every value is a date.
 */
function comparison(
  node: OperatorNode,
  { path }: PathNode,
  operator: ComparisonOperator,
  value: Value,
  { timeField }: Known,
): readonly Filter[] {
  if (isNullish(value) || isArray(value)) return [];
  const isTime = path.length === 1 && path[0] === timeField && value instanceof UtcDate;
  if (operator !== "$eq" && !isTime) return [];
  return [{ kind: "comparison", path, operator, value, ...collationOf(node) }];
}
