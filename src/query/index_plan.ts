/**
 * Which index of a regular collection a query reads: by the fields from its first one on that the conditions give a value,
 * then one that they bound, then whether it brings the rows in the order asked for. Rows still pass what the ranges of keys do
 * not decide.
 */
import { compareValues, Document, equalValues, rankOfType, typeOf, type Value } from "../bson/mod.ts";
import { CommandError } from "../base/mod.ts";
import { conjunctsOf, type Filter } from "./filter/filter.ts";
import { parseFilter } from "./filter/parse.ts";
import {
  ALL_KEYS,
  includesMissing,
  intersection,
  type Interval,
  isPoint,
  type KeyBounds,
  keyRangeOf,
  keyRanges,
  point,
  withoutEmpty,
} from "./index_bounds.ts";
import { compareConditions, conditionsOf, type IndexCondition } from "./index_conditions.ts";
import { hashedCondition } from "./hashed_condition.ts";
import { coveringFields, type PathsRead } from "./covered.ts";
import type { DistinctQuestion } from "./distinct_scan.ts";
import { hasKeysOfAll, pathIndexes } from "./wildcard_index.ts";
import type { IndexScan, SourceIndex, SourceIndexField } from "./source_index.ts";
import type { SortPart } from "./stage/sort_key.ts";

export interface IndexPlan extends IndexScan {
  /** Of each field of the index; of none where the keys themselves were given. */
  readonly intervals: readonly (readonly Interval[])[];
  /** What the intervals do not say of the rows. */
  readonly residual: readonly Filter[];
  /** What is still to be asked of rows that have a key in the ranges. */
  readonly undecided: readonly Filter[];
  /** The keys themselves, where they were given. */
  readonly keyBounds?: KeyBounds;
  /** Whether rows come in the order asked for. */
  readonly isSorted: boolean;
}

/** Several indexes, one for each way to pass an `$or`: each document that any of them has is given once, in no order. */
export interface UnionPlan {
  readonly branches: readonly IndexPlan[];
  /** What is asked of the rows of all branches. */
  readonly residual: readonly Filter[];
}

/** How rows are found by indexes. */
export interface IndexAccess {
  readonly index?: IndexPlan | undefined;
  readonly union?: UnionPlan | undefined;
}

export interface IndexQuestion {
  readonly conjuncts: readonly Filter[];
  readonly sort: readonly SortPart[] | undefined;
  /** A name or a key. */
  readonly hint: Value;
  /** Between which keys of the hinted index the rows are to be. */
  readonly keyBounds?: KeyBounds | undefined;
  /** What is read of the rows that pass. */
  readonly paths?: PathsRead;
  /** Set where of rows with equal values one is enough: which values. */
  readonly distinct?: DistinctQuestion | undefined;
}

/** The plan of the index, or of several for an `$or`, that serves best; empty when none serves. */
export function planIndex(indexes: readonly SourceIndex[], question: IndexQuestion): IndexAccess {
  const access = planAccess(indexes, question);
  return question.distinct === undefined
    ? access
    : distinctAccess(indexes, question, question.distinct, access);
}

function planAccess(indexes: readonly SourceIndex[], question: IndexQuestion): IndexAccess {
  const { conjuncts, hint, keyBounds } = question;
  const hinted = hint === undefined ? undefined : indexes.find((index) => isNamed(index, hint));
  if (hinted !== undefined && keyBounds !== undefined) {
    return { index: betweenKeys(hinted, question, keyBounds) };
  }
  if (hinted?.covers !== undefined) return { index: bestOfWildcard(hinted, question) };
  if (hinted !== undefined) return { index: candidateOf(hinted, question).plan() };
  if (hint !== undefined) return {};
  const best = bestCandidate(indexes, question);
  const union = planUnion(indexes, conjuncts, best?.worth ?? 0);
  return union !== undefined ? { union } : best !== undefined ? { index: best.plan() } : {};
}

/** As planned, but for one row a value where the index has these side by side. */
function distinctAccess(
  indexes: readonly SourceIndex[],
  { conjuncts, sort, hint, keyBounds, paths }: IndexQuestion,
  distinct: DistinctQuestion,
  access: IndexAccess,
): IndexAccess {
  if (access.union !== undefined || keyBounds !== undefined) return access;
  const isAll = conjuncts.length === 0 && !distinct.isFiltered && sort === undefined && hint === undefined;
  const index = isAll ? smallestBy(indexes, distinct) : access.index?.index;
  const at = index === undefined ? -1 : fieldAt(index, distinct.path);
  if (index === undefined || at < 0) return access;
  const plan = isAll ? candidateOf(index, { conjuncts, sort, paths }).plan() : access.index!;
  const hasArrays = index.arrays[at]!.length > 0;
  if (plan.undecided.length > 0 || (sort !== undefined && !plan.isSorted)) return access;
  // A group's rows must not lie in several places.
  if (
    distinct.isGroup && !plan.intervals.slice(0, at).every((each) => each.length === 1 && isPoint(each[0]!))
  ) {
    return access;
  }
  if (hasArrays && (distinct.isGroup || !isAll || index.keysAreOpen === true)) return access;
  return {
    index: {
      ...plan,
      // An array's elements are what is asked for.
      ...(hasArrays && { covered: index.fields }),
      distinct: index.fields.slice(0, at + 1),
      repeats: false,
    },
  };
}

/** Of the indexes that begin with a field, that of the fewest fields. */
function smallestBy(
  indexes: readonly SourceIndex[],
  { path, isGroup }: DistinctQuestion,
): SourceIndex | undefined {
  return indexes.filter((index) =>
    fieldAt(index, path) === 0 && !index.isHidden && index.partialFilter === undefined &&
    !(isGroup && index.isSparse)
  ).reduce<SourceIndex | undefined>(
    (least, index) => least === undefined || index.fields.length < least.fields.length ? index : least,
    undefined,
  );
}

/** Where an index has a field's values side by side; −1 for nowhere. */
function fieldAt({ fields, covers, isClustered }: SourceIndex, path: string): number {
  if (covers !== undefined || isClustered === true) return -1;
  return fields.findIndex((field) => field.hashed !== true && field.path.join(".") === path);
}

function bestCandidate(indexes: readonly SourceIndex[], question: Conditions): Candidate | undefined {
  let best: Candidate | undefined;
  const conditions = question.conjuncts.flatMap(conditionsOf);
  for (const index of indexes.flatMap((each) => pathIndexes(each, conditions))) {
    if (index.isHidden || isWorthless(index, question, conditions)) continue;
    const candidate = new Candidate(index, question, conditions);
    if (candidate.isComplete() && candidate.worth > (best?.worth ?? 0)) best = candidate;
  }
  return best;
}

/** Whether nothing is asked of an index: most conditions are about one of many. */
function isWorthless(
  { fields }: SourceIndex,
  { sort }: Conditions,
  conditions: readonly IndexCondition[],
): boolean {
  const { path, only } = fields[0]!;
  return sort === undefined && only === undefined &&
    !conditions.some((condition) => isPath(condition.path, path));
}

/** Whether a dotted path is one of these parts. */
function isPath(dotted: string, parts: readonly string[]): boolean {
  return dotted === (parts.length === 1 ? parts[0] : parts.join("."));
}

/** @throws CommandError where no condition is one of the index's */
function bestOfWildcard(hinted: SourceIndex, question: Conditions): IndexPlan {
  const best = bestCandidate([{ ...hinted, isHidden: false }], question);
  if (best !== undefined) return best.plan();
  throw new CommandError(
    "NoQueryExecutionPlans",
    "error processing query: planner returned error :: caused by :: No query solutions",
  );
}

/** An index for each branch of an `$or`, each of which is worth more than `least`. */
function planUnion(
  indexes: readonly SourceIndex[],
  conjuncts: readonly Filter[],
  least: number,
): UnionPlan | undefined {
  for (const either of conjuncts) {
    if (either.kind !== "or") continue;
    const others = conjuncts.filter((filter) => filter !== either);
    const branches: IndexPlan[] = [];
    const isWhole = either.filters.every((filter) => {
      const own = conjunctsOf(filter);
      const best = bestCandidate(indexes, { conjuncts: [...own, ...others], sort: undefined });
      if (best === undefined || best.worth <= least) return false;
      const plan = best.plan();
      branches.push({ ...plan, residual: plan.residual.filter((each) => own.includes(each)) });
      return true;
    });
    if (isWhole) return { branches, residual: others };
  }
  return undefined;
}

/** The index between two keys, in its order; conditions are asked of its rows only. */
function betweenKeys(
  index: SourceIndex,
  { conjuncts, paths }: IndexQuestion,
  keyBounds: KeyBounds,
): IndexPlan {
  const range = keyRangeOf(keyBounds, index.fields.map(({ descending }) => descending));
  const needed = conjuncts.length === 0 ? paths : undefined;
  return {
    ...candidateOf(index, { conjuncts: [], sort: undefined, paths: needed }).plan(),
    ranges: range === undefined ? [] : [range],
    intervals: [],
    residual: conjuncts,
    undecided: conjuncts,
    keyBounds,
    isSorted: false,
  };
}

function isNamed(index: SourceIndex, hint: Value): boolean {
  if (!(hint instanceof Document)) return index.name === hint;
  return equalValues(index.keyPattern, hint) &&
    index.keyPattern.names().join("\0") === hint.names().join("\0");
}

/** Each field with a value is worth more than a bound and an order, a bound more than what is to be left out. */
const WORTH = { point: 16, range: 8, exclusion: 4, sort: 2, covered: 1 } as const;
const ANY_KEY: readonly Interval[] = [ALL_KEYS];
/** Ranges of keys in one scan: lists in several fields multiply. */
const MAX_RANGES = 4096;

type Conditions = Pick<IndexQuestion, "conjuncts" | "sort" | "paths">;

function candidateOf(index: SourceIndex, question: Conditions): Candidate {
  return new Candidate(index, question, question.conjuncts.flatMap(conditionsOf));
}

class Candidate {
  readonly worth: number;
  private readonly conjuncts: readonly Filter[];
  private readonly undecided: readonly Filter[];
  private readonly covered: readonly SourceIndexField[] | undefined;
  private readonly intervals: (readonly Interval[])[] = [];
  /** Of each field, the conditions that its intervals come from. */
  private readonly chosen: (readonly IndexCondition[])[] = [];
  /** Fields, from the first on, whose intervals decide which keys are read. */
  private readonly bounded: number;
  private readonly points: number;
  private readonly direction: 1 | -1 | undefined;

  /** @param conditions what the conjuncts say of single paths */
  constructor(
    private readonly index: SourceIndex,
    { conjuncts, sort, paths }: Conditions,
    conditions: readonly IndexCondition[],
  ) {
    this.conjuncts = conjuncts;
    index.fields.forEach(({ path, hashed, only }, field) => {
      if (only !== undefined) {
        this.chosen.push([]);
        this.intervals.push([point(only)]);
        return;
      }
      const about = conditions.filter((condition) => isPath(condition.path, path));
      const chosen = this.choose(
        field,
        hashed ? about.flatMap((each) => hashedCondition(each, index)) : about,
      );
      this.chosen.push(chosen);
      this.intervals.push(
        chosen.length === 0
          ? ANY_KEY
          : chosen.map(({ intervals }) => withoutEmpty(intervals)).reduce(intersection),
      );
    });
    this.points = this.leadingPoints();
    const next = this.chosen[this.points] ?? [];
    this.bounded = this.points + Number(next.length > 0);
    this.direction = sort && this.directionOf(sort);
    const isExclusion = next.every(({ filter }) => filter.kind === "not");
    const own = this.points - index.fields.filter((field) => field.only !== undefined).length;
    // Ranges of keys know nothing of fields behind the first one without a value.
    this.undecided = conjuncts.filter((filter) => !this.isSaid(filter, this.bounded));
    this.covered = coveringFields(index, paths, this.undecided);
    const asked = own * WORTH.point +
      (next.length === 0 ? 0 : isExclusion ? WORTH.exclusion : WORTH.range) +
      (this.direction === undefined ? 0 : WORTH.sort);
    this.worth = asked === 0 ? 0 : asked + (this.covered === undefined ? 0 : WORTH.covered);
  }

  /** Whether the index has every document that may pass. */
  isComplete(): boolean {
    const { isSparse, partialFilter, fields } = this.index;
    if (!areAllIn(partialFilter, this.conjuncts)) return false;
    if (fields[0]!.only !== undefined) return this.chosen[1]!.length > 0 && hasKeysOfAll(this.intervals[1]!);
    return !isSparse ||
      this.intervals.some((intervals, i) => this.chosen[i]!.length > 0 && !includesMissing(intervals));
  }

  plan(): IndexPlan {
    const { index, intervals, undecided, covered } = this;
    const fields = index.fields.slice(0, this.bounded).map(({ descending }, i) => ({
      intervals: intervals[i]!,
      descending,
    }));
    const residual = this.conjuncts.filter((filter) => !this.isSaid(filter));
    return {
      index,
      name: index.name,
      ranges: keyRanges(fields),
      backward: this.direction === -1,
      repeats: index.arrays.some((paths) => paths.length > 0),
      intervals,
      residual,
      undecided,
      isSorted: this.direction !== undefined,
      ...(covered && { covered }),
    };
  }

  /** Whether the intervals say all of a filter. */
  private isSaid(filter: Filter, fields = Infinity): boolean {
    return this.chosen.slice(0, fields).some((conditions, field) =>
      conditions.some((condition) =>
        condition.filter === filter &&
        (condition.exact === "always" ||
          (condition.exact === "plain" && this.index.arrays[field]!.length === 0))
      )
    );
  }

  /**
   * Conditions on one field that one key must meet. A key is of one element of each array, and each condition may be met by
   * another element: so they count together only where one `$elemMatch` says that they mean the same element, and
   * beside those of earlier fields in the same array likewise.
   */
  private choose(field: number, conditions: readonly IndexCondition[]): readonly IndexCondition[] {
    const arrays = this.index.arrays[field]!;
    if (arrays.length === 0) return conditions;
    const possible = conditions.filter((condition) =>
      condition.holdsInArrays &&
      this.chosen.every(([other], i) =>
        other === undefined || haveSameElements(condition, other, this.shared(field, i))
      )
    );
    const best = possible.toSorted(compareConditions)[0];
    return best === undefined
      ? []
      : possible.filter((condition) => condition === best || haveSameElements(condition, best, arrays));
  }

  /** The arrays that two fields go through. */
  private shared(field: number, other: number): readonly string[] {
    return this.index.arrays[field]!.filter((path) => this.index.arrays[other]!.includes(path));
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
      if (field === undefined || field.hashed || !samePath(field.path, part.path)) return undefined;
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

function haveSameElements(a: IndexCondition, b: IndexCondition, arrays: readonly string[]): boolean {
  return arrays.every((path) => a.elements.has(path) && a.elements.get(path) === b.elements.get(path));
}

/** Whether a partial index has all documents that pass the conditions, as far as that is plain to see. */
export function areAllIn(partialFilter: Document | undefined, conjuncts: readonly Filter[]): boolean {
  if (partialFilter === undefined) return true;
  const asked = conjunctsOf(parseFilter(partialFilter));
  return asked.every((filter) => conjuncts.some((known) => implies(known, filter)));
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

/** What a scan is asked for. */
export function scanOf({ index, union }: IndexAccess): { index?: IndexScan; union?: readonly IndexScan[] } {
  return { ...(index && { index }), ...(union && { union: union.branches }) };
}
