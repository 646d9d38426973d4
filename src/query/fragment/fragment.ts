/**
 * The beginning of a pipeline as one fragment that storage runs on columns: the leading `$match`es and the `$group`,
 * `$timeWindow` or `$count` behind them. What it takes and what it leaves is decided here, from the stages alone.
 */
import { isConstant } from "../expression/compile.ts";
import { type Expression, isRow, type PathNode } from "../expression/expression.ts";
import { Int32, type Value } from "../../bson/mod.ts";
import type { Filter } from "../filter/filter.ts";
import type { Stage } from "../pipeline.ts";
import { isDecidedByScan } from "../pushdown.ts";
import type { SourceShape } from "../source.ts";
import type { CountStage } from "../stage/count.ts";
import type { GroupStage } from "../stage/group.ts";
import type { Output } from "../stage/output.ts";
import { gridOfPanes, type TimeWindowStage } from "../stage/time_window.ts";
import { filterObstacle, firstOf } from "./conditions.ts";
import { type NearestWindows, nearestWindowsOf } from "./nearest_windows.ts";
import {
  isIndependent,
  type MeasuredPaths,
  type RowFields,
  timeDependence,
  type TimeSplit,
} from "./time_spans.ts";

export interface Fragment {
  readonly kind: "fragment";
  readonly fields: RowFields;
  /** What rows are still to be asked, beside the conditions of the scan. */
  readonly filters: readonly Filter[];
  readonly stage: GroupStage | TimeWindowStage | CountStage;
  readonly splits: readonly TimeSplit[];
  /** The measured values that the key of groups reads, by their paths. */
  readonly measured: MeasuredPaths;
  /** The order of time in which the stage takes its rows, whichever series they are of; undefined where it does not. */
  readonly timeOrder: 1 | -1 | undefined;
  /** Stages of the plan that it stands for, from the first on. */
  readonly stageCount: number;
  /** The windows that the stages behind it let through, where those are the first or the last ones. */
  readonly nearest: NearestWindows | undefined;
}

/** Why a pipeline runs on rows from the start. */
export interface NoFragment {
  readonly kind: "rows";
  readonly reason: string;
}

/** Outputs that are folded on columns, and the most values that one of those that keep many may keep. */
const FOLDED: ReadonlySet<string> = new Set([
  "$avg",
  "$count",
  "$first",
  "$last",
  "$max",
  "$min",
  "$stdDevPop",
  "$stdDevSamp",
  "$sum",
]);
const KEPT: ReadonlySet<string> = new Set(["$firstN", "$lastN", "$maxN", "$minN"]);
/** Outputs that keep all values, or all different ones. */
const GATHERED: ReadonlySet<string> = new Set(["$addToSet", "$push"]);
const MAX_KEPT = 100;
/** Outputs that keep the value of one row: that may be the row itself. */
const ENDS: ReadonlySet<string> = new Set(["$first", "$last"]);
/** Those whose result depends on the order of texts; bounds of pages know that of bytes. */
const COMPARING: ReadonlySet<string> = new Set(["$max", "$maxN", "$min", "$minN"]);

/**
 * @param stages of the plan
 * @param matches how many of them are leading `$match`es
 * @param conjuncts what those ask for
 * @param isInTimeOrder whether a sort by time stood between these and the stage behind them
 * @param readsEnds whether of each series only its ends are read
 */
export function planFragment(
  stages: readonly Stage[],
  matches: number,
  conjuncts: readonly Filter[],
  shape: SourceShape,
  isInTimeOrder: boolean,
  readsEnds: boolean,
): Fragment | NoFragment {
  if (shape.kind !== "timeseries") return no("the collection is no time series");
  const ends = readsEnds ? endsOfGroups(stages.slice(matches), shape) : undefined;
  const stage = ends?.group ?? stages[matches];
  if (stage?.kind !== "group" && stage?.kind !== "timeWindow" && stage?.kind !== "count") {
    return no(stage === undefined ? "rows are asked for" : `rows are asked for by ${stage.kind}`);
  }
  if (isInTimeOrder && stage.kind !== "timeWindow") return no("rows are asked for in order of time");
  const fields = { timeField: shape.timeField, metaField: shape.metaField };
  const filters = conjuncts.filter((filter) => !isDecidedByScan(filter, fields.timeField, fields.metaField));
  const obstacle = firstOf(filters, filterObstacle) ??
    (stage.kind === "count"
      ? undefined
      : firstOf(stage.outputs, (output) => outputObstacle(output, fields, isInTimeOrder)));
  if (obstacle !== undefined) return no(obstacle);
  const measured: MeasuredPaths = [];
  const splits = splitsOf(stage, fields, measured);
  if (!isIndependent(splits)) return no(splits.reason);
  if (measured.length > 0 && ends !== undefined) {
    return no(`the key reads the measurement ${measured[0]![0]}, and rows are asked for in order of time`);
  }
  const nearest = stage.kind === "group" && ends === undefined
    ? nearestWindowsOf(stage, stages[matches + 1], fields)
    : undefined;
  return {
    kind: "fragment",
    fields,
    filters,
    stage,
    splits,
    measured: distinct(measured),
    timeOrder: ends?.timeOrder ?? (isInTimeOrder ? 1 : undefined),
    stageCount: matches + (ends?.stageCount ?? 1),
    nearest,
  };
}

/**
 * A `$group` by values of the metaField that takes its rows by such values and by time, with what stands before it: all rows
 * of a group sort by time alone.
 */
function endsOfGroups(
  [ends, sort, group]: readonly Stage[],
  { timeField, metaField }: RowFields,
): { readonly group: GroupStage; readonly timeOrder: 1 | -1; readonly stageCount: number } | undefined {
  if (ends?.kind !== "groupEnds" || sort?.kind !== "sort" || group?.kind !== "group") return undefined;
  const inTime = sort.parts.find(({ path }) => path.length === 1 && path[0] === timeField);
  const others = sort.parts.filter(({ path }) => path[0] === metaField);
  if (inTime === undefined || others.length > 1) return undefined;
  if (!others.every(({ path }) => isKeyPath(group.id, path))) return undefined;
  return { group, timeOrder: inTime.descending ? -1 : 1, stageCount: 3 };
}

/** Whether rows with one key have one value at a path. */
function isKeyPath(key: Expression, path: readonly string[]): boolean {
  if (key.kind === "object") return key.fields.some((field) => isKeyPath(field, path));
  return isOfRow(key) && key.path.join("\0") === path.join("\0");
}

function distinct(paths: MeasuredPaths): MeasuredPaths {
  return [...new Map(paths.map((path) => [path.join("\0"), path])).values()];
}

function no(reason: string): NoFragment {
  return { kind: "rows", reason };
}

function splitsOf(stage: Fragment["stage"], fields: RowFields, measured: MeasuredPaths) {
  switch (stage.kind) {
    case "count":
      return [];
    case "group":
      return timeDependence(stage.id, fields, measured);
    case "timeWindow": {
      if (!isField(stage.timestamp, fields.timeField)) {
        return { reason: "the windows are not over the timeField" };
      }
      const partition = stage.partitionBy === undefined
        ? []
        : timeDependence(stage.partitionBy, fields, measured);
      const own: TimeSplit = { kind: "grid", grid: gridOfPanes(stage) };
      return isIndependent(partition) ? [own, ...partition] : partition;
    }
  }
}

function outputObstacle(
  { name, accumulator }: Output,
  fields: RowFields,
  isInTimeOrder: boolean,
): string | undefined {
  const isGathered = GATHERED.has(accumulator.name);
  if (!FOLDED.has(accumulator.name) && !KEPT.has(accumulator.name) && !isGathered) {
    return `the output ${name} is a ${accumulator.name}`;
  }
  if ((KEPT.has(accumulator.name) || isGathered) && isInTimeOrder) {
    return `the output ${name} keeps values in order of time`;
  }
  if (accumulator.collation !== undefined && COMPARING.has(accumulator.name)) {
    return `the output ${name} compares texts under a collation`;
  }
  if (KEPT.has(accumulator.name) && !isSmall(accumulator.n)) return `the output ${name} may keep many values`;
  const input = inputOf(accumulator.input, fields);
  if (input === undefined) return `the output ${name} is computed by an expression`;
  return input.kind === "row" && !ENDS.has(accumulator.name)
    ? `the output ${name} takes whole rows`
    : undefined;
}

function isSmall(n: Expression | undefined): boolean {
  return n?.kind === "constant" && n.value instanceof Int32 && n.value.value > 0 && n.value.value <= MAX_KEPT;
}

/** What an accumulator takes of each row. */
export type Input =
  | { readonly kind: "constant"; readonly value: Value }
  | { readonly kind: "series" }
  | { readonly kind: "row" }
  | { readonly kind: "column"; readonly path: readonly string[] };

export function inputOf(expression: Expression, { timeField, metaField }: RowFields): Input | undefined {
  if (expression.kind === "constant") return { kind: "constant", value: expression.value };
  if (isConstant(expression)) return { kind: "series" };
  if (expression.kind !== "path") return undefined;
  if (!isRow(expression.variable)) return { kind: "series" };
  const { path } = expression;
  if (path.length === 0) return { kind: "row" };
  if (path[0] === metaField) return { kind: "series" };
  return path[0] === timeField && path.length > 1 ? undefined : { kind: "column", path };
}

function isField(expression: Expression, field: string): boolean {
  return isOfRow(expression) && expression.path.length === 1 && expression.path[0] === field;
}

function isOfRow(expression: Expression): expression is PathNode {
  return expression.kind === "path" && isRow(expression.variable);
}
