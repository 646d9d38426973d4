/**
 * From the tree of an expression to one closure. Constant parts are computed once, here; the shapes that rows pass
 * through most (a top-level field) get closures of their own.
 */
import { BuiltDocument, type Value } from "../../bson/mod.ts";
import {
  constant,
  type Evaluator,
  type Expression,
  isRow,
  NO_SCOPE,
  type OperatorNode,
  type PathNode,
} from "./expression.ts";
import { readPath, readPathOfValue } from "./field_path.ts";
import type { Operands } from "./operator.ts";
import { findOperator } from "./operators.ts";

/**
 * Compiles an expression.
 *
 * @throws CommandError when a constant part of it fails, as MongoDB does when it optimises a pipeline
 */
export function compileExpression(expression: Expression): Evaluator {
  return compile(expression, true);
}

/** @param folds whether constants in it are computed ahead */
function compile(expression: Expression, folds: boolean): Evaluator {
  if (expression.kind === "constant") return always(expression.value);
  if (expression.kind === "path") return compilePath(expression);
  const evaluate = compileNode(expression, folds);
  return folds && isConstant(expression) ? always(evaluate(NO_SCOPE)) : evaluate;
}

function always(value: Value): Evaluator {
  return () => value;
}

function compileNode(
  expression: Exclude<Expression, { kind: "constant" | "path" }>,
  folds: boolean,
): Evaluator {
  const compileInner = (inner: Expression) => compile(inner, folds);
  switch (expression.kind) {
    case "object":
      return compileObject(expression.names, expression.fields.map(compileInner));
    case "array":
      return compileArray(expression.items.map(compileInner));
    case "operator":
      return compileOperator(expression, folds);
  }
}

function compileOperator(node: OperatorNode, folds: boolean): Evaluator {
  const definition = findOperator(node.name);
  if (!folds || definition.unfolded === "arguments") return definition.compile(compileOperands(node, false));
  const pruned = definition.prune?.(node, constantOf) ?? node;
  return definition.compile(compileOperands(joined(pruned), true));
}

/** What an expression gives that is the same for all rows; undefined for others. */
function constantOf(expression: Expression): { readonly value: Value } | undefined {
  return isConstant(expression) ? { value: compileExpression(expression)(NO_SCOPE) } : undefined;
}

/** The node with the arguments of its arguments, where they can be joined, and with constants computed ahead. */
function joined(node: OperatorNode): OperatorNode {
  const { associative } = findOperator(node.name);
  if (associative === undefined || isConstant(node)) return node;
  const args: Expression[] = [];
  let constants: Expression[] = [];
  const takeConstants = () => {
    if (constants.length > 1) args.push(constant(compileExpression({ ...node, args: constants })(NO_SCOPE)));
    else args.push(...constants);
    constants = [];
  };
  for (const arg of node.args.flatMap((arg) => isSame(arg, node) ? joined(arg).args : [arg])) {
    if (isConstant(arg)) {
      constants.push(arg);
      continue;
    }
    if (associative === "ordered") takeConstants();
    args.push(arg);
  }
  takeConstants();
  return { ...node, args };
}

function isSame(expression: Expression, { name }: OperatorNode): expression is OperatorNode {
  return expression.kind === "operator" && expression.name === name && !isConstant(expression);
}

function compileOperands(node: OperatorNode, folds: boolean): Operands {
  const named: Record<string, Evaluator> = {};
  for (const [name, argument] of Object.entries(node.named)) named[name] = compile(argument, folds);
  return {
    args: node.args.map((argument) => compile(argument, folds)),
    named,
    node,
    isConstant: (argument) => folds && isConstant(node.args[argument]!),
  };
}

/** Whether an expression gives one value for every row. */
export function isConstant(expression: Expression): boolean {
  switch (expression.kind) {
    case "constant":
      return true;
    case "path":
      return expression.variable === "REMOVE" || expression.known !== undefined;
    case "object":
      return expression.fields.every(isConstant);
    case "array":
      return expression.items.every(isConstant);
    case "operator":
      return isConstantOperator(expression);
  }
}

function isConstantOperator(node: OperatorNode): boolean {
  const { unfolded, standsFor } = findOperator(node.name);
  if (unfolded !== undefined) return false;
  const chosen = standsFor?.(node, constantOf);
  return chosen === undefined
    ? node.args.every(isConstant) && Object.values(node.named).every(isConstant)
    : isConstant(chosen);
}

function compilePath({ variable, path, known }: PathNode): Evaluator {
  if (known !== undefined) return always(known.value);
  switch (variable) {
    case "CURRENT":
    case "ROOT":
      return compileRowPath(path);
    case "REMOVE":
      return () => undefined;
    default:
      return compileVariablePath(variable, path);
  }
}

function compileRowPath(path: readonly string[]): Evaluator {
  if (path.length === 0) return (scope) => scope.root;
  if (path.length > 1) return (scope) => readPath(scope.root, path, 0);
  const name = path[0]!;
  return (scope) => scope.root.get(name);
}

function compileVariablePath(variable: string, path: readonly string[]): Evaluator {
  if (path.length === 0) return (scope) => scope.variables.get(variable);
  return (scope) => readPathOfValue(scope.variables.get(variable), path, 0);
}

function compileObject(names: readonly string[], fields: readonly Evaluator[]): Evaluator {
  return (scope) => {
    const values = new Array<Value>(fields.length);
    for (let i = 0; i < fields.length; i++) values[i] = fields[i]!(scope);
    return BuiltDocument.laidOut({ names, values });
  };
}

function compileArray(items: readonly Evaluator[]): Evaluator {
  return (scope) => {
    const values = new Array<Value>(items.length);
    for (let i = 0; i < items.length; i++) {
      const value = items[i]!(scope);
      values[i] = value === undefined ? null : value;
    }
    return values;
  };
}

/**
 * The top-level fields of the row that an expression reads; undefined when it reads the row as a whole.
 */
export function fieldsOf(expression: Expression): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  return addFieldsOf(expression, fields) ? fields : undefined;
}

/** Adds the fields read; false when the whole row is read. */
export function addFieldsOf(expression: Expression, fields: Set<string>): boolean {
  switch (expression.kind) {
    case "constant":
      return true;
    case "path": {
      const { variable, path } = expression;
      if (!isRow(variable)) return true;
      if (path.length > 0) fields.add(path[0]!);
      return path.length > 0;
    }
    case "object":
      return addFieldsOfAll(expression.fields, fields);
    case "array":
      return addFieldsOfAll(expression.items, fields);
    case "operator":
      return addFieldsOfAll(expression.args, fields) &&
        addFieldsOfAll(Object.values(expression.named), fields);
  }
}

function addFieldsOfAll(expressions: readonly Expression[], fields: Set<string>): boolean {
  return expressions.every((each) => addFieldsOf(each, fields));
}
