/**
 * `$bucketAuto`: rows in so many buckets of about the same number of rows, by a value; rows that are equal stay together.
 * With a granularity the boundaries are preferred numbers.
 */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  compareValues,
  Document,
  equalValues,
  Int32,
  isNumber,
  type Value,
} from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression, fieldsOf } from "../expression/compile.ts";
import { collationOf, type Evaluator, type Expression, type ParseContext } from "../expression/expression.ts";
import { renderElement, renderValue, typeName } from "../expression/message.ts";
import { asDouble, asInt32, type NumberValue } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { keyedAs, withoutKey } from "../keyed_row.ts";
import { detached, detachedRow, MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { documentOfGroup, type Output, OutputFactory, type OutputState, parseOutput } from "./output.ts";
import { type Rounder, rounderOf } from "./preferred_numbers.ts";
import { sortedRows } from "./sort.ts";

const MEMORY_MESSAGE = "Exceeded memory limit for $bucketAuto, but didn't allow external spilling;" +
  " pass allowDiskUse:true to opt in";

export interface BucketAutoStage {
  readonly kind: "bucketAuto";
  readonly groupBy: Expression;
  readonly buckets: number;
  readonly granularity: string | undefined;
  readonly outputs: readonly Output[];
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation;
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
  return {
    kind: "bucketAuto",
    groupBy,
    buckets,
    granularity,
    outputs,
    source: value,
    ...collationOf(context),
  };
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
  const outputs = value.names().map((name, i) => parseOutput(name, values[i], context));
  if (outputs.some(({ accumulator: { n } }) => n !== undefined && fieldsOf(n)?.size !== 0)) {
    throw new CommandError(4544714, "Can't refer to the group key in $bucketAuto");
  }
  return outputs;
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

/** @throws CommandError when a constant expression fails */
export function runBucketAuto(stage: BucketAutoStage, input: Rows, context: QueryContext): Rows {
  return divide(stage, compileExpression(stage.groupBy), input, context);
}

async function* divide(stage: BucketAutoStage, groupBy: Evaluator, input: Rows, context: QueryContext): Rows {
  const variables = scopeVariables(context);
  const fields = fieldsOfOutputs(stage.outputs);
  const rounder = stage.granularity === undefined ? undefined : rounderOf(stage.granularity);
  let count = 0;
  const withKey = (row: Document): Document => {
    const key = groupBy({ root: row, variables }) ?? null;
    if (rounder !== undefined) checkKey(key);
    count++;
    return keyedAs(
      row,
      new BuiltDocument(["key", "row"], [detached(key), detachedRow(withoutKey(row), fields)]),
    );
  };
  const withKeys = async function* (): Rows {
    for await (const batch of input) yield batch.map(withKey);
  };
  const readKey = (row: Document) => [row.get("key")];
  const parts = [{ descending: false, ...collationOf(stage) }];
  const sorting = { readKey, parts, limit: Infinity, fields: undefined, memoryMessage: MEMORY_MESSAGE };
  const sorted = sortedRows(sorting, withKeys(), context);
  const meter = new MemoryMeter(MEMORY_MESSAGE, context.memory);
  let buckets: Buckets | undefined;
  for await (const batch of sorted) {
    buckets ??= new Buckets(stage, count, rounder);
    for (const row of batch) {
      const state = buckets.stateFor(row.get("key") as Value);
      meter.add(state.add({ root: keyedAs(row, row.get("row") as Document), variables }));
    }
    await context.checkpoint();
  }
  yield* inBatches(buckets?.end() ?? [], context);
}

/** The fields of rows that the outputs read; undefined for all. */
function fieldsOfOutputs(outputs: readonly Output[]): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  for (const input of outputs.flatMap((output) => output.inputs)) {
    const read = fieldsOf(input);
    if (read === undefined) return undefined;
    read.forEach((field) => fields.add(field));
  }
  return fields;
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

interface Bucket {
  min: Value;
  /** The last key so far; once a rounded boundary is known, that. */
  max: Value;
  rows: number;
  isRounded: boolean;
  readonly state: OutputState;
}

/** The buckets, made while keys come in their order. */
class Buckets {
  private readonly factory: OutputFactory;
  private readonly buckets: Bucket[] = [];
  /** Rows after which a bucket ends, should no rule keep it open. */
  private readonly size: number;

  constructor(
    private readonly stage: BucketAutoStage,
    rows: number,
    private readonly rounder: Rounder | undefined,
  ) {
    this.factory = new OutputFactory(stage.outputs);
    this.size = Math.max(1, Math.round(rows / stage.buckets));
  }

  /** What the row with the next key goes to. */
  stateFor(key: Value): OutputState {
    let bucket = this.buckets.at(-1);
    if (bucket === undefined || this.endsBefore(bucket, key)) {
      bucket = { min: key, max: key, rows: 0, isRounded: false, state: this.factory.create(null) };
      this.buckets.push(bucket);
    }
    if (!bucket.isRounded) bucket.max = key;
    bucket.rows++;
    return bucket.state;
  }

  /** A bucket that is full ends behind the keys equal to its last one, or at the rounded boundary. */
  private endsBefore(bucket: Bucket, key: Value): boolean {
    if (this.buckets.length === this.stage.buckets || bucket.rows < this.size) return false;
    if (this.rounder === undefined) return !equalValues(key, bucket.max, this.stage.collation);
    if (!bucket.isRounded) {
      bucket.max = roundedMax(bucket.max as NumberValue, key as NumberValue, this.rounder);
      bucket.isRounded = true;
    }
    return compareValues(key, bucket.max) >= 0;
  }

  /** The buckets as documents. */
  end(): readonly Document[] {
    const { buckets, rounder } = this;
    buckets.forEach((bucket, i) => {
      if (rounder === undefined) {
        bucket.max = buckets[i + 1]?.min ?? bucket.max;
      } else {
        bucket.min = buckets[i - 1]?.max ?? rounder.down(bucket.min as NumberValue);
        if (!bucket.isRounded) bucket.max = rounder.up(bucket.max as NumberValue);
      }
    });
    return buckets.map(({ min, max, state }) =>
      documentOfGroup({ id: BuiltDocument.of({ min, max }), state })
    );
  }
}

/** A first bucket of zeros ends where the range of the `next` key begins. */
function roundedMax(max: NumberValue, next: NumberValue, rounder: Rounder): Value {
  return asDouble(max) === 0 ? rounder.down(next) : rounder.up(max);
}
