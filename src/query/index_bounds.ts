/**
 * What conditions on one field say of the keys of an index over it: intervals of values, ascending and apart. A document
 * that passes has, for some key, a value in one of them; the conditions have the last word.
 *
 * Bounds are places between keys: before or behind all keys that begin with some bytes (bson/index_key.ts). In the part of
 * a descending field all bits are inverted, so its intervals turn around.
 */
import {
  Binary,
  BSONRegExp,
  BsonType,
  BsonUndefined,
  BuiltDocument,
  compareBytes,
  Document,
  encodeIndexKey,
  isArray,
  isCollated,
  isNumber,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  typeOf,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import type { ComparisonFilter, InFilter, RegExpSpec } from "./filter/filter.ts";

export interface Bound {
  readonly bytes: Uint8Array;
  /** Behind the keys that begin so, not before them. */
  readonly after: boolean;
  /** The value that is meant, for `explain`, and whether it is inside. */
  readonly value: Value;
  readonly isIncluded: boolean;
  /** What `placeOf` has made. */
  place?: Uint8Array | undefined;
}

export interface Interval {
  readonly low: Bound;
  readonly high: Bound;
}

const NO_BYTES = new Uint8Array();
const NAN_KEY = encodeIndexKey(NaN);
const LEAST_NUMBER_KEY = encodeIndexKey(-Infinity);
const MISSING_KEY = encodeIndexKey(null);
const LEAST_ID = new ObjectId("0".repeat(24));
export const ALL_KEYS: Interval = {
  low: { bytes: NO_BYTES, after: false, value: new MinKey(), isIncluded: true },
  high: { bytes: NO_BYTES, after: true, value: new MaxKey(), isIncluded: true },
};

/** The intervals of one comparison; undefined when it says nothing that an index knows. */
export function comparisonIntervals(filter: ComparisonFilter): readonly Interval[] | undefined {
  if (filter.collation !== undefined && isCollated(filter.value)) return undefined;
  return filter.operator === "$eq" ? pointsOf(filter.value) : rangeOf(filter);
}

/** Those of the values of `$in`. */
export function valuesIntervals({ values, collation }: InFilter): readonly Interval[] | undefined {
  if (collation !== undefined && values.some(isCollated)) return undefined;
  const points = values.map(pointsOf);
  return points.every((each) => each !== undefined) ? union(points.flat()) : undefined;
}

/** Of texts that begin so, and of the expression itself, which is found by itself too. */
export function regexIntervals({ pattern, options }: RegExpSpec, prefix: string): readonly Interval[] {
  // Without the zeros at the end of a text.
  const bytes = encodeIndexKey(prefix).slice(0, -2);
  const next = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return [
    {
      low: { bytes, after: false, value: prefix, isIncluded: true },
      // Not behind the same bytes, as the end of a point is.
      high: { bytes: placeOf({ bytes, after: true }), after: false, value: next, isIncluded: false },
    },
    point(new BSONRegExp(pattern, options)),
  ];
}

/** Whether a document without the field, or with null, may pass. */
export function includesMissing(intervals: readonly Interval[]): boolean {
  return intervals.some(({ low, high }) =>
    compareBytes(placeOf(low), MISSING_KEY) <= 0 && compareBytes(placeOf(high), MISSING_KEY) > 0
  );
}

export function isPoint({ low, high }: Interval): boolean {
  return !low.after && high.after && compareBytes(low.bytes, high.bytes) === 0 && low.bytes.length > 0;
}

/** Those of the intervals that hold any key. */
export function withoutEmpty(intervals: readonly Interval[]): readonly Interval[] {
  return intervals.filter(({ low, high }) => compareBounds(low, high) < 0);
}

/** The values that lie in both. */
export function intersection(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const both: Interval[] = [];
  for (const left of a) {
    for (const right of b) {
      const lower = compareBounds(left.low, right.low) >= 0 ? left.low : right.low;
      const upper = compareBounds(left.high, right.high) <= 0 ? left.high : right.high;
      if (compareBounds(lower, upper) >= 0) continue;
      both.push({ low: lower, high: upper });
    }
  }
  return both;
}

/** The values that lie in one of the intervals. Points stay points. */
export function union(intervals: readonly Interval[]): readonly Interval[] {
  const all: Interval[] = [];
  for (const interval of [...intervals].sort((a, b) => compareBounds(a.low, b.low))) {
    const last = all.at(-1);
    const gap = last === undefined ? 1 : compareBounds(interval.low, last.high);
    if (last === undefined || gap > 0 || (gap === 0 && isPoint(last) && isPoint(interval))) {
      all.push(interval);
    } else if (compareBounds(interval.high, last.high) > 0) {
      all[all.length - 1] = { low: last.low, high: interval.high };
    }
  }
  return all;
}

/** The values that lie in none of the intervals. */
export function complement(intervals: readonly Interval[]): readonly Interval[] {
  const others: Interval[] = [];
  let { low } = ALL_KEYS;
  for (const { low: end, high: next } of [...intervals, { low: ALL_KEYS.high, high: ALL_KEYS.high }]) {
    const high = end === ALL_KEYS.high ? end : otherSide(end);
    // Nothing lies between undefined and null.
    const isNothing = low.value === BsonUndefined.VALUE && high.value === null;
    if (!isNothing && compareBounds(low, high) < 0) others.push({ low, high });
    low = otherSide(next);
  }
  return others;
}

function otherSide(bound: Bound): Bound {
  return { ...bound, isIncluded: !bound.isIncluded };
}

/** The values of an index that a value may be found by: of an array its first element, or itself within an array. */
function pointsOf(value: Value): readonly Interval[] | undefined {
  if (value === null) return union([point(BsonUndefined.VALUE), point(null)]);
  if (value === undefined || value instanceof BsonUndefined) return undefined;
  if (!isArray(value)) return [point(value)];
  return union([point(value.length === 0 ? BsonUndefined.VALUE : value[0]), point(value)]);
}

/** The interval of one value. */
export function point(value: Value): Interval {
  const bytes = encodeIndexKey(value);
  return {
    low: { bytes, after: false, value, isIncluded: true },
    high: { bytes, after: true, value, isIncluded: true },
  };
}

/** Values of other types are not compared, but for those with MinKey and MaxKey. */
function rangeOf({ operator, value }: ComparisonFilter): readonly Interval[] | undefined {
  const isOpen = operator === "$gt" || operator === "$lt";
  if (value === null) return isOpen ? [] : pointsOf(value);
  const bytes = encodeIndexKey(value);
  if (value instanceof MinKey || value instanceof MaxKey || isArray(value) || bytes.length === 1) {
    return undefined;
  }
  // It is below all numbers, but neither less nor greater than any.
  if (compareBytes(bytes, NAN_KEY) === 0) return isOpen ? [] : [point(value)];
  const isAbove = operator === "$gt" || operator === "$gte";
  const bound = { bytes, after: isAbove === isOpen, value, isIncluded: !isOpen };
  const { low, high } = typeInterval(value, bytes);
  return [isAbove ? { low: bound, high } : { low, high: bound }];
}

/** All values that compare with one, NaN aside. @param key the value's */
export function typeInterval(value: Value, key: Uint8Array): Interval {
  const bytes = key.subarray(0, 1);
  const [lowest, highest, isIncluded = true] = endsOf(value);
  return {
    low: {
      bytes: isNumber(value) ? LEAST_NUMBER_KEY : bytes,
      after: false,
      value: lowest,
      isIncluded: true,
    },
    high: { bytes, after: true, value: highest, isIncluded },
  };
}

/** The least and the greatest value of a type, or the first of the next type. */
function endsOf(value: Value): readonly [Value, Value, isIncluded?: boolean] {
  if (isNumber(value)) return [-Infinity, Infinity];
  if (typeof value === "string") return ["", BuiltDocument.EMPTY, false];
  if (typeof value === "boolean") return [false, true];
  if (value instanceof UtcDate) return [new UtcDate(-(2 ** 63)), new UtcDate(2 ** 63)];
  if (value instanceof ObjectId) return [LEAST_ID, new ObjectId("f".repeat(24))];
  if (value instanceof Timestamp) return [new Timestamp(0n), new Timestamp(2n ** 64n - 1n)];
  if (value instanceof Document) return [BuiltDocument.EMPTY, [], false];
  if (typeOf(value) === BsonType.Binary) return [new Binary(), LEAST_ID, false];
  return [undefined, undefined];
}

/** Above all bytes with which a key begins. */
const BEYOND = 0xff;

/** A bound as the bytes that stand where it is: behind a prefix is the first one above it. */
function placeOf(bound: Pick<Bound, "bytes" | "after" | "place">): Uint8Array {
  return bound.after ? bound.place ??= placeBehind(bound.bytes) : bound.bytes;
}

function placeBehind(bytes: Uint8Array): Uint8Array {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0xff) length--;
  if (length === 0) return Uint8Array.of(BEYOND);
  const place = bytes.slice(0, length);
  place[length - 1]!++;
  return place;
}

function compareBounds(a: Bound, b: Bound): number {
  return compareBytes(placeOf(a), placeOf(b));
}

/** Keys from `from` on, below `to`. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** Set where the keys of it are those whose first field is `from`. */
  readonly isPoint?: boolean;
}

/**
 * The keys of an index whose first fields lie in these intervals, in the index's order.
 *
 * @param fields of the index's first fields; but for the last of them, all intervals are points
 */
export function keyRanges(
  fields: readonly { readonly intervals: readonly Interval[]; readonly descending: boolean }[],
): readonly KeyRange[] {
  let ranges: readonly KeyRange[] = [{ from: NO_BYTES, to: Uint8Array.of(BEYOND) }];
  let prefixes: readonly Uint8Array[] = [NO_BYTES];
  for (const { intervals, descending } of fields) {
    const turned = descending ? intervals.map(turnedAround).reverse() : intervals;
    ranges = fields.length === 1
      ? turned.map(rangeOfInterval)
      : prefixes.flatMap((prefix) =>
        turned.map(({ low, high }) => ({
          from: placeOf({ after: low.after, bytes: joined(prefix, low.bytes) }),
          to: placeOf({ after: high.after, bytes: joined(prefix, high.bytes) }),
        }))
      );
    if (fields.length === 1) break;
    prefixes = prefixes.flatMap((prefix) => turned.map(({ low }) => joined(prefix, low.bytes)));
  }
  return ranges;
}

function rangeOfInterval(interval: Interval): KeyRange {
  const { low, high } = interval;
  return { from: placeOf(low), to: placeOf(high), isPoint: isPoint(interval) };
}

/** Keys of an index from one on and below another, each given by the values of all its fields; undefined is no bound. */
export interface KeyBounds {
  readonly min: Document | undefined;
  readonly max: Document | undefined;
}

/**
 * The range of keys between bounds; undefined where the first is not below the second.
 *
 * @param directions which fields of the index are descending
 */
export function keyRangeOf({ min, max }: KeyBounds, directions: readonly boolean[]): KeyRange | undefined {
  const keyOf = (bound: Document) =>
    bound.values().reduce<Uint8Array>((key, value, i) => {
      const bytes = encodeIndexKey(value);
      return joined(key, directions[i] === true ? inverted(bytes) : bytes);
    }, NO_BYTES);
  const from = min === undefined ? NO_BYTES : keyOf(min);
  const to = max === undefined ? Uint8Array.of(BEYOND) : keyOf(max);
  return compareBytes(from, to) < 0 ? { from, to } : undefined;
}

function turnedAround({ low, high }: Interval): Interval {
  return {
    low: { ...high, bytes: inverted(high.bytes), after: !high.after, place: undefined },
    high: { ...low, bytes: inverted(low.bytes), after: !low.after, place: undefined },
  };
}

function inverted(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => ~byte);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
