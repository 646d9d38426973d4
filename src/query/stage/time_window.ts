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
import { type Document, isNullish, UtcDate, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, Expression, Scope } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { type Duration, type GridSpec, paneOf, WindowGrid } from "./window_grid.ts";
import { type Pane, type WindowSpec, WindowTable } from "./window_table.ts";

/** What `$dateTrunc` gives for a date that is none. */
const NOT_A_DATE = 5439012;

export interface TimeWindowStage extends GridSpec, WindowSpec {
  readonly kind: "timeWindow";
  readonly timestamp: Expression;
  /** How far apart windows start, where they overlap. */
  readonly every: Duration | undefined;
  readonly partitionBy: Expression | undefined;
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
  return windowRows(new WindowsOfRows(stage, context), stage, input, context);
}

async function* windowRows(
  windows: WindowsOfRows,
  stage: TimeWindowStage,
  input: Rows,
  context: QueryContext,
): Rows {
  const variables = scopeVariables(context);
  for await (const batch of input) {
    for (const root of batch) {
      if (!windows.add({ root, variables })) await windows.table.putAside();
    }
    await context.checkpoint();
  }
  if (stage.every === undefined) yield* windows.table.rows();
  else yield* overlappingRows(windows.table.panes(), stage, stage.every, context);
}

/** The grid of the panes of windows that overlap; of those that do not, their own. @throws CommandError as `paneOf` */
export function gridOfPanes(stage: TimeWindowStage): GridSpec {
  if (stage.every === undefined) return stage;
  return { ...stage, window: paneOf(stage.window, stage.every, stage.timezone) };
}

/** Puts rows into the windows of a grid. */
class WindowsOfRows {
  readonly table: WindowTable;
  private readonly grid: WindowGrid;
  private readonly timestamp: Evaluator;
  private readonly partitionBy: Evaluator | undefined;

  constructor(stage: TimeWindowStage, context: QueryContext) {
    this.table = new WindowTable(stage, context);
    this.grid = new WindowGrid(gridOfPanes(stage));
    this.timestamp = compileExpression(stage.timestamp);
    this.partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
  }

  /** @returns whether all fits in memory; else it is to be put aside */
  add(scope: Scope): boolean {
    const ms = timeOf(this.timestamp(scope));
    if (ms === undefined) return true;
    const partition = this.partitionBy === undefined ? undefined : this.partitionBy(scope) ?? null;
    return this.table.count(this.table.at(this.grid.startOf(ms), partition).state.add(scope));
  }
}

/** The windows that overlap, as documents. @param panes in order of time and partition */
export async function* overlappingRows(
  panes: AsyncIterable<Pane> | Iterable<Pane>,
  stage: TimeWindowStage,
  every: Duration,
  context: QueryContext,
): Rows {
  const windows = new OverlappingWindows(stage, every, context);
  const { table } = windows;
  let timeMs = -Infinity;
  let count = 0;
  for await (const pane of panes) {
    if (pane.startMs > timeMs && !table.isAside) {
      timeMs = pane.startMs;
      yield* inBatches(table.takeEnded((startMs) => windows.endOf(startMs) <= timeMs), context);
    }
    if (!windows.add(pane)) await table.putAside();
    if (++count % PIPELINE_BATCH_ROWS === 0) await context.checkpoint();
  }
  yield* table.rows();
}

/** Puts panes into the windows that overlap. */
class OverlappingWindows {
  readonly table: WindowTable;
  private readonly starts: WindowGrid;

  constructor(private readonly stage: TimeWindowStage, every: Duration, context: QueryContext) {
    this.table = new WindowTable(stage, context);
    this.starts = new WindowGrid({ ...stage, window: every });
  }

  /**
   * Adds a pane to its windows. Those of a partition come in order of time, so what a window takes follows what it has.
   *
   * @returns whether all fits in memory; else it is to be put aside
   */
  add(pane: Pane): boolean {
    const { starts, table } = this;
    let fits = true;
    for (
      let startMs = starts.startOf(pane.startMs);
      this.endOf(startMs) > pane.startMs;
      startMs = starts.startOf(startMs - 1)
    ) {
      fits = table.count(table.at(startMs, pane.partition).state.mergePartials(pane.partials));
    }
    return fits;
  }

  endOf(startMs: number): number {
    return this.starts.after(startMs, this.stage.window);
  }
}
