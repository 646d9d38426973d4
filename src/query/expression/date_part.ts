/** Parts of dates, in a time zone: `$year` to `$millisecond`, weeks and days, and `$dateToParts`. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, Int32, isArray, isNullish, type Value } from "../../bson/mod.ts";
import {
  civilDate,
  dayOfYear,
  isoDayOfWeek,
  isoWeek,
  MS_PER_DAY,
  MS_PER_HOUR,
  MS_PER_MINUTE,
  MS_PER_SECOND,
  sundayWeek,
} from "./civil.ts";
import { requireMoment, timezoneOf } from "./date_value.ts";
import { type Expression, namedNode, type OperatorNode, type ParseContext } from "./expression.ts";
import { renderDocument, renderValue, typeName } from "./message.ts";
import { parseNamed } from "./named_arguments.ts";
import type { OperatorDefinition, Parse } from "./operator.ts";
import { parseTimezone, Timezone } from "./timezone.ts";

const dayOf = (localMs: number) => Math.floor(localMs / MS_PER_DAY);
const inDay = (localMs: number) => localMs - dayOf(localMs) * MS_PER_DAY;
export const hourOf = (localMs: number) => Math.floor(inDay(localMs) / MS_PER_HOUR);
export const minuteOf = (localMs: number) => Math.floor(inDay(localMs) / MS_PER_MINUTE) % 60;
export const secondOf = (localMs: number) => Math.floor(inDay(localMs) / MS_PER_SECOND) % 60;
export const millisecondOf = (localMs: number) => inDay(localMs) % MS_PER_SECOND;

/** An operator that takes a date, or `{date, timezone}`, to a number computed from local milliseconds. */
function datePart(name: string, apply: (localMs: number) => Value): OperatorDefinition {
  return {
    name,
    parse: (value, context, parse) => parseDatePart(name, value, context, parse),
    compile: ({ named }) => {
      const date = named["date"]!;
      const zone = named["timezone"];
      return (scope) => {
        const value = date(scope);
        if (isNullish(value)) return null;
        const ms = requireMoment(value);
        if (zone === undefined) return apply(ms);
        const timezone = partTimezone(name, zone(scope));
        return timezone === undefined ? null : apply(ms + timezone.offsetAt(ms));
      };
    },
  };
}

function partTimezone(name: string, value: Value): Timezone | undefined {
  if (typeof value === "string") return parseTimezone(value);
  if (isNullish(value)) return undefined;
  throw new CommandError(
    40533,
    `${name} requires a string for the timezone argument, but was given a ${typeName(value)} (${
      renderValue(value)
    })`,
  );
}

function parseDatePart(name: string, value: Value, context: ParseContext, parse: Parse): OperatorNode {
  const argument = isArray(value) ? singleItem(name, value) : value;
  // An array of one stands for its item, be that a document of arguments or not.
  if (argument instanceof Document && !argument.names()[0]?.startsWith("$")) {
    return parseDatePartObject(name, argument, context, parse);
  }
  return namedNode(name, { date: parse(argument, context) });
}

function singleItem(name: string, items: readonly Value[]): Value {
  if (items.length !== 1) {
    throw new CommandError(
      40536,
      `${name} accepts exactly one argument if given an array, but was given ${items.length}`,
    );
  }
  return items[0];
}

function parseDatePartObject(
  name: string,
  argument: Document,
  context: ParseContext,
  parse: Parse,
): OperatorNode {
  const named: Record<string, Expression> = {};
  const values = argument.values();
  for (const [i, field] of argument.names().entries()) {
    if (field !== "date" && field !== "timezone") {
      throw new CommandError(40535, `unrecognized option to ${name}: "${field}"`);
    }
    named[field] = parse(values[i], context);
  }
  if (named["date"] === undefined) {
    throw new CommandError(
      40539,
      `missing 'date' argument to ${name}, provided: ${name}: ${renderDocument(argument)}`,
    );
  }
  return namedNode(name, named);
}

const DATE_TO_PARTS: OperatorDefinition = {
  name: "$dateToParts",
  parse: (value, context, parse) =>
    parseNamed(
      {
        operator: "$dateToParts",
        names: {
          date: new CommandError(40522, "Missing 'date' parameter to $dateToParts"),
          timezone: "optional",
          iso8601: "optional",
        },
        notAnObject: () => new CommandError(40524, "$dateToParts only supports an object as its argument"),
        unknown: (name) => new CommandError(40520, `Unrecognized argument to $dateToParts: ${name}`),
      },
      value,
      context,
      parse,
    ),
  compile: ({ named }) => {
    const { date, timezone, iso8601 } = named as { date: typeof named[string] } & typeof named;
    return (scope) => {
      const value = date(scope);
      const zone = timezoneOf(timezone, scope);
      if (zone === undefined) return null;
      const iso = iso8601 === undefined ? false : iso8601(scope);
      if (isNullish(iso)) return null;
      if (typeof iso !== "boolean") {
        throw new CommandError(40521, `iso8601 must evaluate to a bool, found ${typeName(iso)}`);
      }
      if (isNullish(value)) return null;
      const ms = requireMoment(value);
      return partsOf(ms + zone.offsetAt(ms), iso);
    };
  },
};

const TIME_PARTS = ["hour", "minute", "second", "millisecond"];

function partsOf(localMs: number, iso: boolean): Document {
  const time = [hourOf(localMs), minuteOf(localMs), secondOf(localMs), millisecondOf(localMs)].map(Int32.of);
  const day = dayOf(localMs);
  if (iso) {
    const { year, week } = isoWeek(day);
    return new BuiltDocument(
      ["isoWeekYear", "isoWeek", "isoDayOfWeek", ...TIME_PARTS],
      [Int32.of(year), Int32.of(week), Int32.of(isoDayOfWeek(day)), ...time],
    );
  }
  const civil = civilDate(day);
  return new BuiltDocument(
    ["year", "month", "day", ...TIME_PARTS],
    [Int32.of(civil.year), Int32.of(civil.month), Int32.of(civil.day), ...time],
  );
}

/** The number of a part for a day number. */
function dayPart(name: string, apply: (day: number) => number): OperatorDefinition {
  return datePart(name, (localMs) => Int32.of(apply(dayOf(localMs))));
}

export const DATE_PART: readonly OperatorDefinition[] = [
  DATE_TO_PARTS,
  dayPart("$dayOfMonth", (day) => civilDate(day).day),
  dayPart("$dayOfWeek", (day) => isoDayOfWeek(day) % 7 + 1),
  dayPart("$dayOfYear", dayOfYear),
  datePart("$hour", (localMs) => Int32.of(hourOf(localMs))),
  dayPart("$isoDayOfWeek", isoDayOfWeek),
  dayPart("$isoWeek", (day) => isoWeek(day).week),
  datePart("$isoWeekYear", (localMs) => BigInt(isoWeek(dayOf(localMs)).year)),
  datePart("$millisecond", (localMs) => Int32.of(millisecondOf(localMs))),
  datePart("$minute", (localMs) => Int32.of(minuteOf(localMs))),
  dayPart("$month", (day) => civilDate(day).month),
  datePart("$second", (localMs) => Int32.of(secondOf(localMs))),
  dayPart("$week", sundayWeek),
  dayPart("$year", (day) => civilDate(day).year),
];
