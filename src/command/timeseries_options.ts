/**
 * The `timeseries` option of `create`, checked and completed as MongoDB 8.0 does.
 *
 * granularity | bucketMaxSpanSeconds
 * ----------- | --------------------
 * seconds     | 3,600 (an hour)
 * minutes     | 86,400 (a day)
 * hours       | 2,592,000 (thirty days)
 *
 * Instead of a granularity, bucketMaxSpanSeconds and bucketRoundingSeconds may be given, equal to each other.
 */
import { CommandError } from "../base/mod.ts";
import type { RawDocument } from "../bson/mod.ts";
import {
  type Granularity,
  type Namespace,
  namespaceText,
  SPAN_SECONDS,
  type TimeseriesOptions,
} from "../cluster/mod.ts";
import { type Arguments, Arguments as Fields, checkFields, type FieldTable } from "./arguments.ts";

const MAX_SPAN_SECONDS = 31_536_000;
const FIELDS: FieldTable = {
  timeField: "string!",
  metaField: "string",
  granularity: "string",
  bucketMaxSpanSeconds: "number",
  bucketRoundingSeconds: "number",
};

/**
 * Reads the options, but for the expiry, which stands beside them.
 *
 * @param args the fields of `create`; `timeseries` is a document in them
 * @throws CommandError when they are bad
 */
export function parseTimeseriesOptions(args: Arguments, namespace: Namespace): TimeseriesOptions {
  const document = args.get("timeseries");
  const fields = new Fields(document as RawDocument);
  checkFields(fields, "create.timeseries", FIELDS);
  const timeField = fields.string("timeField")!;
  const metaField = fields.string("metaField");
  const granularity = parseGranularity(fields, "create.timeseries");
  const bounds = {
    maxSpan: parseSeconds(fields, "bucketMaxSpanSeconds"),
    rounding: parseSeconds(fields, "bucketRoundingSeconds"),
  };
  checkFieldName("timeField", timeField, namespace);
  if (metaField !== undefined) checkMetaField(metaField, timeField, namespace);
  return {
    timeField,
    ...(metaField === undefined ? {} : { metaField }),
    ...bucketing(granularity, bounds.maxSpan, bounds.rounding),
  };
}

/** @param owner what the error names: `create.timeseries` */
export function parseGranularity(fields: Arguments, owner: string): Granularity | undefined {
  const text = fields.string("granularity");
  if (text === undefined) return undefined;
  if (text === "seconds" || text === "minutes" || text === "hours") return text;
  throw new CommandError(
    "BadValue",
    `Enumeration value '${text}' for field '${owner}.granularity' is not a valid value.`,
  );
}

function parseSeconds(fields: Arguments, name: string): number | undefined {
  const seconds = fields.integerFrom(name, 1);
  if (seconds !== undefined && seconds > MAX_SPAN_SECONDS) {
    throw new CommandError(
      51024,
      `BSON field '${name}' value must be <= ${MAX_SPAN_SECONDS}, actual value '${seconds}'`,
    );
  }
  return seconds;
}

function bucketing(
  granularity: Granularity | undefined,
  maxSpan: number | undefined,
  rounding: number | undefined,
): Pick<TimeseriesOptions, "granularity" | "bucketMaxSpanSeconds" | "bucketRoundingSeconds"> {
  if (granularity === undefined && (maxSpan !== undefined || rounding !== undefined)) {
    if (maxSpan === undefined || maxSpan !== rounding) {
      throw invalidOptions("Time-series 'bucketRoundingSeconds' must be equal to 'bucketMaxSpanSeconds'");
    }
    return { bucketMaxSpanSeconds: maxSpan, bucketRoundingSeconds: rounding };
  }
  const chosen = granularity ?? "seconds";
  const span = SPAN_SECONDS[chosen];
  if (maxSpan !== undefined && maxSpan !== span) {
    throw invalidOptions(
      `Time-series 'bucketMaxSpanSeconds' cannot be set to a value other than the default of ${span} for the ` +
        "provided granularity",
    );
  }
  if (rounding !== undefined) {
    throw invalidOptions(
      "Time-series 'bucketRoundingSeconds' cannot be set alongside the granularity parameter",
    );
  }
  return { granularity: chosen, bucketMaxSpanSeconds: span };
}

function checkFieldName(option: string, name: string, namespace: Namespace): void {
  if (name.includes(".")) {
    throw invalidOptions(
      `${namespaceText(namespace)}: '${option}' must be a top-level field and not contain a '.'`,
    );
  }
  if (name.includes("\0")) throw invalidOptions(`'${option}' cannot contain embedded null bytes`);
}

function checkMetaField(metaField: string, timeField: string, namespace: Namespace): void {
  if (metaField === "_id") throw invalidOptions(`'metaField' cannot be "_id"`);
  if (metaField === timeField) throw invalidOptions("'metaField' cannot be the same as 'timeField'");
  checkFieldName("metaField", metaField, namespace);
}

const MAX_EXPIRY_SECONDS = 2 ** 31 - 1;

/** With the `expireAfterSeconds` of `create`. @throws CommandError when it is negative or too large */
export function withExpiry(timeseries: TimeseriesOptions, args: Arguments): TimeseriesOptions {
  const seconds = args.integer("expireAfterSeconds");
  return seconds === undefined ? timeseries : { ...timeseries, expireAfterSeconds: checkExpiry(seconds) };
}

/** @throws CommandError when an expiry is negative or too large */
export function checkExpiry(seconds: number): number {
  if (seconds < 0) throw invalidOptions("TTL index 'expireAfterSeconds' option cannot be less than 0");
  if (!(seconds <= MAX_EXPIRY_SECONDS)) {
    throw invalidOptions(
      "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number",
    );
  }
  return seconds;
}

function invalidOptions(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}
