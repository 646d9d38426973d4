/**
 * `$densify`: documents for the steps of a range that none is at, each with the field and those that partition. A `$sort`
 * comes first; rows without the field pass.
 *
 * Steps count from the least value of all rows (`full`), of the partition (`partition`), or from a given bound; each step
 * is taken from the one before it, or from the row that stands there, whose numeric type goes on.
 */
import {
  CommandError,
  MAX_BLOCKING_STAGE_BYTES,
  MAX_DENSIFIED_DOCUMENTS,
  PIPELINE_BATCH_ROWS,
} from "../../base/mod.ts";
import {
  BuiltDocument,
  type Collation,
  compareValues,
  Document,
  isArray,
  isNullish,
  isNumber,
  typeOf,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { add } from "../expression/arithmetic.ts";
import { addToDate, type TimeUnit } from "../expression/date_arithmetic.ts";
import { isTimeUnit } from "../expression/date_value.ts";
import { collationOf, type ParseContext } from "../expression/expression.ts";
import { parseFieldPath, readPath } from "../expression/field_path.ts";
import { typeName } from "../expression/message.ts";
import { asInt64, signOf } from "../expression/number.ts";
import { Timezone } from "../expression/timezone.ts";
import { approximateBytes, MemoryMeter } from "../memory.ts";
import type { Rows } from "../source.ts";
import { ValueMap } from "../value_map.ts";
import { setAt, valueAt } from "./nested_field.ts";
import type { SortStage } from "./sort.ts";

export interface DensifyStage {
  readonly kind: "densify";
  readonly field: readonly string[];
  readonly partitionBy: readonly (readonly string[])[];
  readonly step: Value;
  readonly unit: TimeUnit | undefined;
  readonly bounds: DensifyBounds;
  /** Which texts are one partition; undefined for those of the same bytes. */
  readonly collation?: Collation;
  /** As written, for `explain`. */
  readonly source: Document;
}

export type DensifyBounds = "full" | "partition" | { readonly lower: Value; readonly upper: Value };

export function parseDensify(value: Value, context: ParseContext): readonly [SortStage, DensifyStage] {
  if (!(value instanceof Document)) {
    throw new CommandError(
      "FailedToParse",
      `The $densify stage specification must be an object, found ${typeName(value)}`,
    );
  }
  checkNames("$densify", value, ["field", "partitionByFields", "range"], ["field", "range"]);
  const field = value.get("field");
  if (typeof field !== "string") throw wrongType("field", field, "type 'string'");
  const names = value.get("partitionByFields") ?? [];
  if (!isArray(names)) throw wrongType("partitionByFields", names, "type 'array'");
  const range = value.get("range");
  if (!(range instanceof Document)) throw wrongType("range", range, "type 'object'");
  const partitionBy = names.map((name, i) => {
    if (typeof name === "string") return parseFieldPath(name);
    throw wrongType(`partitionByFields.${i}`, name, "type 'string'");
  });
  const stage: DensifyStage = {
    kind: "densify",
    ...parseRange(range, partitionBy.length > 0),
    field: parseFieldPath(field),
    partitionBy,
    source: value,
    ...collationOf(context),
  };
  // Steps that count from the least value of all need the rows in that order; else one partition comes after another.
  const before = stage.bounds === "full" ? [] : partitionBy;
  const parts = [...before, stage.field].map((path) => ({
    path,
    descending: false,
    ...collationOf(context),
  }));
  return [{ kind: "sort", parts, limit: undefined }, stage];
}

function checkNames(
  owner: string,
  spec: Document,
  known: readonly string[],
  required: readonly string[],
): void {
  const unknown = spec.names().find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new CommandError(40415, `BSON field '${owner}.${unknown}' is an unknown field.`);
  }
  const missing = required.find((name) => !spec.has(name));
  if (missing !== undefined) {
    throw new CommandError(40414, `BSON field '${owner}.${missing}' is missing but a required field`);
  }
}

function wrongType(path: string, value: Value, expected: string): CommandError {
  return new CommandError(
    "TypeMismatch",
    `BSON field '$densify.${path}' is the wrong type '${typeName(value)}', expected ${expected}`,
  );
}

function parseRange(range: Document, hasPartitions: boolean): Pick<DensifyStage, "step" | "unit" | "bounds"> {
  checkNames("$densify.range", range, ["bounds", "step", "unit"], ["step", "bounds"]);
  const step = range.get("step");
  if (!isNumber(step)) throw wrongType("range.step", step, "types '[int, decimal, double, long']");
  if (!(signOf(step) > 0)) {
    throw new CommandError(
      5733401,
      "The step parameter in a range statement must be a strictly positive numeric value",
    );
  }
  const unit = parseUnit(range.get("unit"));
  if (unit !== undefined && asInt64(step) === undefined) {
    throw new CommandError(
      6586400,
      "The step parameter in a range statement must be a whole number when densifying a date range",
    );
  }
  const bounds = range.get("bounds");
  if (isArray(bounds)) return { step, unit, bounds: parseExplicit(bounds, step, unit) };
  if (typeof bounds !== "string") {
    throw new CommandError(
      5733404,
      "The bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two " +
        "dates",
    );
  }
  if (bounds !== "full" && bounds !== "partition") {
    throw new CommandError(5946802, "Bounds string must either be 'full' or 'partition'");
  }
  if (bounds === "partition" && !hasPartitions) {
    throw new CommandError(
      5733408,
      "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have " +
        "meant to specify 'full' bounds.",
    );
  }
  return { step, unit, bounds };
}

function parseUnit(value: Value): TimeUnit | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw wrongType("range.unit", value, "type 'string'");
  if (!isTimeUnit(value)) throw new CommandError("FailedToParse", `unknown time unit value: ${value}`);
  return value;
}

function parseExplicit(bounds: readonly Value[], step: Value, unit: TimeUnit | undefined): DensifyBounds {
  if (bounds.length !== 2) {
    throw new CommandError(
      5733403,
      "A bounding array in a range statement must have exactly two elements",
    );
  }
  const [lower, upper] = bounds;
  if (isNumber(lower) && isNumber(upper)) {
    if (unit !== undefined) throw new CommandError(5733409, "Numeric bounds may not have unit parameter");
    if (typeOf(lower) !== typeOf(upper) || typeOf(lower) !== typeOf(step)) {
      throw new CommandError(5876900, "Upper bound, lower bound, and step must all have the same type");
    }
  } else if (lower instanceof UtcDate && upper instanceof UtcDate) {
    if (unit === undefined) throw new CommandError(5733410, "A bounding array of dates must specify a unit");
  } else if ([lower, upper].every((bound) => isNumber(bound) || bound instanceof UtcDate)) {
    throw new CommandError(
      5733406,
      "A bounding array must contain either both dates or both numeric types",
    );
  } else {
    throw new CommandError(5946800, "Explicit bounds must be numeric or dates");
  }
  if (compareValues(lower, upper) > 0) {
    throw new CommandError(
      5733402,
      "A bounding array must be an ascending array of either two dates or two numbers",
    );
  }
  return { lower, upper };
}

export async function* runDensify(stage: DensifyStage, input: Rows, context: QueryContext): Rows {
  const densifier = new Densifier(stage);
  let output: Document[] = [];
  const full = () => output.length >= PIPELINE_BATCH_ROWS;
  for await (const batch of input) {
    for (const row of batch) {
      for (const made of densifier.before(row)) {
        output.push(made);
        if (!full()) continue;
        yield output;
        output = [];
        await context.checkpoint();
      }
      output.push(row);
    }
    await context.checkpoint();
  }
  for (const made of densifier.rest()) {
    output.push(made);
    if (!full()) continue;
    yield output;
    output = [];
    await context.checkpoint();
  }
  if (output.length > 0) yield output;
}

/** What MongoDB says of too many partitions. */
const MEMORY_CODE = 6007200;
/** What a partition takes beside its key and fields, about. */
const STEPS_BYTES = 100;

/** The steps of one partition. */
interface Steps {
  /** The next step. */
  next: Value;
  /** The partition's fields, which each document that is made has. */
  readonly template: Document;
}

class Densifier {
  private readonly partitions: ValueMap<Steps>;
  private readonly all: Steps[] = [];
  private least: Value;
  private most: Value;
  private made = 0;
  private readonly meter = new MemoryMeter(
    `$densify exceeded memory limit of ${MAX_BLOCKING_STAGE_BYTES}`,
    undefined,
    MEMORY_CODE,
  );

  constructor(private readonly stage: DensifyStage) {
    this.partitions = new ValueMap(stage.collation);
  }

  /** The documents that belong before a row. */
  *before(row: Document): Iterable<Document> {
    const value = readPath(row, this.stage.field, 0);
    if (isNullish(value)) return;
    this.check(value);
    this.least ??= value;
    this.most = value;
    const steps = this.partitions.get(this.keyOf(row)) ?? this.begin(row, value);
    while (compareValues(steps.next, value) < 0 && this.isInside(steps.next)) yield this.make(steps);
    if (compareValues(steps.next, value) === 0) steps.next = this.after(value);
  }

  /** The documents behind the last row. */
  *rest(): Iterable<Document> {
    const { bounds } = this.stage;
    if (bounds === "partition") return;
    if (this.all.length === 0 && bounds !== "full") {
      this.all.push({ next: bounds.lower, template: BuiltDocument.EMPTY });
    }
    for (const steps of this.all) {
      const isLeft = () =>
        bounds === "full" ? compareValues(steps.next, this.most) <= 0 : this.isInside(steps.next);
      while (isLeft()) yield this.make(steps);
    }
  }

  /** The upper bound is left out, unless it is the lower one as well. */
  private isInside(value: Value): boolean {
    const { bounds } = this.stage;
    if (typeof bounds === "string") return true;
    return compareValues(value, bounds.upper) < 0 || compareValues(value, bounds.lower) === 0;
  }

  private keyOf(row: Document): Value {
    return this.stage.partitionBy.map((path) => valueAt(row, path));
  }

  private begin(row: Document, value: Value): Steps {
    const { bounds, partitionBy } = this.stage;
    const template = partitionBy.reduce<Document>(
      (made, path) => setAt(made, path, 0, valueAt(row, path)),
      BuiltDocument.EMPTY,
    );
    this.checkTemplate();
    const next = bounds === "full" ? this.least : bounds === "partition" ? value : bounds.lower;
    const steps = { next, template };
    const key = this.keyOf(row);
    this.meter.add(approximateBytes(key) + approximateBytes(template) + STEPS_BYTES);
    this.partitions.set(key, steps);
    this.all.push(steps);
    return steps;
  }

  private make(steps: Steps): Document {
    if (++this.made > MAX_DENSIFIED_DOCUMENTS) {
      throw new CommandError(
        5897900,
        `Generated ${this.made} documents in $densify, which is over the limit of ${MAX_DENSIFIED_DOCUMENTS}. Increase the ` +
          "'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents",
      );
    }
    const document = setAt(steps.template, this.stage.field, 0, steps.next);
    steps.next = this.after(steps.next);
    return document;
  }

  private after(value: Value): Value {
    const { step, unit } = this.stage;
    if (!(value instanceof UtcDate) || unit === undefined) return add(value, step);
    return new UtcDate(addToDate(value.ms, unit, Number(asInt64(step)), Timezone.UTC));
  }

  private check(value: Value): void {
    const { unit } = this.stage;
    if (value instanceof UtcDate) {
      if (unit !== undefined) return;
      throw new CommandError(
        6053600,
        "Encountered date densify value in collection when step does not have a date unit.",
      );
    }
    if (!isNumber(value)) throw new CommandError(5733201, "Densify field type must be numeric or a date");
    if (unit === undefined) return;
    throw new CommandError(
      6053600,
      "Encountered numeric densify value in collection when step has a date unit.",
    );
  }

  private checkTemplate(): void {
    const { field, partitionBy } = this.stage;
    if (!partitionBy.some((path) => path.every((name, i) => field[i] === name))) return;
    throw new CommandError(5733306, "DocGenerator cannot include field that is being densified");
  }
}
