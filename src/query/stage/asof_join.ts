/**
 * `$asofJoin`, ChronoGo's own: to each row the row of another collection that lies next to it in time.
 *
 *     {$asofJoin: {from: "quotes", on: "$timestamp", by: "$tags.symbol", tolerance: "5m", as: "quote"}}
 *
 * Both sides come in order of time and are read once, side by side. `backward` remembers the last foreign row of each `by`;
 * where a later row may match (`forward`, `nearest`), rows wait in their order until it has come or cannot come any more.
 */
import { CommandError } from "../../base/mod.ts";
import { type Collation, Document, UtcDate, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { elementText } from "../element_text.ts";
import { compileExpression } from "../expression/compile.ts";
import { collationOf, type Evaluator, type Expression, type ParseContext } from "../expression/expression.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { MemoryMeter } from "../memory.ts";
import type { Rows } from "../source.ts";
import { ValueMap } from "../value_map.ts";
import { setAt, valueAt } from "./nested_field.ts";
import type { SortStage } from "./sort.ts";
import {
  checkSubPipeline,
  openForeign,
  type ParseStages,
  stageValues,
  type SubPipelines,
} from "./sub_pipeline.ts";
import { fixedMs } from "./window_grid.ts";

const MEMORY_MESSAGE =
  "Exceeded memory limit for $asofJoin: too many rows wait for a later one of the other collection or are the last of " +
  "their kind; a 'tolerance' bounds those that wait";
const FAILED_TO_PARSE = 9;
const OPTIONS = ["from", "on", "by", "tolerance", "direction", "pipeline", "as"];
const DIRECTIONS = ["backward", "forward", "nearest"] as const;

type AsofDirection = typeof DIRECTIONS[number];

/** What an option says of the rows of both sides. */
interface Sides<T> {
  readonly local: T;
  readonly foreign: T;
}

export interface AsofJoinStage<Stage> {
  readonly kind: "asofJoin";
  readonly from: string;
  /** Paths of the times. */
  readonly on: Sides<readonly string[]>;
  /** What rows must have in common; undefined where time alone counts. */
  readonly by: Sides<Expression> | undefined;
  /** Which texts are equal; undefined for those of the same bytes. */
  readonly collation?: Collation;
  /** How far apart two times may be, in milliseconds. */
  readonly toleranceMs: number;
  readonly direction: AsofDirection;
  /** What makes the foreign rows of the collection's, in order of time. */
  readonly pipeline: readonly Stage[];
  /** Path of the foreign row. */
  readonly as: readonly string[];
  /** As written, for `explain`. */
  readonly source: Document;
}

/** @returns a sort by time, which storage keeps for its time field, and the join */
export function parseAsofJoin<Stage>(
  value: Value,
  context: ParseContext,
  parseStages: ParseStages<Stage>,
): readonly [SortStage, AsofJoinStage<Stage | SortStage>] {
  if (!(value instanceof Document)) {
    throw failure(`the $asofJoin stage specification must be an object, found ${typeName(value)}`);
  }
  const unknown = value.names().find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw failure(`unrecognized option to $asofJoin: '${unknown}'; there are ${OPTIONS.join(", ")}`);
  }
  const from = textOf(value, "from");
  if (!value.has("on")) throw failure("$asofJoin requires 'on'");
  const on = sidesOf("on", value.get("on"), (side) => parsePath(side, context));
  const stages = value.has("pipeline") ? stageValues(value.get("pipeline")) : [];
  checkSubPipeline("$asofJoin", FAILED_TO_PARSE, stages);
  const join: AsofJoinStage<Stage | SortStage> = {
    kind: "asofJoin",
    from,
    on,
    by: value.has("by")
      ? sidesOf("by", value.get("by"), (side) => parseExpression(side, context))
      : undefined,
    toleranceMs: value.has("tolerance") ? fixedMs("tolerance", value.get("tolerance")) : Infinity,
    direction: parseDirection(value.get("direction")),
    pipeline: [...parseStages(stages, context), byTime(on.foreign)],
    as: parseFieldPath(value.has("as") ? textOf(value, "as") : from),
    source: value,
    ...collationOf(context),
  };
  return [byTime(on.local), join];
}

function textOf(spec: Document, name: string): string {
  const value = spec.get(name);
  if (typeof value === "string" && value !== "") return value;
  if (value === undefined) throw failure(`$asofJoin requires '${name}'`);
  throw failure(`$asofJoin requires '${name}' to be a name, found ${elementText(name, value)}`);
}

/** `{local, foreign}`, or one for both. */
function sidesOf<T>(name: string, value: Value, parse: (side: Value) => T): Sides<T> {
  if (!(value instanceof Document) || !(value.has("local") || value.has("foreign"))) {
    const both = parse(value);
    return { local: both, foreign: both };
  }
  if (value.names().length !== 2 || !value.has("local") || !value.has("foreign")) {
    throw failure(`$asofJoin requires '${name}' to have 'local' and 'foreign', or to be the same for both`);
  }
  return { local: parse(value.get("local")), foreign: parse(value.get("foreign")) };
}

function parsePath(value: Value, context: ParseContext): readonly string[] {
  const expression = typeof value === "string" && value.startsWith("$")
    ? parseExpression(value, context)
    : undefined;
  if (expression?.kind === "path" && expression.variable === "CURRENT") return expression.path;
  throw failure(
    `$asofJoin requires 'on' to be a field such as "$timestamp", found ${elementText("on", value)}`,
  );
}

function parseDirection(value: Value): AsofDirection {
  if (value === undefined) return "backward";
  const direction = DIRECTIONS.find((each) => each === value);
  if (direction !== undefined) return direction;
  throw failure(
    `$asofJoin requires 'direction' to be one of ${DIRECTIONS.join(", ")}, found ` +
      elementText("direction", value),
  );
}

function byTime(path: readonly string[]): SortStage {
  return { kind: "sort", parts: [{ path, descending: false }], limit: undefined };
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

export async function* runAsofJoin<Stage>(
  stage: AsofJoinStage<Stage>,
  input: Rows,
  context: QueryContext,
  pipelines: SubPipelines<Stage>,
): Rows {
  const { source, stages } = openForeign(stage.from, context, pipelines);
  const foreign = new ForeignRows(
    pipelines.run([...stages, ...stage.pipeline], source, context),
    stage.on.foreign,
  );
  const join = new AsofJoin(stage, foreign, context);
  try {
    for await (const batch of input) {
      for (const row of batch) if (!join.add(row)) await join.addSlowly(row);
      const joined = join.take();
      if (joined.length > 0) yield joined;
      await context.checkpoint();
    }
    await join.finish();
    const rest = join.take();
    if (rest.length > 0) yield rest;
  } finally {
    await foreign.end();
  }
}

/** Foreign rows in order of time, one at a time; those without one are left out. */
class ForeignRows {
  private batch: readonly Document[] = [];
  private at = -1;
  private done = false;
  /** The time of the row that comes next, in milliseconds; Infinity when there is none. */
  nextMs = -Infinity;

  constructor(private readonly rows: Rows, private readonly path: readonly string[]) {}

  /** Whether the next row is at hand, or known not to come. */
  get isReady(): boolean {
    return this.done || (this.at >= 0 && this.at < this.batch.length);
  }

  get next(): Document {
    return this.batch[this.at]!;
  }

  advance(): void {
    for (this.at++; this.at < this.batch.length; this.at++) {
      const time = valueAt(this.next, this.path);
      if (!(time instanceof UtcDate)) continue;
      this.nextMs = time.ms;
      return;
    }
  }

  async load(): Promise<void> {
    while (!this.isReady) {
      const { value, done } = await this.rows.next();
      if (done === true) {
        this.done = true;
        this.nextMs = Infinity;
        return;
      }
      this.batch = value;
      this.at = -1;
      this.advance();
    }
  }

  async end(): Promise<void> {
    await this.rows.return();
  }
}

/** The last foreign row of a key. */
interface ForeignRow {
  ms: number;
  row: Document;
  bytes: number;
}

/** A row on its way through: kept in order until its match is known. */
interface Waiting {
  readonly row: Document;
  readonly bytes: number;
  /** Up to when a later foreign row may match, in milliseconds. */
  readonly untilMs: number;
  /** The foreign row that is the best so far. */
  match: Document | undefined;
  isDecided: boolean;
}

class AsofJoin<Stage> {
  private readonly localKey: Evaluator | undefined;
  private readonly foreignKey: Evaluator | undefined;
  private readonly variables: ReadonlyMap<string, Value>;
  private readonly meter = new MemoryMeter(MEMORY_MESSAGE);
  /** The last foreign row of each key so far. */
  private readonly last: ValueMap<ForeignRow>;
  /** The rows of each key that wait for a later foreign row. */
  private readonly waiting: ValueMap<Waiting[]>;
  /** All rows that are not out yet, in order. */
  private queue: Waiting[] = [];

  constructor(
    private readonly stage: AsofJoinStage<Stage>,
    private readonly foreign: ForeignRows,
    context: QueryContext,
  ) {
    this.localKey = stage.by && compileExpression(stage.by.local);
    this.foreignKey = stage.by && compileExpression(stage.by.foreign);
    this.variables = scopeVariables(context);
    this.last = new ValueMap(stage.collation);
    this.waiting = new ValueMap(stage.collation);
  }

  /** Takes a row unless foreign rows have to be loaded for it. @returns whether it did */
  add(row: Document): boolean {
    const time = valueAt(row, this.stage.on.local);
    if (!(time instanceof UtcDate)) {
      this.queue.push(this.entry(row, NaN, undefined, -Infinity));
      return true;
    }
    const { foreign, stage } = this;
    // A row of the same time matches: backward it must have been met, forward it must come yet.
    const meetsBelow = stage.direction === "forward" ? time.ms : time.ms + 1;
    while (foreign.isReady && foreign.nextMs < meetsBelow) this.meet();
    if (!foreign.isReady) return false;
    this.place(row, time.ms);
    return true;
  }

  async addSlowly(row: Document): Promise<void> {
    do await this.foreign.load(); while (!this.add(row));
  }

  /** Meets all foreign rows that a row still waits for. */
  async finish(): Promise<void> {
    while (this.queue.some((entry) => !entry.isDecided)) {
      await this.foreign.load();
      if (this.foreign.nextMs === Infinity) break;
      while (this.foreign.isReady && this.foreign.nextMs < Infinity) this.meet();
    }
    for (const entry of this.queue) decide(entry, undefined);
  }

  /** The rows from the front whose match is known, with it. */
  take(): readonly Document[] {
    const { queue, foreign } = this;
    let count = 0;
    for (; count < queue.length; count++) {
      const entry = queue[count]!;
      if (!entry.isDecided && entry.untilMs < foreign.nextMs) decide(entry, undefined);
      if (!entry.isDecided) break;
    }
    const taken = queue.slice(0, count);
    this.queue = queue.slice(count);
    return taken.map(({ row, match, bytes }) => {
      this.meter.release(bytes);
      return match === undefined ? row : setAt(row, this.stage.as, 0, match);
    });
  }

  private place(row: Document, ms: number): void {
    const { direction, toleranceMs } = this.stage;
    const key = this.localKey?.({ root: row, variables: this.variables }) ?? null;
    const last = direction === "forward" ? undefined : this.last.get(key);
    const before = last !== undefined && ms - last.ms <= toleranceMs ? last : undefined;
    // A later row must be nearer than the one before, where that counts too.
    const reachMs = before === undefined ? toleranceMs : ms - before.ms - 1;
    const untilMs = direction === "backward" ? -Infinity : ms + reachMs;
    const entry = this.entry(row, ms, before?.row, untilMs);
    this.queue.push(entry);
    if (entry.isDecided) return;
    const others = this.waiting.get(key);
    if (others === undefined) this.waiting.set(key, [entry]);
    else others.push(entry);
  }

  private entry(row: Document, ms: number, match: Document | undefined, untilMs: number): Waiting {
    const isDecided = !(untilMs >= ms);
    const bytes = isDecided ? 0 : this.meter.addRow(row);
    return { row, bytes, untilMs, match, isDecided };
  }

  /** Takes the next foreign row. */
  private meet(): void {
    const { next: row, nextMs: ms } = this.foreign;
    const key = this.foreignKey?.({ root: row, variables: this.variables }) ?? null;
    const waiting = this.waiting.get(key);
    if (waiting !== undefined) {
      for (const entry of waiting) decide(entry, ms <= entry.untilMs ? row : undefined);
      waiting.length = 0;
    }
    if (this.stage.direction !== "forward") this.remember(key, row, ms);
    this.foreign.advance();
  }

  private remember(key: Value, row: Document, ms: number): void {
    const bytes = this.meter.addRow(row);
    const last = this.last.get(key);
    if (last === undefined) return this.last.set(key, { ms, row, bytes });
    this.meter.release(last.bytes);
    Object.assign(last, { ms, row, bytes });
  }
}

/** Settles a row with a later foreign row, or with what it has. */
function decide(entry: Waiting, later: Document | undefined): void {
  if (entry.isDecided) return;
  entry.isDecided = true;
  if (later !== undefined) entry.match = later;
}
