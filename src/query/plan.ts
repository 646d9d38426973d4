/**
 * From a pipeline to what storage is asked for and what is left to do on rows.
 *
 * Storage may return more rows than asked for, so every condition stays in the rows' stages as well. What the leading
 * `$match`es say becomes conditions of the scan; the fields that the stages read become its columns; a sort by the
 * time field becomes the order of the scan, and a sort with a limit behind it holds no more rows than that. Where groups by
 * the metaField ask for their first and last rows in order of time, of each series only its ends are read.
 */
import type { Value } from "../bson/mod.ts";
import type { Filter } from "./filter/filter.ts";
import { allOf, conjunctsOf } from "./filter/filter.ts";
import { type PathsRead, pathsRead } from "./covered.ts";
import { distinctRows } from "./distinct_scan.ts";
import { filterObstacle } from "./fragment/conditions.ts";
import { type Fragment, type NoFragment, planFragment } from "./fragment/fragment.ts";
import { withImplied } from "./implied.ts";
import { type IndexAccess, type IndexPlan, planIndex, type UnionPlan } from "./index_plan.ts";
import { matchesFirst } from "./match_order.ts";
import { checkNearIndex } from "./near_index.ts";
import { fieldsNeeded } from "./needs.ts";
import type { Pipeline, Stage } from "./pipeline.ts";
import {
  idsOf,
  isDecidedByScan,
  readsOnly,
  type SeriesCondition,
  seriesConditionOf,
  type TimeRange,
  timeRangeOf,
} from "./pushdown.ts";
import { checkSortKeys, isKeyRead, keyOf } from "./sort_keys.ts";
import type { ScanRequest, SourceShape } from "./source.ts";
import type { SourceIndex } from "./source_index.ts";
import { groupEndsOf } from "./stage/group_ends.ts";
import { stagesOfLatest } from "./stage/latest.ts";
import type { MatchStage } from "./stage/match.ts";
import type { SortStage } from "./stage/sort.ts";
import { withUnwoundLookups } from "./unwound_lookups.ts";

export interface Plan {
  readonly scan: ScanPlan;
  /** What the leading `$match`es ask for together, and how many they are. */
  readonly filter: Filter;
  readonly matches: number;
  /** Whether a scan that filters rows leaves the leading `$match`es nothing to do. */
  readonly isFiltered: boolean;
  /** What runs on the rows of the scan, in order. */
  readonly stages: readonly Stage[];
  /** The first of these stages as storage may run them itself, or why it may not. */
  readonly fragment: Fragment | NoFragment;
}

/** What storage is asked for; see `ScanRequest`. */
export interface ScanPlan {
  readonly fields: ReadonlySet<string> | undefined;
  readonly timeRange: TimeRange | undefined;
  readonly series: SeriesCondition | undefined;
  readonly ids: readonly Value[] | undefined;
  readonly timeOrder: 1 | -1 | undefined;
  readonly limit: number | undefined;
  readonly takesAll: boolean;
  readonly seriesEnds: ScanRequest["seriesEnds"] | undefined;
  readonly backward: boolean;
  readonly index: IndexPlan | undefined;
  readonly union: UnionPlan | undefined;
  readonly shown: ScanRequest["shown"] | undefined;
  /** How many rows there are is all that matters: the leading `$match`es are decided, and nothing is read of the rows. */
  readonly isCount: boolean;
  /** What rows are asked by their columns. */
  readonly rowFilters: readonly Filter[];
}

/**
 * Plans a pipeline over a source of that shape.
 *
 * @param variables those of `let`, which conditions may compare with
 */
export function planPipeline(
  pipeline: Pipeline,
  shape: SourceShape,
  variables: ReadonlyMap<string, Value> = new Map(),
): Plan {
  const written = matchesFirst(withLatest(pipeline.stages, shape));
  const stages = withPlannedSorts(rangesFirst(written));
  if (shape.kind === "documents") checkSortKeys(stages);
  const matches = leadingMatches(stages);
  const conjuncts = matches.flatMap((match) => conjunctsOf(match.filter));
  const known = withImplied(conjuncts, {
    variables,
    timeField: shape.kind === "timeseries" ? shape.timeField : undefined,
  });
  checkNear(known, shape);
  const { timeRange, series } = conditionsFor(known, shape);
  const sortOrder = timeOrderOf(stages[matches.length], shape);
  const ids = idsOf(known);
  const { index, union, left } = indexFor(pipeline, shape, { known, ids, stages, matches: matches.length });
  const isCount = isCountOf(left.slice(matches.length), pipeline, shape, { known, index, union });
  const asked = isCount ? [] : askedOfRows(matches, conjuncts, index);
  const backward = pipeline.backward === true;
  const seriesEnds = backward ? undefined : seriesEndsOf(stages[matches.length], conjuncts, shape);
  const keepsOrder = sortOrder !== undefined || backward || seriesEnds !== undefined;
  const undecided = keepsOrder ? conjuncts : undecidedByScan(conjuncts, shape);
  const rowFilters = keepsOrder ? [] : undecided.filter((filter) => filterObstacle(filter) === undefined);
  return {
    scan: {
      fields: fieldsNeeded(stages),
      timeRange,
      series,
      ids,
      // Measurements have no order of insertion across series: backward is from the newest.
      timeOrder: backward && shape.kind === "timeseries" ? -1 : sortOrder,
      limit: backward
        ? undefined
        : sortOrder !== undefined
        ? limitOf(stages[matches.length], conjuncts, shape)
        : index?.undecided.length === 0
        ? rowsLetThrough(left, matches.length)
        : undefined,
      takesAll: !left.some(({ kind }) => kind === "limit"),
      seriesEnds,
      backward: backward && shape.kind === "documents",
      index,
      union,
      shown: pipeline.shown,
      isCount,
      rowFilters,
    },
    isFiltered: rowFilters.length === undecided.length,
    filter: allOf(conjuncts),
    matches: asked.length,
    stages: withUnwoundLookups([
      ...asked,
      ...left.map((stage, i) => stage.kind === "sort" ? withFields(stage, left.slice(i)) : stage)
        .slice(matches.length),
    ]),
    fragment: sortOrder !== -1 && !backward
      ? planFragment(left, matches.length, conjuncts, shape, sortOrder === 1, seriesEnds !== undefined)
      : { kind: "rows", reason: "rows are asked for in order of time" },
  };
}

function checkNear(conjuncts: readonly Filter[], shape: SourceShape): void {
  if (shape.kind === "documents") checkNearIndex(conjuncts, shape.placeIndexes);
  if (shape.kind === "timeseries") checkNearIndex(conjuncts, shape.placeIndexes, shape.metaField ?? "");
}

/** The indexes to read by, and all stages but what their order or their keys do. An _id is found without an index. */
function indexFor(
  pipeline: Pipeline,
  shape: SourceShape,
  { known, ids, stages, matches }: {
    readonly known: readonly Filter[];
    readonly ids: readonly Value[] | undefined;
    readonly stages: readonly Stage[];
    /** How many `$match`es lead. */
    readonly matches: number;
  },
): IndexAccess & { readonly left: readonly Stage[] } {
  const next = stages[matches];
  const isInOrder = timeOrderOf(next, shape) !== undefined;
  const ordered = { left: isInOrder ? withoutSort(stages, matches) : stages };
  if (shape.kind !== "documents" || shape.indexes === undefined || pipeline.backward === true) return ordered;
  const { hint, keyBounds, collation } = pipeline;
  const question = { conjuncts: known, hint, keyBounds };
  const rows = distinctRows(pipeline, stages.slice(matches));
  if (rows !== undefined && (ids === undefined || hint !== undefined)) {
    const { path, isGroup, sort, paths, rest } = rows;
    const isFiltered = stages.slice(0, matches).some((each) =>
      each.kind === "match" && !each.source.isEmpty()
    );
    const distinct = { path, isGroup, isFiltered };
    const { index } = planIndex(shape.indexes, { ...question, sort: sort?.parts, paths, distinct });
    if (index?.distinct !== undefined) return { index, left: [...stages.slice(0, matches), ...rest] };
  }
  const paths = pathsReadBy(pipeline, stages.slice(matches));
  if (ids !== undefined && hint === undefined) {
    const index = coveredById(shape.indexes, known, paths);
    return { index, left: stages };
  }
  // An index has texts in the order of their bytes.
  const sort = next?.kind === "sort" && collation === undefined ? next.parts : undefined;
  const access = planIndex(shape.indexes, { ...question, sort, paths });
  return { ...access, left: access.index?.isSorted === true ? withoutSort(stages, matches) : stages };
}

function pathsReadBy({ distinct }: Pipeline, stages: readonly Stage[]): PathsRead {
  return distinct === undefined ? pathsRead(stages) : new Set([distinct]);
}

/** The index on _id where nothing else is asked for or read; a single one is found with its document. */
function coveredById(
  indexes: readonly SourceIndex[],
  conjuncts: readonly Filter[],
  paths: PathsRead,
): IndexPlan | undefined {
  if (conjuncts.length === 1 && conjuncts[0]!.kind === "comparison") return undefined;
  const byId = indexes.filter(({ fields }) => fields.length === 1 && fields[0]!.path.join(".") === "_id");
  const { index } = planIndex(byId, { conjuncts, sort: undefined, hint: undefined, paths });
  return index?.covered === undefined ? undefined : index;
}

/** What the leading `$match`es are to ask of the rows of a scan: where it goes by keys, what these leave open. */
function askedOfRows(
  matches: readonly MatchStage[],
  conjuncts: readonly Filter[],
  index: IndexPlan | undefined,
): readonly MatchStage[] {
  const [first] = matches;
  if (first === undefined || index === undefined || index.index.isClustered === true) return matches;
  const undecided = conjuncts.filter((filter) => index.undecided.includes(filter));
  if (undecided.length === conjuncts.length) return matches;
  return undecided.length === 0 ? [] : [{ ...first, filter: allOf(undecided) }];
}

/** How many rows of a sort whose order the scan keeps are asked for, where all that the scan gives pass. */
function limitOf(
  stage: Stage | undefined,
  conjuncts: readonly Filter[],
  shape: SourceShape,
): number | undefined {
  return stage?.kind === "sort" && undecidedByScan(conjuncts, shape).length === 0 ? stage.limit : undefined;
}

/** Whether rows need only be counted, by an index that decides all conditions or without any. */
function isCountOf(
  stages: readonly Stage[],
  { hint, backward }: Pipeline,
  shape: SourceShape,
  { known, index, union }: IndexAccess & { readonly known: readonly Filter[] },
): boolean {
  if (shape.kind !== "documents" || shape.counts !== true || backward === true || union !== undefined) {
    return false;
  }
  if (fieldsNeeded(stages)?.size !== 0) return false;
  if (index === undefined) return known.length === 0 && hint === undefined;
  // A document may have keys in several ranges.
  return index.undecided.length === 0 && !(index.repeats && index.ranges.length > 1);
}

/** The conditions that a range of time and a filter of series do not decide. */
function undecidedByScan(conjuncts: readonly Filter[], shape: SourceShape): readonly Filter[] {
  if (shape.kind !== "timeseries") return conjuncts;
  return conjuncts.filter((filter) => !isDecidedByScan(filter, shape.timeField, shape.metaField));
}

/** A sort copies of each row only what is read later. */
function withFields(sort: SortStage, rest: readonly Stage[]): SortStage {
  const fields = fieldsNeeded(rest);
  return fields === undefined ? sort : { ...sort, fields };
}

/** `$latest` as the stages that it stands for. @throws CommandError where nothing says what the time is */
function withLatest(stages: readonly Stage[], shape: SourceShape): readonly Stage[] {
  if (!stages.some(({ kind }) => kind === "latest")) return stages;
  return stages.flatMap<Stage>((stage) => stage.kind === "latest" ? stagesOfLatest(stage, shape) : [stage]);
}

function leadingMatches(stages: readonly Stage[]): readonly MatchStage[] {
  const matches: MatchStage[] = [];
  for (const stage of stages) {
    if (stage.kind !== "match") break;
    matches.push(stage);
  }
  return matches;
}

/** As `conditionsFor`, in the form in which a scan is asked. */
export function scanConditions(
  conjuncts: readonly Filter[],
  shape: SourceShape,
): Pick<ScanRequest, "timeRange" | "seriesFilter" | "seriesLookup" | "seriesTests"> {
  const { timeRange, series } = conditionsFor(conjuncts, shape);
  return {
    ...(timeRange && { timeRange }),
    ...(series && { seriesFilter: series.matches }),
    ...(series?.lookup && { seriesLookup: series.lookup }),
    ...(series?.tests && { seriesTests: series.tests }),
  };
}

function conditionsFor(
  conjuncts: readonly Filter[],
  shape: SourceShape,
): Pick<ScanPlan, "timeRange" | "series"> {
  if (shape.kind !== "timeseries") return { timeRange: undefined, series: undefined };
  const { timeField, metaField } = shape;
  return {
    timeRange: timeRangeOf(conjuncts, timeField),
    series: metaField === undefined ? undefined : seriesConditionOf(conjuncts, metaField),
  };
}

/** `$skip` and `$limit` go before stages that turn each row into one: rows that are not wanted are not made. */
function rangesFirst(stages: readonly Stage[]): readonly Stage[] {
  if (!stages.some(({ kind }) => kind === "skip" || kind === "limit")) return stages;
  const ordered: Stage[] = [];
  for (const stage of stages) {
    let at = ordered.length;
    if (stage.kind === "skip" || stage.kind === "limit") {
      while (at > 0 && isOneToOne(ordered[at - 1]!)) at--;
    }
    ordered.splice(at, 0, stage);
  }
  return ordered;
}

function isOneToOne(stage: Stage): boolean {
  return stage.kind === "project" || stage.kind === "replaceRoot";
}

/**
 * A sort right before another one decides nothing. The others keep only the rows that the limits behind them let through
 * (skips in between add to them), and have by their side what notes their keys where these are read, or else, before a group
 * that needs just the ends of its groups, what finds those.
 */
function withPlannedSorts(stages: readonly Stage[]): readonly Stage[] {
  const planned: Stage[] = [];
  stages.forEach((stage, i) => {
    const next = stages[i + 1];
    if (stage.kind !== "sort") planned.push(stage);
    else if (next?.kind !== "sort") planned.push(...plannedSort(stage, next, stages, i));
  });
  return planned;
}

function plannedSort(
  written: SortStage,
  next: Stage | undefined,
  stages: readonly Stage[],
  at: number,
): readonly Stage[] {
  const limit = rowsLetThrough(stages, at + 1);
  const sort = limit === undefined ? written : { ...written, limit };
  if (isKeyRead(stages, at)) return [sort, keyOf(sort)];
  const ends = next?.kind === "group" ? groupEndsOf(sort, next) : undefined;
  return ends === undefined ? [sort] : [ends, sort];
}

/** How many of the first rows a limit lets through, with those that are skipped before it. @param from the first stage */
function rowsLetThrough(stages: readonly Stage[], from: number): number | undefined {
  let skipped = 0;
  for (let i = from; i < stages.length; i++) {
    const stage = stages[i]!;
    if (stage.kind === "limit") return skipped + stage.count;
    if (stage.kind !== "skip") return undefined;
    skipped += stage.count;
  }
  return undefined;
}

/**
 * Which ends of each series hold the ends of all groups: rows of one series are in one group and differ in time alone, and
 * no condition but those of the scan may take such an end away.
 */
function seriesEndsOf(
  stage: Stage | undefined,
  conjuncts: readonly Filter[],
  shape: SourceShape,
): ScanPlan["seriesEnds"] {
  if (shape.kind !== "timeseries" || shape.metaField === undefined || stage?.kind !== "groupEnds") {
    return undefined;
  }
  const { timeField, metaField } = shape;
  if (!readsOnly(stage.id, metaField)) return undefined;
  if (!conjuncts.every((filter) => isDecidedByScan(filter, timeField, metaField))) return undefined;
  const inTime = stage.parts.filter((part) => part.path[0] !== metaField);
  if (!inTime.every((part) => part.path.length === 1 && part.path[0] === timeField)) return undefined;
  const newestFirst = inTime[0]?.descending === true;
  return { earliest: stage.last || !newestFirst, latest: stage.last || newestFirst };
}

function timeOrderOf(stage: Stage | undefined, shape: SourceShape): 1 | -1 | undefined {
  if (shape.kind !== "timeseries" || stage?.kind !== "sort" || stage.parts.length !== 1) return undefined;
  const part = stage.parts[0]!;
  if (part.path.length !== 1 || part.path[0] !== shape.timeField) return undefined;
  return part.descending ? -1 : 1;
}

/** The stages without the sort at `at`, whose order the scan keeps. */
function withoutSort(stages: readonly Stage[], at: number): readonly Stage[] {
  return [...stages.slice(0, at), ...stages.slice(at + 1)];
}
