/** The groups of a fragment while it runs: their numbers, by series and time, and their _ids. */
import {
  BuiltDocument,
  type Document,
  encodeDocument,
  keyOf,
  UtcDate,
  type Value,
  type ValueKey,
  valueKeys,
} from "../../bson/mod.ts";
import { compileExpression } from "../expression/compile.ts";
import { type Evaluator, type Expression, isRow, type Scope } from "../expression/expression.ts";
import { approximateBytes } from "../memory.ts";
import type { GroupKeys, MeasuredKeys } from "../source.ts";
import { groupFinder } from "../stage/group.ts";
import type { GroupStage } from "../stage/group.ts";
import { gridOfPanes, type TimeWindowStage } from "../stage/time_window.ts";
import { WindowGrid } from "../stage/window_grid.ts";
import { type PlacedWindow, START_FIELD, windowId, windowOrder } from "../stage/window_id.ts";
import type { FragmentKeys, KeyRequest } from "./fragment_keys.ts";
import { BetterOnRows } from "./fragment_memory.ts";
import { partedKeys } from "./parted_keys.ts";
import { type MeasuredPaths, type RowFields, spanFinder, type TimeSpan } from "./time_spans.ts";

/** Of each group the class that it was met by, where rows count in order of time. */
class FirstClasses {
  private readonly classes: number[] = [];

  constructor(private readonly isInTimeOrder: boolean) {}

  /** @throws BetterOnRows for another class: 1 and 1.0 are one group, and its first row says which of them is in the _id */
  meet(group: number, seriesClass: number): void {
    if (this.isInTimeOrder && (this.classes[group] ??= seriesClass) !== seriesClass) throw new BetterOnRows();
  }
}

/** One group of all rows. */
export function singleGroup(): FragmentKeys {
  let count = 0;
  return {
    idOf: () => null,
    classOf: () => 0,
    spanClassOf: ownClass,
    groupOf: () => {
      count = 1;
      return 0;
    },
    spanOf: () => ALWAYS,
    order: () => count === 0 ? [] : [0],
  };
}

const ALWAYS: TimeSpan = { fromMs: -Infinity, endMs: Infinity };

/** Where class and time are looked at together, each span is a class of its own. */
function ownClass(span: number): number {
  return span;
}

/** The groups of a `$group`, numbered as its rows meet them. @throws CommandError when a constant part of the key fails */
export function groupKeys(
  group: Pick<GroupStage, "id" | "collation">,
  request: KeyRequest,
): FragmentKeys {
  return partedKeys(group, request) ?? wholeKeys(group, request);
}

/** As `groupKeys`, of any _id: computed once a series and span. */
function wholeKeys(group: Pick<GroupStage, "id" | "collation">, request: KeyRequest): FragmentKeys {
  const { splits, fields, variables, stateBytes, memory, isInTimeOrder } = request;
  const ids: Value[] = [];
  const find = groupFinder(group, (value) => {
    memory.add(approximateBytes(value) + stateBytes);
    return ids.push(value) - 1;
  });
  const classes = new FirstClasses(isInTimeOrder);
  const groupOfRow = (root: Document) => find({ root, variables }, () => {});
  return {
    idOf: (group) => ids[group],
    classOf: seriesClasses(group.id, fields, isInTimeOrder),
    spanClassOf: ownClass,
    groupOf: (seriesClass, _span, meta, ms) => {
      const number = groupOfRow(rowOf(meta, ms, fields));
      classes.meet(number, seriesClass);
      return number;
    },
    ...measuredKeys(request, groupOfRow),
    spanOf: spanFinder(splits),
    order: () => ids.map((_, group) => group),
  };
}

/** The groups of a `$timeWindow`: its windows, or the panes of those that overlap. */
export function windowKeys(
  stage: TimeWindowStage,
  request: KeyRequest,
): FragmentKeys {
  const { splits, fields, variables, stateBytes, memory, isInTimeOrder } = request;
  const ids: Value[] = [];
  const places: PlacedWindow[] = [];
  const grid = new WindowGrid(gridOfPanes(stage));
  const partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
  const known = new Map<number, Map<ValueKey, number>>();
  const order = windowOrder(stage.collation);
  const partitionKey = valueKeys(stage.collation);
  const classOf = seriesClasses(stage.partitionBy, fields, isInTimeOrder);
  const groupOfRow = (root: Document, ms: number) => {
    const startMs = grid.startOf(ms);
    const partition = partitionBy && (partitionBy({ root, variables }) ?? null);
    const key = partitionKey(partition);
    let partitions = known.get(startMs);
    if (partitions === undefined) known.set(startMs, partitions = new Map());
    const group = partitions.get(key);
    if (group !== undefined) {
      // 1 and 1.0 are one partition, and its first row says which of them is in the _id.
      if (isInTimeOrder && exactKeyOf(partition) !== exactKeyOf(places[group]!.partition)) {
        throw new BetterOnRows();
      }
      return group;
    }
    const id = windowId({ [START_FIELD]: new UtcDate(startMs) }, partition);
    memory.add(approximateBytes(id) + stateBytes);
    partitions.set(key, ids.length);
    places.push({ startMs, partition });
    return ids.push(id) - 1;
  };
  return {
    idOf: (group) => ids[group],
    places,
    classOf,
    spanClassOf: ownClass,
    groupOf: (_class, _span, meta, ms) => groupOfRow(rowOf(meta, ms, fields), ms),
    ...measuredKeys(request, groupOfRow),
    spanOf: spanFinder(splits),
    order: () => ids.map((_, group) => group).sort((a, b) => order(places[a]!, places[b]!)),
  };
}

function measuredKeys(
  { measured, places, fields }: KeyRequest,
  groupOfRow: MeasuredKeys["groupOfRow"],
): Pick<GroupKeys, "measured"> {
  if (measured.length === 0) return {};
  return {
    measured: {
      paths: places,
      groupOf: (meta, ms, values) => groupOfRow(rowOf(meta, ms, fields, measured, values), ms),
      groupOfRow,
    },
  };
}

/** All of a row that a key reads. @param values at the paths `measured` */
function rowOf(
  meta: Value,
  ms: number,
  { timeField, metaField }: RowFields,
  measured: MeasuredPaths = [],
  values: readonly Value[] = [],
): Document {
  const record: PathRecord = new Map();
  if (meta !== undefined && metaField !== undefined) record.set(metaField, meta);
  record.set(timeField, new UtcDate(ms));
  measured.forEach((path, i) => {
    if (values[i] !== undefined) setAt(record, path, values[i]);
  });
  return documentOf(record);
}

type PathRecord = Map<string, Value | PathRecord>;

/** Where there is a document on the way, no other value is. */
function setAt(record: PathRecord, path: readonly string[], value: Value): void {
  let inner = record;
  for (const name of path.slice(0, -1)) {
    const known = inner.get(name);
    const next: PathRecord = known instanceof Map ? known : new Map();
    inner.set(name, next);
    inner = next;
  }
  inner.set(path.at(-1)!, value);
}

function documentOf(record: PathRecord): Document {
  const values = [...record.values()].map((value) => value instanceof Map ? documentOf(value) : value);
  return new BuiltDocument([...record.keys()], values);
}

/**
 * Numbers for series, the same only where the key is: for all, when it reads nothing of the metaField; by the values it
 * reads, when it takes them as they are; else each its own.
 *
 * @param isExact whether 1 and 1.0 are to differ
 */
function seriesClasses(
  key: Expression | undefined,
  { metaField }: RowFields,
  isExact = false,
): (meta: Value) => number {
  const reads: Expression[] = [];
  const isPlain = key === undefined || metaField === undefined || collectReads(key, metaField, reads, true);
  if (isPlain && reads.length === 0) return () => 0;
  let count = 0;
  if (!isPlain) return () => count++;
  const evaluators = reads.map(compileExpression);
  const byValues = new Map<ValueKey, number>();
  const variables = new Map();
  return (meta) => {
    const root = new BuiltDocument(meta === undefined ? [] : [metaField!], meta === undefined ? [] : [meta]);
    const values = classKey(evaluators, { root, variables }, isExact ? exactKeyOf : keyOf);
    const known = byValues.get(values);
    if (known !== undefined) return known;
    byValues.set(values, count);
    return count++;
  };
}

function classKey(
  evaluators: readonly Evaluator[],
  scope: Scope,
  keyOf: (value: Value) => ValueKey,
): ValueKey {
  if (evaluators.length === 1) return keyOf(evaluators[0]!(scope));
  let key = "";
  for (const evaluate of evaluators) {
    const part = keyOf(evaluate(scope));
    const text = String(part);
    key += `${typeof part}${text.length}:${text}`;
  }
  return key;
}

/** As `keyOf`, with keys of their own for values that are equal but not the same: by their bytes. */
function exactKeyOf(value: Value): ValueKey {
  if (value === undefined || typeof value === "string") return keyOf(value);
  return `\0x${encodeDocument(new BuiltDocument(["value"], [value])).toHex()}`;
}

/** Gathers the reads of the metaField. @returns whether none is an operand */
function collectReads(key: Expression, metaField: string, reads: Expression[], isPlace: boolean): boolean {
  const collect = (nested: Expression, place: boolean) => collectReads(nested, metaField, reads, place);
  switch (key.kind) {
    case "constant":
      return true;
    case "path":
      if (key.path[0] !== metaField || !isRow(key.variable)) return true;
      reads.push(key);
      return isPlace;
    case "object":
      return key.fields.every((field) => collect(field, isPlace));
    case "array":
      return key.items.every((item) => collect(item, isPlace));
    case "operator":
      return [...key.args, ...Object.values(key.named)].every((operand) => collect(operand, false));
  }
}
