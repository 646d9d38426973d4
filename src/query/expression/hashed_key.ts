/** `$toHashedIndexKey`: the number under which a hashed index keeps a value. */
import { hashedValue } from "../../bson/mod.ts";
import { operatorNode } from "./expression.ts";
import type { OperatorDefinition } from "./operator.ts";

export const HASHED_KEY: readonly OperatorDefinition[] = [{
  name: "$toHashedIndexKey",
  // A list is a value here, not a list of arguments.
  parse: (value, context, parse) => operatorNode("$toHashedIndexKey", [parse(value, context)]),
  compile: ({ args }) => (scope) => hashedValue(args[0]!(scope)),
}];
