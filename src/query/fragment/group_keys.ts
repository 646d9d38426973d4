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
import type { Evaluator, Expression, Scope } from "../expression/expression.ts";
import { approximateBytes } from "../memory.ts";
import type { GroupKeys } from "../source.ts";
import { groupFinder } from "../stage/group.ts";
import type { GroupStage } from "../stage/group.ts";
import { gridOfPanes, type TimeWindowStage } from "../stage/time_window.ts";
import { WindowGrid } from "../stage/window_grid.ts";
import { type PlacedWindow, START_FIELD, windowId, windowOrder } from "../stage/window_id.ts";
import { type RowFields, spanFinder, type TimeSpan, type TimeSplit } from "./time_spans.ts";

/** The stage on rows has to answer: with its way of saving memory, or because it sees rows in another order. */
export class BetterOnRows extends Error {}

/** What the answer needs of the groups. */
export interface FragmentKeys extends GroupKeys {
  /** By number. */
  readonly ids: readonly Value[];
  /** Of windows, by number: where they stand. */
  readonly places?: readonly PlacedWindow[];
  /** The groups in the order of the answer. */
  order(): readonly number[];
}

/** Counts what groups take. */
class GroupMeter {
  private bytes = 0;

  /**
   * @param stateBytes what a group takes beside its _id
   * @param limitBytes what all of them may take
   */
  constructor(private readonly stateBytes: number, private readonly limitBytes: number) {}

  /** @throws BetterOnRows when the groups take more memory than a stage may */
  add(id: Value): void {
    this.bytes += approximateBytes(id) + this.stateBytes;
    if (this.bytes > this.limitBytes) throw new BetterOnRows();
  }
}

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
  const ids: Value[] = [];
  return {
    ids,
    classOf: () => 0,
    groupOf: () => {
      if (ids.length === 0) ids.push(null);
      return 0;
    },
    spanOf: () => ALWAYS,
    order: () => ids.map((_, group) => group),
  };
}

const ALWAYS: TimeSpan = { fromMs: -Infinity, endMs: Infinity };

/** The groups of a `$group`, numbered as its rows meet them. @throws CommandError when a constant part of the key fails */
export function groupKeys(
  group: Pick<GroupStage, "id" | "collation">,
  splits: readonly TimeSplit[],
  fields: RowFields,
  variables: Scope["variables"],
  stateBytes: number,
  limitBytes: number,
  isInTimeOrder: boolean,
): FragmentKeys {
  const ids: Value[] = [];
  const meter = new GroupMeter(stateBytes, limitBytes);
  const find = groupFinder(group, (value) => {
    meter.add(value);
    return ids.push(value) - 1;
  });
  const classes = new FirstClasses(isInTimeOrder);
  return {
    ids,
    classOf: seriesClasses(group.id, fields, isInTimeOrder),
    groupOf: (seriesClass, meta, ms) => {
      const number = find({ root: rowOf(meta, ms, fields), variables }, () => {});
      classes.meet(number, seriesClass);
      return number;
    },
    spanOf: spanFinder(splits),
    order: () => ids.map((_, group) => group),
  };
}

/** The groups of a `$timeWindow`: its windows, or the panes of those that overlap. */
export function windowKeys(
  stage: TimeWindowStage,
  splits: readonly TimeSplit[],
  fields: RowFields,
  variables: Scope["variables"],
  stateBytes: number,
  limitBytes: number,
  isInTimeOrder: boolean,
): FragmentKeys {
  const ids: Value[] = [];
  const places: PlacedWindow[] = [];
  const meter = new GroupMeter(stateBytes, limitBytes);
  const grid = new WindowGrid(gridOfPanes(stage));
  const partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
  const known = new Map<number, Map<ValueKey, number>>();
  const order = windowOrder(stage.collation);
  const partitionKey = valueKeys(stage.collation);
  const classOf = seriesClasses(stage.partitionBy, fields, isInTimeOrder);
  const classes = new FirstClasses(isInTimeOrder);
  return {
    ids,
    places,
    classOf,
    groupOf: (seriesClass, meta, ms) => {
      const startMs = grid.startOf(ms);
      const partition = partitionBy && (partitionBy({ root: rowOf(meta, ms, fields), variables }) ?? null);
      const key = partitionKey(partition);
      let partitions = known.get(startMs);
      if (partitions === undefined) known.set(startMs, partitions = new Map());
      const group = partitions.get(key);
      if (group !== undefined) {
        classes.meet(group, seriesClass);
        return group;
      }
      const id = windowId({ [START_FIELD]: new UtcDate(startMs) }, partition);
      meter.add(id);
      partitions.set(key, ids.length);
      places.push({ startMs, partition });
      classes.meet(ids.length, seriesClass);
      return ids.push(id) - 1;
    },
    spanOf: spanFinder(splits),
    order: () => ids.map((_, group) => group).sort((a, b) => order(places[a]!, places[b]!)),
  };
}

/** All of a row that a key reads. */
function rowOf(meta: Value, ms: number, { timeField, metaField }: RowFields): Document {
  const time = new UtcDate(ms);
  return meta === undefined || metaField === undefined
    ? new BuiltDocument([timeField], [time])
    : new BuiltDocument([metaField, timeField], [meta, time]);
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
      if (key.path[0] !== metaField || (key.variable !== "CURRENT" && key.variable !== "ROOT")) return true;
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
