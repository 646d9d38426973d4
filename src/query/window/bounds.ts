/**
 * Bounds of a window: `{documents: [-1, "current"]}` counts rows, `{range: [-1, 1], unit: "hour"}` goes by the value that
 * rows are sorted by. Both ends belong to the window.
 */
import { CommandError } from "../../base/mod.ts";
import { compareValues, Document, Int32, isArray, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { add } from "../expression/arithmetic.ts";
import { addToDate, type TimeUnit } from "../expression/date_arithmetic.ts";
import { isTimeUnit } from "../expression/date_value.ts";
import { renderValue, typeName } from "../expression/message.ts";
import { asInt64 } from "../expression/number.ts";
import { Timezone } from "../expression/timezone.ts";
import type { SortPart } from "../stage/sort_key.ts";
import type { Partition } from "./partition.ts";

/** An end of a window, as a distance from the current row; undefined for unbounded. */
export type Bound<T> = T | undefined;

/** An end of a range: `current` is the row itself, without others that are equal to it. */
export type RangeBound = Bound<Value> | "current";

export type Bounds =
  | { readonly kind: "documents"; readonly lower: Bound<number>; readonly upper: Bound<number> }
  | {
    readonly kind: "range";
    readonly lower: RangeBound;
    readonly upper: RangeBound;
    readonly unit: TimeUnit | undefined;
  };

/** The whole partition. */
export const UNBOUNDED: Bounds = { kind: "documents", lower: undefined, upper: undefined };

/** @throws CommandError with MongoDB's code and wording */
export function parseBounds(window: Document | undefined, sortBy: readonly SortPart[]): Bounds {
  if (window === undefined) return UNBOUNDED;
  const documents = window.get("documents");
  const range = window.get("range");
  const unit = window.get("unit");
  if (documents !== undefined && range !== undefined) {
    throw failure("Window bounds can specify either 'documents' or 'unit', not both.");
  }
  if (range === undefined && unit !== undefined) {
    throw failure("Window bounds can only specify 'unit' with range-based bounds.");
  }
  if (documents !== undefined) {
    if (window.names().length > 1) {
      throw failure("'window' field that specifies documents cannot have other fields");
    }
    return parseDocuments(documents, sortBy);
  }
  if (range !== undefined) return parseRange(range, unit, window, sortBy);
  if (!window.isEmpty()) {
    throw failure(
      "'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field",
    );
  }
  return UNBOUNDED;
}

function parseDocuments(value: Value, sortBy: readonly SortPart[]): Bounds {
  const [lower, upper] = parsePair("documents", value, (bound) => {
    const whole = asInt64(bound);
    if (whole === undefined) throw failure("Numeric document-based bounds must be an integer");
    return Int32.of(Number(whole));
  });
  if ((lower !== undefined || upper !== undefined) && sortBy.length === 0) {
    throw new CommandError(5339901, "Document-based bounds require a sortBy");
  }
  const distance = (bound: Value) => bound instanceof Int32 ? bound.value : undefined;
  return { kind: "documents", lower: distance(lower), upper: distance(upper) };
}

function parseRange(
  value: Value,
  unit: Value,
  window: Document,
  sortBy: readonly SortPart[],
): Bounds {
  const timeUnit = unit === undefined ? undefined : parseUnit(unit);
  const [lower, upper] = parsePair("range", value, (bound) => {
    if (timeUnit !== undefined && asInt64(bound) === undefined) {
      throw failure("With 'unit', range-based bounds must be an integer");
    }
    return bound;
  });
  if (window.names().some((name) => name !== "range" && name !== "unit")) {
    throw failure("'window' field that specifies range-based bounds cannot have other fields");
  }
  if (sortBy.length !== 1) {
    throw new CommandError(5339902, "Range-based bounds require sortBy a single field");
  }
  const [first, last] = value as readonly Value[];
  return {
    kind: "range",
    lower: first === "current" ? "current" : lower,
    upper: last === "current" ? "current" : upper,
    unit: timeUnit,
  };
}

/** @throws CommandError FailedToParse unless it names a unit of time */
export function parseUnit(value: Value): TimeUnit {
  if (typeof value !== "string") throw failure(`unit' must be a string, but got ${typeName(value)}`);
  if (!isTimeUnit(value)) throw failure(`unknown time unit value: ${value}`);
  return value;
}

function parsePair(
  name: string,
  value: Value,
  parseNumber: (bound: Value) => Value,
): readonly [Value, Value] {
  if (!isArray(value) || value.length !== 2) {
    throw failure(`Window bounds must be a 2-element array: ${elementText(name, value)}`);
  }
  const parse = (bound: Value): Value => {
    if (bound === "unbounded") return undefined;
    if (bound === "current") return Int32.of(0);
    if (isNumber(bound)) return parseNumber(bound);
    throw failure("Window bounds must be 'unbounded', 'current', or a number.");
  };
  const lower = parse(value[0]);
  const upper = parse(value[1]);
  if (lower !== undefined && upper !== undefined && compareValues(lower, upper) > 0) {
    throw new CommandError(
      5339900,
      `Lower bound must not exceed upper bound: [${renderValue(lower)}, ${renderValue(upper)}]`,
    );
  }
  return [lower, upper];
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

/** Where the window of a row begins and ends. Neither ever decreases. */
export interface WindowEnds {
  /** The first row of the window, and the one behind its last. */
  readonly from: number;
  readonly to: number;
  /** Goes to the window of a row; rows are gone to in their order. */
  moveTo(row: number): void;
}

/** @throws CommandError when a range is asked for over values that have none */
export function windowEnds(bounds: Bounds, partition: Partition): WindowEnds {
  const { lower, upper } = bounds;
  if (bounds.kind === "range" && (lower !== undefined || upper !== undefined)) {
    return new RangeEnds(bounds, partition);
  }
  // Without bounds a range is all rows, as are documents.
  return new DocumentEnds(bounds.kind === "documents" ? bounds : {}, partition.length);
}

class DocumentEnds implements WindowEnds {
  from = 0;
  to = 0;

  constructor(
    private readonly bounds: { readonly lower?: Bound<number>; readonly upper?: Bound<number> },
    private readonly count: number,
  ) {}

  moveTo(row: number): void {
    const { bounds: { lower, upper }, count } = this;
    this.from = lower === undefined ? 0 : Math.min(Math.max(row + lower, 0), count);
    this.to = upper === undefined ? count : Math.min(Math.max(row + upper + 1, 0), count);
  }
}

class RangeEnds implements WindowEnds {
  from = 0;
  to = 0;

  constructor(
    private readonly bounds: Bounds & { readonly kind: "range" },
    private readonly partition: Partition,
  ) {
    if (partition.isDescending) {
      throw new CommandError(5429404, "Missing _sortExpr with range-based bounds");
    }
    for (let row = 0; row < partition.length; row++) {
      checkRangeValue(partition.sortValues.at(row), bounds.unit);
    }
  }

  moveTo(row: number): void {
    const { bounds: { lower, upper, unit }, partition: { sortValues, length } } = this;
    const value = sortValues.at(row);
    if (lower === "current") {
      this.from = row;
    } else if (lower !== undefined) {
      const least = moved(value, lower, unit);
      while (this.from < length && compareValues(sortValues.at(this.from), least) < 0) this.from++;
    }
    if (upper === undefined) {
      this.to = length;
    } else if (upper === "current") {
      this.to = row + 1;
    } else {
      const most = moved(value, upper, unit);
      while (this.to < length && compareValues(sortValues.at(this.to), most) <= 0) this.to++;
    }
  }
}

function checkRangeValue(value: Value, unit: TimeUnit | undefined): void {
  if (unit !== undefined) {
    if (value instanceof UtcDate) return;
    throw new CommandError(
      5429513,
      `Invalid range: Expected the sortBy field to be a Date, but it was ${typeName(value)}`,
    );
  }
  if (value instanceof UtcDate) {
    throw new CommandError(
      5429413,
      "Invalid range: For windows that involve date or time ranges, a unit must be provided.",
    );
  }
  if (isNumber(value)) return;
  throw new CommandError(
    5429414,
    `Invalid range: Expected the sortBy field to be a number, but it was ${typeName(value)}`,
  );
}

function moved(value: Value, distance: Value, unit: TimeUnit | undefined): Value {
  if (unit === undefined || !(value instanceof UtcDate)) return add(value, distance);
  return new UtcDate(addToDate(value.ms, unit, Number(asInt64(distance)), Timezone.UTC));
}
