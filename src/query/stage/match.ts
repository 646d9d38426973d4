/** `$match`: the documents that pass a filter. */
import { CommandError } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import type { ParseContext } from "../expression/expression.ts";
import { readsSortKey } from "../expression/meta.ts";
import { compileFilter } from "../filter/compile.ts";
import type { Filter } from "../filter/filter.ts";
import { nearOf } from "../filter/near.ts";
import { parseFilter } from "../filter/parse.ts";
import { mapRows } from "../rows.ts";
import type { Rows } from "../source.ts";

export interface MatchStage {
  readonly kind: "match";
  readonly filter: Filter;
  /** As written, for `explain`. */
  readonly source: Document;
}

export function parseMatch(value: Value, context: ParseContext): MatchStage {
  if (!(value instanceof Document)) {
    throw new CommandError(15959, "the match filter must be an expression in an object");
  }
  const filter = parseFilter(value, context);
  if (nearOf(filter) !== undefined) {
    throw new CommandError(5626500, "$geoNear, $near, and $nearSphere are not allowed in this context");
  }
  if (readsSortKey(filter)) {
    throw new CommandError(40218, "query requires sort key metadata, but it is not available");
  }
  return { kind: "match", filter, source: value };
}

export function runMatch(stage: MatchStage, input: Rows, context: QueryContext): Rows {
  const matches = compileFilter(stage.filter, scopeVariables(context));
  return mapRows(input, context, (row, output) => {
    if (matches(row)) output.push(row);
  });
}
