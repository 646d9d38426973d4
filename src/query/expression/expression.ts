/**
 * An aggregation expression, parsed: readonly plain objects with a `kind`. Parsing checks names and arity;
 * `compileExpression` folds constants and turns the tree into one closure that a row passes through.
 */
import { BuiltDocument, type Collation, type Document, type Value } from "../../bson/mod.ts";

export type Expression =
  | { readonly kind: "constant"; readonly value: Value }
  /**
   * `$a.b` (variable CURRENT), `$$name.a.b`, `$$ROOT`. CURRENT is the row, as ROOT is; where `$let` binds another value
   * to CURRENT the variable is `BOUND_CURRENT`.
   */
  | PathNode
  | { readonly kind: "object"; readonly names: readonly string[]; readonly fields: readonly Expression[] }
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  | OperatorNode;

export interface PathNode {
  readonly kind: "path";
  readonly variable: string;
  readonly path: readonly string[];
  /** What it gives, where that is the same for every row. */
  readonly known?: { readonly value: Value };
}

/** An operator with its arguments; those with named arguments hold them in `named`, absent ones left out. */
export interface OperatorNode {
  readonly kind: "operator";
  readonly name: string;
  readonly args: readonly Expression[];
  readonly named: Readonly<Record<string, Expression>>;
  /** How it compares texts; undefined for by their bytes. */
  readonly collation?: Collation;
}

/** Whether a variable is the row itself. */
export function isRow(variable: string): boolean {
  return variable === "CURRENT" || variable === "ROOT";
}

/** The variable that `$let` binds when it names CURRENT: lower-case names are users', so none can collide. */
export const BOUND_CURRENT = "BOUND_CURRENT";

/** What is known while an expression is parsed. */
export interface ParseContext {
  /** Names of variables that `$$name` may use, beside the built-in ones; `$let` and its like add theirs. */
  readonly variables: ReadonlySet<string>;
  /** The values of those that are the same for all rows: of the command's `let`, and NOW. */
  readonly constants?: ReadonlyMap<string, Value>;
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation;
}

/** The collation of a context or a node, to be spread into another: that has no such field where there is none. */
export function collationOf(
  { collation }: { readonly collation?: Collation },
): { readonly collation?: Collation } {
  return collation === undefined ? {} : { collation };
}

/** What an expression sees while it runs. */
export interface Scope {
  /** The document of this row. */
  readonly root: Document;
  /** Variables by name: those of `let`, and NOW. */
  readonly variables: ReadonlyMap<string, Value>;
}

/** What a constant sees. */
export const NO_SCOPE: Scope = { root: BuiltDocument.EMPTY, variables: new Map() };

/** An expression, compiled: the value for one row; undefined for missing. @throws CommandError */
export type Evaluator = (scope: Scope) => Value;

const NO_ARGS: readonly Expression[] = [];
const NO_NAMED: Readonly<Record<string, Expression>> = {};

export function constant(value: Value): Expression {
  return { kind: "constant", value };
}

/** An operator's node with positional arguments. */
export function operatorNode(name: string, args: readonly Expression[]): OperatorNode {
  return { kind: "operator", name, args, named: NO_NAMED };
}

/** An operator's node with named arguments. */
export function namedNode(name: string, named: Readonly<Record<string, Expression>>): OperatorNode {
  return { kind: "operator", name, args: NO_ARGS, named };
}
