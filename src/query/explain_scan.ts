/** How rows are found, as `explain` shows it: the innermost stages of a plan. */
import { BuiltDocument, type Document, Int32, type Value } from "../bson/mod.ts";
import { allOf, conjunctsOf, type Filter } from "./filter/filter.ts";
import { renderFilter } from "./filter/render.ts";
import { type IndexPlan, planIndex, type UnionPlan } from "./index_plan.ts";
import { countBounds, indexFields, indexScanFields } from "./index_text.ts";
import type { Plan } from "./plan.ts";
import { recordBounds } from "./record_bounds.ts";
import type { ScanCounters, SourceShape } from "./source.ts";
import { countValue } from "./stage/count.ts";

/** What a run showed. */
export interface Run {
  readonly millis: number;
  /** Rows that came out of the scan, and out of each stage behind it. */
  readonly rows: readonly number[];
  /** Whether each stage put rows aside on disk. */
  readonly usedDisk: readonly boolean[];
  /** What each stage read of other collections. */
  readonly read: readonly ScanCounters[];
}

/** The scan with the conditions that it, or what follows at once, asks. */
export function scanNode(plan: Plan, shape: SourceShape, run: Run | undefined): Document {
  const leading = plan.matches;
  const { index, union, ids } = plan.scan;
  if (plan.scan.isCount) return countedNode(index, run);
  if (union !== undefined) return unionNode(plan, union, run);
  if (shape.kind === "documents" && shape.isClustered && (index === undefined || index.index.isClustered)) {
    return clusteredNode(plan, run);
  }
  if (index?.covered !== undefined) return coveredNode(index, plan.matches, run);
  if (index !== undefined) return fetchNode(plan, index.residual, keysNode(index, run), run);
  if (ids !== undefined && shape.kind === "documents") return idsNode(plan, shape, run);
  if (shape.kind === "empty") return BuiltDocument.of({ stage: "EOF", ...progress(run, 0) });
  return BuiltDocument.of({
    stage: "COLLSCAN",
    filter: leading === 0 ? undefined : renderFilter(plan.filter),
    ...progress(run, run?.rows[leading], run?.rows[0]),
    direction: plan.scan.timeOrder === -1 || plan.scan.backward ? "backward" : "forward",
    docsExamined: run && countValue(run.rows[0] ?? 0),
  });
}

/** A stretch of the documents, or all, in order of _id. */
function clusteredNode(plan: Plan, run: Run | undefined): Document {
  const bounds = recordBounds(plan);
  const isBackward = plan.scan.backward || plan.scan.index?.backward === true;
  return BuiltDocument.of({
    stage: bounds === undefined ? "COLLSCAN" : "CLUSTERED_IXSCAN",
    filter: plan.matches === 0 ? undefined : renderFilter(plan.filter),
    ...progress(run, run?.rows[plan.matches], run?.rows[0]),
    direction: isBackward ? "backward" : "forward",
    ...bounds,
    docsExamined: run && countValue(run.rows[0] ?? 0),
  });
}

/** Documents under their _id, as if by the index on it. */
function idsNode(plan: Plan, shape: SourceShape & { kind: "documents" }, run: Run | undefined): Document {
  const conjuncts = conjunctsOf(plan.filter);
  const read = run && countValue(run.rows[0] ?? 0);
  if (conjuncts.length === 1 && conjuncts[0]!.kind === "comparison") {
    return BuiltDocument.of({
      stage: "IDHACK",
      ...progress(run, run?.rows[plan.matches]),
      keysExamined: read,
      docsExamined: read,
    });
  }
  const onId = shape.indexes?.filter(({ fields }) => fields.length === 1 && fields[0]!.path.join() === "_id");
  const { index } = planIndex(onId ?? [], { conjuncts, sort: undefined, hint: undefined });
  const residual = index?.residual ?? conjuncts;
  return fetchNode(plan, residual, index === undefined ? BuiltDocument.EMPTY : keysNode(index, run), run);
}

/** Keys, or all documents, that are counted and not read. */
function countedNode(index: IndexPlan | undefined, run: Run | undefined): Document {
  const bounds = index && countBounds(index);
  if (index !== undefined && bounds === undefined) return keysNode(index, run);
  return BuiltDocument.of({
    stage: bounds === undefined ? "RECORD_STORE_FAST_COUNT" : "COUNT_SCAN",
    ...progress(run, run?.rows[0]),
    ...(index && bounds && {
      keysExamined: run && countValue(run.rows[0] ?? 0),
      ...indexFields(index),
      indexBounds: bounds,
    }),
  });
}

/** Documents by the keys of indexes, with what the keys do not say of them. */
function fetchNode(plan: Plan, residual: readonly Filter[], keys: Document, run: Run | undefined): Document {
  return BuiltDocument.of({
    stage: "FETCH",
    filter: residual.length === 0 ? undefined : renderFilter(allOf(residual)),
    ...progress(run, run?.rows[plan.matches], run?.rows[0]),
    docsExamined: run && countValue(run.rows[0] ?? 0),
    alreadyHasObj: run && Int32.of(0),
    inputStage: keys,
  });
}

/** Keys that are all that is read, with what their ranges do not say of them. */
function coveredNode(index: IndexPlan, matches: number, run: Run | undefined): Document {
  const { residual } = index;
  return BuiltDocument.of({
    ...(residual.length > 0 && { filter: renderFilter(allOf(residual)) }),
    ...keysFields(index, run),
    ...progress(run, run?.rows[matches], run?.rows[0]),
  });
}

function keysNode(index: IndexPlan, run: Run | undefined): Document {
  return BuiltDocument.of(keysFields(index, run));
}

function keysFields(index: IndexPlan, run: Run | undefined): Readonly<Record<string, Value>> {
  return {
    stage: index.distinct === undefined ? "IXSCAN" : "DISTINCT_SCAN",
    ...progress(run, run?.rows[0]),
    ...indexScanFields(index),
    keysExamined: run && countValue(run.rows[0] ?? 0),
  };
}

/** How many rows each index brings is not counted apart. */
function unionNode(plan: Plan, { branches, residual }: UnionPlan, run: Run | undefined): Document {
  const either = BuiltDocument.of({
    stage: "OR",
    ...progress(run, run?.rows[residual.length === 0 ? plan.matches : 0]),
    inputStages: branches.map((branch) => {
      const keys = BuiltDocument.of({ stage: "IXSCAN", ...indexScanFields(branch) });
      if (branch.residual.length === 0) return keys;
      return BuiltDocument.of({
        stage: "FETCH",
        filter: renderFilter(allOf(branch.residual)),
        inputStage: keys,
      });
    }),
  });
  const areFetched = branches.every((branch) => branch.residual.length > 0);
  return areFetched && residual.length === 0 ? either : fetchNode(plan, residual, either, run);
}

/**
 * How much came out of a stage, and when. A stage works once a row that comes in, and once more to find that none comes.
 *
 * @param rowsIn as many as come out where it is undefined
 */
export function progress(
  run: Run | undefined,
  rows: number | undefined,
  rowsIn = rows,
): Readonly<Record<string, Value>> {
  if (run === undefined) return {};
  const returned = countValue(rows ?? 0);
  const passed = Math.max(0, (rowsIn ?? 0) - (rows ?? 0));
  return {
    nReturned: returned,
    executionTimeMillisEstimate: countValue(run.millis),
    works: countValue((rows ?? 0) + passed + 1),
    advanced: returned,
    needTime: countValue(passed),
    needYield: Int32.of(0),
    saveState: Int32.of(0),
    restoreState: Int32.of(0),
    isEOF: Int32.of(1),
  };
}
