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
import { progress, type Run, scanNode } from "./explain_scan.ts";
import type { Pipeline, Stage } from "./pipeline.ts";
import { type Plan, planPipeline } from "./plan.ts";
import { noRowsAfter } from "./rows.ts";
import type { Rows, Source, SourceShape } from "./source.ts";
import { countValue } from "./stage/count.ts";
import { explainStage, sortPattern } from "./stage_text.ts";

const VERBOSITIES = ["queryPlanner", "executionStats", "allPlansExecution"];
const SORT_MEMORY_LIMIT = Int32.of(104857600);

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
  const counted = plan.stages.slice(pushed).reduce((input, stage, i) => {
    const memory = memories[pushed + i];
    const inside = memory === undefined ? context : { ...context, memory };
    return count(runWithoutWriting(stage, input, inside), rows, pushed + i + 1);
  }, count(start, rows, pushed));
  for await (const batch of counted) void batch;
  if (!plan.scan.isCount) rows.fill(context.counters.rowsRead, 0, Math.max(1, pushed));
  // It answers with a number.
  if (pipeline.command === "count") rows[plan.stages.length] = 0;
  const usedDisk = memories.map((memory) => memory?.usedDisk === true);
  return { millis: Math.round(performance.now() - startMs), rows, usedDisk };
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
  const chained = pipeline.command === "aggregate" ? chainLength(plan.stages) : plan.stages.length;
  const chain = plan.stages.slice(0, chained);
  const cursor = {
    queryPlanner: queryPlanner(plan, chain, shape, namespace),
    executionStats: run && executionStats(plan, chain, shape, context, run, verbosity),
  };
  const own = ownPart(plan, pushdownPart(plan, source), context, run);
  if (chained === plan.stages.length) {
    return BuiltDocument.of({ explainVersion: "1", ...cursor, chronogo: own });
  }
  const head = stageEntry(BuiltDocument.of({ $cursor: BuiltDocument.of(cursor) }), run?.rows[chained], run);
  const rest = plan.stages.slice(chained).map((stage, i) => {
    const usedDisk = mayUseDisk(stage) ? run?.usedDisk[chained + i] : undefined;
    return stageEntry(explainStage(stage), run?.rows[chained + i + 1], run, usedDisk);
  });
  return BuiltDocument.of({ explainVersion: "1", stages: [head, ...rest], chronogo: own });
}

/** How many stages from the first on a find has too. */
function chainLength(stages: readonly Stage[]): number {
  const inFind = (stage: Stage) =>
    stage.kind === "match" || stage.kind === "sort" || stage.kind === "skip" || stage.kind === "limit" ||
    (stage.kind === "project" && stage.mode !== "addition");
  const end = stages.findIndex((stage) => !inFind(stage));
  return end < 0 ? stages.length : end;
}

/** Stages of which MongoDB says whether they used the disk. */
function mayUseDisk({ kind }: Stage): boolean {
  return kind === "sort" || kind === "group";
}

function stageEntry(
  stage: Document,
  rows: number | undefined,
  run: Run | undefined,
  usedDisk?: boolean,
): Document {
  if (run === undefined) return stage;
  const entry = DocumentBuilder.from(stage);
  if (usedDisk !== undefined) entry.append("usedDisk", usedDisk);
  entry.append("nReturned", countValue(rows ?? 0)).append(
    "executionTimeMillisEstimate",
    countValue(run.millis),
  );
  return entry.build();
}

function queryPlanner(
  plan: Plan,
  chain: readonly Stage[],
  shape: SourceShape,
  namespace: string | undefined,
): Document {
  return BuiltDocument.of({
    namespace,
    indexFilterSet: false,
    parsedQuery: renderFilter(plan.filter),
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

/** The scan with its filter, wrapped in a node for each stage behind it; the last stage is the outermost. */
function planChain(
  plan: Plan,
  chain: readonly Stage[],
  shape: SourceShape,
  run: Run | undefined,
): Document {
  const leading = plan.matches;
  let node = scanNode(plan, shape, run);
  chain.forEach((stage, i) => {
    if (i < leading) return;
    // MongoDB has one stage for both.
    if (stage.kind === "count" && node.get("stage") === "RECORD_STORE_FAST_COUNT") {
      node = BuiltDocument.of({
        ...stageFields(stage, progress(run, 0), run?.rows[i]),
        stage: node.get("stage"),
      });
    } else node = stageNode(stage, node, run, i);
  });
  if (shape.kind !== "documents" || plan.filter.kind !== "or") return node;
  // MongoDB plans each branch of such a filter for itself.
  return BuiltDocument.of({ stage: "SUBPLAN", ...progress(run, run?.rows[chain.length]), inputStage: node });
}

function stageNode(stage: Stage, input: Document, run: Run | undefined, at: number): Document {
  const usedDisk = mayUseDisk(stage) ? run?.usedDisk[at] : undefined;
  return BuiltDocument.of({
    ...stageFields(stage, progress(run, run?.rows[at + 1]), run?.rows[at]),
    usedDisk,
    inputStage: input,
  });
}

/** @param rowsIn how many rows came in; undefined when nothing ran */
function stageFields(
  stage: Stage,
  done: Readonly<Record<string, Value>>,
  rowsIn: number | undefined,
): Readonly<Record<string, Value>> {
  switch (stage.kind) {
    case "sort":
      return {
        stage: "SORT",
        ...done,
        sortPattern: sortPattern(stage),
        memLimit: SORT_MEMORY_LIMIT,
        limitAmount: stage.limit === undefined ? undefined : countValue(stage.limit),
        type: "simple",
      };
    case "skip":
      return { stage: "SKIP", ...done, skipAmount: countValue(stage.count) };
    case "limit":
      return { stage: "LIMIT", ...done, limitAmount: countValue(stage.count) };
    case "count":
      return {
        stage: "COUNT",
        ...done,
        nCounted: rowsIn === undefined ? undefined : countValue(rowsIn),
        nSkipped: rowsIn === undefined ? undefined : Int32.of(0),
      };
    case "match":
      return { stage: "MATCH", filter: renderFilter(stage.filter), ...done };
    case "project":
      return {
        stage: isSimple(stage) ? "PROJECTION_SIMPLE" : "PROJECTION_DEFAULT",
        ...done,
        transformBy: stage.source,
      };
    default:
      return { stage: stage.kind.toUpperCase(), ...done };
  }
}

function isSimple(stage: Extract<Stage, { kind: "project" }>): boolean {
  return stage.arrays.length === 0 && [...stage.root.values()].every((field) => field.kind === "named");
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
        Object.entries(context.counters).map(([name, value]) => [name, countValue(value as number)]),
      ),
    ),
  });
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
  });
}

function timeBound(ms: number): Value {
  return Number.isFinite(ms) ? new UtcDate(ms) : undefined;
}
