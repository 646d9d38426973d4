/** `$literal` (and `$const`): its argument as it is, dollar signs included. `$let`: names for values. */
import { CommandError } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import {
  BOUND_CURRENT,
  constant,
  type Evaluator,
  type Expression,
  namedNode,
  type OperatorNode,
  operatorNode,
  type ParseContext,
  type Scope,
} from "./expression.ts";
import type { OperatorDefinition, Parse } from "./operator.ts";
import { checkVariableBinding } from "./variable.ts";

function literal(name: string): OperatorDefinition {
  return {
    name,
    parse: (value) => operatorNode(name, [constant(value)]),
    compile: ({ args }) => args[0]!,
  };
}

/** A context in which more variables are known. */
export function withVariables(context: ParseContext, names: readonly string[]): ParseContext {
  const variables = new Set([...context.variables, ...names.map(boundName)]);
  const constants = new Map(context.constants);
  for (const name of names) constants.delete(name);
  return { ...context, variables, constants };
}

/** Under which name a variable of a user is bound. */
export function boundName(name: string): string {
  return name === "CURRENT" ? BOUND_CURRENT : name;
}

/** The same row with room for more variables; the caller sets them, before each use of the scope. */
export function extendScope(scope: Scope): Scope & { readonly variables: Map<string, Value> } {
  return { ...scope, variables: new Map(scope.variables) };
}

/** Named arguments are `in` and, for each variable, its bound name after a dollar sign. */
const LET: OperatorDefinition = {
  name: "$let",
  parse: parseLet,
  compile: ({ named }) => {
    const bindings = Object.entries(named).filter(([name]) => name.startsWith("$"))
      .map(([name, evaluate]): [string, Evaluator] => [name.slice(1), evaluate]);
    const body = named["in"]!;
    return (scope) => {
      const inner = extendScope(scope);
      for (const [name, evaluate] of bindings) inner.variables.set(name, evaluate(scope));
      return body(inner);
    };
  },
};

function parseLet(value: Value, context: ParseContext, parse: Parse): OperatorNode {
  if (!(value instanceof Document)) {
    throw new CommandError(16874, "$let only supports an object as its argument");
  }
  for (const name of value.names()) {
    if (name !== "vars" && name !== "in") {
      throw new CommandError(16875, `Unrecognized parameter to $let: ${name}`);
    }
  }
  const vars = value.get("vars");
  if (vars === undefined) throw new CommandError(16876, "Missing 'vars' parameter to $let");
  if (!value.has("in")) throw new CommandError(16877, "Missing 'in' parameter to $let");
  if (!(vars instanceof Document)) {
    throw new CommandError("TypeMismatch", "invalid parameter: expected an object (vars)");
  }
  const names = vars.names();
  const named: Record<string, Expression> = {};
  for (const [i, name] of names.entries()) {
    checkVariableBinding(name);
    named[`$${boundName(name)}`] = parse(vars.values()[i], context);
  }
  named["in"] = parse(value.get("in"), withVariables(context, names));
  return namedNode("$let", named);
}

export const LITERAL: readonly OperatorDefinition[] = [literal("$const"), LET, literal("$literal")];
