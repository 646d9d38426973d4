/** `$sortByCount`: how often each value occurs, the most frequent first; a `$group` and a `$sort`. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, Int32, type Value } from "../../bson/mod.ts";
import type { ParseContext } from "../expression/expression.ts";
import { type GroupStage, parseGroup } from "./group.ts";
import { parseSort, type SortStage } from "./sort.ts";

export function parseSortByCount(value: Value, context: ParseContext): readonly [GroupStage, SortStage] {
  if (value instanceof Document) {
    if (!value.names()[0]?.startsWith("$")) throw notAnExpression(40147);
  } else if (typeof value === "string") {
    if (!value.startsWith("$")) throw notAnExpression(40148);
  } else {
    throw new CommandError(40149, "the sortByCount field must be specified as a string or as an object");
  }
  const count = BuiltDocument.of({ $sum: Int32.of(1) });
  return [
    parseGroup(BuiltDocument.of({ _id: value, count }), context),
    parseSort(BuiltDocument.of({ count: Int32.of(-1) }), context),
  ];
}

function notAnExpression(code: number): CommandError {
  return new CommandError(
    code,
    "the sortByCount field must be defined as a $-prefixed path or an expression inside an object",
  );
}
