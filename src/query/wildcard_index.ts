/** Wildcard indexes as the planner sees them: for each path that is asked about an index of that path's keys. */
import { BuiltDocument, encodeIndexKey, Int32 } from "../bson/mod.ts";
import { arrayOffset } from "./filter/path.ts";
import { includesMissing, intersection, type Interval, isPoint, typeInterval } from "./index_bounds.ts";
import type { IndexCondition } from "./index_conditions.ts";
import type { SourceIndex } from "./source_index.ts";

const ASCENDING = Int32.of(1);

/** The index itself where it is no wildcard index. @param conditions what is asked */
export function pathIndexes(
  index: SourceIndex,
  conditions: readonly IndexCondition[],
): readonly SourceIndex[] {
  const { covers } = index;
  if (covers === undefined) return [index];
  const paths = new Set(conditions.map(({ path }) => path));
  return [...paths].flatMap((path) => {
    const parts = path.split(".");
    // Keys name no places in arrays.
    if (!covers(parts) || parts.some((part) => arrayOffset(part) >= 0)) return [];
    const arrays = index.arrays[1]!.filter((each) => each === path || path.startsWith(`${each}.`));
    return [{
      ...index,
      keyPattern: new BuiltDocument(["$_path", path], [ASCENDING, ASCENDING]),
      fields: [{ path: ["$_path"], descending: false, only: path }, { path: parts, descending: false }],
      arrays: [[], arrays],
    }];
  });
}

const NO_FIELDS = encodeIndexKey(BuiltDocument.EMPTY);
const DOCUMENTS: Interval = typeInterval(BuiltDocument.EMPTY, NO_FIELDS);

/** Whether all documents that have a value in the intervals have a key there: those without one, or with fields in it, do not. */
export function hasKeysOfAll(intervals: readonly Interval[]): boolean {
  if (includesMissing(intervals)) return false;
  return intersection(intervals, [DOCUMENTS]).every((interval) =>
    isPoint(interval) && interval.low.bytes.length === NO_FIELDS.length
  );
}
