/**
 * The groups of a `$group` whose `_id` is made of parts, each of the metaField or of time: the values at paths of the one, any
 * expression of the other. A group is a class of series and a span of time; its `_id` is made when it is asked for, and a
 * sort by parts of it is one of small numbers.
 *
 *     group g    seriesValues[seriesOfGroup[g]], spanValues[spanOfGroup[g]]
 *     span s     spanValues[s], as the time parts give them; its class is the first span with equal ones
 */
import {
  BuiltDocument,
  compareValues,
  identicalValues,
  isArray,
  keyOf,
  UtcDate,
  type Value,
  type ValueKey,
} from "../../bson/mod.ts";
import { grownInt32s, newInt32s } from "../../column/mod.ts";
import { compileExpression, fieldsOf } from "../expression/compile.ts";
import type { Expression, Scope } from "../expression/expression.ts";
import { approximateBytes } from "../memory.ts";
import type { SortPart } from "../stage/sort_key.ts";
import type { GroupStage } from "../stage/group.ts";
import { metaPathOf } from "../series_tests.ts";
import type { MetaColumn, MetaPath } from "../source.ts";
import type { FragmentKeys, KeyRequest } from "./fragment_keys.ts";
import { BetterOnRows } from "./fragment_memory.ts";
import { type Ranks, ranksOfNumbers, SeriesColumns } from "./series_columns.ts";
import { TextNumbers } from "./text_numbers.ts";
import { WindowGrid } from "../stage/window_grid.ts";
import { isWindowStart, type RowFields, spanFinder, type TimeSpan, type TimeSplit } from "./time_spans.ts";

const INITIAL_GROUPS = 64;
/** What a document takes beside its values. */
const OBJECT_BYTES = 48;
const NAME_BYTES = 8;

/** Where a part of the `_id` is found: in the values of the series, or in those of the span. */
interface Part {
  readonly isOfSeries: boolean;
  readonly place: number;
}

interface PartOfSort {
  readonly part: Part;
  readonly descending: boolean;
}

/** The parts of an `_id`. */
interface PartedId {
  /** Of the fields, where it is an object of several. */
  readonly names: readonly string[] | undefined;
  readonly parts: readonly Part[];
  /** What those of the series are, in the order of their places. */
  readonly ofSeries: readonly Expression[];
  readonly ofTime: readonly Expression[];
}

/** The parts of an `_id`; undefined where one of them is neither of the series nor of time alone. */
function partsOf(id: Expression, { timeField, metaField }: RowFields): PartedId | undefined {
  const isObject = id.kind === "object" && id.fields.length > 0;
  const fields = isObject ? id.fields : [id];
  const ofSeries: Expression[] = [];
  const ofTime: Expression[] = [];
  const parts: Part[] = [];
  for (const field of fields) {
    const isOfSeries = metaField !== undefined && reads(field, metaField);
    if (isOfSeries && (reads(field, timeField) || !isPlain(field))) return undefined;
    const expressions = isOfSeries ? ofSeries : ofTime;
    parts.push({ isOfSeries, place: expressions.length });
    expressions.push(field);
  }
  return { names: isObject ? id.names : undefined, parts, ofSeries, ofTime };
}

/** Whether an expression reads a field of the row, or all of it. */
export function reads(expression: Expression, field: string): boolean {
  return fieldsOf(expression)?.has(field) ?? true;
}

/** Whether an expression only puts values together: it cannot fail. */
function isPlain(expression: Expression): boolean {
  switch (expression.kind) {
    case "constant":
    case "path":
      return true;
    case "object":
      return expression.fields.every(isPlain);
    case "array":
      return expression.items.every(isPlain);
    case "operator":
      return false;
  }
}

/** Reads a plain expression of a series' meta. @throws CommandError when a constant part of it fails */
function metaReader(
  expression: Expression,
  metaField: string,
  variables: Scope["variables"],
): (meta: Value) => Value {
  const evaluate = compileExpression(expression);
  if (expression.kind !== "path") {
    return (meta) => {
      const root = meta === undefined ? BuiltDocument.EMPTY : new BuiltDocument([metaField], [meta]);
      return evaluate({ root, variables });
    };
  }
  return metaPathOf(expression.path).read;
}

/**
 * The windows, all of one length, whose starts are all that is read of time: then each of them is one span. Undefined where
 * there are others, or something else is read.
 */
function windowsOf(
  { ofTime: [time, other] }: PartedId,
  [split]: readonly TimeSplit[],
  fields: RowFields,
): WindowGrid | undefined {
  if (time === undefined || other !== undefined || split?.kind !== "grid") return undefined;
  const grid = isWindowStart(time, fields) ? new WindowGrid(split.grid) : undefined;
  return grid?.isEven ? grid : undefined;
}

/** The paths that expressions are; none where one of them is not just that. */
function metaPathsOf(expressions: readonly Expression[]): readonly MetaPath[] {
  const paths = expressions.map((expression) => expression.kind === "path" && metaPathOf(expression.path));
  return paths.every((path) => path !== false) ? paths : [];
}

/**
 * The groups, numbered as their rows meet them; undefined for an `_id` that has no such parts.
 *
 * @throws CommandError when a constant part of the key fails
 */
export function partedKeys(
  { id, collation }: Pick<GroupStage, "id" | "collation">,
  request: KeyRequest,
): FragmentKeys | undefined {
  if (collation !== undefined || request.measured.length > 0) return undefined;
  const parted = partsOf(id, request.fields);
  return parted && new PartedKeys(parted, request);
}

class PartedKeys implements FragmentKeys {
  readonly spanOf: (ms: number) => TimeSpan;
  readonly metaPaths: readonly MetaPath[];
  private columns: SeriesColumns | undefined;
  private count = 0;
  private readonly readMeta: readonly ((meta: Value) => Value)[];
  private readonly ofTime: readonly ReturnType<typeof compileExpression>[];
  private readonly windows: WindowGrid | undefined;
  /** Classes by keys: those of texts by the texts' numbers. */
  private readonly texts = new TextNumbers();
  private readonly classesOfTexts: number[] = [];
  private classes: Map<ValueKey, number> | undefined;
  /** What was read of series: of each class as its first series has it, and all that is equal to such but not the same. */
  private readonly seriesValues: (readonly Value[])[] = [];
  private readonly seriesBytes: number[] = [];
  /** By class: the place of its first series' values, and that of the series that was asked about last. */
  private readonly firsts: number[] = [];
  private current = 0;
  private readonly timeNames: readonly string[];
  private spanClasses: Map<ValueKey, number> | undefined;
  /** As `spanClasses`, where one date is all. */
  private dateClasses: Map<number, number> | undefined;
  /** By number of the span. */
  private readonly spanValues: (readonly Value[])[] = [];
  /** What a group takes beside the values of its _id. */
  private readonly frameBytes: number;
  private seriesOfGroup: Int32Array = newInt32s(INITIAL_GROUPS);
  private spanOfGroup: Int32Array = newInt32s(INITIAL_GROUPS);

  constructor(private readonly id: PartedId, private readonly request: KeyRequest) {
    const { fields: { metaField }, splits, stateBytes, variables } = request;
    this.readMeta = id.ofSeries.map((expression) => metaReader(expression, metaField!, variables));
    this.metaPaths = metaPathsOf(id.ofSeries);
    this.ofTime = id.ofTime.map(compileExpression);
    const windows = this.windows = windowsOf(id, splits, request.fields);
    this.spanOf = windows === undefined ? spanFinder(splits) : (ms) => windows.spanOf(ms);
    this.timeNames = [request.fields.timeField];
    const idBytes = id.names === undefined ? 0 : OBJECT_BYTES + NAME_BYTES * id.names.length;
    this.frameBytes = idBytes + stateBytes;
  }

  useColumns(columns: readonly MetaColumn[]): void {
    this.columns = new SeriesColumns(columns, this.id.parts.length === 1);
  }

  classOf(meta: Value, series: number): number {
    const { columns, readMeta, firsts } = this;
    if (columns !== undefined) {
      const seriesClass = columns.classOf(series);
      if (seriesClass === firsts.length) {
        firsts.push(this.keep(columns.valuesOf(series).map((value) => this.present(value))));
      }
      this.current = firsts[seriesClass]!;
      return seriesClass;
    }
    const values = new Array<Value>(readMeta.length);
    for (let i = 0; i < values.length; i++) values[i] = this.present(readMeta[i]!(meta));
    const known = this.classFor(keyOfAll(values));
    if (known === firsts.length) {
      this.current = this.keep(values);
      return firsts.push(this.current) - 1;
    }
    const first = firsts[known]!;
    if (areSame(this.seriesValues[first]!, values)) {
      this.current = first;
      return known;
    }
    // 1 and 1.0 are one group, and its first row says which of them is in the _id.
    if (this.request.isInTimeOrder) throw new BetterOnRows();
    this.current = this.keep(values);
    return known;
  }

  /** The class of a key; one that is new is the next. */
  private classFor(key: ValueKey): number {
    const next = this.firsts.length;
    if (typeof key === "string") {
      const text = this.texts.numberOf(key);
      if (text === this.classesOfTexts.length) this.classesOfTexts.push(next);
      return this.classesOfTexts[text]!;
    }
    const classes = this.classes ??= new Map();
    const known = classes.get(key);
    if (known === undefined) classes.set(key, next);
    return known ?? next;
  }

  spanClassOf(span: number, ms: number): number {
    // A first span has shown that the expression does not fail.
    if (this.windows !== undefined && this.spanValues.length > 0) {
      this.spanValues[span] = [new UtcDate(this.windows.startOf(ms))];
      return span;
    }
    const { isInTimeOrder, variables } = this.request;
    const scope = { root: new BuiltDocument(this.timeNames, [new UtcDate(ms)]), variables };
    const { ofTime } = this;
    const values = new Array<Value>(ofTime.length);
    for (let i = 0; i < values.length; i++) values[i] = this.present(ofTime[i]!(scope));
    this.spanValues[span] = values;
    const only = values.length === 1 ? values[0] : undefined;
    if (only instanceof UtcDate) {
      const classes = this.dateClasses ??= new Map();
      const known = classes.get(only.ms);
      if (known === undefined) classes.set(only.ms, span);
      return known ?? span;
    }
    const key = keyOfAll(values);
    const classes = this.spanClasses ??= new Map();
    const known = classes.get(key);
    if (known === undefined) {
      classes.set(key, span);
      return span;
    }
    if (isInTimeOrder && !areSame(this.spanValues[known]!, values)) throw new BetterOnRows();
    return known;
  }

  groupOf(_seriesClass: number, span: number): number {
    const group = this.count++;
    const { current } = this;
    this.request.memory.add(
      this.frameBytes + this.seriesBytes[current]! + bytesOf(this.spanValues[span]!),
    );
    if (group === this.seriesOfGroup.length) {
      this.seriesOfGroup = grownInt32s(this.seriesOfGroup, 2 * group);
      this.spanOfGroup = grownInt32s(this.spanOfGroup, 2 * group);
    }
    this.seriesOfGroup[group] = current;
    this.spanOfGroup[group] = span;
    return group;
  }

  idOf(group: number): Value {
    const { names, parts } = this.id;
    if (names === undefined) return this.partOf(group, parts[0]!);
    const values = new Array<Value>(parts.length);
    let isWhole = true;
    for (let i = 0; i < parts.length; i++) {
      values[i] = this.partOf(group, parts[i]!);
      if (values[i] === undefined) isWhole = false;
    }
    if (isWhole) return new BuiltDocument(names, values);
    const present = names.filter((_, i) => values[i] !== undefined);
    return new BuiltDocument(present, values.filter((value) => value !== undefined));
  }

  order(): Int32Array {
    const order = newInt32s(this.count);
    for (let group = 0; group < order.length; group++) order[group] = group;
    return order;
  }

  async sorted(
    parts: readonly SortPart[],
    limit: number,
    pause: () => Promise<void>,
  ): Promise<Int32Array | undefined> {
    const sort = this.partsOfSort(parts);
    if (sort === undefined) return undefined;
    let order = this.order();
    if (sort.length === 1 && this.isInOrder(sort[0]!)) return order.subarray(0, limit);
    // Of several parts the last one counts least: sorted by it first, groups that are equal by another stay so.
    for (const { part, descending } of sort.reverse()) {
      const read = part.isOfSeries ? this.seriesValues : this.spanValues;
      const numbers = part.isOfSeries ? this.seriesOfGroup : this.spanOfGroup;
      const known = part.isOfSeries ? await this.columns?.ranksOf(part.place, pause) : undefined;
      const { ranks, count } = known ?? await ranksOf(read, part.place, pause);
      if (count > 1) order = sortedByRanks(order, numbers, ranks, count, descending);
      await pause();
    }
    return order.subarray(0, limit);
  }

  /** Whether groups were met in the order of a sort, as those of windows mostly are. */
  private isInOrder({ part, descending }: PartOfSort): boolean {
    for (let group = 1; group < this.count; group++) {
      const order = compareValues(this.partOf(group - 1, part) ?? null, this.partOf(group, part) ?? null);
      if (descending ? order < 0 : order > 0) return false;
    }
    return true;
  }

  /** By which parts of the `_id` that is; undefined where documents have to be looked at. */
  private partsOfSort(sort: readonly SortPart[]): PartOfSort[] | undefined {
    const { names, parts } = this.id;
    const found: PartOfSort[] = [];
    for (const { path, descending, byChance, collation } of sort) {
      if (path[0] !== "_id" || byChance || collation !== undefined) return undefined;
      if (path.length === 1) {
        // Whole _ids sort by their fields one after another, if all have the same; alone, arrays count whole.
        const isAlone = sort.length === 1;
        if (names !== undefined && !parts.every((part) => this.every(part, isPresent))) return undefined;
        if (!isAlone && names === undefined && !this.every(parts[0]!, isNoArray)) return undefined;
        for (const part of parts) found.push({ part, descending });
        continue;
      }
      const place = names === undefined || path.length > 2 ? -1 : names.indexOf(path[1]!);
      if (place < 0 || !this.every(parts[place]!, isNoArray)) return undefined;
      found.push({ part: parts[place]!, descending });
    }
    return found;
  }

  private every({ isOfSeries, place }: Part, test: (value: Value) => boolean): boolean {
    const read = isOfSeries ? this.seriesValues : this.spanValues;
    return read.every((values) => test(values[place]));
  }

  private partOf(group: number, { isOfSeries, place }: Part): Value {
    const read = isOfSeries
      ? this.seriesValues[this.seriesOfGroup[group]!]
      : this.spanValues[this.spanOfGroup[group]!];
    return read![place];
  }

  /** A missing value is null, but for one of several fields. */
  private present(value: Value): Value {
    return value === undefined && this.id.parts.length === 1 ? null : value;
  }

  /** Keeps what was read of a series. @returns its place */
  private keep(values: readonly Value[]): number {
    this.seriesBytes.push(bytesOf(values));
    return this.seriesValues.push(values) - 1;
  }
}

function isPresent(value: Value): boolean {
  return value !== undefined;
}

function isNoArray(value: Value): boolean {
  return !isArray(value);
}

function bytesOf(values: readonly Value[]): number {
  let bytes = 0;
  for (const value of values) bytes += approximateBytes(value);
  return bytes;
}

/** One key for equal values. */
function keyOfAll(values: readonly Value[]): ValueKey {
  if (values.length === 1) return keyOf(values[0]);
  let key = "";
  for (const value of values) {
    const part = keyOf(value);
    const text = String(part);
    key += `${typeof part}${text.length}:${text}`;
  }
  return key;
}

/** Whether equal values are the same to their types. */
function areSame(a: readonly Value[], b: readonly Value[]): boolean {
  for (let i = 0; i < a.length; i++) if (!identicalValues(a[i], b[i])) return false;
  return true;
}

/** The rank of each of the values at a place among all of them, equal ones with the same, and how many there are. */
function ranksOf(
  read: readonly (readonly Value[])[],
  place: number,
  pause: () => Promise<void>,
): Promise<Ranks> {
  const numbers: number[] = [];
  // Spans of time without a row have no values.
  read.forEach((_, number) => numbers.push(number));
  return ranksOfNumbers(numbers, (number) => read[number]![place], read.length, pause);
}

/** Groups by the ranks of their numbers, those of one rank in the order that they had: a counting sort. */
function sortedByRanks(
  order: Int32Array,
  numbers: Int32Array,
  ranks: Int32Array,
  count: number,
  descending: boolean,
): Int32Array {
  const places = newInt32s(count + 1);
  for (let i = 0; i < order.length; i++) places[ranks[numbers[order[i]!]!]! + 1]!++;
  if (descending) {
    let place = order.length;
    for (let rank = 0; rank < count; rank++) places[rank] = place -= places[rank + 1]!;
  } else {
    for (let rank = 1; rank < count; rank++) places[rank]! += places[rank - 1]!;
  }
  const sorted = newInt32s(order.length);
  for (let i = 0; i < order.length; i++) {
    const group = order[i]!;
    sorted[places[ranks[numbers[group]!]!]!++] = group;
  }
  return sorted;
}
