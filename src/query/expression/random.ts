/** `$rand`: a number in [0, 1), another one for each evaluation. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray } from "../../bson/mod.ts";
import { operatorNode } from "./expression.ts";
import type { OperatorDefinition } from "./operator.ts";

export const RANDOM: readonly OperatorDefinition[] = [{
  name: "$rand",
  parse: (value) => {
    const empty = value instanceof Document ? value.isEmpty() : isArray(value) && value.length === 0;
    if (!empty) throw new CommandError(10065, "invalid parameter: expected an object ($rand)");
    return operatorNode("$rand", []);
  },
  compile: () => () => Math.random(),
  unfolded: "itself",
}];
