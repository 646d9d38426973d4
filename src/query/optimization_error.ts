/**
 * How MongoDB words the failure of a constant expression, which it finds before the first row is read.
 *
 * Over a time series it optimizes what follows the unpacking of buckets first, as a pipeline of its own, then the whole. Leading
 * conditions that read nothing but the metaField are taken before the unpacking, and so come last; those on measurements leave
 * conditions on buckets there, beside which they stand.
 */
import { BuiltDocument } from "../bson/mod.ts";
import { withContext } from "./error_context.ts";
import { compileFilter } from "./filter/compile.ts";
import { fieldsOfFilter } from "./filter/fields.ts";
import { allOf, conjunctsOf, type Filter } from "./filter/filter.ts";
import type { Pipeline, Stage } from "./pipeline.ts";
import type { SourceShape } from "./source.ts";
import type { MatchStage } from "./stage/match.ts";

const CONTEXT = "Failed to optimize pipeline";

/**
 * An error that the start of a pipeline threw, with the contexts that MongoDB puts in front.
 *
 * @param start starts other stages over the same rows
 */
export function optimizationError(
  error: unknown,
  { command, stages }: Pipeline,
  shape: SourceShape,
  start: (stages: readonly Stage[]) => void,
): unknown {
  const isTimeSeries = shape.kind === "timeseries";
  if (command === "count") return isTimeSeries ? withContext(CONTEXT, error) : error;
  if (command !== "aggregate") return error;
  if (!isTimeSeries) return withContext(CONTEXT, error);
  const { outer, inner } = divided(stages, shape.metaField);
  const inside = failureOf(() => start(inner));
  if (inside !== undefined) return withContext(CONTEXT, withContext(CONTEXT, inside));
  return withContext(CONTEXT, failureOf(() => compileFilter(outer)) ?? error);
}

function failureOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

interface Divided {
  /** What is asked of buckets. */
  readonly outer: Filter;
  /** What follows their unpacking. */
  readonly inner: readonly Stage[];
}

function divided(stages: readonly Stage[], metaField: string | undefined): Divided {
  const outer: Filter[] = [];
  for (let i = 0; i < stages.length; i++) {
    const stage = stages[i]!;
    if (stage.kind !== "match") return { outer: joined(outer), inner: stages.slice(i) };
    const rest = conjunctsOf(stage.filter).filter((filter) => !isOfBuckets(filter, metaField));
    if (rest.length === 0) {
      outer.push(stage.filter);
      continue;
    }
    const before = conjunctsOf(stage.filter).filter((filter) => !rest.includes(filter));
    const remaining = before.length === 0 ? stage : matchOf(allOf(rest));
    return {
      outer: joined([...outer, ...before, ...rest.filter(bounds)]),
      inner: [remaining, ...stages.slice(i + 1)],
    };
  }
  return { outer: joined(outer), inner: [] };
}

/** Of filters that stand behind each other, one: a lone one stays as it is. */
function joined(filters: readonly Filter[]): Filter {
  if (filters.length < 2) return allOf(filters);
  return allOf(filters.flatMap((filter) => filter.kind === "and" ? filter.filters : [filter]));
}

function matchOf(filter: Filter): MatchStage {
  return { kind: "match", filter, source: BuiltDocument.EMPTY };
}

/** Whether a condition says the same of all rows of a bucket. */
function isOfBuckets(filter: Filter, metaField: string | undefined): boolean {
  const fields = fieldsOfFilter(filter);
  return fields !== undefined && [...fields].every((field) => field === metaField);
}

/** Whether a condition on measurements says something of what a bucket has least and most. */
function bounds(filter: Filter): boolean {
  switch (filter.kind) {
    case "comparison":
    case "in":
      return true;
    case "and":
      return filter.filters.some(bounds);
    case "or":
      return filter.filters.every(bounds);
    case "expr":
      return failureOf(() => compileFilter(filter)) === undefined;
    default:
      return false;
  }
}
