/**
 * How a pipeline would run, or did: MongoDB's shape, which Compass and mongosh read, with ChronoGo's own counters under
 * `chronogo`. A find, count or distinct is one chain of `queryPlanner.winningPlan`; an aggregate whose stages are not
 * all of that kind lists `stages`, the first of which is `$cursor` with the scan.
 */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, type Document, DocumentBuilder, Int32, UtcDate, type Value } from "../bson/mod.ts";
import type { QueryContext } from "./context.ts";
import { checkTarget, executePlan, runStages } from "./execute.ts";
import { renderFilter } from "./filter/render.ts";
import type { Run } from "./explain_scan.ts";
import type { Pipeline, Stage } from "./pipeline.ts";
import { distinctGroup } from "./distinct_scan.ts";
import { asOfFind, mayUseDisk, planChain } from "./explain_chain.ts";
import type { IndexPlan } from "./index_plan.ts";
import { type Plan, planPipeline } from "./plan.ts";
import { noRowsAfter } from "./rows.ts";
import { newScanCounters, type Rows, type ScanCounters, type Source, type SourceShape } from "./source.ts";
import { countValue } from "./stage/count.ts";
import { explainStage } from "./stage_text.ts";

const VERBOSITIES = ["queryPlanner", "executionStats", "allPlansExecution"];

/**
 * Plans a pipeline and, unless only the planner is asked for, runs it and throws its rows away.
 *
 * @param verbosity `queryPlanner`, `executionStats` or `allPlansExecution`
 * @param namespace `db.collection`, which `queryPlanner.namespace` shows
 * @returns `explainVersion` and `queryPlanner` with `executionStats`, or `stages`; not the command's own fields
 * @throws CommandError for an unknown verbosity, and what running throws
 */
export async function explain(
  pipeline: Pipeline,
  source: Source,
  context: QueryContext,
  verbosity: string,
  namespace?: string,
): Promise<Document> {
  if (!VERBOSITIES.includes(verbosity)) {
    throw new CommandError(
      "BadValue",
      `Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`,
    );
  }
  const plan = planPipeline(pipeline, source.shape, context.variables);
  checkTarget(plan, context);
  const run = verbosity === "queryPlanner" ? undefined : await measure(plan, pipeline, source, context);
  return describe(plan, pipeline, source, context, verbosity, namespace, run);
}

async function measure(
  plan: Plan,
  pipeline: Pipeline,
  source: Source,
  context: QueryContext,
): Promise<Run> {
  const rows = new Array<number>(plan.stages.length + 1).fill(0);
  const startMs = performance.now();
  const pushed = pushedStages(plan, source);
  const start = executePlan(partOf(plan, pushed), pipeline, source, context);
  const memories = plan.stages.map(() => context.memory?.part());
  // What a stage reads of other collections is its own.
  const read = plan.stages.map(newScanCounters);
  const counted = plan.stages.slice(pushed).reduce((input, stage, i) => {
    const memory = memories[pushed + i];
    const own = { ...context, counters: read[pushed + i]! };
    const inside = memory === undefined ? own : { ...own, memory };
    return count(runWithoutWriting(stage, input, inside), rows, pushed + i + 1);
  }, count(start, rows, pushed));
  for await (const batch of counted) void batch;
  const readsDocuments = !plan.scan.isCount && plan.scan.index?.covered === undefined;
  if (readsDocuments) rows.fill(context.counters.rowsRead, 0, Math.max(1, pushed));
  // It answers with a number.
  if (pipeline.command === "count") rows[plan.stages.length] = 0;
  const usedDisk = memories.map((memory) => memory?.usedDisk === true);
  return { millis: Math.round(performance.now() - startMs), rows, usedDisk, read };
}

/** What is explained writes nothing: a stage that would gets its rows, and that is all. */
function runWithoutWriting(stage: Stage, input: Rows, context: QueryContext): Rows {
  if (stage.kind !== "out" && stage.kind !== "merge") return runStages([stage], input, context);
  return noRowsAfter(async () => {
    for await (const batch of input) void batch;
  });
}

/** How many stages storage runs itself. */
function pushedStages({ fragment }: Plan, source: Source): number {
  return fragment.kind === "fragment" && source.runFragment !== undefined ? fragment.stageCount : 0;
}

/** The plan up to a stage: the scan alone, or what storage runs. */
function partOf(plan: Plan, stages: number): Plan {
  if (stages > 0) return { ...plan, stages: plan.stages.slice(0, stages) };
  return { ...plan, stages: [], fragment: { kind: "rows", reason: "" } };
}

async function* count(input: Rows, rows: number[], at: number): Rows {
  for await (const batch of input) {
    rows[at]! += batch.length;
    yield batch;
  }
}

function describe(
  plan: Plan,
  pipeline: Pipeline,
  source: Source,
  context: QueryContext,
  verbosity: string,
  namespace: string | undefined,
  run: Run | undefined,
): Document {
  const { shape } = source;
  const isAggregate = pipeline.command === "aggregate";
  const chained = isAggregate ? chainLength(plan.stages) : plan.stages.length;
  const found = plan.stages.slice(0, isUncut(pipeline, shape, plan.scan.index) ? plan.matches : chained);
  const chain = isAggregate ? found.map(asOfFind) : found;
  const cursor = {
    queryPlanner: queryPlanner(
      plan,
      chain,
      shape,
      namespace,
      pipeline.command,
      chained === plan.stages.length,
    ),
    executionStats: run && executionStats(plan, chain, shape, context, run, verbosity),
  };
  const own = ownPart(plan, pushdownPart(plan, source), context, run);
  if (chained === plan.stages.length) {
    return BuiltDocument.of({ explainVersion: "1", ...cursor, chronogo: own });
  }
  const head = stageEntry(BuiltDocument.of({ $cursor: BuiltDocument.of(cursor) }), run?.rows[chained], run);
  const rest = plan.stages.slice(chained).map((stage, i) => {
    if (i === 0 && stage.kind === "group" && plan.scan.index?.distinct !== undefined) {
      return stageEntry(distinctGroup(stage), run?.rows[chained + 1], run);
    }
    const at = chained + i;
    const usedDisk = mayUseDisk(stage) ? run?.usedDisk[at] : undefined;
    const examined = stage.kind === "lookup" ? run?.read[at]?.rowsRead : undefined;
    return stageEntry(
      explainStage(stage, context.collections.db),
      run?.rows[at + 1],
      run,
      usedDisk,
      examined,
    );
  });
  return BuiltDocument.of({ explainVersion: "1", stages: [head, ...rest], chronogo: own });
}

/** Whether it collects values of which no index knows, or one that does not have them side by side: MongoDB then cuts no rows. */
function isUncut({ distinct }: Pipeline, shape: SourceShape, index: IndexPlan | undefined): boolean {
  if (distinct === undefined || shape.kind !== "documents") return false;
  if (index !== undefined && index.covered === undefined && index.index.keyPattern.has(distinct)) return true;
  return shape.indexes?.some(({ keyPattern }) => keyPattern.has(distinct)) !== true;
}

/** How many stages from the first on a find has too. */
function chainLength(stages: readonly Stage[]): number {
  const inFind = (stage: Stage) =>
    stage.kind === "match" || stage.kind === "sort" || stage.kind === "skip" || stage.kind === "limit" ||
    (stage.kind === "project" && stage.mode === "inclusion");
  const end = stages.findIndex((stage) => !inFind(stage));
  return end < 0 ? stages.length : end;
}

function stageEntry(
  stage: Document,
  rows: number | undefined,
  run: Run | undefined,
  usedDisk?: boolean,
  docsExamined?: number,
): Document {
  if (run === undefined) return stage;
  const entry = DocumentBuilder.from(stage);
  if (docsExamined !== undefined) entry.append("totalDocsExamined", BigInt(docsExamined));
  if (usedDisk !== undefined) entry.append("usedDisk", usedDisk);
  // MongoDB has int64s here, unlike in the stages of a find.
  entry.append("nReturned", BigInt(rows ?? 0)).append("executionTimeMillisEstimate", BigInt(run.millis));
  return entry.build();
}

function queryPlanner(
  plan: Plan,
  chain: readonly Stage[],
  shape: SourceShape,
  namespace: string | undefined,
  command: Pipeline["command"],
  isFind: boolean,
): Document {
  const isCount = command === "count";
  return BuiltDocument.of({
    namespace,
    indexFilterSet: false,
    // A count that reads no documents has none in MongoDB.
    parsedQuery: isCount && (shape.kind === "empty" || (plan.scan.isCount && plan.matches === 0))
      ? undefined
      : renderFilter(plan.filter),
    // An aggregate that is a find and no more.
    optimizedPipeline: isFind && command === "aggregate" ? true : undefined,
    maxIndexedOrSolutionsReached: false,
    maxIndexedAndSolutionsReached: false,
    maxScansToExplodeReached: false,
    winningPlan: planChain(plan, chain, shape, undefined),
    rejectedPlans: [],
  });
}

function executionStats(
  plan: Plan,
  chain: readonly Stage[],
  shape: SourceShape,
  context: QueryContext,
  run: Run,
  verbosity: string,
): Document {
  return BuiltDocument.of({
    executionSuccess: true,
    nReturned: countValue(run.rows[chain.length] ?? 0),
    executionTimeMillis: countValue(run.millis),
    totalKeysExamined: countValue(readsKeys(plan, shape) ? run.rows[0] ?? 0 : 0),
    totalDocsExamined: countValue(context.counters.rowsRead),
    executionStages: planChain(plan, chain, shape, run),
    // No plan is ever tried against another.
    allPlansExecution: verbosity === "allPlansExecution" ? [] : undefined,
  });
}

/** Whether the scan goes by keys that lie apart from the documents. */
function readsKeys({ scan: { index, union, ids } }: Plan, shape: SourceShape): boolean {
  const isClustered = shape.kind === "documents" && shape.isClustered === true;
  if (ids !== undefined && index === undefined) return shape.kind === "documents" && !isClustered;
  return union !== undefined || (index !== undefined && index.index.isClustered !== true);
}

/** What MongoDB has no words for: the conditions that storage got, and what it touched. */
function ownPart(plan: Plan, pushdown: Document, context: QueryContext, run: Run | undefined): Document {
  const { fields, timeRange, series, seriesEnds, ids, timeOrder, limit } = plan.scan;
  return BuiltDocument.of({
    fields: fields && [...fields],
    timeRange: timeRange && BuiltDocument.of({
      from: timeBound(timeRange.fromMs),
      to: timeBound(timeRange.toMs),
    }),
    seriesFilter: series && series.filters.map(renderFilter),
    seriesEnds: seriesEnds && BuiltDocument.of({ ...seriesEnds }),
    ids,
    timeOrder: timeOrder && Int32.of(timeOrder),
    limit: limit === undefined ? undefined : countValue(limit),
    pushdown,
    counters: run && BuiltDocument.of(
      Object.fromEntries(
        Object.entries(sumOf([context.counters, ...run.read])).map(([name, n]) => [name, countValue(n)]),
      ),
    ),
  });
}

function sumOf(all: readonly ScanCounters[]): ScanCounters {
  const sum = newScanCounters();
  for (const counters of all) {
    for (const name of Object.keys(sum) as (keyof ScanCounters)[]) sum[name] += counters[name];
  }
  return sum;
}

/** Whether storage runs the first stages on columns, and which; else why the rows' stages run all. */
function pushdownPart({ fragment, stages }: Plan, source: Source): Document {
  if (fragment.kind === "rows") return BuiltDocument.of({ executor: "rows", reason: fragment.reason });
  if (source.runFragment === undefined) {
    return BuiltDocument.of({ executor: "rows", reason: "the source has no columns" });
  }
  return BuiltDocument.of({
    executor: "columns",
    stages: stages.slice(0, fragment.stageCount).map((stage) => `$${stage.kind}`),
    measuredKeys: fragment.measured.length === 0
      ? undefined
      : fragment.measured.map((path) => path.join(".")),
  });
}

function timeBound(ms: number): Value {
  return Number.isFinite(ms) ? new UtcDate(ms) : undefined;
}
