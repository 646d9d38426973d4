/** `$shift`: the value of a row some places away. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { compileExpression, isConstant } from "../expression/compile.ts";
import { asInt64 } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { UNBOUNDED } from "./bounds.ts";
import type { WindowDefinition, WindowNode, WindowSpec } from "./window.ts";

function parse({ name, argument, window, sortBy, context }: WindowSpec): WindowNode {
  if (window !== undefined) throw failure("$shift does not accept a 'window' field");
  if (sortBy.length === 0) throw failure("'$shift' requires a sortBy");
  if (!(argument instanceof Document)) throw failure("Argument to $shift must be an object");
  for (const field of argument.names()) {
    if (field !== "output" && field !== "by" && field !== "default") {
      throw failure("Unknown argument in $shift");
    }
  }
  if (!argument.has("output")) throw failure("$shift requires an 'output' expression.");
  if (!argument.has("by")) throw failure("$shift requires 'by' as an integer value.");
  const by = asInt64(argument.get("by"));
  if (by === undefined) {
    throw failure(
      `'$shift:by' field must be an integer, but found  ${elementText("by", argument.get("by"))}`,
    );
  }
  const fallback = parseExpression(argument.get("default") ?? null, context);
  if (!isConstant(fallback)) throw failure("'$shift:default' expression must yield a constant value.");
  return {
    kind: "window",
    name,
    input: parseExpression(argument.get("output"), context),
    bounds: UNBOUNDED,
    by: Number(by),
    fallback: compileExpression(fallback)({ root: BuiltDocument.EMPTY, variables: new Map() }),
  };
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

export const SHIFT: WindowDefinition = {
  name: "$shift",
  parse,
  compute: function* ({ by = 0, fallback }, input, partition) {
    for (let row = 0; row < partition.length; row++) {
      const at = row + by;
      yield at >= 0 && at < partition.length ? input(partition.scope(at)) : fallback;
    }
  },
};
