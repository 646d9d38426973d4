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
import { CommandError, MADE_BATCH_ROWS, MAX_FILLED_WINDOWS } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  Document,
  isArray,
  isNullish,
  isNumber,
  UtcDate,
  type Value,
  valueOrder,
} from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { elementText } from "../element_text.ts";
import { collationOf } from "../expression/expression.ts";
import { asDouble } from "../expression/number.ts";
import { MemoryMeter } from "../memory.ts";
import { inBatches, mapBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { sortedRows, type Sorting } from "./sort.ts";
import { type GridSpec, WindowGrid } from "./window_grid.ts";
import { type PlacedWindow, START_FIELD } from "./window_id.ts";
import { WindowPartitions } from "./window_partitions.ts";
import { WINDOW_MEMORY_MESSAGE } from "./window_table.ts";

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

/** Partition by partition, each in order of time; then all by time again: both sorts put aside what does not fit in memory. */
export function runWindowFill(stage: WindowFillStage, input: Rows, context: QueryContext): Rows {
  const sorting: Sorting = {
    // Partitions come in their order, and rows of equal keys stay as they came.
    readKey: (row) => [startOf(row)],
    parts: [{ descending: false }],
    limit: Infinity,
    fields: undefined,
    memoryMessage: WINDOW_MEMORY_MESSAGE,
  };
  return sortedRows(sorting, filledRows(stage, input, context), context);
}

async function* filledRows(stage: WindowFillStage, input: Rows, context: QueryContext): Rows {
  const filler = new Filler(stage, new MemoryMeter(WINDOW_MEMORY_MESSAGE, context.memory));
  let batch: Document[] = [];
  for await (const rows of stage.isPartitioned ? byPartition(stage, filler, input, context) : input) {
    for (const row of rows) {
      for (const filled of filler.add(row)) {
        batch.push(filled);
        if (batch.length < MADE_BATCH_ROWS) continue;
        yield batch;
        batch = [];
        await context.checkpoint();
      }
    }
  }
  yield batch;
  yield* inBatches([...filler.end()], context);
}

/** The windows of partition after partition; before the first of them the filler has seen the times of all. */
function byPartition(stage: WindowFillStage, filler: Filler, input: Rows, context: QueryContext): Rows {
  const sorting: Sorting = {
    readKey: (row) => [filler.partitionOf(row)],
    parts: [{ descending: false, ...collationOf(stage) }],
    limit: Infinity,
    fields: undefined,
    memoryMessage: WINDOW_MEMORY_MESSAGE,
  };
  const seen = mapBatches(input, context, (batch) => {
    for (const row of batch) filler.see(startOf(row).ms);
    return batch;
  });
  return sortedRows(sorting, seen, context);
}

/** A window's start, which its `_id` holds. */
function startOf(row: Document): UtcDate {
  return (row.get("_id") as Document).get(START_FIELD) as UtcDate;
}

/** Windows without rows that follow each other. */
interface Gap {
  readonly starts: readonly number[];
  /** By output: the last value before, and the next one behind. */
  readonly before: readonly (Known | undefined)[];
  readonly after: (Known | undefined)[];
  /** How many outputs wait for the next value. */
  missing: number;
  readonly bytes: number;
}

/** A value of an output, and when. */
interface Known {
  readonly startMs: number;
  readonly value: Value;
}

/** Makes the windows without rows of one partition after another; a value that comes later is waited for. */
class Filler {
  private readonly grid: WindowGrid;
  private readonly names: readonly string[];
  /** Of all fields of a window that is made. */
  private readonly fieldNames: readonly string[];
  private readonly partitions = new WindowPartitions();
  private readonly methods: readonly FillMethod[];
  private readonly compare: (a: Value, b: Value) => number;
  private filled = 0;
  /** Of all windows. */
  private leastMs = Infinity;
  private greatestMs = -Infinity;
  private hasBegun = false;
  private partition: Value;
  /** The next place on the grid, and up to where windows are filled in. */
  private nextMs = 0;
  private endMs = 0;
  /** By output: the last value so far, and who waits for the next. */
  private before: (Known | undefined)[] = [];
  private waiting: Gap[][] = [];

  constructor(private readonly stage: WindowFillStage, private readonly meter: MemoryMeter) {
    this.grid = new WindowGrid(stage.grid);
    this.names = [...stage.methods.keys()];
    this.fieldNames = ["_id", ...this.names];
    this.methods = [...stage.methods.values()];
    this.compare = valueOrder(stage.collation);
  }

  see(startMs: number): void {
    this.leastMs = Math.min(this.leastMs, startMs);
    this.greatestMs = Math.max(this.greatestMs, startMs);
  }

  /** The partition of a window that has rows. */
  partitionOf(row: Document): Value {
    return this.partitions.of(row.get("_id") as Document);
  }

  /**
   * The next window that has rows: of the same partition in order of time, or another partition's first. Gives windows
   * that are done.
   */
  *add(row: Document): Iterable<Document> {
    const partition = this.partitionOf(row);
    const startMs = startOf(row).ms;
    if (this.hasBegun && partition !== this.partition && this.compare(this.partition, partition) !== 0) {
      yield* this.endPartition();
    }
    if (!this.hasBegun) this.begin({ startMs, partition });
    if (!this.hasFixedEnd) this.endMs = startMs + 1;
    yield* this.fillUntil(Math.min(startMs, this.endMs));
    if (this.nextMs === startMs && startMs < this.endMs) this.nextMs = this.grid.next(startMs);
    for (const [i, name] of this.names.entries()) {
      const value = row.get(name);
      if (isNullish(value)) continue;
      yield* this.resolve(i, { startMs, value });
      this.before[i] = { startMs, value };
    }
    yield row;
  }

  /** No window follows. Gives those that are done then; where no partition is known, there is one all the same. */
  *end(): Iterable<Document> {
    if (!this.hasBegun && !this.stage.isPartitioned) this.begin(undefined);
    yield* this.endPartition();
  }

  /** @param first its first window; undefined for a partition that has none */
  private begin(first: PlacedWindow | undefined): void {
    const { bounds } = this.stage;
    this.hasBegun = true;
    this.partition = first?.partition;
    this.before = this.names.map(() => undefined);
    this.waiting = this.names.map(() => []);
    if (typeof bounds !== "string") {
      this.nextMs = this.grid.startOf(bounds.fromMs);
      this.endMs = bounds.toMs;
    } else if (this.hasFixedEnd) {
      this.nextMs = this.leastMs;
      this.endMs = this.greatestMs + 1;
    } else {
      this.nextMs = this.endMs = first?.startMs ?? 0;
    }
  }

  private *endPartition(): Iterable<Document> {
    if (!this.hasBegun) return;
    yield* this.fillUntil(this.endMs);
    for (const i of this.names.keys()) yield* this.resolve(i, undefined);
    this.hasBegun = false;
  }

  /** Whether the bounds say up to where windows are filled in, not the partition's last window. */
  private get hasFixedEnd(): boolean {
    const { bounds, isPartitioned } = this.stage;
    return typeof bounds !== "string" || (bounds === "full" && isPartitioned);
  }

  private *fillUntil(endMs: number): Iterable<Document> {
    const starts = [...this.pass(endMs)];
    if (starts.length === 0) return;
    const waits = [...this.names.keys()].filter((i) => this.mustWait(i));
    const bytes = GAP_BYTES + 8 * starts.length;
    const gap: Gap = { starts, before: [...this.before], after: [], missing: waits.length, bytes };
    if (waits.length === 0) return yield* this.windowsOf(gap);
    this.meter.add(bytes);
    for (const i of waits) this.waiting[i]!.push(gap);
  }

  /** Starts of windows up to a time, all of which are to be filled in. */
  private *pass(endMs: number): Iterable<number> {
    for (; this.nextMs < endMs; this.nextMs = this.grid.next(this.nextMs)) {
      if (++this.filled > MAX_FILLED_WINDOWS) {
        throw new CommandError(
          "ExceededMemoryLimit",
          `$timeWindow's 'fill' makes more than ${MAX_FILLED_WINDOWS} windows: choose longer windows or narrower 'bounds'`,
        );
      }
      yield this.nextMs;
    }
  }

  /** Whether an output's value depends on a later one: on a line that has a beginning, too. */
  private mustWait(i: number): boolean {
    const { kind } = this.methods[i]!;
    return kind === "next" || (kind === "linear" && this.before[i] !== undefined);
  }

  /** Gives an output's next value to those who wait for it; undefined where there is none. */
  private *resolve(i: number, next: Known | undefined): Iterable<Document> {
    for (const gap of this.waiting[i]!.splice(0)) {
      gap.after[i] = next;
      if (--gap.missing > 0) continue;
      this.meter.release(gap.bytes);
      yield* this.windowsOf(gap);
    }
  }

  private *windowsOf({ starts, before, after }: Gap): Iterable<Document> {
    const { partition } = this;
    const partitionNames = partition instanceof Document ? partition.names() : [];
    const partitionValues = partition instanceof Document ? partition.values() : [];
    const idNames = [START_FIELD, ...partitionNames];
    for (const startMs of starts) {
      const id = new BuiltDocument(idNames, [new UtcDate(startMs), ...partitionValues]);
      const values = this.methods.map((method, i) => valueAt(startMs, method, before[i], after[i]));
      yield new BuiltDocument(this.fieldNames, [id, ...values]);
    }
  }
}

/** What a gap costs beside the windows' starts, about. */
const GAP_BYTES = 256;

function valueAt(
  startMs: number,
  method: FillMethod,
  before: Known | undefined,
  after: Known | undefined,
): Value {
  switch (method.kind) {
    case "value":
      return method.value;
    case "previous":
      return before?.value ?? null;
    case "next":
      return after?.value ?? null;
    case "linear":
      return between(before, after, startMs);
  }
}

function between(before: Known | undefined, after: Known | undefined, startMs: number): Value {
  if (!isNumber(before?.value) || !isNumber(after?.value)) return null;
  const from = asDouble(before.value);
  const share = (startMs - before.startMs) / (after.startMs - before.startMs);
  return from + (asDouble(after.value) - from) * share;
}
