/** The stages of a find behind its scan, as `explain` shows them: each stage holds the one that feeds it. */
import { BuiltDocument, Document, Int32, type Value } from "../bson/mod.ts";
import { pathsRead } from "./covered.ts";
import { projectionOf } from "./distinct_scan.ts";
import { progress, type Run, scanNode } from "./explain_scan.ts";
import type { Filter } from "./filter/filter.ts";
import { renderFilter } from "./filter/render.ts";
import type { IndexPlan } from "./index_plan.ts";
import type { Stage } from "./pipeline.ts";
import type { Plan } from "./plan.ts";
import type { ProjectionNode } from "./projection/projection.ts";
import type { SourceShape } from "./source.ts";
import { countValue } from "./stage/count.ts";
import type { ProjectStage } from "./stage/project.ts";
import type { SortPart } from "./stage/sort_key.ts";
import { sortPattern } from "./stage_text.ts";

const SORT_MEMORY_LIMIT = Int32.of(104857600);

/** The scan with its filter, wrapped in a node for each stage behind it; the last stage is the outermost. */
export function planChain(
  plan: Plan,
  chain: readonly Stage[],
  shape: SourceShape,
  run: Run | undefined,
): Document {
  const { index } = plan.scan;
  let node = withDistinctFields(plan, chain, scanNode(plan, shape, run), run);
  let isSubPlan = shape.kind === "documents" && isPlannedApart(plan.filter);
  // MongoDB plans each branch of such a filter for itself.
  const subPlan = (rows: number | undefined) => {
    if (isSubPlan) node = BuiltDocument.of({ stage: "SUBPLAN", ...progress(run, rows), inputStage: node });
    isSubPlan = false;
  };
  for (const [stage, i] of inOrderOfMongoDB(chain, plan.matches)) {
    // Of nothing nothing else comes, whatever is done with it.
    if (shape.kind === "empty" && stage.kind !== "count") continue;
    if (stage.kind === "count") subPlan(run?.rows[i]);
    // MongoDB has one stage for both.
    if (stage.kind === "count" && node.get("stage") === "RECORD_STORE_FAST_COUNT") {
      node = BuiltDocument.of({
        ...stageFields(stage, progress(run, 0), run?.rows[i], index),
        stage: node.get("stage"),
      });
    } else node = stageNode(stage, node, run, i, index);
  }
  subPlan(run?.rows[chain.length]);
  return node;
}

/** Whether a filter is an `$or`, other than one of values of one field: that is a `$in`. */
function isPlannedApart(filter: Filter): boolean {
  if (filter.kind !== "or") return false;
  const paths = filter.filters.map((each) =>
    each.kind === "comparison" && each.operator === "$eq" ? each.path.join(".") : undefined
  );
  return paths[0] === undefined || paths.some((path) => path !== paths[0]);
}

/**
 * The stages behind the filter, with their places in the chain, in the order in which MongoDB has them: it cuts rows to fields
 * before it limits them, and before it sorts them all where their order does not get lost. A sort needs no limit behind it.
 */
function inOrderOfMongoDB(chain: readonly Stage[], leading: number): readonly (readonly [Stage, number])[] {
  const stages = chain.map((stage, i) => [stage, i] as const).slice(leading);
  const sort = stages.find(([stage]) => stage.kind === "sort")?.[0];
  const isLimited = sort?.kind === "sort" && sort.limit !== undefined;
  const shown = stages.filter(([stage]) => !(isLimited && stage.kind === "limit"));
  const at = shown.findIndex(([stage]) => stage.kind === "project" || stage.kind === "replaceRoot");
  const [before, project] = [shown[at - 1]?.[0], shown[at]];
  if (project === undefined || before === undefined) return shown;
  const goesFirst = before.kind === "limit" ||
    (before.kind === "sort" && before.limit === undefined && keepsFields(project[0], before.parts));
  return goesFirst ? shown.with(at - 1, project).with(at, shown[at - 1]!) : shown;
}

/** Whether a projection that computes nothing leaves what a sort reads. */
function keepsFields(stage: Stage, parts: readonly SortPart[]): boolean {
  if (stage.kind !== "project" || stage.arrays.length > 0) return false;
  const paths = new Set<string>();
  if (!addNamedPaths(stage.root, "", paths)) return false;
  const isNamed = (path: readonly string[]) => path.some((_, i) => paths.has(path.slice(0, i + 1).join(".")));
  return parts.every(({ path }) => isNamed(path) === (stage.mode === "inclusion"));
}

/** @returns whether nothing is computed */
function addNamedPaths(node: ProjectionNode, above: string, paths: Set<string>): boolean {
  return node.entries().every(([name, field]) => {
    if (field.kind === "nested") return addNamedPaths(field.node, `${above}${name}.`, paths);
    paths.add(above + name);
    return field.kind === "named";
  });
}

/** MongoDB cuts the rows of a group that gets the first of each to what that reads, unless they were sorted. */
function withDistinctFields(
  { scan: { index }, stages }: Plan,
  chain: readonly Stage[],
  node: Document,
  run: Run | undefined,
): Document {
  const group = stages[0];
  if (index?.distinct === undefined || chain.length > 0 || group?.kind !== "group") return node;
  const paths = pathsRead([group]);
  if (paths === undefined || (index.covered === undefined && index.isSorted)) return node;
  return BuiltDocument.of({
    stage: projectionStage(index, [...paths].every((path) => !path.includes("."))),
    ...progress(run, run?.rows[0]),
    transformBy: projectionOf(paths),
    inputStage: node,
  });
}

/** A `$project` of an aggregate as MongoDB hands it to the find underneath, in one form. */
export function asOfFind(stage: Stage): Stage {
  return stage.kind === "project" ? { ...stage, source: namedFields(stage.root, stage.source, true) } : stage;
}

/** @param source as written, for what is computed */
function namedFields(node: ProjectionNode, source: Value, isRoot: boolean): Document {
  const names = [...node.keys()];
  const values = names.map((name): Value => {
    const field = node.get(name)!;
    const written = source instanceof Document ? source.get(name) : undefined;
    if (field.kind === "named") return true;
    return field.kind === "nested" ? namedFields(field.node, written, false) : written;
  });
  if (!isRoot || node.has("_id")) return new BuiltDocument(names, values);
  return new BuiltDocument([...names, "_id"], [...values, false]);
}

/** Stages of which MongoDB says whether they used the disk. */
export function mayUseDisk({ kind }: Stage): boolean {
  return kind === "sort" || kind === "group";
}

function stageNode(
  stage: Stage,
  input: Document,
  run: Run | undefined,
  at: number,
  index: IndexPlan | undefined,
): Document {
  const usedDisk = mayUseDisk(stage) ? run?.usedDisk[at] : undefined;
  return BuiltDocument.of({
    ...stageFields(stage, progress(run, run?.rows[at + 1], run?.rows[at]), run?.rows[at], index),
    usedDisk,
    inputStage: input,
  });
}

/** @param rowsIn how many rows came in; undefined when nothing ran */
function stageFields(
  stage: Stage,
  done: Readonly<Record<string, Value>>,
  rowsIn: number | undefined,
  index: IndexPlan | undefined,
): Readonly<Record<string, Value>> {
  switch (stage.kind) {
    case "sort":
      return {
        stage: "SORT",
        ...done,
        sortPattern: sortPattern(stage),
        memLimit: SORT_MEMORY_LIMIT,
        limitAmount: stage.limit === undefined ? undefined : countValue(stage.limit),
        // MongoDB's simple sort takes whole documents.
        type: index?.covered === undefined && !stage.parts.some((part) => part.byChance)
          ? "simple"
          : "default",
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
        stage: projectionStage(index, isSimple(stage)),
        ...done,
        transformBy: stage.source,
      };
    case "replaceRoot":
      return { stage: stage.name, ...done };
    default:
      return { stage: stage.kind.toUpperCase(), ...done };
  }
}

/** @param isSimple whether it only takes whole top-level fields */
function projectionStage(index: IndexPlan | undefined, isSimple: boolean): string {
  if (!isSimple) return "PROJECTION_DEFAULT";
  return index?.covered === undefined ? "PROJECTION_SIMPLE" : "PROJECTION_COVERED";
}

function isSimple(stage: ProjectStage): boolean {
  return stage.mode === "inclusion" && stage.arrays.length === 0 &&
    [...stage.root.values()].every((field) => field.kind === "named");
}
