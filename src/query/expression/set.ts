/** Arrays as sets: order and repetition do not count, equality is that of values (1 and 1.0 are one). */
import { CommandError } from "../../base/mod.ts";
import {
  type Collation,
  isArray,
  isNullish,
  type Value,
  type ValueKey,
  valueKeys,
  valueOrder,
} from "../../bson/mod.ts";
import { isTruthy } from "./boolean.ts";
import { type Evaluator, NO_SCOPE, operatorNode } from "./expression.ts";
import { typeName } from "./message.ts";
import { type OperatorDefinition, unary } from "./operator.ts";

type KeyOf = (value: Value) => ValueKey;

/** Values by key; of equal ones the first stays. */
function setOf(values: readonly Value[], keyOf: KeyOf): Map<ValueKey, Value> {
  const set = new Map<ValueKey, Value>();
  for (const value of values) {
    const key = keyOf(value);
    if (!set.has(key)) set.set(key, value);
  }
  return set;
}

function sorted(values: Iterable<Value>, collation: Collation | undefined): readonly Value[] {
  return [...values].sort(valueOrder(collation));
}

const SET_UNION: OperatorDefinition = {
  name: "$setUnion",
  associative: "commutative",
  arity: [0, Infinity],
  compile: ({ args, node: { collation } }) => (scope) => {
    const all: Value[] = [];
    for (const arg of args) {
      const value = arg(scope);
      if (isNullish(value)) return null;
      for (const item of operand("$setUnion", 17043, value)) all.push(item);
    }
    return sorted(setOf(all, valueKeys(collation)).values(), collation);
  },
};

function operand(name: string, code: number, value: Value): readonly Value[] {
  if (isArray(value)) return value;
  throw new CommandError(
    code,
    `All operands of ${name} must be arrays. One argument is of type: ${typeName(value)}`,
  );
}

const SET_INTERSECTION: OperatorDefinition = {
  name: "$setIntersection",
  associative: "commutative",
  arity: [0, Infinity],
  compile: ({ args, node: { collation } }) => (scope) => {
    const keyOf = valueKeys(collation);
    let common: Map<ValueKey, Value> | undefined;
    for (const arg of args) {
      const value = arg(scope);
      if (isNullish(value)) return null;
      const items = operand("$setIntersection", 17047, value);
      if (common === undefined) {
        common = setOf(items, keyOf);
      } else if (common.size > 0) {
        const other = setOf(items, keyOf);
        // Of values that are equal those of the smaller set stay.
        const [small, large]: Map<ValueKey, Value>[] = common.size > other.size
          ? [other, common]
          : [common, other];
        for (const key of small!.keys()) {
          if (!large!.has(key)) small!.delete(key);
        }
        common = small;
      }
    }
    return sorted(common?.values() ?? [], collation);
  },
};

const SET_DIFFERENCE: OperatorDefinition = {
  name: "$setDifference",
  arity: [2, 2],
  compile: ({ args, node }) => {
    const [left, right] = args as [Evaluator, Evaluator];
    const keyOf = valueKeys(node.collation);
    return (scope) => {
      const a = left(scope);
      const b = right(scope);
      if (isNullish(a) || isNullish(b)) return null;
      if (!isArray(a)) throw notBothArrays("$setDifference", 17048, "First", a);
      if (!isArray(b)) throw notBothArrays("$setDifference", 17049, "Second", b);
      const without = setOf(b, keyOf);
      return [...setOf(a, keyOf)].filter(([key]) => !without.has(key)).map(([, value]) => value);
    };
  },
};

function notBothArrays(name: string, code: number, place: string, value: Value): CommandError {
  return new CommandError(
    code,
    `both operands of ${name} must be arrays. ${place} argument is of type: ${typeName(value)}`,
  );
}

const SET_EQUALS: OperatorDefinition = {
  name: "$setEquals",
  parse: (value, context, parse) => {
    const items = isArray(value) ? value : [value];
    if (items.length < 2) {
      throw new CommandError(17045, `$setEquals needs at least two arguments had: ${items.length}`);
    }
    return operatorNode("$setEquals", items.map((item) => parse(item, context)));
  },
  compile: ({ args, node, isConstant }) => {
    const readArray = (code: number, value: Value, i: number) => {
      if (isArray(value)) return value;
      throw new CommandError(
        code,
        `All operands of $setEquals must be arrays. ${i + 1}-th argument is of type: ${typeName(value)}`,
      );
    };
    args.forEach((arg, i) => isConstant(i) && readArray(5887502, arg(NO_SCOPE), i));
    return (scope) => {
      let first: Map<ValueKey, Value> | undefined;
      let equal = true;
      for (const [i, arg] of args.entries()) {
        const set = setOf(readArray(17044, arg(scope), i), valueKeys(node.collation));
        first ??= set;
        const other = first;
        equal &&= set.size === other.size && [...set.keys()].every((key) => other.has(key));
      }
      return equal;
    };
  },
};

const SET_IS_SUBSET: OperatorDefinition = {
  name: "$setIsSubset",
  arity: [2, 2],
  compile: ({ args, node, isConstant }) => {
    const [left, right] = args as [Evaluator, Evaluator];
    // MongoDB has a variant for a constant set, with codes of its own, which looks at it beforehand.
    const code = isConstant(1) ? 17310 : 17046;
    const keyOf = valueKeys(node.collation);
    if (isConstant(1) && !isConstant(0)) {
      const whole = right(NO_SCOPE);
      if (!isArray(whole)) throw notBothArrays("$setIsSubset", 17311, "Second", whole);
    }
    return (scope) => {
      const a = left(scope);
      const b = right(scope);
      if (!isArray(a)) throw notBothArrays("$setIsSubset", code, "First", a);
      if (!isArray(b)) throw notBothArrays("$setIsSubset", 17042, "Second", b);
      const whole = setOf(b, keyOf);
      return a.every((value) => whole.has(keyOf(value)));
    };
  },
};

function elements(
  name: string,
  code: number,
  holds: (items: readonly Value[]) => boolean,
): OperatorDefinition {
  return unary(name, (value) => {
    if (isArray(value)) return holds(value);
    throw new CommandError(code, `${name}'s argument must be an array, but is ${typeName(value)}`);
  });
}

export const SET: readonly OperatorDefinition[] = [
  elements("$allElementsTrue", 17040, (items) => items.every(isTruthy)),
  elements("$anyElementTrue", 17041, (items) => items.some(isTruthy)),
  SET_DIFFERENCE,
  SET_EQUALS,
  SET_INTERSECTION,
  SET_IS_SUBSET,
  SET_UNION,
];
