/**
 * Windows of `$timeWindow` that the rows themselves bound, each partition for itself. Rows come in order of time.
 *
 *     session   a row that comes more than `gap` after the one before begins a window
 *     state     rows next to each other with one value of `state` are a window; a row without state is in none and ends it
 *     event     a row for which `start` holds begins a window, the next for which `end` holds (it may be the same) ends it
 *     count     `count` rows are a window; with `every`, one begins at each so many rows and they overlap
 *
 * The words are TDengine's (SESSION, STATE_WINDOW, EVENT_WINDOW, COUNT_WINDOW). A window gives
 * `{_id: {timestamp: <first row's time>, end: <last row's time>, state?, partition?}, …outputs}`; `end` is null for an
 * event that goes on when the rows end.
 */
import {
  BuiltDocument,
  type Collation,
  type Document,
  equalValues,
  isNullish,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { isTruthy } from "../expression/boolean.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, Expression, Scope } from "../expression/expression.ts";
import { approximateBytes, MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { sortInTurns } from "../sort_in_turns.ts";
import { SortedRuns } from "../sorted_runs.ts";
import { ValueMap } from "../value_map.ts";
import { documentOfGroup, type Output, OutputFactory, type OutputState } from "./output.ts";
import { timeOf, WINDOW_MEMORY_MESSAGE } from "./time_window.ts";
import {
  END_FIELD,
  placeOf,
  placeValue,
  START_FIELD,
  STATE_FIELD,
  windowId,
  windowOrder,
} from "./window_id.ts";

export type WindowRule =
  | { readonly kind: "session"; readonly gapMs: number }
  | { readonly kind: "state"; readonly state: Expression }
  | { readonly kind: "event"; readonly start: Expression; readonly end: Expression }
  | { readonly kind: "count"; readonly count: number; readonly every: number };

export interface RowWindowStage {
  readonly kind: "rowWindow";
  readonly rule: WindowRule;
  readonly timestamp: Expression;
  readonly partitionBy: Expression | undefined;
  readonly outputs: readonly Output[];
  /** Which texts are one partition; undefined for those of the same bytes. */
  readonly collation?: Collation;
  /** As written, for `explain`. */
  readonly source: Document;
}

/** The expressions of a rule. */
export function expressionsOfRule(rule: WindowRule): readonly Expression[] {
  if (rule.kind === "state") return [rule.state];
  return rule.kind === "event" ? [rule.start, rule.end] : [];
}

export function runRowWindow(stage: RowWindowStage, input: Rows, context: QueryContext): Rows {
  return windowRows(new WindowList(stage, context), input, context);
}

async function* windowRows(list: WindowList, input: Rows, context: QueryContext): Rows {
  const variables = scopeVariables(context);
  for await (const batch of input) {
    for (const root of batch) {
      if (!list.add({ root, variables })) await list.putAside();
    }
    await context.checkpoint();
  }
  yield* list.rows();
}

/** A window that may get more rows. */
class OpenWindow {
  endMs: number | undefined;
  rows = 0;
  /** Counted for it. */
  bytes = 0;

  constructor(
    readonly startMs: number,
    readonly partition: Value,
    /** The state that its rows have, where that is the rule. */
    readonly state: Value,
    /** How many began before it. */
    readonly number: number,
    readonly outputs: OutputState,
  ) {}

  row(): Document {
    const end = this.endMs === undefined ? null : new UtcDate(this.endMs);
    const own = { [START_FIELD]: new UtcDate(this.startMs), [END_FIELD]: end };
    const id = windowId(
      this.state === undefined ? own : { ...own, [STATE_FIELD]: this.state },
      this.partition,
    );
    return documentOfGroup({ id, state: this.outputs });
  }
}

/** Where windows begin and end. */
interface Bounds {
  /** Puts a row into the windows of its partition that it belongs to; begins and ends them. */
  place(row: PlacedRow, partition: Partition): void;
}

interface PlacedRow {
  readonly scope: Scope;
  readonly ms: number;
}

/** What goes on in one partition. */
class Partition {
  readonly open: OpenWindow[] = [];
  rows = 0;

  constructor(readonly value: Value, private readonly list: WindowList) {}

  begin({ ms }: PlacedRow, state?: Value): OpenWindow {
    const window = this.list.begin(ms, this.value, state);
    this.open.push(window);
    return window;
  }

  /** A window that is open and gets the row. */
  add(window: OpenWindow, row: PlacedRow): void {
    this.list.addTo(window, row.scope);
    window.rows++;
  }
}

/** All windows of one run. */
class WindowList {
  private readonly factory: OutputFactory;
  private readonly timestamp: Evaluator;
  private readonly partitionBy: Evaluator | undefined;
  private readonly bounds: Bounds;
  private readonly meter: MemoryMeter;
  /** Windows that ended, as documents beside their places. */
  private readonly runs: SortedRuns<Document> | undefined;
  private readonly partitions: ValueMap<Partition>;
  private readonly order: ReturnType<typeof windowOrder>;
  private readonly all: Partition[] = [];
  private windows: OpenWindow[] = [];
  private begun = 0;
  private fits = true;

  constructor(stage: RowWindowStage, private readonly context: QueryContext) {
    const { memory } = context;
    this.meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE, memory);
    this.factory = new OutputFactory(stage.outputs);
    this.timestamp = compileExpression(stage.timestamp);
    this.partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
    this.bounds = boundsOf(stage.rule);
    this.partitions = new ValueMap(stage.collation);
    this.order = windowOrder(stage.collation);
    this.runs = memory && new SortedRuns(memory, (row) => row, byPlace(this.order));
  }

  /** @returns whether all fits in memory; else what can be is to be put aside */
  add(scope: Scope): boolean {
    const ms = timeOf(this.timestamp(scope));
    if (ms !== undefined) this.bounds.place({ scope, ms }, this.partitionOf(scope));
    return this.fits;
  }

  /** Windows that have ended go. @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292), OutOfDiskSpace */
  async putAside(): Promise<void> {
    if (this.runs === undefined || !this.meter.maySpill) throw this.meter.exceeded();
    const open = new Set(this.all.flatMap((partition) => partition.open));
    const ended = this.windows.filter((window) => !open.has(window));
    await this.runs.add(await this.sorted(ended), this.context);
    this.windows = [...open];
    this.meter.release(ended.reduce((bytes, window) => bytes + window.bytes, 0));
    this.fits = this.meter.isHalfEmpty();
    if (!this.fits) throw this.meter.exceeded();
  }

  begin(startMs: number, partition: Value, state: Value): OpenWindow {
    const window = new OpenWindow(startMs, partition, state, this.begun++, this.factory.create(null));
    this.count(window, approximateBytes(partition) + approximateBytes(state) + this.factory.stateBytes);
    this.windows.push(window);
    return window;
  }

  addTo(window: OpenWindow, scope: Scope): void {
    this.count(window, window.outputs.add(scope));
  }

  private count(window: OpenWindow, bytes: number): void {
    window.bytes += bytes;
    if (!this.meter.tryAdd(bytes)) this.fits = false;
  }

  /** The windows as documents, in order of time and partition. */
  async *rows(): Rows {
    const { context, runs, windows } = this;
    if (runs === undefined || runs.isEmpty) {
      return yield* inBatches(windows.sort(this.order).map((window) => window.row()), context);
    }
    for await (const batch of runs.merged(await this.sorted(windows), context)) {
      yield batch.map((row) => row.get("window") as Document);
    }
  }

  private async sorted(windows: readonly OpenWindow[]): Promise<readonly Document[]> {
    const sorted = await sortInTurns([...windows], this.order, this.context.checkpoint);
    return sorted.map((window) =>
      new BuiltDocument(["place", "number", "window"], [placeValue(window), window.number, window.row()])
    );
  }

  private partitionOf(scope: Scope): Partition {
    const value = this.partitionBy === undefined ? undefined : this.partitionBy(scope) ?? null;
    const known = this.partitions.get(value);
    if (known !== undefined) return known;
    const partition = new Partition(value, this);
    if (!this.meter.tryAdd(approximateBytes(value))) this.fits = false;
    this.partitions.set(value, partition);
    this.all.push(partition);
    return partition;
  }
}

/** The order of windows that were put aside: those of one place in the order in which they began. */
function byPlace(order: ReturnType<typeof windowOrder>): (a: Document, b: Document) => number {
  return (a, b) =>
    order(placeOf(a.get("place")), placeOf(b.get("place"))) ||
    Number(a.get("number")) - Number(b.get("number"));
}

function boundsOf(rule: WindowRule): Bounds {
  switch (rule.kind) {
    case "session":
      return new Sessions(rule.gapMs);
    case "state":
      return new States(compileExpression(rule.state));
    case "event":
      return new Events(compileExpression(rule.start), compileExpression(rule.end));
    case "count":
      return new Counts(rule.count, rule.every);
  }
}

class Sessions implements Bounds {
  constructor(private readonly gapMs: number) {}

  place(row: PlacedRow, partition: Partition): void {
    const { open } = partition;
    if (open.length > 0 && row.ms - open[0]!.endMs! > this.gapMs) open.length = 0;
    const window = open[0] ?? partition.begin(row);
    partition.add(window, row);
    window.endMs = row.ms;
  }
}

class States implements Bounds {
  constructor(private readonly stateOf: Evaluator) {}

  place(row: PlacedRow, partition: Partition): void {
    const { open } = partition;
    const state = this.stateOf(row.scope);
    if (open.length > 0 && !equalValues(open[0]!.state, state)) open.length = 0;
    if (isNullish(state)) return;
    const window = open[0] ?? partition.begin(row, state);
    partition.add(window, row);
    window.endMs = row.ms;
  }
}

class Events implements Bounds {
  constructor(private readonly starts: Evaluator, private readonly ends: Evaluator) {}

  place(row: PlacedRow, partition: Partition): void {
    const { open } = partition;
    if (open.length === 0) {
      if (!isTruthy(this.starts(row.scope))) return;
      partition.begin(row);
    }
    const window = open[0]!;
    partition.add(window, row);
    if (!isTruthy(this.ends(row.scope))) return;
    window.endMs = row.ms;
    open.length = 0;
  }
}

class Counts implements Bounds {
  constructor(private readonly count: number, private readonly every: number) {}

  place(row: PlacedRow, partition: Partition): void {
    const { open } = partition;
    if (open[0]?.rows === this.count) open.shift();
    if (partition.rows++ % this.every === 0) partition.begin(row);
    for (const window of open) {
      partition.add(window, row);
      window.endMs = row.ms;
    }
  }
}
