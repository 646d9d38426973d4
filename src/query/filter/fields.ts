/** What a filter reads: its top-level fields. */
import { fieldsOf } from "../expression/compile.ts";
import type { Filter } from "./filter.ts";

/** The top-level fields that deciding needs; undefined when it needs the whole document. */
export function fieldsOfFilter(filter: Filter): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  return collect(filter, fields) ? fields : undefined;
}

/** Adds to `fields`. @returns false when all are needed */
function collect(filter: Filter, fields: Set<string>): boolean {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return filter.filters.every((branch) => collect(branch, fields));
    case "not":
      return collect(filter.filter, fields);
    case "constant":
    case "sampleRate":
      return true;
    case "jsonSchema":
      return false;
    case "expr": {
      const read = fieldsOf(filter.expression);
      read?.forEach((field) => fields.add(field));
      return read !== undefined;
    }
    default:
      fields.add(filter.path[0]!);
      return true;
  }
}
