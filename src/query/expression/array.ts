/** Operators on arrays that take plain arguments: `$size`, `$slice`, `$range` … */
import { CommandError, MAX_BLOCKING_STAGE_BYTES, MAX_JOINED_ITEMS } from "../../base/mod.ts";
import { equalValues, Int32, isArray, isNullish, isNumber, type Value } from "../../bson/mod.ts";
import type { Evaluator } from "./expression.ts";
import { renderValue, typeName } from "./message.ts";
import { asDouble, asInt32 } from "./number.ts";
import { formatDouble } from "./number_text.ts";
import { binary, type OperatorDefinition, stepwise, unary } from "./operator.ts";

const SIZE = unary("$size", (value) => {
  if (isArray(value)) return Int32.of(value.length);
  throw new CommandError(
    17124,
    `The argument to $size must be an array, but was of type: ${typeName(value)}`,
  );
});

const ARRAY_ELEM_AT = binary("$arrayElemAt", (array, index) => {
  if (isNullish(array) || isNullish(index)) return null;
  if (!isArray(array)) {
    throw new CommandError(
      28689,
      `$arrayElemAt's first argument must be an array, but is ${typeName(array)}`,
    );
  }
  if (!isNumber(index)) {
    throw new CommandError(
      28690,
      `$arrayElemAt's second argument must be a numeric value, but is ${typeName(index)}`,
    );
  }
  const at = asInt32(index);
  if (at === undefined) {
    throw new CommandError(
      28691,
      `$arrayElemAt's second argument must be representable as a 32-bit integer: ${
        formatDouble(asDouble(index))
      }`,
    );
  }
  return array[at < 0 ? array.length + at : at];
});

function elementAt(name: "$first" | "$last", of: (array: readonly Value[]) => Value): OperatorDefinition {
  return unary(name, (value) => {
    if (isArray(value)) return of(value);
    if (isNullish(value)) return null;
    throw new CommandError(28689, `${name}'s argument must be an array, but is ${typeName(value)}`);
  });
}

const SLICE = stepwise("$slice", [2, 3], (argument, count) => {
  const array = argument(0);
  const second = argument(1);
  if (isNullish(array) || isNullish(second)) return null;
  if (!isArray(array)) {
    throw new CommandError(
      28724,
      `First argument to $slice must be an array, but is of type: ${typeName(array)}`,
    );
  }
  const first = sliceNumber(
    second,
    28725,
    28726,
    "Second argument to $slice must be a numeric value",
    "Second",
  );
  if (count === 2) return first < 0 ? array.slice(first) : array.slice(0, first);
  const third = argument(2);
  if (isNullish(third)) return null;
  const length = sliceNumber(third, 28727, 28728, "Third argument to $slice must be numeric", "Third");
  if (length <= 0) {
    throw new CommandError(28729, `Third argument to $slice must be positive: ${renderValue(third)}`);
  }
  const start = first < 0 ? Math.max(0, array.length + first) : first;
  return array.slice(start, start + length);
});

function sliceNumber(value: Value, noNumber: number, noInt: number, wanted: string, place: string): number {
  if (!isNumber(value)) throw new CommandError(noNumber, `${wanted}, but is of type: ${typeName(value)}`);
  const number = asInt32(value);
  if (number !== undefined) return number;
  throw new CommandError(
    noInt,
    `${place} argument to $slice can't be represented as a 32-bit integer: ${formatDouble(asDouble(value))}`,
  );
}

/** Stops at the first null: what stands behind it is neither read nor checked. */
const CONCAT_ARRAYS: OperatorDefinition = {
  name: "$concatArrays",
  associative: "ordered",
  arity: [0, Infinity],
  compile: ({ args }) => (scope) => {
    const all: Value[] = [];
    for (const arg of args) {
      const value = arg(scope);
      if (isNullish(value)) return null;
      if (!isArray(value)) {
        throw new CommandError(28664, `$concatArrays only supports arrays, not ${typeName(value)}`);
      }
      if (all.length + value.length > MAX_JOINED_ITEMS) {
        throw new CommandError("ExceededMemoryLimit", "$concatArrays would use too much memory");
      }
      for (const item of value) all.push(item);
    }
    return all;
  },
};

const IN: OperatorDefinition = {
  name: "$in",
  arity: [2, 2],
  compile: ({ args, node: { collation } }) => {
    const [left, right] = args as [Evaluator, Evaluator];
    return (scope) => {
      const wanted = left(scope);
      const array = right(scope);
      if (isArray(array)) return array.some((item) => equalValues(wanted, item, collation));
      throw new CommandError(
        40081,
        `$in requires an array as a second argument, found: ${typeName(array)}`,
      );
    };
  },
};

const REVERSE_ARRAY = unary("$reverseArray", (value) => {
  if (isArray(value)) return [...value].reverse();
  if (isNullish(value)) return null;
  throw new CommandError(
    34435,
    `The argument to $reverseArray must be an array, but was of type: ${typeName(value)}`,
  );
});

/** What MongoDB counts for the array, and for each of its numbers. */
const RANGE_BYTES = 40;
const RANGE_ITEM_BYTES = 16;

const RANGE = stepwise("$range", [2, 3], (argument, given) => {
  const values = [argument(0), argument(1)];
  const start = rangeNumber(values[0], 34443, 34444, "a numeric starting value", "a starting value", " ");
  const end = rangeNumber(values[1], 34445, 34446, "a numeric ending value", "an ending value", " ");
  const step = given < 3
    ? 1
    : rangeNumber(argument(2), 34447, 34448, "a numeric step value", "a step value", "");
  if (step === 0) throw new CommandError(34449, "$range requires a non-zero step value");
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (RANGE_BYTES + count * RANGE_ITEM_BYTES > MAX_BLOCKING_STAGE_BYTES) {
    throw new CommandError(
      "ExceededMemoryLimit",
      `$range would use too much memory (${
        RANGE_BYTES + count * RANGE_ITEM_BYTES
      } bytes) and cannot spill to disk. ` +
        `Memory limit: ${MAX_BLOCKING_STAGE_BYTES} bytes`,
    );
  }
  return Array.from({ length: count }, (_, i) => Int32.of(start + i * step));
});

function rangeNumber(
  value: Value,
  noNumber: number,
  noInt: number,
  wanted: string,
  place: string,
  space: string,
): number {
  if (!isNumber(value)) {
    throw new CommandError(
      noNumber,
      `$range requires ${wanted}, found value of type:${space}${typeName(value)}`,
    );
  }
  const number = asInt32(value);
  if (number !== undefined) return number;
  throw new CommandError(
    noInt,
    `$range requires ${place} that can be represented as a 32-bit integer, found value: ${
      renderValue(value)
    }`,
  );
}

/**
 * The index that an argument of `$indexOfArray` and its like gives.
 *
 * @param place `starting` or `ending`
 * @throws CommandError 40096 when it is no int32, 40097 when it is negative
 */
export function indexArgument(operator: string, place: string, value: Value): number {
  const index = isNumber(value) ? asInt32(value) : undefined;
  if (index === undefined) {
    throw new CommandError(
      40096,
      `${operator}requires an integral ${place} index, found a value of type: ${
        typeName(value)
      }, with value: ${renderValue(value)}`,
    );
  }
  if (index < 0) {
    throw new CommandError(40097, `${operator} requires a nonnegative ${place} index, found: ${index}`);
  }
  return index;
}

const INDEX_OF_ARRAY: OperatorDefinition = {
  name: "$indexOfArray",
  arity: [2, 4],
  compile: ({ args, node: { collation } }) => {
    const [array, wanted, from, to] = args as [Evaluator, Evaluator, Evaluator?, Evaluator?];
    return (scope) => {
      const items = array(scope);
      if (isNullish(items)) return null;
      if (!isArray(items)) {
        throw new CommandError(
          40090,
          `$indexOfArray requires an array as a first argument, found: ${typeName(items)}`,
        );
      }
      const value = wanted(scope);
      const start = from === undefined ? 0 : indexArgument("$indexOfArray", "starting", from(scope));
      const end = to === undefined ? items.length : indexArgument("$indexOfArray", "ending", to(scope));
      const last = Math.min(end, items.length);
      for (let i = start; i < last; i++) {
        if (equalValues(items[i], value, collation)) return Int32.of(i);
      }
      return Int32.of(-1);
    };
  },
};

export const ARRAY: readonly OperatorDefinition[] = [
  ARRAY_ELEM_AT,
  CONCAT_ARRAYS,
  elementAt("$first", (array) => array[0]),
  IN,
  INDEX_OF_ARRAY,
  unary("$isArray", (value) => isArray(value)),
  elementAt("$last", (array) => array[array.length - 1]),
  RANGE,
  REVERSE_ARRAY,
  SIZE,
  SLICE,
];
