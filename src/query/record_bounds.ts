/** Between which ids the documents of a clustered collection are read, as `explain` shows it: both ends count as included. */
import { BuiltDocument, compareValues, isNumber, ObjectId, type Value } from "../bson/mod.ts";
import type { ComparisonFilter } from "./filter/filter.ts";
import { conjunctsOf } from "./filter/filter.ts";
import type { Plan } from "./plan.ts";

export interface RecordBounds {
  /** Undefined for none. */
  readonly minRecord: Value;
  readonly maxRecord: Value;
}

/** Undefined where all documents are read. */
export function recordBounds({ scan, filter }: Plan): RecordBounds | undefined {
  const { index, ids } = scan;
  if (index?.keyBounds !== undefined) {
    const { min, max } = index.keyBounds;
    return { minRecord: min?.get("_id"), maxRecord: max?.get("_id") };
  }
  if (ids !== undefined && ids.length > 0) {
    const sorted = [...ids].sort(compareValues);
    return { minRecord: sorted[0], maxRecord: sorted.at(-1) };
  }
  let bounds: RecordBounds | undefined;
  for (const condition of conjunctsOf(filter)) {
    if (condition.kind !== "comparison" || condition.path.join(".") !== "_id") continue;
    const own = boundsOf(condition);
    bounds = bounds === undefined ? own : {
      minRecord: further(bounds.minRecord, own.minRecord, 1),
      maxRecord: further(bounds.maxRecord, own.maxRecord, -1),
    };
  }
  return bounds;
}

function further(a: Value, b: Value, sign: 1 | -1): Value {
  if (a === undefined || b === undefined) return a ?? b;
  return compareValues(a, b) * sign >= 0 ? a : b;
}

function boundsOf({ operator, value }: ComparisonFilter): RecordBounds {
  if (operator === "$eq") return { minRecord: value, maxRecord: value };
  const [least, greatest] = endsOf(value);
  return operator === "$gt" || operator === "$gte"
    ? { minRecord: value, maxRecord: greatest }
    : { minRecord: least, maxRecord: value };
}

/** The ends of a value's type; nothing where they have no short form. */
function endsOf(value: Value): readonly [Value, Value] {
  if (isNumber(value)) return [NaN, Infinity];
  if (typeof value === "string") return ["", BuiltDocument.EMPTY];
  if (typeof value === "boolean") return [false, true];
  if (value === null) return [null, null];
  if (value instanceof ObjectId) return [new ObjectId("0".repeat(24)), new ObjectId("f".repeat(24))];
  return [undefined, undefined];
}
