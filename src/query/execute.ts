/** Runs a pipeline: plans it, starts the scan, and chains the stages behind it. */
import { PIPELINE_BATCH_ROWS } from "../base/mod.ts";
import { BuiltDocument, type Document } from "../bson/mod.ts";
import { type QueryContext, scopeVariables } from "./context.ts";
import { named } from "./executor_error.ts";
import { optimizationError } from "./optimization_error.ts";
import { compileFilter } from "./filter/compile.ts";
import { allOf } from "./filter/filter.ts";
import { conditionOf, PathList } from "./fragment/conditions.ts";
import { compileFragment, fragmentRows } from "./fragment/run_fragment.ts";
import type { RowFields } from "./fragment/time_spans.ts";
import { scanOf } from "./index_plan.ts";
import type { Pipeline, Stage } from "./pipeline.ts";
import { type Plan, planPipeline } from "./plan.ts";
import { type PlanSummary, planSummary } from "./plan_summary.ts";
import { noRows, WatchedRows } from "./rows.ts";
import type { Rows, ScanRequest, Source } from "./source.ts";
import { withSortKeys } from "./sort_keys.ts";
import { parseStages } from "./stages.ts";
import { withUnwoundLookups } from "./unwound_lookups.ts";
import { runAsofJoin } from "./stage/asof_join.ts";
import { runBucketAuto } from "./stage/bucket_auto.ts";
import { runCount } from "./stage/count.ts";
import { runDensify } from "./stage/densify.ts";
import { runDocuments } from "./stage/documents.ts";
import { runFacet } from "./stage/facet.ts";
import { runGraphLookup } from "./stage/graph_lookup.ts";
import { runGroup } from "./stage/group.ts";
import { runGroupEnds } from "./stage/group_ends.ts";
import { stagesOfLatest } from "./stage/latest.ts";
import { runLimit } from "./stage/limit.ts";
import { runLookup } from "./stage/lookup.ts";
import { runMatch } from "./stage/match.ts";
import { checkMergeKey } from "./stage/merge.ts";
import { runMerge } from "./stage/merge_rows.ts";
import { runOut } from "./stage/out.ts";
import { runProject } from "./stage/project.ts";
import { runRedact } from "./stage/redact.ts";
import { runReplaceRoot } from "./stage/replace_root.ts";
import { runRowWindow } from "./stage/row_window.ts";
import { runSample } from "./stage/sample.ts";
import { runSetWindowFields } from "./stage/set_window_fields.ts";
import { runSkip } from "./stage/skip.ts";
import { runSort } from "./stage/sort.ts";
import { runSortKey } from "./stage/note_sort_key.ts";
import { runTimeWindow } from "./stage/time_window.ts";
import type { SubPipelines } from "./stage/sub_pipeline.ts";
import { runUnionWith } from "./stage/union_with.ts";
import { runUnwind } from "./stage/unwind.ts";
import { runWindowFill } from "./stage/window_fill.ts";

/**
 * The rows of a pipeline's result. Nothing is read before the first batch is asked for; ending the generator early
 * ends the scan. At their end, what the query holds in memory and on disk is freed.
 *
 * @throws CommandError at once when a constant expression fails; from the generator for what fails on a row
 */
export function execute(pipeline: Pipeline, source: Source, context: QueryContext): Rows {
  const plan = planPipeline(pipeline, source.shape, context.variables);
  context.planned?.(summaryOf(plan, source));
  return executePlan(plan, pipeline, source, context, () => context.memory?.close());
}

/** Made apart, so that what is called at the end of all rows leads to no plan. */
function summaryOf(plan: Plan, { shape }: Source): () => PlanSummary {
  return () => planSummary(plan, shape);
}

/** As `execute`, for a plan that is made already. @param ended called at the end of the rows, however they end */
export function executePlan(
  plan: Plan,
  pipeline: Pipeline,
  source: Source,
  context: QueryContext,
  ended = () => {},
): Rows {
  checkTarget(plan, context);
  try {
    return new WatchedRows(
      startPlan(plan, source, context),
      (error) => named(error, pipeline.command, context.isContinued?.()),
      ended,
    );
  } catch (error) {
    throw optimizationError(error, pipeline, source.shape, (stages) => {
      startPlan(planPipeline({ ...pipeline, stages }, source.shape, context.variables), source, context);
    });
  }
}

/** @throws CommandError where what the plan writes to may not be written to so */
export function checkTarget({ stages }: Plan, context: QueryContext): void {
  const last = stages.at(-1);
  if (last?.kind === "merge") checkMergeKey(last, context);
}

/** How stages run pipelines of their own; what fails in them is named by the pipeline that they stand in. */
const SUB_PIPELINES: SubPipelines<Stage> = {
  parse: parseStages,
  run: (stages, source, context) => {
    return startPlan(
      planPipeline({ command: "aggregate", stages }, source.shape, context.variables),
      source,
      context,
    );
  },
};

function startPlan(plan: Plan, source: Source, context: QueryContext): Rows {
  const { fragment, stages } = plan;
  const { shape } = source;
  if (shape.kind === "empty") return runStages(stages, noRows(), context);
  if (plan.scan.isCount && source.count !== undefined) {
    return runStages(stages, blankRows(source.count(scanOf(plan.scan)), context), context);
  }
  const request = scanRequest(plan, context);
  const onRows = (last?: number) => {
    if (shape.kind !== "timeseries" || !shape.filtersRows) {
      return runStages(stages.slice(0, last), source.scan(request), context);
    }
    const rows = source.scan({ ...request, ...conditionFor(plan, shape, context) });
    return runStages(stages.slice(plan.isFiltered ? plan.matches : 0, last), rows, context);
  };
  if (fragment.kind === "rows" || source.runFragment === undefined) return onRows();
  const compiled = compileFragment(fragment, request, context);
  const next = stages[fragment.stageCount];
  const sort = next?.kind === "sort" ? next : undefined;
  const stageCount = fragment.stageCount + (sort === undefined ? 0 : 1);
  const run = { scan: request, source, run: source.runFragment, sort, onRows: () => onRows(stageCount) };
  const rows = fragmentRows(fragment, compiled, run, context);
  return runStages(stages.slice(stageCount), rows, context);
}

/** What a source that filters rows is told beside range and series. */
function conditionFor(
  { scan: { rowFilters } }: Plan,
  shape: RowFields,
  context: QueryContext,
): Pick<ScanRequest, "condition"> {
  if (rowFilters.length === 0) return {};
  const paths = new PathList();
  const filter = allOf(rowFilters);
  const condition = conditionOf(filter, shape, paths);
  const matches = compileFilter(filter, scopeVariables(context));
  return { condition: { paths: paths.paths, condition, matches } };
}

/** As many rows as are counted, of which nothing is read. */
async function* blankRows(counts: Iterable<number>, context: QueryContext): Rows {
  const full = new Array<Document>(PIPELINE_BATCH_ROWS).fill(BuiltDocument.EMPTY);
  for (const count of counts) {
    for (let left = count; left > 0; left -= full.length) {
      yield left < full.length ? full.slice(0, left) : full;
    }
    await context.checkpoint();
  }
}

function scanRequest({ scan }: Plan, context: QueryContext): ScanRequest {
  return {
    ...(scan.fields && { fields: scan.fields }),
    ...(scan.timeRange && { timeRange: scan.timeRange }),
    ...(scan.series && { seriesFilter: scan.series.matches }),
    ...(scan.series?.lookup && { seriesLookup: scan.series.lookup }),
    ...(scan.series?.tests && { seriesTests: scan.series.tests }),
    ...(scan.index || scan.union ? scanOf(scan) : scan.ids && { ids: scan.ids }),
    ...(scan.timeOrder && { timeOrder: scan.timeOrder }),
    ...(scan.limit !== undefined && { limit: scan.limit }),
    ...(scan.takesAll && { takesAll: true }),
    ...(scan.seriesEnds && { seriesEnds: scan.seriesEnds }),
    ...(scan.backward && { backward: true }),
    ...(scan.shown && { shown: scan.shown }),
    checkpoint: context.checkpoint,
    counters: context.counters,
  };
}

/** Chains stages behind `input`. Expressions are compiled here, before the first row. */
export function runStages(stages: readonly Stage[], input: Rows, context: QueryContext): Rows {
  return stages.reduce((rows, stage) => runStage(stage, rows, context), input);
}

function runFacetStages(stages: readonly Stage[], input: Rows, context: QueryContext): Rows {
  return runStages(withUnwoundLookups(withSortKeys(stages)), input, context);
}

function runStage(stage: Stage, input: Rows, context: QueryContext): Rows {
  switch (stage.kind) {
    case "asofJoin":
      return runAsofJoin(stage, input, context, SUB_PIPELINES);
    case "setWindowFields":
      return runSetWindowFields(stage, input, context);
    case "count":
      return runCount(stage, input, context);
    case "documents":
      return runDocuments(stage, context);
    case "facet":
      return runFacet(stage, input, context, runFacetStages);
    case "group":
      return runGroup(stage, input, context);
    case "groupEnds":
      return runGroupEnds(stage, input, context);
    case "latest":
      return runStages(stagesOfLatest(stage, { kind: "documents" }), input, context);
    case "limit":
      return runLimit(stage, input);
    case "lookup":
      return runLookup(stage, input, context, SUB_PIPELINES);
    case "densify":
      return runDensify(stage, input, context);
    case "out":
      return runOut(stage, input, context);
    case "merge":
      return runMerge(stage, input, context);
    case "bucketAuto":
      return runBucketAuto(stage, input, context);
    case "graphLookup":
      return runGraphLookup(stage, input, context, SUB_PIPELINES);
    case "redact":
      return runRedact(stage, input, context);
    case "match":
      return runMatch(stage, input, context);
    case "project":
      return runProject(stage, input, context);
    case "replaceRoot":
      return runReplaceRoot(stage, input, context);
    case "rowWindow":
      return runRowWindow(stage, input, context);
    case "sample":
      return runSample(stage, input, context);
    case "skip":
      return runSkip(stage, input, context);
    case "sort":
      return runSort(stage, input, context);
    case "sortKey":
      return runSortKey(stage, input, context);
    case "timeWindow":
      return runTimeWindow(stage, input, context);
    case "unionWith":
      return runUnionWith(stage, input, context, SUB_PIPELINES);
    case "unwind":
      return runUnwind(stage, input, context);
    case "windowFill":
      return runWindowFill(stage, input, context);
  }
}
