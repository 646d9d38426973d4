/** An index and the bounds within which it is read, as `explain` shows them. */
import { BuiltDocument, Document, Int32, MaxKey, MinKey, UtcDate, type Value } from "../bson/mod.ts";
import { elementText } from "./element_text.ts";
import type { Bound, Interval } from "./index_bounds.ts";
import type { IndexPlan } from "./index_plan.ts";

/** Which index it is. */
export function indexFields({ index }: IndexPlan): Readonly<Record<string, Value>> {
  return {
    keyPattern: index.keyPattern,
    indexName: index.name,
    isMultiKey: index.arrays.some((paths) => paths.length > 0),
    multiKeyPaths: index.fields.some(({ hashed }) => hashed)
      ? undefined
      : new BuiltDocument(index.keyPattern.names(), index.arrays),
    isUnique: index.isUnique,
    isSparse: index.isSparse,
    isPartial: index.partialFilter !== undefined,
    indexVersion: Int32.of(2),
  };
}

/** Which index it is, and which keys of it a scan reads. */
export function indexScanFields(plan: IndexPlan): Readonly<Record<string, Value>> {
  const names = plan.index.keyPattern.names();
  const bounds = fieldBounds(plan).map((each) => each.map(intervalText));
  return {
    ...indexFields(plan),
    direction: plan.backward ? "backward" : "forward",
    indexBounds: new BuiltDocument(names.slice(0, bounds.length), bounds),
  };
}

/** The bounds of one range of keys; undefined where there are several. */
export function countBounds(plan: IndexPlan): Document | undefined {
  const bounds = fieldBounds(plan);
  if (bounds.length === 0 || bounds.some((intervals) => intervals.length !== 1)) return undefined;
  const names = plan.index.keyPattern.names();
  const ends = bounds.map((intervals) => intervals[0]!);
  const isWhole = (end: "low" | "high") => ends.every((interval) => interval[end].isIncluded);
  // Behind a bound that is not itself in the range, the keys that have it are all left out, or all passed.
  const keyOf = (end: "low" | "high", other: "low" | "high") => {
    const at = ends.findIndex((interval) => !interval[end].isIncluded);
    return new BuiltDocument(
      names,
      ends.map((interval, i) => interval[at >= 0 && i > at ? other : end].value),
    );
  };
  return BuiltDocument.of({
    startKey: keyOf("low", "high"),
    startKeyInclusive: isWhole("low"),
    endKey: keyOf("high", "low"),
    endKeyInclusive: isWhole("high"),
  });
}

/** Of each field, its intervals as they are read. */
function fieldBounds({ index, intervals, backward }: IndexPlan): readonly (readonly Interval[])[] {
  return intervals.map((each, i) => {
    if (index.fields[i]!.descending === backward) return each;
    return each.map(({ low, high }) => ({ low: high, high: low })).reverse();
  });
}

/** `[1.0, 2.0)` */
function intervalText({ low, high }: Interval): string {
  return `${low.isIncluded ? "[" : "("}${boundText(low)}, ${boundText(high)}${high.isIncluded ? "]" : ")"}`;
}

function boundText({ value }: Bound): string {
  if (value instanceof MinKey) return "MinKey";
  if (value instanceof MaxKey) return "MaxKey";
  if (value === undefined) return "";
  // The ends of int64, which a number cannot say.
  if (value instanceof UtcDate && value.ms === -(2 ** 63)) return "new Date(-9223372036854775808)";
  if (value instanceof UtcDate && value.ms === 2 ** 63) return "new Date(9223372036854775807)";
  if (value instanceof Document && value.isEmpty()) return "{}";
  return elementText("", value).slice(2);
}
