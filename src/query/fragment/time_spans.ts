/**
 * How a group's key depends on time: only by which window it falls into, or whether it is before or behind an instant. Then
 * rows of one series between two such ends are in one group, and the key is computed once for all of them.
 */
import { UtcDate } from "../../bson/mod.ts";
import { compileExpression, isConstant } from "../expression/compile.ts";
import type { DayOfWeek, TimeUnit } from "../expression/date_arithmetic.ts";
import { isTimeUnit, parseDayOfWeek } from "../expression/date_value.ts";
import { type Expression, isRow, type OperatorNode } from "../expression/expression.ts";
import { findOperator } from "../expression/operators.ts";
import { BuiltDocument, type Value } from "../../bson/mod.ts";
import { asInt32 } from "../expression/number.ts";
import { type GridSpec, WindowGrid } from "../stage/window_grid.ts";

/** A reason to split time: the windows of a grid, or an instant. */
export type TimeSplit =
  | { readonly kind: "grid"; readonly grid: GridSpec }
  | { readonly kind: "instant"; readonly ms: number };

export interface RowFields {
  readonly timeField: string;
  readonly metaField: string | undefined;
}

/** Where the value of an expression may change, besides from series to series; or why that cannot be said. */
export type TimeDependence = readonly TimeSplit[] | { readonly reason: string };

export function isIndependent(dependence: TimeDependence): dependence is readonly TimeSplit[] {
  return !("reason" in dependence);
}

/**
 * @param expression what a key is computed by
 * @param measured gathers the paths of measured values that it reads
 */
export function timeDependence(
  expression: Expression,
  fields: RowFields,
  measured: MeasuredPaths,
): TimeDependence {
  switch (expression.kind) {
    case "constant":
      return [];
    case "path":
      return ofPath(expression.variable, expression.path, fields, measured);
    case "object":
      return all(expression.fields, fields, measured);
    case "array":
      return all(expression.items, fields, measured);
    case "operator":
      return ofOperator(expression, fields, measured);
  }
}

/** Paths of measured values. */
export type MeasuredPaths = (readonly string[])[];

function all(
  expressions: readonly Expression[],
  fields: RowFields,
  measured: MeasuredPaths,
): TimeDependence {
  const splits: TimeSplit[] = [];
  for (const expression of expressions) {
    const own = timeDependence(expression, fields, measured);
    if (!isIndependent(own)) return own;
    splits.push(...own);
  }
  return splits;
}

function ofPath(
  variable: string,
  path: readonly string[],
  fields: RowFields,
  measured: MeasuredPaths,
): TimeDependence {
  if (!isRow(variable)) return [];
  const [name] = path;
  if (name === undefined) return { reason: "the key reads whole rows" };
  if (name === fields.metaField) return [];
  if (name !== fields.timeField) {
    measured.push(path);
    return [];
  }
  return path.length > 1 ? [] : { reason: "the key reads single times" };
}

/** Operators that may take long on one value: keys of a page are found at once. */
const LONG: ReadonlySet<string> = new Set(["$regexFind", "$regexFindAll", "$regexMatch"]);

function ofOperator(node: OperatorNode, fields: RowFields, measured: MeasuredPaths): TimeDependence {
  const no = { reason: `the key has ${node.name}` };
  if (findOperator(node.name).unfolded) return no;
  const before = measured.length;
  const splits = splitsOf(node, fields) ??
    all([...node.args, ...Object.values(node.named)], fields, measured);
  return LONG.has(node.name) && measured.length > before ? no : splits;
}

/** The grid whose windows an expression gives, as the starts of them; undefined when it is another kind of expression. */
export function windowsOf(expression: Expression, fields: RowFields): GridSpec | undefined {
  if (expression.kind !== "operator" || expression.name !== "$dateTrunc") return undefined;
  const split = ofTrunc(expression, fields)?.[0];
  return split?.kind === "grid" ? split.grid : undefined;
}

/** Whether an expression gives the start of the window that a row's time is in. */
export function isWindowStart(expression: Expression, fields: RowFields): boolean {
  return expression.kind === "operator" && expression.name === "$dateTrunc" &&
    isTime(expression.named["date"], fields);
}

/** The splits of an operator that is known to look at time in spans only. */
function splitsOf(node: OperatorNode, fields: RowFields): readonly TimeSplit[] | undefined {
  if (node.name === "$dateTrunc") return ofTrunc(node, fields);
  const unit = PARTS[node.name];
  if (unit !== undefined) return ofPart(node, unit, fields);
  return COMPARISONS.has(node.name) ? ofComparison(node, fields) : undefined;
}

function isTime(expression: Expression | undefined, { timeField }: RowFields): boolean {
  return expression?.kind === "path" && expression.path.length === 1 && expression.path[0] === timeField &&
    isRow(expression.variable);
}

function ofTrunc({ named }: OperatorNode, fields: RowFields): readonly TimeSplit[] | undefined {
  const { date, unit, binSize, timezone, startOfWeek, ...others } = named;
  if (!isTime(date, fields) || Object.keys(others).length > 0) return undefined;
  const unitName = textOf(unit);
  const size = binSize === undefined ? 1 : asInt32(constantOf(binSize));
  if (unitName === undefined || !isTimeUnit(unitName) || size === undefined || size < 1) return undefined;
  const zone = textOf(timezone);
  const day = textOf(startOfWeek);
  if ((timezone !== undefined && zone === undefined) || (startOfWeek !== undefined && day === undefined)) {
    return undefined;
  }
  return gridOf(unitName, size, zone, day === undefined ? undefined : parseDayOfWeek(day));
}

function gridOf(
  unit: TimeUnit,
  count: number,
  timezone?: string,
  startOfWeek?: DayOfWeek,
): readonly TimeSplit[] | undefined {
  const grid: GridSpec = { window: { unit, count }, offset: undefined, timezone, startOfWeek };
  try {
    new WindowGrid(grid);
  } catch {
    // An unknown zone: the operator says so itself, on the first row.
    return undefined;
  }
  return [{ kind: "grid", grid }];
}

/** Operators that see nothing smaller than a unit. */
const PARTS: Readonly<Record<string, TimeUnit>> = {
  $dayOfMonth: "day",
  $dayOfWeek: "day",
  $dayOfYear: "day",
  $hour: "hour",
  $isoDayOfWeek: "day",
  $isoWeek: "day",
  $isoWeekYear: "day",
  $minute: "minute",
  $month: "day",
  $second: "second",
  $week: "day",
  $year: "day",
};

/** Of another zone than UTC only days are sure to start together. */
function ofPart(
  { named }: OperatorNode,
  unit: TimeUnit,
  fields: RowFields,
): readonly TimeSplit[] | undefined {
  const { date, timezone } = named;
  if (!isTime(date, fields)) return undefined;
  if (timezone === undefined) return gridOf(unit, 1);
  const zone = textOf(timezone);
  return unit === "day" && zone !== undefined ? gridOf(unit, 1, zone) : undefined;
}

const COMPARISONS: ReadonlySet<string> = new Set(["$eq", "$gt", "$gte", "$lt", "$lte", "$ne"]);

function ofComparison({ args }: OperatorNode, fields: RowFields): readonly TimeSplit[] | undefined {
  const [left, right] = args;
  const other = isTime(left, fields) ? right : isTime(right, fields) ? left : undefined;
  const instant = constantOf(other);
  if (!(instant instanceof UtcDate)) return undefined;
  return [{ kind: "instant", ms: instant.ms }, { kind: "instant", ms: instant.ms + 1 }];
}

function textOf(expression: Expression | undefined): string | undefined {
  const value = constantOf(expression);
  return typeof value === "string" ? value : undefined;
}

/** The value of a constant expression; undefined when it is none, or fails. */
function constantOf(expression: Expression | undefined): Value {
  if (expression?.kind === "constant") return expression.value;
  if (expression === undefined || !isConstant(expression)) return undefined;
  try {
    return compileExpression(expression)({ root: BuiltDocument.EMPTY, variables: new Map() });
  } catch {
    // It will fail in its place, with its own error.
    return undefined;
  }
}

/** From `fromMs` on, below `endMs`. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly endMs: number;
}

/** The span around a time that no split cuts. */
export function spanFinder(splits: readonly TimeSplit[]): (ms: number) => TimeSpan {
  const grids = splits.filter((split) => split.kind === "grid").map((split) => new WindowGrid(split.grid));
  const [only] = grids;
  if (only !== undefined && splits.length === 1) return (ms) => only.spanOf(ms);
  const instants = Float64Array.from(
    splits.filter((split) => split.kind === "instant"),
    (split) => split.ms,
  ).sort();
  return (ms) => {
    let fromMs = -Infinity;
    let endMs = Infinity;
    for (const grid of grids) {
      const own = grid.spanOf(ms);
      fromMs = Math.max(fromMs, own.fromMs);
      endMs = Math.min(endMs, own.endMs);
    }
    for (const instant of instants) {
      if (instant <= ms) fromMs = Math.max(fromMs, instant);
      else if (instant < endMs) endMs = instant;
    }
    return { fromMs, endMs };
  };
}
