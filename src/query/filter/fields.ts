/** What a filter reads: its top-level fields. */
import { addFieldsOf } from "../expression/compile.ts";
import type { Filter } from "./filter.ts";

/** The top-level fields that deciding needs; undefined when it needs the whole document. */
export function fieldsOfFilter(filter: Filter): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  return addFieldsOfFilter(filter, fields) ? fields : undefined;
}

/** Adds to `fields`. @returns false when all are needed */
export function addFieldsOfFilter(filter: Filter, fields: Set<string>): boolean {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return filter.filters.every((branch) => addFieldsOfFilter(branch, fields));
    case "not":
      return addFieldsOfFilter(filter.filter, fields);
    case "constant":
    case "sampleRate":
      return true;
    case "jsonSchema":
      return false;
    case "expr":
      return addFieldsOf(filter.expression, fields);
    default:
      fields.add(filter.path[0]!);
      return true;
  }
}
