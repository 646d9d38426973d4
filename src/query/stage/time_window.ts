/**
 * `$timeWindow`, ChronoGo's own: rows grouped by the window of time that they fall into.
 *
 *     {$timeWindow: {timestamp: "$t", window: "15m", output: {avg: {$avg: "$v"}}, partitionBy: "$meta.host"}}
 *
 * A window starts where `$dateTrunc` with the same unit, binSize, timezone and startOfWeek puts it, moved by `offset`:
 * start(t) = trunc(t − offset) + offset. Each window that has rows gives one document, in order of time, then of the
 * partition in BSON order: `{_id: {timestamp: <start>, partition: <value>}, …outputs}`; the fields of a partition that
 * is a document stand in `_id` themselves. Rows whose timestamp is missing or null are left out.
 */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  compareValues,
  Document,
  isNullish,
  keyOf,
  UtcDate,
  type Value,
  type ValueKey,
} from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { elementText } from "../element_text.ts";
import type { DayOfWeek } from "../expression/date_arithmetic.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, Expression, ParseContext, Scope } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { approximateBytes, MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { type Output, OutputFactory, type OutputState, parseOutput } from "./output.ts";
import { type Duration, parseDuration, parseWeekday, WindowGrid } from "./window_grid.ts";

const MEMORY_MESSAGE = "Exceeded memory limit for $timeWindow, but didn't allow external spilling;" +
  " pass allowDiskUse:true to opt in";
/** What `$dateTrunc` gives for a date that is none. */
const NOT_A_DATE = 5439012;

export interface TimeWindowStage {
  readonly kind: "timeWindow";
  readonly timestamp: Expression;
  readonly window: Duration;
  readonly offset: Duration | undefined;
  readonly timezone: string | undefined;
  readonly startOfWeek: DayOfWeek | undefined;
  readonly partitionBy: Expression | undefined;
  readonly outputs: readonly Output[];
  /** As written, for `explain`. */
  readonly source: Document;
}

const OPTIONS = ["timestamp", "window", "output", "timezone", "startOfWeek", "offset", "partitionBy"];

export function parseTimeWindow(value: Value, context: ParseContext): TimeWindowStage {
  if (!(value instanceof Document)) {
    throw failure(`the $timeWindow stage specification must be an object, found ${typeName(value)}`);
  }
  for (const name of value.names()) {
    if (!OPTIONS.includes(name)) {
      throw failure(`unrecognized option to $timeWindow: '${name}'; there are ${OPTIONS.join(", ")}`);
    }
  }
  const stage: TimeWindowStage = {
    kind: "timeWindow",
    timestamp: parseTimestamp(value.get("timestamp"), context),
    window: parseDuration("window", required(value, "window"), false),
    offset: value.has("offset") ? parseDuration("offset", value.get("offset"), true) : undefined,
    timezone: optionalText(value, "timezone"),
    startOfWeek: value.has("startOfWeek") ? parseWeekday(value.get("startOfWeek")) : undefined,
    partitionBy: value.has("partitionBy") ? parsePartition(value.get("partitionBy"), context) : undefined,
    outputs: parseOutputs(required(value, "output"), context),
    source: value,
  };
  // An unknown time zone is an error of the specification, not of the first row.
  new WindowGrid(stage);
  return stage;
}

function required(document: Document, name: string): Value {
  const value = document.get(name);
  if (value === undefined) throw failure(`$timeWindow requires '${name}'`);
  return value;
}

function parseTimestamp(value: Value, context: ParseContext): Expression {
  if (value === undefined) throw failure("$timeWindow requires 'timestamp'");
  const isPath = typeof value === "string" && value.startsWith("$");
  const isOperator = value instanceof Document && value.names()[0]?.startsWith("$") === true;
  if (isPath || isOperator) return parseExpression(value, context);
  throw failure(
    "$timeWindow requires 'timestamp' to be an expression such as \"$timestamp\", found " +
      elementText("timestamp", value),
  );
}

function optionalText(document: Document, name: string): string | undefined {
  const value = document.get(name);
  if (value === undefined || typeof value === "string") return value;
  throw failure(`$timeWindow requires '${name}' to be a string, found ${typeName(value)}`);
}

function parsePartition(value: Value, context: ParseContext): Expression {
  const expression = parseExpression(value, context);
  if (expression.kind === "object" && expression.names.includes("timestamp")) throw timestampTaken();
  return expression;
}

function timestampTaken(): CommandError {
  return failure(
    "$timeWindow puts the fields of an object that 'partitionBy' gives into _id, where 'timestamp' is the " +
      "start of the window: the object must not have a field of that name",
  );
}

function parseOutputs(value: Value, context: ParseContext): readonly Output[] {
  if (!(value instanceof Document)) {
    throw failure(`$timeWindow requires 'output' to be an object, found ${typeName(value)}`);
  }
  const values = value.values();
  return value.names().map((name, i) => {
    if (name === "_id") throw failure("$timeWindow's 'output' cannot set _id: it holds the window");
    return parseOutput(name, values[i], context);
  });
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

export function runTimeWindow(stage: TimeWindowStage, input: Rows, context: QueryContext): Rows {
  const table = new WindowTable(stage);
  return windowRows(table, input, context);
}

async function* windowRows(table: WindowTable, input: Rows, context: QueryContext): Rows {
  const variables = scopeVariables(context);
  for await (const batch of input) {
    for (const root of batch) table.add({ root, variables });
    await context.checkpoint();
  }
  yield* inBatches(table.rows(), context);
}

interface Window {
  readonly startMs: number;
  readonly partition: Value;
  readonly id: Document;
  readonly state: OutputState;
}

/** All windows of one run. */
class WindowTable {
  private readonly grid: WindowGrid;
  private readonly factory: OutputFactory;
  private readonly timestamp: Evaluator;
  private readonly partitionBy: Evaluator | undefined;
  private readonly meter = new MemoryMeter(MEMORY_MESSAGE);
  private readonly windows: Window[] = [];
  private readonly byStart = new Map<number, Map<ValueKey, Window>>();

  constructor(stage: TimeWindowStage) {
    this.grid = new WindowGrid(stage);
    this.factory = new OutputFactory(stage.outputs);
    this.timestamp = compileExpression(stage.timestamp);
    this.partitionBy = stage.partitionBy && compileExpression(stage.partitionBy);
  }

  add(scope: Scope): void {
    const timestamp = this.timestamp(scope);
    if (timestamp instanceof UtcDate) {
      this.meter.add(this.windowOf(timestamp.ms, scope).state.add(scope));
    } else if (!isNullish(timestamp)) {
      throw new CommandError(
        NOT_A_DATE,
        `$timeWindow requires 'timestamp' to be a date, but got ${typeName(timestamp)}`,
      );
    }
  }

  private windowOf(ms: number, scope: Scope): Window {
    const startMs = this.grid.startOf(ms);
    const partition = this.partitionBy === undefined ? undefined : this.partitionBy(scope) ?? null;
    const key = keyOf(partition);
    let partitions = this.byStart.get(startMs);
    if (partitions === undefined) this.byStart.set(startMs, partitions = new Map());
    const known = partitions.get(key);
    if (known !== undefined) return known;
    const id = windowId(startMs, partition);
    const window: Window = { startMs, partition, id, state: this.factory.create(id) };
    this.meter.add(approximateBytes(id) + this.factory.stateBytes);
    partitions.set(key, window);
    this.windows.push(window);
    return window;
  }

  /** The windows as documents, in order of time and partition. */
  rows(): readonly Document[] {
    this.windows.sort((a, b) => a.startMs - b.startMs || compareValues(a.partition, b.partition));
    return this.windows.map(({ id, state }) => {
      const names = ["_id"];
      const values: Value[] = [id];
      state.appendTo(names, values);
      return new BuiltDocument(names, values);
    });
  }
}

function windowId(startMs: number, partition: Value): Document {
  const start = new UtcDate(startMs);
  if (partition === undefined) return BuiltDocument.of({ timestamp: start });
  if (!(partition instanceof Document)) return BuiltDocument.of({ timestamp: start, partition });
  if (partition.has("timestamp")) throw timestampTaken();
  return new BuiltDocument(["timestamp", ...partition.names()], [start, ...partition.values()]);
}
