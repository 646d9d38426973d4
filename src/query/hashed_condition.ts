/** What a condition says of the hashes in an index: those of the values that it asks for, and of no others. */
import { BsonUndefined, hashedValue, isArray, isCollated, type Value } from "../bson/mod.ts";
import type { Filter } from "./filter/filter.ts";
import { point, union } from "./index_bounds.ts";
import type { IndexCondition } from "./index_conditions.ts";

/** Empty where it says nothing of them. @param isSparse whether documents without the field have no key */
export function hashedCondition(
  condition: IndexCondition,
  { isSparse }: { readonly isSparse: boolean },
): readonly IndexCondition[] {
  const values = valuesOf(condition.filter);
  if (values === undefined || values.some(isArray)) return [];
  if (isSparse && values.includes(null)) return [];
  const hashes = values.flatMap((value) => value === null ? [null, BsonUndefined.VALUE] : [value]).map(
    hashedValue,
  );
  // Several values share a hash: 1 and 1.5.
  return [{ ...condition, intervals: union(hashes.map(point)), exact: "never" }];
}

function valuesOf(filter: Filter): readonly Value[] | undefined {
  switch (filter.kind) {
    case "comparison":
      if (filter.operator !== "$eq" || (filter.collation !== undefined && isCollated(filter.value))) {
        return undefined;
      }
      return [filter.value];
    case "in":
      if (filter.patterns.length > 0 || (filter.collation !== undefined && filter.values.some(isCollated))) {
        return undefined;
      }
      return filter.values;
    default:
      return undefined;
  }
}
