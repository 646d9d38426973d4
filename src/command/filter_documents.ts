/** Filters of the listing commands: `{name: "x"}`, `{type: "timeseries"}` and whatever else the language has. */
import type { Document } from "../bson/mod.ts";
import { compileFilter, parseFilter } from "../query/mod.ts";

/** The documents that match; all of them without a filter. @throws CommandError when the filter is bad */
export function filterDocuments(
  documents: readonly Document[],
  filter: Document | undefined,
): readonly Document[] {
  return filter === undefined ? documents : documents.filter(compileFilter(parseFilter(filter)));
}
