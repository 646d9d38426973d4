/** `$cond`, `$ifNull`, `$switch`. Only the branch that is chosen is evaluated. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, isNullish, type Value } from "../../bson/mod.ts";
import { isTruthy } from "./boolean.ts";
import { type Expression, type OperatorNode, operatorNode, type ParseContext } from "./expression.ts";
import { typeName } from "./message.ts";
import type { OperatorDefinition, Parse } from "./operator.ts";

const COND: OperatorDefinition = {
  name: "$cond",
  parse: (value, context, parse) => {
    if (value instanceof Document) return parseCondObject(value, context, parse);
    const items = isArray(value) ? value : [value];
    if (items.length !== 3) {
      throw new CommandError(
        16020,
        `Expression $cond takes exactly 3 arguments. ${items.length} were passed in.`,
      );
    }
    return operatorNode("$cond", items.map((item) => parse(item, context)));
  },
  standsFor: ({ args }, constantOf) => {
    const condition = constantOf(args[0]!);
    return condition && args[isTruthy(condition.value) ? 1 : 2];
  },
  compile: ({ args }) => {
    const [condition, then, otherwise] = args as [typeof args[0], typeof args[0], typeof args[0]];
    return (scope) => isTruthy(condition!(scope)) ? then!(scope) : otherwise!(scope);
  },
};

function parseCondObject(spec: Document, context: ParseContext, parse: Parse): OperatorNode {
  const values = spec.values();
  const parts = new Map<string, Expression>();
  for (const [i, name] of spec.names().entries()) {
    if (name !== "if" && name !== "then" && name !== "else") {
      throw new CommandError(17083, `Unrecognized parameter to $cond: ${name}`);
    }
    parts.set(name, parse(values[i], context));
  }
  const condition = parts.get("if");
  const then = parts.get("then");
  const otherwise = parts.get("else");
  if (condition === undefined) throw new CommandError(17080, "Missing 'if' parameter to $cond");
  if (then === undefined) throw new CommandError(17081, "Missing 'then' parameter to $cond");
  if (otherwise === undefined) throw new CommandError(17082, "Missing 'else' parameter to $cond");
  return operatorNode("$cond", [condition, then, otherwise]);
}

const IF_NULL: OperatorDefinition = {
  name: "$ifNull",
  parse: (value, context, parse) => {
    const items = isArray(value) ? value : [value];
    if (items.length < 2) {
      throw new CommandError(1257300, `$ifNull needs at least two arguments, had: ${items.length}`);
    }
    return operatorNode("$ifNull", items.map((item) => parse(item, context)));
  },
  compile: ({ args }) => {
    const last = args.length - 1;
    return (scope) => {
      for (let i = 0; i < last; i++) {
        const value = args[i]!(scope);
        if (!isNullish(value)) return value;
      }
      return args[last]!(scope);
    };
  },
};

/** Arguments are the branches, a condition and its value in turn; the default is named. */
const SWITCH: OperatorDefinition = {
  name: "$switch",
  parse: parseSwitch,
  prune: (node, constantOf) => {
    const args: Expression[] = [];
    for (let i = 0; i < node.args.length; i += 2) {
      const test = constantOf(node.args[i]!);
      if (test !== undefined && !isTruthy(test.value)) continue;
      args.push(node.args[i]!, node.args[i + 1]!);
      if (test !== undefined) break;
    }
    return { ...node, args };
  },
  compile: ({ args, named }) => {
    const otherwise = named["default"];
    if (otherwise === undefined && args.length === 0) {
      throw new CommandError(
        40069,
        "Cannot execute a switch statement where all the cases evaluate to false without a default",
      );
    }
    return (scope) => {
      for (let i = 0; i < args.length; i += 2) {
        if (isTruthy(args[i]!(scope))) return args[i + 1]!(scope);
      }
      if (otherwise !== undefined) return otherwise(scope);
      throw new CommandError(
        40066,
        "$switch could not find a matching branch for an input, and no default was specified.",
      );
    };
  },
};

function parseSwitch(value: Value, context: ParseContext, parse: Parse): OperatorNode {
  if (!(value instanceof Document)) {
    throw new CommandError(40060, `$switch requires an object as an argument, found: ${typeName(value)}`);
  }
  const args: Expression[] = [];
  const named: Record<string, Expression> = {};
  const values = value.values();
  for (const [i, name] of value.names().entries()) {
    if (name === "branches") args.push(...parseBranches(values[i], context, parse));
    else if (name === "default") named["default"] = parse(values[i], context);
    else throw new CommandError(40067, `$switch found an unknown argument: ${name}`);
  }
  if (args.length === 0) throw new CommandError(40068, "$switch requires at least one branch");
  return { kind: "operator", name: "$switch", args, named };
}

function parseBranches(branches: Value, context: ParseContext, parse: Parse): Expression[] {
  if (!isArray(branches)) {
    throw new CommandError(40061, `$switch expected an array for 'branches', found: ${typeName(branches)}`);
  }
  return branches.flatMap((branch) => {
    if (!(branch instanceof Document)) {
      throw new CommandError(
        40062,
        `$switch expected each branch to be an object, found: ${typeName(branch)}`,
      );
    }
    for (const name of branch.names()) {
      if (name !== "case" && name !== "then") {
        throw new CommandError(40063, `$switch found an unknown argument to a branch: ${name}`);
      }
    }
    if (!branch.has("case")) {
      throw new CommandError(40064, "$switch requires each branch have a 'case' expression");
    }
    if (!branch.has("then")) {
      throw new CommandError(40065, "$switch requires each branch have a 'then' expression.");
    }
    return [parse(branch.get("case"), context), parse(branch.get("then"), context)];
  });
}

export const CONDITIONAL: readonly OperatorDefinition[] = [COND, IF_NULL, SWITCH];
