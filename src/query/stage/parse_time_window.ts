/**
 * `$timeWindow`, ChronoGo's own, from its specification to stages: a sort by time where the order of the rows matters, the
 * windows, and what fills in windows without rows. docs/stages/timeWindow.md describes it.
 *
 *     {$timeWindow: {timestamp: "$t", window: "15m", output: {avg: {$avg: "$v"}}, partitionBy: "$meta.host"}}
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isNumber, type Value } from "../../bson/mod.ts";
import { withTimestamp } from "../accumulator/over_time.ts";
import { elementText } from "../element_text.ts";
import { collationOf, type Expression, isRow, type ParseContext } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import { asInt32 } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { type Output, parseOutput } from "./output.ts";
import type { RowWindowStage, WindowRule } from "./row_window.ts";
import type { SortStage } from "./sort.ts";
import type { TimeWindowStage } from "./time_window.ts";
import { parseBounds, parseFill, type WindowFillStage } from "./window_fill.ts";
import { type Duration, fixedMs, paneOf, parseDuration, parseWeekday, WindowGrid } from "./window_grid.ts";
import { END_FIELD, parsePartition, START_FIELD, STATE_FIELD } from "./window_id.ts";

type WindowStages = readonly (SortStage | TimeWindowStage | RowWindowStage | WindowFillStage)[];

const COMMON_OPTIONS = ["timestamp", "output", "partitionBy"];
/** What bounds the windows, by the option that says so, and the options that go with it. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  window: ["every", "timezone", "startOfWeek", "offset", "fill", "bounds"],
  gap: [],
  state: [],
  start: ["end"],
  count: ["every"],
};
/** What these give depends on the order of the rows: in `$timeWindow` that is the order of time. */
const ORDERED = new Set([
  "$concatArrays",
  "$delta",
  "$first",
  "$firstN",
  "$increase",
  "$last",
  "$lastN",
  "$mergeObjects",
  "$push",
  "$rate",
  "$twa",
]);

/** @throws CommandError FailedToParse, and what expressions and accumulators throw */
export function parseTimeWindow(value: Value, context: ParseContext): WindowStages {
  if (!(value instanceof Document)) {
    throw failure(`the $timeWindow stage specification must be an object, found ${typeName(value)}`);
  }
  const kind = kindOf(value);
  return kind === "window" ? gridStages(value, context) : rowStages(kind, value, context);
}

function kindOf(spec: Document): string {
  const kinds = Object.keys(KINDS).filter((option) => spec.has(option));
  const all = [...COMMON_OPTIONS, ...Object.entries(KINDS).flat(2)];
  const unknown = spec.names().find((name) => !all.includes(name));
  if (unknown !== undefined) {
    const options = [...new Set(all)].join(", ");
    throw failure(`unrecognized option to $timeWindow: '${unknown}'; there are ${options}`);
  }
  required(spec, START_FIELD);
  const [kind] = kinds;
  if (kind === undefined) {
    throw failure("$timeWindow requires 'window', 'gap', 'state', 'start' with 'end', or 'count'");
  }
  if (kinds.length > 1) {
    throw failure(`$timeWindow takes one of '${kinds.join("' and '")}'`);
  }
  const stray = spec.names().find((name) =>
    name !== kind && !COMMON_OPTIONS.includes(name) && !KINDS[kind]!.includes(name)
  );
  if (stray !== undefined) throw failure(`$timeWindow's '${stray}' does not go with '${kind}'`);
  return kind;
}

function gridStages(spec: Document, context: ParseContext): WindowStages {
  const stage: TimeWindowStage = {
    kind: "timeWindow",
    timestamp: parseTimestamp(spec.get("timestamp"), context),
    window: parseDuration("window", spec.get("window"), false),
    every: spec.has("every") ? parseDuration("every", spec.get("every"), false) : undefined,
    offset: spec.has("offset") ? parseDuration("offset", spec.get("offset"), true) : undefined,
    timezone: optionalText(spec, "timezone"),
    startOfWeek: spec.has("startOfWeek") ? parseWeekday(spec.get("startOfWeek")) : undefined,
    partitionBy: partitionOf(spec, [START_FIELD], context),
    outputs: parseOutputs(spec, context),
    source: spec,
    ...collationOf(context),
  };
  // An unknown time zone is an error of the specification, not of the first row.
  const grid = new WindowGrid(stage);
  if (stage.every !== undefined) checkEvery(grid, stage, stage.every);
  const isOrdered = stage.outputs.some(({ accumulator }) => ORDERED.has(accumulator.name));
  return [
    ...(isOrdered ? sortByTime(stage, "accumulators such as $first") : []),
    stage,
    ...fillStages(stage),
  ];
}

/** Windows may overlap, but leave no time out. */
function checkEvery(grid: WindowGrid, stage: TimeWindowStage, every: Duration): void {
  paneOf(stage.window, every, stage.timezone);
  if (grid.after(0, every) <= grid.after(0, stage.window)) return;
  throw failure("$timeWindow requires 'every' to be no longer than 'window'");
}

function fillStages(stage: TimeWindowStage): readonly WindowFillStage[] {
  const { source, every, window } = stage;
  if (!source.has("fill")) {
    if (source.has("bounds")) throw failure("$timeWindow's 'bounds' does not go without 'fill'");
    return [];
  }
  return [{
    kind: "windowFill",
    grid: { ...stage, window: every ?? window },
    methods: parseFill(source.get("fill"), stage.outputs.map((output) => output.name)),
    bounds: parseBounds(source.get("bounds")),
    isPartitioned: stage.partitionBy !== undefined,
    source,
    ...collationOf(stage),
  }];
}

function rowStages(kind: string, spec: Document, context: ParseContext): WindowStages {
  const stage: RowWindowStage = {
    kind: "rowWindow",
    rule: parseRule(kind, spec, context),
    timestamp: parseTimestamp(spec.get("timestamp"), context),
    partitionBy: partitionOf(spec, [START_FIELD, END_FIELD, STATE_FIELD], context),
    outputs: parseOutputs(spec, context),
    source: spec,
    ...collationOf(context),
  };
  return [...sortByTime(stage, `windows by '${kind}'`), stage];
}

function parseRule(kind: string, spec: Document, context: ParseContext): WindowRule {
  switch (kind) {
    case "gap":
      return { kind: "session", gapMs: fixedMs("gap", spec.get("gap")) };
    case "state":
      return { kind: "state", state: parseExpression(spec.get("state"), context) };
    case "start":
      return {
        kind: "event",
        start: parseExpression(spec.get("start"), context),
        end: parseExpression(required(spec, "end"), context),
      };
    default: {
      const count = positiveCount(spec, "count");
      const every = spec.has("every") ? positiveCount(spec, "every") : count;
      if (every > count) throw failure("$timeWindow requires 'every' to be no more than 'count'");
      return { kind: "count", count, every };
    }
  }
}

function positiveCount(spec: Document, name: string): number {
  const value = spec.get(name);
  const count = isNumber(value) ? asInt32(value) : undefined;
  if (count !== undefined && count > 0) return count;
  throw failure(
    `$timeWindow requires '${name}' to be a positive whole number of rows, found ${elementText(name, value)}`,
  );
}

/** Rows come in order of time, which storage keeps for its time field: so the timestamp must be a field. */
function sortByTime({ timestamp }: { readonly timestamp: Expression }, what: string): readonly [SortStage] {
  if (timestamp.kind === "path" && isRow(timestamp.variable)) {
    return [{ kind: "sort", parts: [{ path: timestamp.path, descending: false }], limit: undefined }];
  }
  throw failure(
    `$timeWindow with ${what} requires 'timestamp' to be a field such as "$timestamp": set one by $set before`,
  );
}

function partitionOf(spec: Document, own: readonly string[], context: ParseContext): Expression | undefined {
  return spec.has("partitionBy") ? parsePartition(spec.get("partitionBy"), own, context) : undefined;
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

function parseOutputs(spec: Document, context: ParseContext): readonly Output[] {
  const value = required(spec, "output");
  if (!(value instanceof Document)) {
    throw failure(`$timeWindow requires 'output' to be an object, found ${typeName(value)}`);
  }
  const values = value.values();
  return value.names().map((name, i) => {
    if (name === "_id") throw failure("$timeWindow's 'output' cannot set _id: it holds the window");
    return parseOutput(name, withTimes(values[i], spec.get("timestamp")), context);
  });
}

/** An output's accumulator, told the times of the rows where it asks for them. */
function withTimes(output: Value, timestamp: Value): Value {
  if (!(output instanceof Document)) return output;
  const values = output.values();
  return new BuiltDocument(
    output.names(),
    output.names().map((name, i) => withTimestamp(name, values[i], timestamp)),
  );
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}
