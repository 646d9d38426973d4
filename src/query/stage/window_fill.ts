/**
 * `fill` of `$timeWindow`: documents for the windows without rows, each partition for itself.
 *
 *     null       null
 *     previous   the value of the last window before that has one
 *     next       the value of the next window that has one
 *     linear     on the line between those two, at the windows' starts; null where one of them is missing
 *     {value}    a constant
 *
 * `bounds` says between which times windows are filled in: "full" from the first to the last window of all, "partition" from the first
 * to the last of each partition, `[from, to]` those that start from the window of `from` on and before `to`.
 */
import { CommandError, MAX_FILLED_WINDOWS } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  Document,
  isArray,
  isNullish,
  isNumber,
  UtcDate,
  type Value,
  valueKeys,
} from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { elementText } from "../element_text.ts";
import { asDouble } from "../expression/number.ts";
import { MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { WINDOW_MEMORY_MESSAGE } from "./time_window.ts";
import { type GridSpec, WindowGrid } from "./window_grid.ts";
import { type PlacedWindow, START_FIELD, windowId, windowOrder } from "./window_id.ts";

export type FillMethod =
  | { readonly kind: "previous" | "next" | "linear" }
  | { readonly kind: "value"; readonly value: Value };

export type FillBounds = "full" | "partition" | { readonly fromMs: number; readonly toMs: number };

export interface WindowFillStage {
  readonly kind: "windowFill";
  /** On which windows start: `every` where they overlap. */
  readonly grid: GridSpec;
  /** By output. */
  readonly methods: ReadonlyMap<string, FillMethod>;
  readonly bounds: FillBounds;
  /** Whether there is a window even where there is no row at all. */
  readonly isPartitioned: boolean;
  /** Which texts are one partition; undefined for those of the same bytes. */
  readonly collation?: Collation;
  /** As written, for `explain`. */
  readonly source: Document;
}

const NULL_METHOD: FillMethod = { kind: "value", value: null };

/**
 * Reads `fill`: one method for all outputs, or an object of methods by output, where the others become null.
 *
 * @throws CommandError FailedToParse
 */
export function parseFill(value: Value, outputs: readonly string[]): ReadonlyMap<string, FillMethod> {
  if (!(value instanceof Document) || isConstant(value)) {
    const method = parseMethod("fill", value);
    return new Map(outputs.map((name) => [name, method]));
  }
  const unknown = value.names().find((name) => !outputs.includes(name));
  if (unknown !== undefined) throw failure(`$timeWindow's 'fill' names '${unknown}', which is no output`);
  return new Map(outputs.map((name) => [
    name,
    value.has(name) ? parseMethod(`fill.${name}`, value.get(name)) : NULL_METHOD,
  ]));
}

/** `{value: …}`, which an output of that name is not: methods are texts, null, or an object. */
function isConstant(value: Document): boolean {
  return value.names().length === 1 && value.has("value");
}

function parseMethod(name: string, value: Value): FillMethod {
  if (value === null) return NULL_METHOD;
  if (value === "previous" || value === "next" || value === "linear") return { kind: value };
  if (value instanceof Document && isConstant(value)) return { kind: "value", value: value.get("value") };
  throw failure(
    `$timeWindow requires '${name}' to be null, "previous", "next", "linear" or {value: …}, found ` +
      elementText(name, value),
  );
}

/** Reads `bounds`. @throws CommandError FailedToParse */
export function parseBounds(value: Value): FillBounds {
  if (value === undefined || value === "full") return "full";
  if (value === "partition") return "partition";
  if (isArray(value) && value.length === 2) {
    const [from, to] = value;
    if (from instanceof UtcDate && to instanceof UtcDate && from.ms <= to.ms) {
      return { fromMs: from.ms, toMs: to.ms };
    }
  }
  throw failure(
    `$timeWindow requires 'bounds' to be "full", "partition" or two dates in order, found ` +
      elementText("bounds", value),
  );
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

/** A window that has rows. */
interface FullWindow extends PlacedWindow {
  readonly row: Document;
}

export async function* runWindowFill(stage: WindowFillStage, input: Rows, context: QueryContext): Rows {
  const meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE, context.memory);
  const partitions = new Map<unknown, FullWindow[]>();
  const keyOf = valueKeys(stage.collation);
  for await (const batch of input) {
    for (const row of batch) {
      meter.addRow(row);
      const window = fullWindow(row);
      const key = keyOf(window.partition);
      const others = partitions.get(key);
      if (others === undefined) partitions.set(key, [window]);
      else others.push(window);
    }
    await context.checkpoint();
  }
  yield* inBatches(new Filler(stage, [...partitions.values()], meter).rows(), context);
}

/** A window's start and partition, which its `_id` holds. */
function fullWindow(row: Document): FullWindow {
  const id = row.get("_id") as Document;
  const names = id.names();
  const start = id.get(START_FIELD) as UtcDate;
  if (names.length === 1) return { startMs: start.ms, partition: undefined, row };
  return { startMs: start.ms, partition: new BuiltDocument(names.slice(1), id.values().slice(1)), row };
}

class Filler {
  private readonly grid: WindowGrid;
  private readonly names: readonly string[];
  private filled = 0;

  constructor(
    private readonly stage: WindowFillStage,
    private readonly partitions: readonly (readonly FullWindow[])[],
    private readonly meter: MemoryMeter,
  ) {
    this.grid = new WindowGrid(stage.grid);
    this.names = [...stage.methods.keys()];
  }

  /** All windows, in order of time and partition. */
  rows(): readonly Document[] {
    const { isPartitioned, bounds } = this.stage;
    const partitions = this.partitions.length === 0 && !isPartitioned && typeof bounds !== "string"
      ? [[]]
      : this.partitions;
    const all = partitions.flatMap((windows) => this.fill(windows));
    return all.sort(windowOrder(this.stage.collation)).map((window) => window.row);
  }

  private fill(windows: readonly FullWindow[]): FullWindow[] {
    const { firstMs, endMs } = this.span(windows);
    const filled: FullWindow[] = [];
    let next = 0;
    for (let startMs = firstMs; startMs < endMs; startMs = this.grid.next(startMs)) {
      while (next < windows.length && windows[next]!.startMs < startMs) filled.push(windows[next++]!);
      if (windows[next]?.startMs === startMs) filled.push(windows[next++]!);
      else filled.push(this.windowBetween(windows, next, startMs));
    }
    return filled.concat(windows.slice(next));
  }

  /** Where windows are filled in: from the first to before the end. */
  private span(windows: readonly FullWindow[]): { firstMs: number; endMs: number } {
    const { bounds } = this.stage;
    if (typeof bounds !== "string") return { firstMs: this.grid.startOf(bounds.fromMs), endMs: bounds.toMs };
    const within = bounds === "full" ? this.partitions : [windows];
    return {
      firstMs: within.reduce((least, [first]) => Math.min(least, first!.startMs), Infinity),
      endMs: within.reduce((end, each) => Math.max(end, each.at(-1)!.startMs + 1), -Infinity),
    };
  }

  /** A window without rows, before the window `next` of its partition. */
  private windowBetween(windows: readonly FullWindow[], next: number, startMs: number): FullWindow {
    if (++this.filled > MAX_FILLED_WINDOWS) {
      throw new CommandError(
        "ExceededMemoryLimit",
        `$timeWindow's 'fill' makes more than ${MAX_FILLED_WINDOWS} windows: choose longer windows or narrower 'bounds'`,
      );
    }
    const partition = windows[0]?.partition;
    const values = this.names.map((name) =>
      valueOf(this.stage.methods.get(name)!, name, windows, next, startMs)
    );
    const id = windowId({ [START_FIELD]: new UtcDate(startMs) }, partition);
    const row = new BuiltDocument(["_id", ...this.names], [id, ...values]);
    this.meter.addRow(row);
    return { startMs, partition, row };
  }
}

function valueOf(
  method: FillMethod,
  name: string,
  windows: readonly FullWindow[],
  next: number,
  startMs: number,
): Value {
  switch (method.kind) {
    case "value":
      return method.value;
    case "previous":
      return neighbour(windows, name, next - 1, -1)?.row.get(name) ?? null;
    case "next":
      return neighbour(windows, name, next, 1)?.row.get(name) ?? null;
    case "linear":
      return between(
        neighbour(windows, name, next - 1, -1),
        neighbour(windows, name, next, 1),
        name,
        startMs,
      );
  }
}

/** The first window from `at` on, in a direction, that has a value of that name. */
function neighbour(
  windows: readonly FullWindow[],
  name: string,
  at: number,
  direction: 1 | -1,
): FullWindow | undefined {
  for (let i = at; i >= 0 && i < windows.length; i += direction) {
    if (!isNullish(windows[i]!.row.get(name))) return windows[i];
  }
  return undefined;
}

function between(
  before: FullWindow | undefined,
  after: FullWindow | undefined,
  name: string,
  startMs: number,
): Value {
  const from = before?.row.get(name);
  const to = after?.row.get(name);
  if (!isNumber(from) || !isNumber(to)) return null;
  const share = (startMs - before!.startMs) / (after!.startMs - before!.startMs);
  return asDouble(from) + (asDouble(to) - asDouble(from)) * share;
}
