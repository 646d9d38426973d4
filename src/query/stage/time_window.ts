/**
 * Windows of `$timeWindow` on a grid of time: rows grouped by the window that they fall into.
 *
 * A window starts where `$dateTrunc` with the same unit, binSize, timezone and startOfWeek puts it, moved by `offset`:
 * start(t) = trunc(t − offset) + offset. With `every`, windows start on the grid of that duration and overlap: rows are
 * gathered in panes whose length divides both durations, and each window is the panes in it, merged (J. Li et al., "No
 * pane, no gain", SIGMOD Record 2005). Each window that has rows gives one document, in order of time, then of the
 * partition in BSON order. Rows whose timestamp is missing or null are left out.
 */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
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
import { approximateBytes, MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { type Output, OutputFactory, type OutputState } from "./output.ts";
import { type Duration, type GridSpec, paneOf, WindowGrid } from "./window_grid.ts";
import { type PlacedWindow, START_FIELD, windowId, windowOrder } from "./window_id.ts";

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
  const table = new WindowTable(stage, undefined, new MemoryMeter(WINDOW_MEMORY_MESSAGE, context.memory));
  return windowRows(table, stage, input, context);
}

async function* windowRows(
  table: WindowTable,
  stage: TimeWindowStage,
  input: Rows,
  context: QueryContext,
): Rows {
  const variables = scopeVariables(context);
  for await (const batch of input) {
    for (const root of batch) table.add({ root, variables });
    await context.checkpoint();
  }
  const windows = stage.every === undefined
    ? table
    : await slidingWindows(table.panes(), table.emptied(stage), stage, stage.every, context);
  yield* inBatches(windows.rows(), context);
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

/** The windows that overlap, as documents. @param panes in order of time and partition */
export async function* rowsOfPanes(
  panes: Iterable<Pane>,
  stage: TimeWindowStage,
  every: Duration,
  context: QueryContext,
): Rows {
  const meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE, context.memory);
  const windows = new WindowTable(stage, undefined, meter);
  yield* inBatches((await slidingWindows(panes, windows, stage, every, context)).rows(), context);
}

interface Window {
  readonly startMs: number;
  readonly partition: Value;
  readonly id: Document;
  readonly state: OutputState;
}

/** All windows of one run; panes, where windows overlap. */
class WindowTable {
  private readonly grid: WindowGrid;
  private readonly timestamp: Evaluator;
  private readonly partitionBy: Evaluator | undefined;
  private readonly windows: Window[] = [];
  private readonly keyOf: (partition: Value) => ValueKey;
  private readonly order: ReturnType<typeof windowOrder>;
  private readonly byStart = new Map<number, Map<ValueKey, Window>>();

  constructor(
    stage: TimeWindowStage,
    private readonly factory = new OutputFactory(stage.outputs),
    private readonly meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE),
  ) {
    this.grid = new WindowGrid(gridOfPanes(stage));
    this.timestamp = compileExpression(stage.timestamp);
    this.partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
    this.keyOf = valueKeys(stage.collation);
    this.order = windowOrder(stage.collation);
  }

  /** An empty one that shares the memory counted. */
  emptied(stage: TimeWindowStage): WindowTable {
    return new WindowTable(stage, this.factory, this.meter);
  }

  add(scope: Scope): void {
    const ms = timeOf(this.timestamp(scope));
    if (ms === undefined) return;
    const partition = this.partitionBy === undefined ? undefined : this.partitionBy(scope) ?? null;
    this.meter.add(this.windowAt(this.grid.startOf(ms), partition).state.add(scope));
  }

  windowAt(startMs: number, partition: Value): Window {
    const key = this.keyOf(partition);
    let partitions = this.byStart.get(startMs);
    if (partitions === undefined) this.byStart.set(startMs, partitions = new Map());
    const known = partitions.get(key);
    if (known !== undefined) return known;
    const id = windowId({ [START_FIELD]: new UtcDate(startMs) }, partition);
    const window: Window = { startMs, partition, id, state: this.factory.create(id) };
    this.meter.add(approximateBytes(id) + this.factory.stateBytes);
    partitions.set(key, window);
    this.windows.push(window);
    return window;
  }

  /** In order of time and partition. */
  private sorted(): readonly Window[] {
    return this.windows.sort(this.order);
  }

  /** What it holds as panes, in order of time and partition. */
  *panes(): Generator<Pane> {
    for (const { startMs, partition, state } of this.sorted()) {
      yield { startMs, partition, partials: state.partials() };
    }
  }

  /** The windows as documents, in order of time and partition. */
  rows(): readonly Document[] {
    return this.sorted().map(({ id, state }) => windowRow(id, state));
  }
}

/** The document of a window. */
export function windowRow(id: Document, state: OutputState): Document {
  const names = ["_id"];
  const values: Value[] = [id];
  state.appendTo(names, values);
  return new BuiltDocument(names, values);
}

/** Fills the windows that overlap from the panes that do not. */
async function slidingWindows(
  panes: Iterable<Pane>,
  windows: WindowTable,
  stage: TimeWindowStage,
  every: Duration,
  context: QueryContext,
): Promise<WindowTable> {
  const starts = new WindowGrid({ ...stage, window: every });
  // Panes of a partition come in order of time, so what a window takes follows what it has.
  for (const pane of panes) {
    for (
      let startMs = starts.startOf(pane.startMs);
      starts.after(startMs, stage.window) > pane.startMs;
      startMs = starts.startOf(startMs - 1)
    ) {
      windows.windowAt(startMs, pane.partition).state.mergePartials(pane.partials);
    }
    await context.checkpoint();
  }
  return windows;
}
