/** Values that stand for moments, zones, units and days of the week in the arguments of date operators. */
import { CommandError } from "../../base/mod.ts";
import { isNullish, ObjectId, Timestamp, UtcDate, type Value } from "../../bson/mod.ts";
import { MS_PER_SECOND } from "./civil.ts";
import type { DayOfWeek, TimeUnit } from "./date_arithmetic.ts";
import type { Evaluator, Scope } from "./expression.ts";
import { typeName } from "./message.ts";
import { parseTimezone, Timezone } from "./timezone.ts";

/** Milliseconds since 1970 of a date, a timestamp or an ObjectId; undefined for all else. */
export function momentOf(value: Value): number | undefined {
  if (value instanceof UtcDate) return value.ms;
  if (value instanceof Timestamp) return value.getHighBitsUnsigned() * MS_PER_SECOND;
  if (value instanceof ObjectId) return value.getTimestamp().getTime();
  return undefined;
}

/** As `momentOf`. @throws CommandError 16006 for what has no moment */
export function requireMoment(value: Value): number {
  const ms = momentOf(value);
  if (ms === undefined) {
    throw new CommandError(16006, `can't convert from BSON type ${typeName(value)} to Date`);
  }
  return ms;
}

/**
 * The zone that an argument names: UTC where it is not given, undefined where it is null.
 *
 * @throws CommandError 40517 for what is no text, 40485 for an unknown zone
 */
export function timezoneOf(evaluate: Evaluator | undefined, scope: Scope): Timezone | undefined {
  if (evaluate === undefined) return Timezone.UTC;
  const value = evaluate(scope);
  if (typeof value === "string") return parseTimezone(value);
  if (isNullish(value)) return undefined;
  throw new CommandError(40517, `timezone must evaluate to a string, found ${typeName(value)}`);
}

const UNITS: ReadonlySet<string> = new Set([
  "millisecond",
  "second",
  "minute",
  "hour",
  "day",
  "week",
  "month",
  "quarter",
  "year",
]);

/** Whether a text names a unit of time, as `$dateTrunc` and its like write them. */
export function isTimeUnit(text: string): text is TimeUnit {
  return UNITS.has(text);
}

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** The day that a text names, in full or by three letters, in any case: 1 for Monday; undefined when it is none. */
export function parseDayOfWeek(text: string): DayOfWeek | undefined {
  const lower = text.toLowerCase();
  const index = DAYS.findIndex((day) => day === lower || day.slice(0, 3) === lower);
  return index < 0 ? undefined : (index + 1) as DayOfWeek;
}
