/**
 * What one operator of the expression language is: how its argument is written, and the closure it compiles to.
 *
 * A definition never imports the parser or the compiler: both are handed to it, so that families of operators stand
 * below the registry that joins them.
 */
import type { Value } from "../../bson/mod.ts";
import type { Evaluator, Expression, OperatorNode, ParseContext } from "./expression.ts";

/** Parses a nested expression. @throws CommandError */
export type Parse = (value: Value, context: ParseContext) => Expression;

/** Compiles a nested expression. @throws CommandError when folding a constant fails */
export type Compile = (expression: Expression) => Evaluator;

export interface OperatorDefinition {
  /** With its dollar sign: `$add`. */
  readonly name: string;
  /** How many arguments may be given, least and most, when they are written as an array (or as one value). */
  readonly arity?: readonly [least: number, most: number];
  /** Parses an argument that is not a plain list; without it `arity` rules. */
  readonly parse?: (value: Value, context: ParseContext, parse: Parse) => OperatorNode;
  /** The closure; `args` and `named` are those of the node, compiled. */
  readonly compile: (operands: Operands) => Evaluator;
  /**
   * Never computed ahead of the rows, even where every argument is constant: the value differs from row to row, or MongoDB
   * does not either, which shows in where an error comes from; or even its arguments are not.
   */
  readonly unfolded?: "itself" | "arguments";
  /** What the node stands for where constants in it decide that: it is constant if that is. */
  readonly standsFor?: (
    node: OperatorNode,
    constantOf: (expression: Expression) => { readonly value: Value } | undefined,
  ) => Expression | undefined;
  /** The node without what constants in it make unreachable. */
  readonly prune?: (
    node: OperatorNode,
    constantOf: (expression: Expression) => { readonly value: Value } | undefined,
  ) => OperatorNode;
  /**
   * Whether arguments can be joined with those of an argument that is the same operator, and constants beside each other be computed
   * ahead; where it is commutative, all constants, which then come last. As in MongoDB's optimizer, and seen in what is rounded.
   */
  readonly associative?: "ordered" | "commutative";
}

/** An operator's arguments, compiled. */
export interface Operands {
  readonly args: readonly Evaluator[];
  readonly named: Readonly<Record<string, Evaluator>>;
  /** The tree they come from, for what only parsing knows: constant arguments, names of variables. */
  readonly node: OperatorNode;
  /** Whether an argument is the same for all rows. */
  readonly isConstant: (argument: number) => boolean;
}

/** An operator that takes one value: `missing` and null go to `apply` as they are. */
export function unary(name: string, apply: (value: Value) => Value): OperatorDefinition {
  return {
    name,
    arity: [1, 1],
    compile: ({ args }) => {
      const argument = args[0]!;
      return (scope) => apply(argument(scope));
    },
  };
}

/** An operator that takes two values. */
export function binary(
  name: string,
  apply: (a: Value, b: Value) => Value,
  first: "left" | "right" = "left",
): OperatorDefinition {
  return {
    name,
    arity: [2, 2],
    compile: ({ args }) => {
      const left = args[0]!;
      const right = args[1]!;
      if (first === "left") return (scope) => apply(left(scope), right(scope));
      return (scope) => {
        const b = right(scope);
        return apply(left(scope), b);
      };
    },
  };
}

/** An operator that takes its values as one list, all of them evaluated. */
export function variadic(
  name: string,
  arity: readonly [number, number],
  apply: (values: readonly Value[]) => Value,
): OperatorDefinition {
  return {
    name,
    arity,
    compile: ({ args }) => (scope) => {
      const values = new Array<Value>(args.length);
      for (let i = 0; i < args.length; i++) values[i] = args[i]!(scope);
      return apply(values);
    },
  };
}

/** An operator that may decide before all its arguments are evaluated: `argument` evaluates the one it is asked for. */
export function stepwise(
  name: string,
  arity: readonly [number, number],
  apply: (argument: (i: number) => Value, count: number) => Value,
): OperatorDefinition {
  return {
    name,
    arity,
    compile: ({ args }) => (scope) => apply((i) => args[i]!(scope), args.length),
  };
}
