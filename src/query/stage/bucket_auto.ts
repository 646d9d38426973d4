/**
 * `$bucketAuto`: rows in so many buckets of about the same number of rows, by a value; rows that are equal stay together.
 * With a granularity the boundaries are preferred numbers.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, compareValues, Document, Int32, isNumber, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Expression, ParseContext, Scope } from "../expression/expression.ts";
import { renderElement, renderValue, typeName } from "../expression/message.ts";
import { asDouble, asInt32, type NumberValue } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { type Output, OutputFactory, parseOutput } from "./output.ts";
import { type Rounder, rounderOf } from "./preferred_numbers.ts";

const MEMORY_MESSAGE = "Exceeded memory limit for $bucketAuto, but didn't allow external spilling;" +
  " pass allowDiskUse:true to opt in";

export interface BucketAutoStage {
  readonly kind: "bucketAuto";
  readonly groupBy: Expression;
  readonly buckets: number;
  readonly granularity: string | undefined;
  readonly outputs: readonly Output[];
  /** As written, for `explain`. */
  readonly source: Document;
}

export function parseBucketAuto(value: Value, context: ParseContext): BucketAutoStage {
  if (!(value instanceof Document)) {
    throw new CommandError(
      40240,
      `The argument to $bucketAuto must be an object, but found type: ${typeName(value)}`,
    );
  }
  const known = ["groupBy", "buckets", "output", "granularity"];
  const unknown = value.names().find((name) => !known.includes(name));
  if (unknown !== undefined) throw new CommandError(40245, `Unrecognized option to $bucketAuto: ${unknown}`);
  const groupBy = value.has("groupBy") ? parseGroupBy(value.get("groupBy"), context) : undefined;
  const buckets = value.has("buckets") ? parseBuckets(value.get("buckets")) : undefined;
  const outputs = parseOutputs(value.get("output"), context);
  const granularity = parseGranularity(value.get("granularity"));
  if (groupBy === undefined || buckets === undefined) {
    throw new CommandError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified");
  }
  return { kind: "bucketAuto", groupBy, buckets, granularity, outputs, source: value };
}

function parseGroupBy(value: Value, context: ParseContext): Expression {
  const isPath = typeof value === "string" && value.startsWith("$");
  const isOperator = value instanceof Document && value.names()[0]?.startsWith("$") === true;
  if (isPath || isOperator) return parseExpression(value, context);
  throw new CommandError(
    40239,
    "The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: " +
      renderElement(value),
  );
}

function parseBuckets(value: Value): number {
  if (!isNumber(value)) {
    throw new CommandError(
      40241,
      `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(value)}`,
    );
  }
  const count = asInt32(value);
  if (count === undefined) {
    throw new CommandError(
      40242,
      "The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found " +
        renderValue(value),
    );
  }
  if (count <= 0) {
    throw new CommandError(
      40243,
      `The $bucketAuto 'buckets' field must be greater than 0, but found: ${count}`,
    );
  }
  return count;
}

function parseOutputs(value: Value, context: ParseContext): readonly Output[] {
  if (value === undefined || (value instanceof Document && value.isEmpty())) {
    return [parseOutput("count", BuiltDocument.of({ $sum: Int32.of(1) }), context)];
  }
  if (!(value instanceof Document)) {
    throw new CommandError(
      40244,
      `The $bucketAuto 'output' field must be an object, but found type: ${typeName(value)}`,
    );
  }
  const values = value.values();
  return value.names().map((name, i) => parseOutput(name, values[i], context));
}

function parseGranularity(value: Value): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string") {
    throw new CommandError(
      40261,
      `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(value)}`,
    );
  }
  if (rounderOf(value) === undefined) {
    throw new CommandError(40257, `Unknown rounding granularity '${value}'`);
  }
  return value;
}

export function runBucketAuto(stage: BucketAutoStage, input: Rows, context: QueryContext): Rows {
  const groupBy = compileExpression(stage.groupBy);
  const factory = new OutputFactory(stage.outputs);
  return bucketRows(stage, groupBy, factory, input, context);
}

interface Entry {
  readonly key: Value;
  readonly row: Document;
}

async function* bucketRows(
  stage: BucketAutoStage,
  groupBy: (scope: Scope) => Value,
  factory: OutputFactory,
  input: Rows,
  context: QueryContext,
): Rows {
  const variables = scopeVariables(context);
  const meter = new MemoryMeter(MEMORY_MESSAGE, context.memory);
  const rounder = stage.granularity === undefined ? undefined : rounderOf(stage.granularity);
  const entries: Entry[] = [];
  for await (const batch of input) {
    for (const row of batch) {
      const key = groupBy({ root: row, variables }) ?? null;
      if (rounder !== undefined) checkKey(key);
      meter.addRow(row);
      entries.push({ key, row });
    }
    await context.checkpoint();
  }
  entries.sort((a, b) => compareValues(a.key, b.key));
  const rows = bucketsOf(entries, stage.buckets, rounder).map(({ min, max, from, to }) => {
    const id = BuiltDocument.of({ min, max });
    const state = factory.create(id);
    for (let i = from; i < to; i++) meter.add(state.add({ root: entries[i]!.row, variables }));
    const names = ["_id"];
    const values: Value[] = [id];
    state.appendTo(names, values);
    return new BuiltDocument(names, values);
  });
  yield* inBatches(rows, context);
}

function checkKey(key: Value): void {
  if (!isNumber(key)) {
    throw new CommandError(
      40258,
      `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${
        typeName(key)
      }`,
    );
  }
  const x = asDouble(key);
  if (Number.isNaN(x)) {
    throw new CommandError(
      40259,
      "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a NaN",
    );
  }
  if (x < 0) {
    throw new CommandError(
      40260,
      "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number",
    );
  }
}

/** The entries `from` to `to`, the latter left out. */
interface Bucket {
  min: Value;
  max: Value;
  readonly from: number;
  readonly to: number;
}

function bucketsOf(
  entries: readonly Entry[],
  count: number,
  rounder: Rounder | undefined,
): readonly Bucket[] {
  const size = Math.max(1, Math.round(entries.length / count));
  const buckets: Bucket[] = [];
  for (let from = 0; from < entries.length;) {
    const isLast = buckets.length === count - 1;
    let to = isLast ? entries.length : Math.min(from + size, entries.length);
    let max = entries[to - 1]!.key;
    if (rounder === undefined) {
      while (to < entries.length && compareValues(entries[to]!.key, max) === 0) to++;
    } else {
      max = roundedMax(entries, to, rounder);
      while (to < entries.length && compareValues(entries[to]!.key, max) < 0) to++;
    }
    const min = entries[from]!.key;
    buckets.push({ min, max, from, to });
    from = to;
  }
  joinBoundaries(buckets, rounder);
  return buckets;
}

/** A first bucket of zeros ends where the next number's range begins. */
function roundedMax(entries: readonly Entry[], to: number, rounder: Rounder): Value {
  const max = entries[to - 1]!.key as NumberValue;
  if (asDouble(max) !== 0) return rounder.up(max);
  const next = entries[to];
  return next === undefined ? rounder.up(max) : rounder.down(next.key as NumberValue);
}

/** A bucket ends where the next one begins. */
function joinBoundaries(buckets: readonly Bucket[], rounder: Rounder | undefined): void {
  buckets.forEach((bucket, i) => {
    const next = buckets[i + 1];
    if (rounder === undefined) {
      if (next !== undefined) bucket.max = next.min;
    } else {
      const before = buckets[i - 1];
      bucket.min = before === undefined ? rounder.down(bucket.min as NumberValue) : before.max;
    }
  });
}
