/** From the BSON of an expression to its tree. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import {
  BOUND_CURRENT,
  constant,
  type Expression,
  type OperatorNode,
  operatorNode,
  type ParseContext,
} from "./expression.ts";
import { checkFieldName, parseFieldPath, readPathOfValue } from "./field_path.ts";
import { renderDocument } from "./message.ts";
import type { OperatorDefinition } from "./operator.ts";
import { findOperator } from "./operators.ts";
import { checkVariableUse } from "./variable.ts";

/**
 * Parses an expression as a stage or a command holds it.
 *
 * @throws CommandError with MongoDB's code and wording for an unknown operator, a wrong number of arguments, a bad path …
 */
export function parseExpression(value: Value, context: ParseContext): Expression {
  if (typeof value === "string") return value.startsWith("$") ? parsePath(value, context) : constant(value);
  if (isArray(value)) return { kind: "array", items: value.map((item) => parseExpression(item, context)) };
  if (value instanceof Document) return parseDocument(value, context);
  return constant(value);
}

function parsePath(text: string, context: ParseContext): Expression {
  if (text === "$") throw new CommandError(16872, "'$' by itself is not a valid FieldPath");
  if (!text.startsWith("$$")) {
    const variable = context.variables.has(BOUND_CURRENT) ? BOUND_CURRENT : "CURRENT";
    return { kind: "path", variable, path: parseFieldPath(text.slice(1)) };
  }
  const dot = text.indexOf(".");
  const name = dot < 0 ? text.slice(2) : text.slice(2, dot);
  checkVariableUse(name, context);
  const variable = name === "CURRENT" && context.variables.has(BOUND_CURRENT) ? BOUND_CURRENT : name;
  const path = dot < 0 ? [] : parseFieldPath(text.slice(dot + 1));
  if (context.constants?.has(name) !== true) return { kind: "path", variable, path };
  return { kind: "path", variable, path, known: { value: valueAt(context.constants.get(name), path) } };
}

function valueAt(value: Value, path: readonly string[]): Value {
  return path.length === 0 ? value : readPathOfValue(value, path, 0);
}

function parseDocument(document: Document, context: ParseContext): Expression {
  const names = document.names();
  const values = document.values();
  const first = names[0];
  if (first?.startsWith("$")) {
    if (names.length > 1) {
      throw new CommandError(
        15983,
        `an object representing an expression must have exactly one field: ${renderDocument(document)}`,
      );
    }
    return parseOperator(findOperator(first), values[0], context);
  }
  return parseObject(names, values, context);
}

function parseObject(names: readonly string[], values: readonly Value[], context: ParseContext): Expression {
  const seen = new Set<string>();
  const fields = names.map((name, i) => {
    if (seen.has(name)) {
      throw new CommandError(16406, `duplicate field name specified in object literal: ${name}`);
    }
    checkFieldName(name);
    seen.add(name);
    return parseExpression(values[i], context);
  });
  return { kind: "object", names, fields };
}

function parseOperator(definition: OperatorDefinition, value: Value, context: ParseContext): Expression {
  const node = parseNode(definition, value, context);
  return context.collation === undefined ? node : { ...node, collation: context.collation };
}

function parseNode(definition: OperatorDefinition, value: Value, context: ParseContext): OperatorNode {
  if (definition.parse !== undefined) return definition.parse(value, context, parseExpression);
  const args = isArray(value)
    ? value.map((item) => parseExpression(item, context))
    : [parseExpression(value, context)];
  checkArity(definition, args.length);
  return operatorNode(definition.name, args);
}

function checkArity({ name, arity }: OperatorDefinition, count: number): void {
  const [least, most] = arity ?? [0, Infinity];
  if (count >= least && count <= most) return;
  if (least === most) {
    throw new CommandError(
      16020,
      `Expression ${name} takes exactly ${least} arguments. ${count} were passed in.`,
    );
  }
  throw new CommandError(
    28667,
    `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${count} were passed in.`,
  );
}
