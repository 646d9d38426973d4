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
import { assert, CommandError, MADE_BATCH_ROWS } from "../../base/mod.ts";
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
import { collationOf, type Evaluator, type Expression, type Scope } from "../expression/expression.ts";
import { approximateBytes, detached, MemoryMeter } from "../memory.ts";
import { RowBuffer } from "../row_buffer.ts";
import { inBatches, mapBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { ValueMap } from "../value_map.ts";
import { GroupRuns } from "./group_runs.ts";
import { documentOfGroup, type Group, type Output, OutputFactory, type OutputState } from "./output.ts";
import { sortedRows, type Sorting } from "./sort.ts";
import { timeOf } from "./time_window.ts";
import {
  END_FIELD,
  placeOf,
  placeValue,
  START_FIELD,
  STATE_FIELD,
  windowId,
  windowOrder,
} from "./window_id.ts";
import { WINDOW_MEMORY_MESSAGE } from "./window_table.ts";

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

/** Windows in order of time and partition: a sort takes them as they end. */
export function runRowWindow(stage: RowWindowStage, input: Rows, context: QueryContext): Rows {
  const part = { descending: false };
  const sorting: Sorting = {
    readKey: (row) => [row.get("start"), row.get("partition"), row.get("number")],
    parts: [part, { ...part, ...collationOf(stage) }, part],
    limit: Infinity,
    fields: undefined,
    memoryMessage: WINDOW_MEMORY_MESSAGE,
  };
  const windows = sortedRows(sorting, endedWindows(stage, input, context), context);
  return mapBatches(windows, context, (batch) => batch.map((row) => row.get("window") as Document));
}

/** A window that has ended, as the sort takes it. @param number how many began before it */
function endedWindow(
  window: Document,
  startMs: number,
  partition: Value,
  number: number,
): Document {
  return new BuiltDocument(ENDED_NAMES, [new UtcDate(startMs), partition ?? null, number, window]);
}

const ENDED_NAMES = ["start", "partition", "number", "window"];

async function* endedWindows(stage: RowWindowStage, input: Rows, context: QueryContext): Rows {
  const list = new WindowList(stage, context);
  const variables = scopeVariables(context);
  for (let rows: Rows | undefined = input; rows !== undefined; rows = await list.nextPass()) {
    for await (const batch of rows) {
      for (const root of batch) {
        if (!list.add({ root, variables })) await list.putAside();
        if (list.endedCount >= MADE_BATCH_ROWS) yield list.takeEnded();
      }
      await context.checkpoint();
    }
  }
  yield list.takeEnded();
  yield* list.rest();
}

/** A window that may get more rows. */
class OpenWindow {
  endMs: number | undefined;
  rows = 0;
  /** What its rows make of each output, those that were put aside left out; undefined where that are all. */
  outputs: OutputState | undefined;
  /** Whether any of its rows were put aside. */
  isAside = false;
  /** Counted for `outputs`. */
  bytes = 0;

  constructor(
    readonly startMs: number,
    readonly partition: Value,
    /** The state that its rows have, where that is the rule. */
    readonly state: Value,
    /** How many began before it. */
    readonly number: number,
    /** Counted for all but `outputs`. */
    readonly ownBytes: number,
  ) {}

  id(): Document {
    const end = this.endMs === undefined ? null : new UtcDate(this.endMs);
    const own = { [START_FIELD]: new UtcDate(this.startMs), [END_FIELD]: end };
    return windowId(
      this.state === undefined ? own : { ...own, [STATE_FIELD]: this.state },
      this.partition,
    );
  }
}

/** What is put aside of a window. */
interface WindowPart extends Group {
  readonly window: OpenWindow;
}

function partOf(window: OpenWindow): WindowPart {
  assert(window.outputs !== undefined, "a window that is told has rows");
  return { window, id: window.id(), state: window.outputs };
}

/** Where windows begin and end. */
interface Bounds {
  /** Windows of one partition that may be open at once. */
  readonly mostOpen: number;
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

  /** Ends the window that is open for the longest time. */
  endFirst(): void {
    const window = this.open.shift();
    if (window !== undefined) this.list.end(window);
  }

  /** A window that is open and gets the row. */
  add(window: OpenWindow, row: PlacedRow): void {
    this.list.addTo(window, row.scope);
    window.rows++;
  }
}

/** An open window and a partition without what they hold, about. */
const WINDOW_BYTES = 160;
const PARTITION_BYTES = 160;

/**
 * The windows of one run that have not ended, and those that ended of which something was put aside. Where memory is short,
 * what windows hold of their rows is put aside, also while they are open; where even what is left of the open ones takes
 * much, rows of partitions not met so far wait on disk for another pass.
 */
class WindowList {
  private readonly factory: OutputFactory;
  private readonly timestamp: Evaluator;
  private readonly partitionBy: Evaluator | undefined;
  private readonly bounds: Bounds;
  private readonly meter: MemoryMeter;
  private readonly runs: GroupRuns<WindowPart> | undefined;
  private readonly order: ReturnType<typeof windowOrder>;
  private partitions: ValueMap<Partition>;
  private all: Partition[] = [];
  private windows = new Set<OpenWindow>();
  private ended: Document[] = [];
  private begun = 0;
  private fits = true;
  private takesPartitions = true;
  /** Rows that wait. */
  private later: RowBuffer | undefined;

  constructor(private readonly stage: RowWindowStage, private readonly context: QueryContext) {
    const { memory } = context;
    this.meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE, memory);
    this.factory = new OutputFactory(stage.outputs);
    this.timestamp = compileExpression(stage.timestamp);
    this.partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
    this.bounds = boundsOf(stage.rule);
    this.partitions = new ValueMap(stage.collation);
    this.order = windowOrder(stage.collation);
    this.runs = memory && new GroupRuns<WindowPart>(memory, this.factory, {
      keyOf: ({ window }) => [placeValue(window), window.number],
      compare: byPlace(this.order),
      takesLastId: true,
    });
  }

  /** @returns whether all fits in memory; else what can be is to be put aside */
  add(scope: Scope): boolean {
    const ms = timeOf(this.timestamp(scope));
    if (ms === undefined) return true;
    const partition = this.partitionOf(scope);
    if (partition === undefined) this.putOff(scope.root);
    else this.bounds.place({ scope, ms }, partition);
    return this.fits;
  }

  /** @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292), ExceededMemoryLimit (146), OutOfDiskSpace */
  async putAside(): Promise<void> {
    if (this.runs === undefined || !this.meter.maySpill) throw this.meter.exceeded();
    const open = new Set(this.all.flatMap((partition) => partition.open));
    await this.putPartsAside(this.runs);
    for (const window of this.windows) {
      if (!open.has(window)) this.meter.release(window.ownBytes);
    }
    this.windows = open;
    this.fits = this.meter.tryAdd(0);
    if (!this.fits) throw tooManyOpen(open.size);
    this.takesPartitions &&= this.meter.isHalfEmpty();
  }

  /** Ends all windows. @returns the rows that waited, of other partitions; undefined where there are none */
  async nextPass(): Promise<Rows | undefined> {
    const { later, runs } = this;
    if (later === undefined || runs === undefined) return undefined;
    await this.putPartsAside(runs);
    this.windows.clear();
    this.all = [];
    this.partitions = new ValueMap(this.stage.collation);
    this.meter.reset();
    this.takesPartitions = true;
    this.later = undefined;
    return readOnce(later);
  }

  begin(startMs: number, partition: Value, state: Value): OpenWindow {
    const ownBytes = WINDOW_BYTES + (state === undefined ? 0 : approximateBytes(state));
    const window = new OpenWindow(startMs, partition, state, this.begun++, ownBytes);
    this.count(ownBytes);
    this.windows.add(window);
    return window;
  }

  /** A window gets no more rows. */
  end(window: OpenWindow): void {
    if (window.isAside) return;
    this.windows.delete(window);
    this.ended.push(this.rowOf(window));
    this.meter.release(window.ownBytes + window.bytes);
  }

  get endedCount(): number {
    return this.ended.length;
  }

  /** Windows that have ended since the last time, all of whose rows were in memory. */
  takeEnded(): readonly Document[] {
    const { ended } = this;
    this.ended = [];
    return ended;
  }

  addTo(window: OpenWindow, scope: Scope): void {
    let bytes = 0;
    if (window.outputs === undefined) {
      window.outputs = this.factory.create(null);
      bytes = this.factory.stateBytes;
    }
    bytes += window.outputs.add(scope);
    window.bytes += bytes;
    this.count(bytes);
  }

  /** All other windows: no more rows come. */
  async *rest(): Rows {
    const { context, runs } = this;
    if (runs === undefined || runs.isEmpty) {
      const windows = [...this.windows].map((window) => this.rowOf(window));
      return yield* inBatches(windows, context);
    }
    for await (const batch of runs.merged(this.parts(), context)) {
      yield batch.map((group) => {
        const [place, number] = group.key as readonly Value[];
        const { startMs, partition } = placeOf(place);
        return endedWindow(documentOfGroup(group), startMs, partition, Number(number));
      });
    }
  }

  private rowOf(window: OpenWindow): Document {
    const { startMs, partition, number } = window;
    return endedWindow(documentOfGroup(partOf(window)), startMs, partition, number);
  }

  private count(bytes: number): void {
    if (!this.meter.tryAdd(bytes)) this.fits = false;
  }

  private parts(): readonly WindowPart[] {
    return [...this.windows].filter((window) => window.outputs !== undefined).map(partOf);
  }

  private async putPartsAside(runs: GroupRuns<WindowPart>): Promise<void> {
    const parts = this.parts();
    await runs.add(parts, this.context);
    for (const { window } of parts) {
      this.meter.release(window.bytes);
      window.outputs = undefined;
      window.isAside = true;
      window.bytes = 0;
    }
  }

  /** Undefined for one that is another pass's. */
  private partitionOf(scope: Scope): Partition | undefined {
    const value = this.partitionBy === undefined ? undefined : this.partitionBy(scope) ?? null;
    const known = this.partitions.get(value);
    if (known !== undefined) return known;
    if (!this.takesPartitions || this.all.length >= this.mostPartitions()) return undefined;
    const partition = new Partition(detached(value), this);
    this.count(PARTITION_BYTES + approximateBytes(value));
    this.partitions.set(value, partition);
    this.all.push(partition);
    return partition;
  }

  /** In one pass: so many that their open windows leave half of the memory free. */
  private mostPartitions(): number {
    const { memory } = this.context;
    if (!memory?.mayUseDisk) return Infinity;
    const bytes = PARTITION_BYTES + this.bounds.mostOpen * WINDOW_BYTES;
    return Math.max(1, memory.stageBytes / 2 / bytes);
  }

  private putOff(row: Document): void {
    this.later ??= new RowBuffer(WINDOW_MEMORY_MESSAGE, this.context);
    this.later.add(row);
  }
}

async function* readOnce(rows: RowBuffer): Rows {
  yield* rows.read();
  rows.free();
}

function tooManyOpen(count: number): CommandError {
  return new CommandError(
    "ExceededMemoryLimit",
    `$timeWindow has ${count} windows open at once, which take too much memory: choose a larger 'every'`,
  );
}

/** The order of windows that were put aside: those of one place in the order in which they began. */
function byPlace(order: ReturnType<typeof windowOrder>): (a: Value, b: Value) => number {
  return (a, b) => {
    const [place, number] = a as readonly Value[];
    const [otherPlace, otherNumber] = b as readonly Value[];
    return order(placeOf(place), placeOf(otherPlace)) || Number(number) - Number(otherNumber);
  };
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
  readonly mostOpen = 1;

  constructor(private readonly gapMs: number) {}

  place(row: PlacedRow, partition: Partition): void {
    const { open } = partition;
    if (open.length > 0 && row.ms - open[0]!.endMs! > this.gapMs) partition.endFirst();
    const window = open[0] ?? partition.begin(row);
    partition.add(window, row);
    window.endMs = row.ms;
  }
}

class States implements Bounds {
  readonly mostOpen = 1;

  constructor(private readonly stateOf: Evaluator) {}

  place(row: PlacedRow, partition: Partition): void {
    const { open } = partition;
    const state = this.stateOf(row.scope);
    if (open.length > 0 && !equalValues(open[0]!.state, state)) partition.endFirst();
    if (isNullish(state)) return;
    const window = open[0] ?? partition.begin(row, detached(state));
    partition.add(window, row);
    window.endMs = row.ms;
  }
}

class Events implements Bounds {
  readonly mostOpen = 1;

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
    partition.endFirst();
  }
}

class Counts implements Bounds {
  readonly mostOpen: number;

  constructor(private readonly count: number, private readonly every: number) {
    this.mostOpen = Math.ceil(count / every);
  }

  place(row: PlacedRow, partition: Partition): void {
    const { open } = partition;
    if (open[0]?.rows === this.count) partition.endFirst();
    if (partition.rows++ % this.every === 0) partition.begin(row);
    for (const window of open) {
      partition.add(window, row);
      window.endMs = row.ms;
    }
  }
}
