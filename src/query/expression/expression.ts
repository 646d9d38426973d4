/**
 * An aggregation expression, parsed: readonly plain objects with a `kind`. Parsing checks names and arity and folds
 * constants; `compileExpression` turns the tree into one closure that a row passes through.
 */
import type { Document, Value } from "../../bson/mod.ts";

export type Expression =
  | { readonly kind: "constant"; readonly value: Value }
  /** `$a.b` (variable CURRENT), `$$name.a.b`, `$$ROOT`. */
  | { readonly kind: "path"; readonly variable: string; readonly path: readonly string[] }
  | { readonly kind: "object"; readonly names: readonly string[]; readonly fields: readonly Expression[] }
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  /** An operator with its arguments; those with named arguments hold them in `named`. */
  | {
    readonly kind: "operator";
    readonly name: string;
    readonly args: readonly Expression[];
    readonly named: Readonly<Record<string, Expression>>;
  };

/** What is known while an expression is parsed. */
export interface ParseContext {
  /** Names of variables that `$$name` may use, beside the built-in ones; `$let` and its like add theirs. */
  readonly variables: ReadonlySet<string>;
}

/** What an expression sees while it runs. */
export interface Scope {
  /** The document of this row. */
  readonly root: Document;
  /** Variables by name: those of `let`, and NOW. */
  readonly variables: ReadonlyMap<string, Value>;
}

/** An expression, compiled: the value for one row; undefined for missing. @throws CommandError */
export type Evaluator = (scope: Scope) => Value;
