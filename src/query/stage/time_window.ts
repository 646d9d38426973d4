/**
 * Windows of `$timeWindow` on a grid of time: rows grouped by the window that they fall into.
 *
 * A window starts where `$dateTrunc` with the same unit, binSize, timezone and startOfWeek puts it, moved by `offset`:
 * start(t) = trunc(t − offset) + offset. With `every`, windows start on the grid of that duration and overlap: rows are
 * gathered in panes whose length divides both durations, and each window is the panes in it, merged (J. Li et al., "No
 * pane, no gain", SIGMOD Record 2005). Each window that has rows gives one document, in order of time, then of the
 * partition in BSON order. Rows whose timestamp is missing or null are left out.
 */
import { CommandError, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import {
  type Collation,
  type Document,
  isNullish,
  UtcDate,
  type Value,
  type ValueKey,
  valueKeys,
} from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, Expression, Scope } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import { approximateBytes, detached, MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { GroupRuns } from "./group_runs.ts";
import { documentOfGroup, type Group, type Output, OutputFactory } from "./output.ts";
import { type Duration, type GridSpec, paneOf, WindowGrid } from "./window_grid.ts";
import { type PlacedWindow, placeOf, placeValue, START_FIELD, windowId, windowOrder } from "./window_id.ts";

export const WINDOW_MEMORY_MESSAGE =
  "Exceeded memory limit for $timeWindow, but didn't allow external spilling;" +
  " pass allowDiskUse:true to opt in";
/** What `$dateTrunc` gives for a date that is none. */
const NOT_A_DATE = 5439012;

export interface TimeWindowStage extends GridSpec {
  readonly kind: "timeWindow";
  readonly timestamp: Expression;
  /** How far apart windows start, where they overlap. */
  readonly every: Duration | undefined;
  readonly partitionBy: Expression | undefined;
  readonly outputs: readonly Output[];
  /** Which texts are one partition; undefined for those of the same bytes. */
  readonly collation?: Collation;
  /** As written, for `explain`. */
  readonly source: Document;
}

/** A row's time in milliseconds, undefined where it has none. @throws CommandError for a value that is no date */
export function timeOf(timestamp: Value): number | undefined {
  if (timestamp instanceof UtcDate) return timestamp.ms;
  if (isNullish(timestamp)) return undefined;
  throw new CommandError(
    NOT_A_DATE,
    `$timeWindow requires 'timestamp' to be a date, but got ${typeName(timestamp)}`,
  );
}

export function runTimeWindow(stage: TimeWindowStage, input: Rows, context: QueryContext): Rows {
  return windowRows(new WindowTable(stage, context), stage, input, context);
}

async function* windowRows(
  table: WindowTable,
  stage: TimeWindowStage,
  input: Rows,
  context: QueryContext,
): Rows {
  const variables = scopeVariables(context);
  for await (const batch of input) {
    for (const root of batch) {
      if (!table.add({ root, variables })) await table.putAside();
    }
    await context.checkpoint();
  }
  if (stage.every === undefined) yield* table.rows();
  else yield* overlappingRows(table.panes(), stage, stage.every, context);
}

/** Rows of a stretch of time that all are in the same windows. */
export interface Pane extends PlacedWindow {
  /** What they make of each output. */
  readonly partials: readonly Value[];
}

/** The grid of the panes of windows that overlap; of those that do not, their own. @throws CommandError as `paneOf` */
export function gridOfPanes(stage: TimeWindowStage): GridSpec {
  if (stage.every === undefined) return stage;
  return { ...stage, window: paneOf(stage.window, stage.every, stage.timezone) };
}

interface Window extends Group, PlacedWindow {
  readonly id: Document;
}

/** All windows of one run; panes, where windows overlap. */
class WindowTable {
  private readonly grid: WindowGrid;
  private readonly timestamp: Evaluator;
  private readonly partitionBy: Evaluator | undefined;
  private readonly factory: OutputFactory;
  private readonly meter: MemoryMeter;
  private readonly runs: GroupRuns<Window> | undefined;
  private readonly keyOf: (partition: Value) => ValueKey;
  private readonly order: ReturnType<typeof windowOrder>;
  private windows: Window[] = [];
  private readonly byStart = new Map<number, Map<ValueKey, Window>>();

  constructor(stage: TimeWindowStage, private readonly context: QueryContext) {
    this.grid = new WindowGrid(gridOfPanes(stage));
    this.timestamp = compileExpression(stage.timestamp);
    this.partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
    this.factory = new OutputFactory(stage.outputs);
    this.meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE, context.memory);
    this.keyOf = valueKeys(stage.collation);
    const order = this.order = windowOrder(stage.collation);
    this.runs = context.memory && new GroupRuns<Window>(context.memory, this.factory, {
      keyOf: placeValue,
      compare: (a, b) => order(placeOf(a), placeOf(b)),
    });
  }

  /** @returns whether all fits in memory; else it is to be put aside */
  add(scope: Scope): boolean {
    const ms = timeOf(this.timestamp(scope));
    if (ms === undefined) return true;
    const partition = this.partitionBy === undefined ? undefined : this.partitionBy(scope) ?? null;
    return this.meter.tryAdd(this.windowAt(this.grid.startOf(ms), partition).state.add(scope));
  }

  private windowAt(startMs: number, partition: Value): Window {
    const key = this.keyOf(partition);
    let partitions = this.byStart.get(startMs);
    if (partitions === undefined) this.byStart.set(startMs, partitions = new Map());
    const known = partitions.get(key);
    if (known !== undefined) return known;
    const id = windowId({ [START_FIELD]: new UtcDate(startMs) }, partition);
    const window: Window = { startMs, partition: detached(partition), id, state: this.factory.create(id) };
    this.meter.tryAdd(approximateBytes(id) + this.factory.stateBytes);
    partitions.set(key, window);
    this.windows.push(window);
    return window;
  }

  /** @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292), OutOfDiskSpace */
  async putAside(): Promise<void> {
    if (this.runs === undefined || !this.meter.maySpill) throw this.meter.exceeded();
    await this.runs.add(this.windows, this.context);
    this.windows = [];
    this.byStart.clear();
    this.meter.reset();
  }

  /** In order of time and partition. */
  private sorted(): readonly Window[] {
    return this.windows.sort(this.order);
  }

  /** What it holds as panes, in order of time and partition. */
  async *panes(): AsyncGenerator<Pane> {
    if (this.runs === undefined || this.runs.isEmpty) {
      for (const { startMs, partition, state } of this.sorted()) {
        yield { startMs, partition, partials: state.partials() };
      }
      return;
    }
    for await (const batch of this.runs.merged(this.windows, this.context)) {
      for (const { key, state } of batch) yield { ...placeOf(key), partials: state.partials() };
    }
  }

  /** The windows as documents, in order of time and partition. */
  rows(): Rows {
    return this.runs === undefined || this.runs.isEmpty
      ? inBatches(this.sorted().map(documentOfGroup), this.context)
      : this.runs.documents(this.windows, this.context);
  }
}

/** The windows that overlap, as documents. @param panes in order of time and partition */
export async function* overlappingRows(
  panes: AsyncIterable<Pane> | Iterable<Pane>,
  stage: TimeWindowStage,
  every: Duration,
  context: QueryContext,
): Rows {
  const windows = new OpenWindows(stage, every, context);
  let timeMs = -Infinity;
  let count = 0;
  for await (const pane of panes) {
    if (pane.startMs > timeMs) {
      yield* inBatches(windows.endedAt(timeMs = pane.startMs), context);
    }
    windows.add(pane);
    if (++count % PIPELINE_BATCH_ROWS === 0) await context.checkpoint();
  }
  yield* inBatches(windows.endedAt(Infinity), context);
}

/** Windows that overlap and may get more panes. */
class OpenWindows {
  private readonly starts: WindowGrid;
  private readonly factory: OutputFactory;
  private readonly meter: MemoryMeter;
  private readonly keyOf: (partition: Value) => ValueKey;
  private readonly order: ReturnType<typeof windowOrder>;
  private readonly byStart = new Map<number, Map<ValueKey, Window>>();

  constructor(private readonly stage: TimeWindowStage, every: Duration, context: QueryContext) {
    this.starts = new WindowGrid({ ...stage, window: every });
    this.factory = new OutputFactory(stage.outputs);
    this.meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE, context.memory);
    this.keyOf = valueKeys(stage.collation);
    this.order = windowOrder(stage.collation);
  }

  /** Adds a pane to its windows. Those of a partition come in order of time, so what a window takes follows what it has. */
  add(pane: Pane): void {
    const { starts } = this;
    for (
      let startMs = starts.startOf(pane.startMs);
      this.endOf(startMs) > pane.startMs;
      startMs = starts.startOf(startMs - 1)
    ) {
      this.windowAt(startMs, pane.partition).state.mergePartials(pane.partials);
    }
  }

  /** The windows that have ended, in order of time and partition; they are open no more. */
  endedAt(ms: number): readonly Document[] {
    const ended = [...this.byStart.keys()].filter((startMs) => this.endOf(startMs) <= ms);
    const windows = ended.flatMap((startMs) => [...this.byStart.get(startMs)!.values()]);
    for (const startMs of ended) this.byStart.delete(startMs);
    this.meter.release(windows.reduce((sum, window) => sum + this.bytesOf(window), 0));
    return windows.sort(this.order).map(documentOfGroup);
  }

  private endOf(startMs: number): number {
    return this.starts.after(startMs, this.stage.window);
  }

  private bytesOf({ id }: Window): number {
    return approximateBytes(id) + this.factory.stateBytes;
  }

  private windowAt(startMs: number, partition: Value): Window {
    const key = this.keyOf(partition);
    let partitions = this.byStart.get(startMs);
    if (partitions === undefined) this.byStart.set(startMs, partitions = new Map());
    const known = partitions.get(key);
    if (known !== undefined) return known;
    const id = windowId({ [START_FIELD]: new UtcDate(startMs) }, partition);
    const window: Window = { startMs, partition, id, state: this.factory.create(id) };
    this.meter.add(this.bytesOf(window));
    partitions.set(key, window);
    return window;
  }
}
