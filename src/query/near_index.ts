/**
 * Distances on the sphere ask for an index of places, as in MongoDB: one that is not hidden, has all documents that can pass,
 * and has nothing in front of the place that the query leaves open. Measurements are told apart by their meta alone. Flat
 * distances, for which there is no kind of index here, are told without one.
 */
import { CommandError } from "../base/mod.ts";
import type { Filter, NearFilter } from "./filter/filter.ts";
import { conditionsOf } from "./index_conditions.ts";
import { areAllIn } from "./index_plan.ts";
import type { PlaceIndex } from "./source_index.ts";

/**
 * @param indexes undefined where none is asked for
 * @param metaField of a time series
 * @throws CommandError NoQueryExecutionPlans where no index tells the distances that are asked for
 */
export function checkNearIndex(
  conjuncts: readonly Filter[],
  indexes: readonly PlaceIndex[] | undefined,
  metaField?: string,
): void {
  if (indexes === undefined) return;
  const near = conjuncts.find((filter) => filter.kind === "near");
  if (near === undefined || near.near.unit === "flat") return;
  if (metaField !== undefined && near.path[0] !== metaField) return;
  if (indexes.some((index) => serves(index, near, conjuncts))) return;
  throw new CommandError(
    "NoQueryExecutionPlans",
    "error processing query: planner returned error :: caused by :: unable to find index for $geoNear query",
  );
}

function serves(index: PlaceIndex, near: NearFilter, conjuncts: readonly Filter[]): boolean {
  const at = index.fields.findIndex(({ path, isPlace }) => isPlace && path === near.path.join("."));
  if (at < 0 || index.isHidden || !areAllIn(index.partialFilter, conjuncts)) return false;
  const known = new Set(conjuncts.flatMap(conditionsOf).map(({ path }) => path));
  return index.fields.slice(0, at).every(({ path, isPlace }) => isPlace || known.has(path));
}
