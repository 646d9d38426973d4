/**
 * What conditions on one field say of the keys of an index over it: intervals of values, ascending and apart. A document
 * that passes has, for some key, a value in one of them; the conditions have the last word.
 *
 * Bounds are places between keys: before or behind all keys that begin with some bytes (bson/index_key.ts). In the part of
 * a descending field all bits are inverted, so its intervals turn around.
 */
import {
  BSONRegExp,
  BsonType,
  BsonUndefined,
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
import { elementText } from "./element_text.ts";
import type { ComparisonFilter, InFilter, RegExpSpec } from "./filter/filter.ts";

export interface Bound {
  readonly bytes: Uint8Array;
  /** Behind the keys that begin so, not before them. */
  readonly after: boolean;
}

export interface Interval {
  readonly low: Bound;
  readonly high: Bound;
  /** As `explain` shows it, in ascending order: `[1.0`, `2.0)`. */
  readonly text: readonly [string, string];
}

const NO_BYTES = new Uint8Array();
const NAN_KEY = encodeIndexKey(NaN);
export const ALL_KEYS: Interval = {
  low: { bytes: NO_BYTES, after: false },
  high: { bytes: NO_BYTES, after: true },
  text: ["[MinKey", "MaxKey]"],
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
  const text = textOf(prefix);
  const beyond = `${text.slice(0, -2)}${nextCharacter(prefix)}"`;
  return [
    {
      low: { bytes, after: false },
      // Not behind the same bytes, as the end of a point is.
      high: { bytes: placeOf({ bytes, after: true }), after: false },
      text: [`[${text}`, `${beyond})`],
    },
    point(new BSONRegExp(pattern, options)),
  ];
}

function nextCharacter(text: string): string {
  return String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
}

/** Whether a document without the field, or with null, may pass. */
export function includesMissing(intervals: readonly Interval[]): boolean {
  const missing = encodeIndexKey(null);
  return intervals.some(({ low, high }) =>
    compareBytes(placeOf(low), missing) <= 0 && compareBytes(placeOf(high), missing) > 0
  );
}

export function isPoint({ low, high }: Interval): boolean {
  return !low.after && high.after && compareBytes(low.bytes, high.bytes) === 0 && low.bytes.length > 0;
}

/** The values that lie in both. */
export function intersection(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const both: Interval[] = [];
  for (const left of a) {
    for (const right of b) {
      const lower = compareBounds(left.low, right.low) >= 0 ? left : right;
      const upper = compareBounds(left.high, right.high) <= 0 ? left : right;
      if (compareBounds(lower.low, upper.high) >= 0) continue;
      both.push({ low: lower.low, high: upper.high, text: [lower.text[0], upper.text[1]] });
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
      all[all.length - 1] = { low: last.low, high: interval.high, text: [last.text[0], interval.text[1]] };
    }
  }
  return all;
}

/** The values that lie in none of the intervals. */
export function complement(intervals: readonly Interval[]): readonly Interval[] {
  const others: Interval[] = [];
  let { low, text: [lowText] } = ALL_KEYS;
  const add = (high: Bound, highText: string) => {
    if (compareBounds(low, high) < 0) others.push({ low, high, text: [lowText, highText] });
  };
  for (const { low: end, high, text } of intervals) {
    add(end, `${text[0].slice(1)}${text[0].startsWith("[") ? ")" : "]"}`);
    low = high;
    lowText = `${text[1].endsWith("]") ? "(" : "["}${text[1].slice(0, -1)}`;
  }
  add(ALL_KEYS.high, ALL_KEYS.text[1]);
  return others;
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
  const text = textOf(value);
  return { low: { bytes, after: false }, high: { bytes, after: true }, text: [`[${text}`, `${text}]`] };
}

/** Values of other types are not compared, but for those with MinKey and MaxKey. */
function rangeOf({ operator, value }: ComparisonFilter): readonly Interval[] | undefined {
  const isOpen = operator === "$gt" || operator === "$lt";
  if (value === null) return isOpen ? [] : pointsOf(value);
  const bytes = encodeIndexKey(value);
  if (value instanceof MinKey || value instanceof MaxKey || isArray(value) || bytes.length === 1) {
    return undefined;
  }
  const type = bytes.subarray(0, 1);
  const text = textOf(value);
  const [lowest, highest] = endsOf(value);
  // It is below all numbers, but neither less nor greater than any.
  if (compareBytes(bytes, NAN_KEY) === 0) return isOpen ? [] : [point(value)];
  const least = isNumber(value) ? encodeIndexKey(-Infinity) : type;
  const isAbove = operator === "$gt" || operator === "$gte";
  if (isAbove) {
    return [{
      low: { bytes, after: isOpen },
      high: { bytes: type, after: true },
      text: [`${isOpen ? "(" : "["}${text}`, highest],
    }];
  }
  return [{
    low: { bytes: least, after: false },
    high: { bytes, after: !isOpen },
    text: [lowest, `${text}${isOpen ? ")" : "]"}`],
  }];
}

function textOf(value: Value): string {
  return value instanceof MinKey
    ? "MinKey"
    : value instanceof MaxKey
    ? "MaxKey"
    : elementText("", value).slice(2);
}

/** The ends of a type, as MongoDB shows them. */
function endsOf(value: Value): readonly [string, string] {
  if (isNumber(value)) return ["[-inf.0", "inf.0]"];
  if (typeof value === "string") return ['[""', "{})"];
  if (typeof value === "boolean") return ["[false", "true]"];
  if (value instanceof UtcDate) {
    return ["[new Date(-9223372036854775808)", "new Date(9223372036854775807)]"];
  }
  if (value instanceof ObjectId) {
    return ["[ObjectId('000000000000000000000000')", "ObjectId('ffffffffffffffffffffffff')]"];
  }
  if (value instanceof Timestamp) return ["[Timestamp(0, 0)", "Timestamp(4294967295, 4294967295)]"];
  if (value instanceof Document) return ["[{}", "[])"];
  return typeOf(value) === BsonType.Binary
    ? ["[BinData(0, )", "ObjectId('000000000000000000000000'))"]
    : ["[", "]"];
}

/** Above all bytes with which a key begins. */
const BEYOND = 0xff;

/** A bound as the bytes that stand where it is: behind a prefix is the first one above it. */
function placeOf({ bytes, after }: Bound): Uint8Array {
  if (!after) return bytes;
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
    ranges = prefixes.flatMap((prefix) =>
      turned.map(({ low, high }) => ({
        from: placeOf({ ...low, bytes: joined(prefix, low.bytes) }),
        to: placeOf({ ...high, bytes: joined(prefix, high.bytes) }),
      }))
    );
    prefixes = prefixes.flatMap((prefix) => turned.map(({ low }) => joined(prefix, low.bytes)));
  }
  return ranges;
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

function turnedAround({ low, high, text }: Interval): Interval {
  return {
    low: { bytes: inverted(high.bytes), after: !high.after },
    high: { bytes: inverted(low.bytes), after: !low.after },
    text,
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

/** An interval as `explain` shows it: `[1.0, 2.0)`, turned around where it is read so. */
export function intervalText({ text: [low, high] }: Interval, isTurned: boolean): string {
  if (!isTurned) return `${low}, ${high}`;
  const open = high.endsWith("]") ? "[" : "(";
  const close = low.startsWith("[") ? "]" : ")";
  return `${open}${high.slice(0, -1)}, ${low.slice(1)}${close}`;
}
