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
import { matchesFirst } from "./match_order.ts";
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
  if (shape.kind !== "timeseries") return command === "aggregate" ? withContext(CONTEXT, error) : error;
  if (command !== "aggregate" && command !== "count") return error;
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
  let inner: readonly Stage[] = [];
  for (let i = 0; i < stages.length; i++) {
    const stage = stages[i]!;
    const conditions = stage.kind === "match" ? conjunctsOf(stage.filter) : [];
    const rest = conditions.filter((filter) => !isOfBuckets(filter, metaField));
    if (stage.kind === "match" && rest.length === 0) {
      outer.push(stage.filter);
      continue;
    }
    const before = conditions.filter((filter) => !rest.includes(filter));
    outer.push(...before);
    inner = before.length === 0 ? stages.slice(i) : [matchOf(allOf(rest)), ...stages.slice(i + 1)];
    break;
  }
  const [first] = matchesFirst(inner);
  const foremost = first?.kind === "match" ? conjunctsOf(first.filter) : [];
  return {
    outer: joined([
      ...outer,
      ...foremost.filter((filter) => isOfBuckets(filter, metaField) || bounds(filter)),
    ]),
    inner,
  };
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
