/**
 * Which index of a regular collection a query reads: by the fields from its first one on that the conditions give a value,
 * then one that they bound, then whether it brings the rows in the order asked for. Rows still pass all conditions.
 */
import {
  BuiltDocument,
  compareValues,
  Document,
  equalValues,
  Int32,
  rankOfType,
  typeOf,
  type Value,
} from "../bson/mod.ts";
import { conjunctsOf, type Filter } from "./filter/filter.ts";
import { arrayOffset } from "./filter/path.ts";
import { parseFilter } from "./filter/parse.ts";
import {
  ALL_KEYS,
  includesMissing,
  intersection,
  type Interval,
  intervalsOf,
  intervalText,
  isExact,
  isPoint,
  type KeyBounds,
  type KeyRange,
  keyRangeOf,
  keyRanges,
} from "./index_bounds.ts";
import type { SortPart } from "./stage/sort_key.ts";

/** An index that a source has. */
export interface SourceIndex {
  readonly name: string;
  readonly keyPattern: Document;
  readonly fields: readonly { readonly path: readonly string[]; readonly descending: boolean }[];
  /** Of each field, the paths at which a document may have an array. */
  readonly arrays: readonly (readonly string[])[];
  readonly isUnique: boolean;
  readonly isSparse: boolean;
  /** The planner must be told to use it. */
  readonly isHidden: boolean;
  /** Which documents it has; undefined for all. */
  readonly partialFilter: Document | undefined;
}

/** How a scan reads an index. */
export interface IndexScan {
  readonly name: string;
  /** In the index's order; backward, the last is read first. */
  readonly ranges: readonly KeyRange[];
  readonly backward: boolean;
  /** Whether a document may be met more than once: it is given once. */
  readonly repeats: boolean;
}

export interface IndexPlan extends IndexScan {
  readonly index: SourceIndex;
  /** Of each field of the index; of none where the keys themselves were given. */
  readonly intervals: readonly (readonly Interval[])[];
  /** What the intervals do not say of the rows. */
  readonly residual: readonly Filter[];
  /** Whether rows come in the order asked for. */
  readonly isSorted: boolean;
}

export interface IndexQuestion {
  readonly conjuncts: readonly Filter[];
  readonly sort: readonly SortPart[] | undefined;
  /** A name or a key. */
  readonly hint: Value;
  /** Between which keys of the hinted index the rows are to be. */
  readonly keyBounds?: KeyBounds | undefined;
}

/** The plan of the index that serves best; undefined when none serves. */
export function planIndex(
  indexes: readonly SourceIndex[],
  { conjuncts, sort, hint, keyBounds }: IndexQuestion,
): IndexPlan | undefined {
  const hinted = hint === undefined ? undefined : indexes.find((index) => isNamed(index, hint));
  if (hinted !== undefined && keyBounds !== undefined) return betweenKeys(hinted, conjuncts, keyBounds);
  if (hinted !== undefined) return new Candidate(hinted, conjuncts, sort).plan();
  if (hint !== undefined) return undefined;
  let best: Candidate | undefined;
  for (const index of indexes) {
    if (index.isHidden) continue;
    const candidate = new Candidate(index, conjuncts, sort);
    if (candidate.isComplete() && candidate.worth > (best?.worth ?? 0)) best = candidate;
  }
  return best?.plan();
}

/** The index between two keys, in its order; conditions are asked of its rows only. */
function betweenKeys(index: SourceIndex, conjuncts: readonly Filter[], keyBounds: KeyBounds): IndexPlan {
  const range = keyRangeOf(keyBounds, index.fields.map(({ descending }) => descending));
  return {
    ...new Candidate(index, [], undefined).plan(),
    ranges: range === undefined ? [] : [range],
    intervals: [],
    residual: conjuncts,
    isSorted: false,
  };
}

function isNamed(index: SourceIndex, hint: Value): boolean {
  if (!(hint instanceof Document)) return index.name === hint;
  return equalValues(index.keyPattern, hint) &&
    index.keyPattern.names().join("\0") === hint.names().join("\0");
}

/** Each field with a value is worth more than a bound and an order. */
const WORTH = { point: 8, range: 4, sort: 1 } as const;
/** Ranges of keys in one scan: lists in several fields multiply. */
const MAX_RANGES = 4096;

class Candidate {
  readonly worth: number;
  private readonly intervals: (readonly Interval[])[] = [];
  private readonly exact = new Set<Filter>();
  /** Fields, from the first on, whose intervals decide which keys are read. */
  private readonly bounded: number;
  private readonly points: number;
  private readonly direction: 1 | -1 | undefined;

  constructor(
    private readonly index: SourceIndex,
    private readonly conjuncts: readonly Filter[],
    sort: readonly SortPart[] | undefined,
  ) {
    index.fields.forEach(({ path }, i) => {
      const isFree = !this.sharesArray(i);
      this.intervals.push(isFree ? this.boundsOf(path.join("."), this.hasArrays(i)) : [ALL_KEYS]);
    });
    this.points = this.leadingPoints();
    const next = this.intervals[this.points];
    const hasRange = next !== undefined && !isUnbounded(next);
    this.bounded = this.points + Number(hasRange);
    this.direction = sort && this.directionOf(sort);
    this.worth = this.points * WORTH.point + Number(hasRange) * WORTH.range +
      (this.direction === undefined ? 0 : WORTH.sort);
  }

  /** Whether the index has every document that may pass. */
  isComplete(): boolean {
    const { isSparse, partialFilter } = this.index;
    if (partialFilter !== undefined) {
      const asked = conjunctsOf(parseFilter(partialFilter));
      if (!asked.every((filter) => this.conjuncts.some((known) => implies(known, filter)))) return false;
    }
    return !isSparse ||
      this.intervals.some((intervals) => !isUnbounded(intervals) && !includesMissing(intervals));
  }

  plan(): IndexPlan {
    const { index, intervals } = this;
    const fields = index.fields.slice(0, this.bounded).map(({ descending }, i) => ({
      intervals: intervals[i]!,
      descending,
    }));
    return {
      index,
      name: index.name,
      ranges: keyRanges(fields),
      backward: this.direction === -1,
      repeats: index.arrays.some((paths) => paths.length > 0),
      intervals,
      residual: this.conjuncts.filter((filter) => !this.exact.has(filter)),
      isSorted: this.direction !== undefined,
    };
  }

  private hasArrays(field: number): boolean {
    return this.index.arrays[field]!.length > 0;
  }

  /** Whether an earlier field is bounded that goes through the same array: its keys are those of one element each. */
  private sharesArray(field: number): boolean {
    return this.index.arrays[field]!.some((path) =>
      this.intervals.some((intervals, i) => !isUnbounded(intervals) && this.index.arrays[i]!.includes(path))
    );
  }

  /** Where the field may be an array, each condition may be met by another element: then one of them counts. */
  private boundsOf(path: string, hasArrays: boolean): readonly Interval[] {
    let bounds: readonly Interval[] = [ALL_KEYS];
    let chosen: Filter | undefined;
    for (const filter of this.conjuncts) {
      if (!("path" in filter) || filter.path.join(".") !== path) continue;
      const intervals = intervalsOf(filter);
      if (intervals === undefined) continue;
      // A place in an array is also a name that its documents lack: keys do not tell.
      if (hasArrays && filter.path.some((part) => arrayOffset(part) >= 0) && includesMissing(intervals)) {
        continue;
      }
      if (!hasArrays) {
        bounds = intersection(bounds, intervals);
        if (isExact(filter)) this.exact.add(filter);
      } else if (isUnbounded(bounds) || (intervals.every(isPoint) && !bounds.every(isPoint))) {
        bounds = intervals;
        chosen = filter;
      }
    }
    if (chosen !== undefined && isExact(chosen)) this.exact.add(chosen);
    return bounds;
  }

  private leadingPoints(): number {
    let ranges = 1;
    for (const [i, intervals] of this.intervals.entries()) {
      ranges *= intervals.length;
      if (!intervals.every(isPoint) || ranges > MAX_RANGES) return i;
    }
    return this.intervals.length;
  }

  /** In which direction the index is to be read for a sort; undefined where it does not have that order. */
  private directionOf(sort: readonly SortPart[]): 1 | -1 | undefined {
    const { index } = this;
    if (index.arrays.some((paths) => paths.length > 0)) return undefined;
    const parts = sort.filter(({ path }) => !this.isOneValue(path));
    const from = parts.length === 0
      ? 0
      : index.fields.findIndex(({ path }) => samePath(path, parts[0]!.path));
    if (from < 0 || !this.intervals.slice(0, from).every((each) => each.length === 1 && isPoint(each[0]!))) {
      return undefined;
    }
    let direction: 1 | -1 | undefined;
    let at = from;
    for (const part of parts) {
      while (at < index.fields.length && this.isOneValue(index.fields[at]!.path)) at++;
      const field = index.fields[at++];
      if (field === undefined || !samePath(field.path, part.path)) return undefined;
      const needed = field.descending === part.descending ? 1 : -1;
      if (direction !== undefined && direction !== needed) return undefined;
      direction = needed;
    }
    return direction ?? 1;
  }

  /** Whether all rows have one value there. */
  private isOneValue(path: readonly string[]): boolean {
    const field = this.index.fields.findIndex((each) => samePath(each.path, path));
    const intervals = this.intervals[field];
    return intervals?.length === 1 && isPoint(intervals[0]!);
  }
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}

function isUnbounded(intervals: readonly Interval[]): boolean {
  return intervals[0] === ALL_KEYS;
}

/** Whether each document that passes `known` passes `asked`, as far as that is plain to see. */
function implies(known: Filter, asked: Filter): boolean {
  if (!("path" in known) || !("path" in asked) || !samePath(known.path, asked.path)) return false;
  if (asked.kind === "exists") return known.kind === "exists" || isValueOf(known);
  if (known.kind !== "comparison" || asked.kind !== "comparison" || known.collation !== undefined) {
    return false;
  }
  const { operator, value } = asked;
  if (value === null || known.value === null) return false;
  if (rankOfType(typeOf(known.value)) !== rankOfType(typeOf(value))) return false;
  const order = compareValues(known.value, value);
  if (operator === "$eq") return known.operator === "$eq" && order === 0;
  const isAbove = operator === "$gt" || operator === "$gte";
  const sameSide = known.operator === "$eq" || (known.operator.startsWith("$gt") === isAbove);
  if (!sameSide) return false;
  if (order === 0) {
    return operator === "$gte" || operator === "$lte" ? true : known.operator === operator;
  }
  return isAbove ? order > 0 : order < 0;
}

function isValueOf(filter: Filter): boolean {
  return filter.kind === "comparison" && filter.value !== null;
}

/** The part of a scan's `explain` below FETCH. */
export function indexScanFields(plan: IndexPlan): Readonly<Record<string, Value>> {
  const { index, intervals, backward } = plan;
  const names = index.keyPattern.names();
  const bounds = intervals.map((each, i) => {
    const isTurned = index.fields[i]!.descending !== backward;
    const texts = each.map((interval) => intervalText(interval, isTurned));
    return isTurned ? texts.reverse() : texts;
  });
  return {
    keyPattern: index.keyPattern,
    indexName: index.name,
    isMultiKey: plan.repeats,
    multiKeyPaths: new BuiltDocument(names, index.arrays),
    isUnique: index.isUnique,
    isSparse: index.isSparse,
    isPartial: index.partialFilter !== undefined,
    indexVersion: Int32.of(2),
    direction: backward ? "backward" : "forward",
    indexBounds: new BuiltDocument(names.slice(0, bounds.length), bounds),
  };
}
