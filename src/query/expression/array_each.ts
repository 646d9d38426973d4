/** Operators that evaluate an expression for each item of an array: `$map`, `$filter`, `$reduce`; `$zip`, `$sortArray`. */
import { CommandError, MAX_BLOCKING_STAGE_BYTES } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  Document,
  isArray,
  isNullish,
  isNumber,
  type Value,
  valueOrder,
} from "../../bson/mod.ts";
import { type ElementOrder, orderByFields } from "../element_order.ts";
import { approximateBytes } from "../memory.ts";
import { isTruthy } from "./boolean.ts";
import { constant, type Expression, namedNode, type OperatorNode, type ParseContext } from "./expression.ts";
import { boundName, extendScope, withVariables } from "./literal.ts";
import { renderValue, typeName } from "./message.ts";
import { asInt32 } from "./number.ts";
import { type NamedArguments, parseNamed } from "./named_arguments.ts";
import type { Operands, OperatorDefinition, Parse } from "./operator.ts";
import { checkVariableBinding } from "./variable.ts";

interface Each {
  readonly operator: string;
  /** Name of the argument that is evaluated for each item. */
  readonly body: string;
  readonly optional: readonly string[];
  readonly notAnObject: number;
  readonly unknown: number;
  readonly noInput: number;
  readonly noBody: number;
}

const MAP_ARGUMENTS: Each = {
  operator: "$map",
  body: "in",
  optional: [],
  notAnObject: 16878,
  unknown: 16879,
  noInput: 16880,
  noBody: 16882,
};

const FILTER_ARGUMENTS: Each = {
  operator: "$filter",
  body: "cond",
  optional: ["limit"],
  notAnObject: 28646,
  unknown: 28647,
  noInput: 28648,
  noBody: 28650,
};

/** Named arguments: `input`, the body, those optional, and `as`: a constant, the bound name. */
function parseEach(spec: Each, value: Value, context: ParseContext, parse: Parse): OperatorNode {
  const { operator, body } = spec;
  if (!(value instanceof Document)) {
    throw new CommandError(spec.notAnObject, `${operator} only supports an object as its argument`);
  }
  for (const name of value.names()) {
    if (["input", "as", body, ...spec.optional].includes(name)) continue;
    throw new CommandError(spec.unknown, `Unrecognized parameter to ${operator}: ${name}`);
  }
  if (!value.has("input")) {
    throw new CommandError(spec.noInput, `Missing 'input' parameter to ${operator}`);
  }
  if (!value.has(body)) throw new CommandError(spec.noBody, `Missing '${body}' parameter to ${operator}`);
  const as = value.has("as") ? textOf(value.get("as")) : "this";
  checkVariableBinding(as);
  const named: Record<string, Expression> = {
    input: parse(value.get("input"), context),
    as: constant(boundName(as)),
    [body]: parse(value.get(body), withVariables(context, [as])),
  };
  for (const name of spec.optional) {
    if (value.has(name)) named[name] = parse(value.get(name), context);
  }
  return namedNode(operator, named);
}

/** What MongoDB reads where it wants a text and gets another type: nothing. */
function textOf(value: Value): string {
  return typeof value === "string" ? value : "";
}

function boundVariable({ node }: Operands): string {
  const as = node.named["as"];
  return as?.kind === "constant" && typeof as.value === "string" ? as.value : "this";
}

const MAP: OperatorDefinition = {
  name: "$map",
  unfolded: "itself",
  parse: (value, context, parse) => parseEach(MAP_ARGUMENTS, value, context, parse),
  compile: (operands) => {
    const as = boundVariable(operands);
    const input = operands.named["input"]!;
    const body = operands.named["in"]!;
    return (scope) => {
      const items = input(scope);
      if (isNullish(items)) return null;
      if (!isArray(items)) {
        throw new CommandError(16883, `input to $map must be an array not ${typeName(items)}`);
      }
      const inner = extendScope(scope);
      let bytes = 0;
      return items.map((item) => {
        inner.variables.set(as, item);
        const value = body(inner);
        bytes += approximateBytes(value, MAX_BLOCKING_STAGE_BYTES - bytes);
        if (bytes > MAX_BLOCKING_STAGE_BYTES) {
          throw new CommandError("ExceededMemoryLimit", "$map would use too much memory");
        }
        return value === undefined ? null : value;
      });
    };
  },
};

const FILTER: OperatorDefinition = {
  name: "$filter",
  unfolded: "itself",
  parse: (value, context, parse) => parseEach(FILTER_ARGUMENTS, value, context, parse),
  compile: (operands) => {
    const as = boundVariable(operands);
    const input = operands.named["input"]!;
    const condition = operands.named["cond"]!;
    const limit = operands.named["limit"];
    return (scope) => {
      const items = input(scope);
      if (isNullish(items)) return null;
      if (!isArray(items)) {
        throw new CommandError(28651, `input to $filter must be an array not ${typeName(items)}`);
      }
      if (items.length === 0) return [];
      const most = limit === undefined ? Infinity : filterLimit(limit(scope));
      const inner = extendScope(scope);
      const kept: Value[] = [];
      for (const item of items) {
        inner.variables.set(as, item);
        if (!isTruthy(condition(inner))) continue;
        kept.push(item);
        if (kept.length >= most) break;
      }
      return kept;
    };
  },
};

function filterLimit(value: Value): number {
  if (isNullish(value)) return Infinity;
  const limit = isNumber(value) ? asInt32(value) : undefined;
  if (limit === undefined) {
    throw new CommandError(
      327391,
      `$filter: limit must be represented as a 32-bit integral value: ${renderValue(value)}`,
    );
  }
  if (limit < 1) throw new CommandError(327392, `$filter: limit must be greater than 0: ${limit}`);
  return limit;
}

const REDUCE: OperatorDefinition = {
  name: "$reduce",
  unfolded: "itself",
  parse: parseReduce,
  compile: ({ named }) => {
    const input = named["input"]!;
    const initialValue = named["initialValue"]!;
    const body = named["in"]!;
    return (scope) => {
      const items = input(scope);
      if (isNullish(items)) return null;
      if (!isArray(items)) {
        throw new CommandError(
          40080,
          `$reduce requires that 'input' be an array, found: ${renderValue(items)}`,
        );
      }
      const inner = extendScope(scope);
      let accumulated = initialValue(scope);
      for (const item of items) {
        inner.variables.set("value", accumulated);
        inner.variables.set("this", item);
        accumulated = body(inner);
      }
      return accumulated;
    };
  },
};

function parseReduce(value: Value, context: ParseContext, parse: Parse): OperatorNode {
  if (!(value instanceof Document)) {
    throw new CommandError(40075, `$reduce requires an object as an argument, found: ${typeName(value)}`);
  }
  const named: Record<string, Expression> = {};
  const values = value.values();
  for (const [i, name] of value.names().entries()) {
    if (name === "in") named[name] = parse(values[i], withVariables(context, ["value", "this"]));
    else if (name === "input" || name === "initialValue") named[name] = parse(values[i], context);
    else throw new CommandError(40076, `$reduce found an unknown argument: ${name}`);
  }
  if (named["input"] === undefined) throw new CommandError(40077, "$reduce requires 'input' to be specified");
  if (named["initialValue"] === undefined) {
    throw new CommandError(40078, "$reduce requires 'initialValue' to be specified");
  }
  if (named["in"] === undefined) throw new CommandError(40079, "$reduce requires 'in' to be specified");
  return namedNode("$reduce", named);
}

/** Arguments are the inputs; named are `longest`, a constant, and `defaults`, an array. */
const ZIP: OperatorDefinition = {
  name: "$zip",
  unfolded: "itself",
  parse: parseZip,
  compile: ({ args, named }) => {
    const longest = named["longest"] !== undefined;
    const defaults = named["defaults"];
    return (scope) => {
      const inputs: (readonly Value[])[] = [];
      for (const arg of args) {
        const value = arg(scope);
        if (isNullish(value)) return null;
        if (!isArray(value)) {
          throw new CommandError(34468, `$zip found a non-array expression in input: ${renderValue(value)}`);
        }
        inputs.push(value);
      }
      const padding = defaults?.(scope);
      const lengths = inputs.map((input) => input.length);
      const length = longest ? Math.max(...lengths) : Math.min(...lengths);
      return Array.from(
        { length },
        (_, row) =>
          inputs.map((input, i) => row < input.length ? input[row] : isArray(padding) ? padding[i] : null),
      );
    };
  },
};

function parseZip(value: Value, context: ParseContext, parse: Parse): OperatorNode {
  if (!(value instanceof Document)) {
    throw new CommandError(34460, `$zip only supports an object as an argument, found ${typeName(value)}`);
  }
  let args: readonly Expression[] = [];
  const named: Record<string, Expression> = {};
  const values = value.values();
  for (const [i, name] of value.names().entries()) {
    const argument = values[i];
    if (name === "inputs") args = zipList(34461, "inputs", argument).map((item) => parse(item, context));
    else if (name === "defaults") {
      const items = zipList(34462, "defaults", argument).map((item) => parse(item, context));
      named["defaults"] = { kind: "array", items };
    } else if (name === "useLongestLength") {
      if (typeof argument !== "boolean") {
        // MongoDB names the type of the whole argument here.
        throw new CommandError(34463, `useLongestLength must be a bool, found ${typeName(value)}`);
      }
      if (argument) named["longest"] = constant(true);
    } else throw new CommandError(34464, `$zip found an unknown argument: ${name}`);
  }
  if (args.length === 0) throw new CommandError(34465, "$zip requires at least one input array");
  const { defaults, longest } = named as { defaults?: Expression & { kind: "array" }; longest?: Expression };
  if (defaults !== undefined && longest === undefined) {
    throw new CommandError(34466, "cannot specify defaults unless useLongestLength is true");
  }
  if (defaults !== undefined && defaults.items.length !== args.length) {
    throw new CommandError(34467, "defaults and inputs must have the same length");
  }
  return { kind: "operator", name: "$zip", args, named };
}

function zipList(code: number, name: string, value: Value): readonly Value[] {
  if (isArray(value)) return value;
  throw new CommandError(code, `${name} must be an array of expressions, found ${typeName(value)}`);
}

const SORT_ARRAY: OperatorDefinition = {
  name: "$sortArray",
  unfolded: "itself",
  parse: parseSortArray,
  compile: ({ named, node }) => {
    const input = named["input"]!;
    const sortBy = node.named["sortBy"];
    const compare = comparatorOf(sortBy?.kind === "constant" ? sortBy.value : undefined, node.collation);
    return (scope) => {
      const items = input(scope);
      if (isNullish(items)) return null;
      if (isArray(items)) return [...items].sort(compare);
      throw new CommandError(
        2942504,
        `The input argument to $sortArray must be an array, but was of type: ${typeName(items)}`,
      );
    };
  },
};

const SORT_ARRAY_ARGUMENTS: NamedArguments = {
  operator: "$sortArray",
  names: {
    input: new CommandError(2942502, "$sortArray requires 'input' to be specified"),
    sortBy: new CommandError(2942503, "$sortArray requires 'sortBy' to be specified"),
  },
  notAnObject: (value) =>
    new CommandError(2942500, `$sortArray requires an object as an argument, found: ${typeName(value)}`),
  unknown: (name) => new CommandError(2942501, `$sortArray found an unknown argument: ${name}`),
};

/** `sortBy` is no expression: it is kept as it is written. */
function parseSortArray(value: Value, context: ParseContext, parse: Parse): OperatorNode {
  const node = parseNamed(SORT_ARRAY_ARGUMENTS, withLiteral(value, "sortBy"), context, parse);
  const sortBy = value instanceof Document ? value.get("sortBy") : undefined;
  comparatorOf(sortBy, undefined);
  return namedNode("$sortArray", { input: node.named["input"]!, sortBy: constant(sortBy) });
}

function withLiteral(value: Value, field: string): Value {
  if (!(value instanceof Document)) return value;
  const names = value.names();
  const values = value.values().map((each, i) => {
    return names[i] === field ? BuiltDocument.of({ $literal: each }) : each;
  });
  return new BuiltDocument(names, values);
}

function comparatorOf(sortBy: Value, collation: Collation | undefined): ElementOrder {
  const compare = valueOrder(collation);
  if (isNumber(sortBy)) {
    const direction = asInt32(sortBy);
    if (direction !== 1 && direction !== -1) {
      throw new CommandError(2942506, "The $sort element value must be either 1 or -1");
    }
    return (a, b) => direction * compare(a, b);
  }
  if (!(sortBy instanceof Document)) {
    throw new CommandError(
      2942507,
      "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields",
    );
  }
  try {
    return orderByFields(sortBy, compare);
  } catch (error) {
    throw error instanceof CommandError ? new CommandError(2942505, `BadValue: ${error.message}`) : error;
  }
}

export const ARRAY_EACH: readonly OperatorDefinition[] = [FILTER, MAP, REDUCE, SORT_ARRAY, ZIP];
