/** Runs a fragment: asks storage for what each group holds, and makes the documents of it. */
import { PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import { BuiltDocument, type Document, Int32, type Value } from "../../bson/mod.ts";
import type { AccumulatorNode } from "../accumulator/accumulator.ts";
import { createAccumulator } from "../accumulator/accumulators.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Scope } from "../expression/expression.ts";
import { asDouble } from "../expression/number.ts";
import { sumOfInt32s } from "../expression/summation.ts";
import { approximateBytes, RowCopies } from "../memory.ts";
import { compileFilter } from "../filter/compile.ts";
import { allOf } from "../filter/filter.ts";
import type { TimeRange } from "../pushdown.ts";
import type {
  FragmentOutput,
  FragmentRequest,
  FragmentResult,
  Rows,
  ScanRequest,
  Source,
} from "../source.ts";
import type { Output } from "../stage/output.ts";
import { runSort, type SortStage } from "../stage/sort.ts";
import { overlappingRows } from "../stage/time_window.ts";
import type { Pane } from "../stage/window_table.ts";
import { conditionOf, PathList } from "./conditions.ts";
import { type Fragment, inputOf } from "./fragment.ts";
import { type NearestWindows, stretchesOf } from "./nearest_windows.ts";
import { reads } from "./parted_keys.ts";
import { BetterOnRows, FragmentMemory } from "./fragment_memory.ts";
import type { FragmentKeys, KeyRequest } from "./fragment_keys.ts";
import { groupKeys, singleGroup, windowKeys } from "./group_keys.ts";

/** Times a count of rows it stays exact. */
const MAX_SUMMAND = 1000;

/** What the groups of a fragment take beside their _ids, about: as on rows. */
const OUTPUT_BYTES = 64;

/** A fragment that can be run. */
export interface CompiledFragment {
  readonly request: FragmentRequest;
  readonly keys: FragmentKeys;
  readonly memory: FragmentMemory;
}

/** @throws CommandError when a constant part of an expression fails */
export function compileFragment(
  fragment: Fragment,
  scan: ScanRequest,
  context: QueryContext,
): CompiledFragment {
  const { fields, stage } = fragment;
  const variables = scopeVariables(context);
  const paths = new PathList();
  const outputs = stage.kind === "count" ? [] : stage.outputs;
  const memory = new FragmentMemory(context.memory);
  const keys = keysOf(stage, {
    splits: fragment.splits,
    measured: fragment.measured,
    places: fragment.measured.map((path) => paths.numberOf(path)),
    fields,
    variables,
    stateBytes: OUTPUT_BYTES * (outputs.length + 1),
    memory,
    isInTimeOrder: fragment.timeOrder !== undefined,
  });
  const filter = allOf(fragment.filters);
  const { timeRange, seriesFilter, seriesLookup, seriesTests, seriesEnds, ids, checkpoint, counters } = scan;
  const request: FragmentRequest = {
    ...(timeRange && { timeRange }),
    ...(seriesFilter && { seriesFilter }),
    ...(seriesLookup && { seriesLookup }),
    ...(seriesTests && { seriesTests }),
    ...(seriesEnds && { seriesEnds }),
    ...(ids && { ids }),
    ...(fragment.filters.length > 0 && { condition: conditionOf(filter, fields, paths) }),
    matches: compileFilter(filter, variables),
    keys,
    keysReadMeta: keysReadMeta(fragment),
    ...(fragment.timeOrder && { timeOrder: fragment.timeOrder }),
    outputs: stage.kind === "count"
      ? [{ kind: "count" }]
      : outputs.map((output) => outputOf(output, fragment, paths, { keys, memory, variables })),
    paths: paths.paths,
    checkpoint,
    counters,
  };
  return { request, keys, memory };
}

function keysReadMeta({ stage, fields: { metaField } }: Fragment): boolean {
  const key = stage.kind === "group" ? stage.id : stage.kind === "timeWindow" ? stage.partitionBy : undefined;
  return key !== undefined && metaField !== undefined && reads(key, metaField);
}

function keysOf(stage: Fragment["stage"], request: KeyRequest): FragmentKeys {
  switch (stage.kind) {
    case "count":
      return singleGroup();
    case "group":
      return groupKeys(stage, request);
    case "timeWindow":
      return windowKeys(stage, request);
  }
}

/** Accumulators to which many equal values are as one. */
const IDEMPOTENT: ReadonlySet<string> = new Set(["$addToSet", "$first", "$last", "$max", "$min"]);

const KINDS = {
  $addToSet: "set",
  $avg: "average",
  $first: "first",
  $last: "last",
  $max: "maximum",
  $min: "minimum",
  $stdDevPop: "deviation",
  $stdDevSamp: "deviation",
  $sum: "sum",
} as const;

function outputOf(
  { accumulator }: Output,
  { fields }: Fragment,
  paths: PathList,
  { keys, memory, variables }: {
    readonly keys: FragmentKeys;
    readonly memory: FragmentMemory;
    readonly variables: Scope["variables"];
  },
): FragmentOutput {
  if (accumulator.name === "$count" || summand(accumulator) !== undefined) return { kind: "count" };
  const { name } = accumulator;
  const evaluate = compileExpression(accumulator.input);
  const read = (root: Document) => evaluate({ root, variables });
  const create = (group: number) => memory.counted(createAccumulator(accumulator, keys.idOf(group)));
  const input = inputOf(accumulator.input, fields)!;
  if (input.kind === "column") {
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name as keyof typeof KINDS] : "values";
    return { kind, path: paths.numberOf(input.path), read, create };
  }
  if (input.kind === "row") {
    const copies = new RowCopies();
    const keep = (row: Document, instead: Document | undefined) => {
      const copy = copies.copyOf(row);
      memory.add(approximateBytes(copy) - (instead === undefined ? 0 : approximateBytes(instead)));
      return copy;
    };
    return { kind: "row", end: name === "$first" ? "first" : "last", keep, read, create };
  }
  const { metaField } = fields;
  const of = (meta: Value) =>
    read(meta === undefined ? BuiltDocument.EMPTY : new BuiltDocument([metaField!], [meta]));
  const end = name === "$first" ? "first" : name === "$last" ? "last" : undefined;
  return { kind: "series", of, once: IDEMPOTENT.has(name), ...(end && { end }), read, create };
}

/** What a fragment is run on. */
export interface FragmentRun {
  readonly scan: ScanRequest;
  readonly source: Pick<Source, "timeBounds">;
  readonly run: (request: FragmentRequest) => Promise<FragmentResult>;
  /** The sort behind the fragment, if there is one: its rows come in that order. */
  readonly sort: SortStage | undefined;
  /** The same stages on rows, that sort among them, for groups that take too much memory. */
  readonly onRows: () => Rows;
}

/** The documents of the groups. @param first the fragment, compiled for all of the range */
export async function* fragmentRows(
  fragment: Fragment,
  first: CompiledFragment,
  { scan, source, run, sort, onRows }: FragmentRun,
  context: QueryContext,
): Rows {
  const { nearest } = fragment;
  let { memory } = first;
  try {
    for (const timeRange of nearest === undefined ? [undefined] : rangesOf(nearest, scan, source)) {
      memory.release();
      const compiled = timeRange === undefined
        ? first
        : compileFragment(fragment, { ...scan, timeRange }, context);
      const { request, keys } = compiled;
      memory = compiled.memory;
      const result = await run(request);
      if (result.dependsOnOrder) throw new BetterOnRows();
      const isEnough = timeRange === undefined || result.groups >= nearest!.count;
      if (isEnough) return yield* await sortedDocuments(fragment, keys, result, sort, context);
    }
  } catch (error) {
    if (!(error instanceof BetterOnRows)) throw error;
    memory.release();
    yield* onRows();
  }
}

/** The stretches of time to look at one after another; undefined at last, for all of the range. */
function* rangesOf(
  nearest: NearestWindows,
  { timeRange }: ScanRequest,
  source: Pick<Source, "timeBounds">,
): Generator<TimeRange | undefined> {
  const bounds = source.timeBounds?.();
  if (bounds !== undefined) {
    const fromMs = Math.max(bounds.fromMs, timeRange?.fromMs ?? -Infinity);
    const toMs = Math.min(bounds.toMs, timeRange?.toMs ?? Infinity);
    if (fromMs <= toMs) yield* stretchesOf(nearest, { fromMs, toMs });
  }
  yield undefined;
}

async function sortedDocuments(
  { stage }: Fragment,
  keys: FragmentKeys,
  result: FragmentResult,
  sort: SortStage | undefined,
  context: QueryContext,
): Promise<Rows> {
  const order = sort && stage.kind === "group" && keys.sorted !== undefined
    ? await keys.sorted(sort.parts, sort.limit ?? Infinity, context.checkpoint)
    : undefined;
  if (order !== undefined && stage.kind === "group") {
    return documentsOfGroups(stage.outputs, keys, result, order, context);
  }
  const rows = documentsOf(stage, keys, result, context);
  return sort === undefined ? rows : runSort(sort, rows, context);
}

async function* documentsOf(
  stage: Fragment["stage"],
  keys: FragmentKeys,
  result: FragmentResult,
  context: QueryContext,
): Rows {
  if (stage.kind === "count") {
    if (result.groups > 0) yield [new BuiltDocument([stage.field], [result.partial(0, 0)])];
    return;
  }
  const { outputs } = stage;
  if (stage.kind === "timeWindow" && stage.every !== undefined) {
    return yield* overlappingRows(panesOf(outputs, keys, result), stage, stage.every, context);
  }
  yield* documentsOfGroups(outputs, keys, result, keys.order(), context);
}

async function* documentsOfGroups(
  outputs: readonly Output[],
  keys: FragmentKeys,
  result: FragmentResult,
  order: ArrayLike<number>,
  context: QueryContext,
): Rows {
  const names = ["_id", ...outputs.map((output) => output.name)];
  for (let at = 0; at < order.length;) {
    await context.checkpoint();
    const end = Math.min(at + PIPELINE_BATCH_ROWS, order.length);
    const batch = new Array<Document>(end - at);
    for (let i = 0; at < end; i++, at++) {
      const group = order[at]!;
      const id = keys.idOf(group);
      const values = new Array<Value>(names.length);
      values[0] = id;
      for (let k = 0; k < outputs.length; k++) {
        values[k + 1] = valueOf(outputs[k]!.accumulator, result, k, group, id);
      }
      batch[i] = new BuiltDocument(names, values);
    }
    yield batch;
  }
}

function* panesOf(outputs: readonly Output[], keys: FragmentKeys, result: FragmentResult): Generator<Pane> {
  const order = keys.order();
  for (let at = 0; at < order.length; at++) {
    const group = order[at]!;
    const partials = outputs.map(({ accumulator }, i) => partialOf(accumulator, result.partial(i, group)));
    yield { ...keys.places![group]!, partials };
  }
}

/** The value of a group's field: as storage knows it, or as the accumulator makes it of what storage holds. */
function valueOf(
  accumulator: AccumulatorNode,
  result: FragmentResult,
  output: number,
  group: number,
  id: Value,
): Value {
  const known = summand(accumulator) === undefined ? result.result(output, group) : undefined;
  if (known !== undefined) return known;
  const finished = createAccumulator(accumulator, id);
  finished.merge(partialOf(accumulator, result.partial(output, group)));
  return finished.result();
}

/** What `$sum` adds for each row where that is a small whole number: `{$sum: 1}` counts. */
function summand({ name, input }: AccumulatorNode): number | undefined {
  if (name !== "$sum" || input.kind !== "constant" || !(input.value instanceof Int32)) return undefined;
  const { value } = input.value;
  return Math.abs(value) <= MAX_SUMMAND ? value : undefined;
}

/** A partial of storage as one of the accumulator: of a sum over a constant storage has counted the rows. */
function partialOf(accumulator: AccumulatorNode, partial: Value): Value {
  const each = summand(accumulator);
  return each === undefined ? partial : sumOfInt32s(each * asDouble(partial as Int32 | bigint));
}
