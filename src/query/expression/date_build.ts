/** `$dateFromParts` and `$dateFromString`: dates made of numbers and of text. */
import { CommandError } from "../../base/mod.ts";
import { isNullish, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import { dayNumber, isoYearStart, MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from "./civil.ts";
import { parseDateText } from "./date_text.ts";
import { timezoneOf } from "./date_value.ts";
import { type Evaluator, type OperatorNode, type ParseContext, type Scope } from "./expression.ts";
import { renderValue, typeName } from "./message.ts";
import { type NamedArguments, parseNamed } from "./named_arguments.ts";
import { asInt64 } from "./number.ts";
import type { Operands, OperatorDefinition, Parse } from "./operator.ts";

const NATURAL = ["month", "day"];
const ISO = ["isoWeek", "isoDayOfWeek"];

const PARTS_ARGUMENTS: NamedArguments = {
  operator: "$dateFromParts",
  names: Object.fromEntries(
    ["year", ...NATURAL, "isoWeekYear", ...ISO, "hour", "minute", "second", "millisecond", "timezone"]
      .map((name) => [name, "optional"]),
  ),
  notAnObject: () => new CommandError(40519, "$dateFromParts only supports an object as its argument"),
  unknown: (name) => new CommandError(40518, `Unrecognized argument to $dateFromParts: ${name}`),
};

function parseDateFromParts(value: Value, context: ParseContext, parse: Parse): OperatorNode {
  const node = parseNamed(PARTS_ARGUMENTS, value, context, parse);
  const has = (name: string) => node.named[name] !== undefined;
  if (!has("year") && !has("isoWeekYear")) {
    throw new CommandError(
      40516,
      "$dateFromParts requires either 'year' or 'isoWeekYear' to be present",
    );
  }
  if (has("year") && (has("isoWeekYear") || ISO.some(has))) {
    throw new CommandError(40489, "$dateFromParts does not allow mixing natural dates with ISO dates");
  }
  if (has("isoWeekYear") && NATURAL.some(has)) {
    throw new CommandError(40525, "$dateFromParts does not allow mixing ISO dates with natural dates");
  }
  return node;
}

const SHORT = [-32768, 32767] as const;

/** Reads whole numbers; null ones are remembered, as any of them makes the date null. */
class PartReader {
  isNull = false;

  constructor(private readonly named: Readonly<Record<string, Evaluator>>, private readonly scope: Scope) {}

  read(name: string, otherwise: number, range?: readonly [number, number]): number {
    return Number(this.readWhole(name, BigInt(otherwise), range));
  }

  readWhole(name: string, otherwise: bigint, range?: readonly [number, number]): bigint {
    const evaluate = this.named[name];
    if (evaluate === undefined || this.isNull) return otherwise;
    const value = evaluate(this.scope);
    if (isNullish(value)) {
      this.isNull = true;
      return otherwise;
    }
    const whole = isNumber(value) ? asInt64(value) : undefined;
    if (whole === undefined) {
      throw new CommandError(
        40515,
        `'${name}' must evaluate to an integer, found ${typeName(value)} with value ${renderValue(value)}`,
      );
    }
    if (range !== undefined && (whole < range[0] || whole > range[1])) throw outOfRange(name, whole, range);
    return whole;
  }
}

function outOfRange(name: string, part: bigint, range: readonly [number, number]): CommandError {
  return new CommandError(
    31034,
    `'${name}' must evaluate to a value in the range [${range[0]}, ${
      range[1]
    }]; value ${part} is not in range`,
  );
}

function compileDateFromParts({ named }: Operands): Evaluator {
  const iso = named["isoWeekYear"] !== undefined;
  return (scope) => {
    const parts = new PartReader(named, scope);
    const time = parts.read("hour", 0, SHORT) * MS_PER_HOUR + parts.read("minute", 0, SHORT) * MS_PER_MINUTE +
      parts.read("second", 0) * MS_PER_SECOND + parts.read("millisecond", 0);
    const zone = timezoneOf(named["timezone"], scope);
    if (zone === undefined) return null;
    const day = iso ? isoDay(parts) : naturalDay(parts);
    if (parts.isNull) return null;
    checkYear(iso ? "isoWeekYear" : "year", parts);
    return new UtcDate(zone.toUtc(day * MS_PER_DAY + time));
  };
}

/** Years are checked last, when all other parts are known to be right. */
function checkYear(name: string, parts: PartReader): void {
  const year = parts.readWhole(name, 1970n);
  if (year >= 1 && year <= 9999) return;
  throw new CommandError(
    40523,
    `'${name}' must evaluate to an integer in the range 1 to 9999, found ${year}`,
  );
}

function naturalDay(parts: PartReader): number {
  const year = parts.read("year", 1970);
  const month = parts.read("month", 1, SHORT);
  return dayNumber(year, month, 1) + parts.read("day", 1, SHORT) - 1;
}

function isoDay(parts: PartReader): number {
  const year = parts.read("isoWeekYear", 1970);
  return isoYearStart(year) + (parts.read("isoWeek", 1, SHORT) - 1) * 7 +
    parts.read("isoDayOfWeek", 1, SHORT) - 1;
}

const STRING_ARGUMENTS: NamedArguments = {
  operator: "$dateFromString",
  names: {
    dateString: new CommandError(40542, "Missing 'dateString' parameter to $dateFromString"),
    format: "optional",
    timezone: "optional",
    onError: "optional",
    onNull: "optional",
  },
  notAnObject: (value) =>
    new CommandError(
      40540,
      `$dateFromString only supports an object as an argument, found: ${typeName(value)}`,
    ),
  unknown: (name) => new CommandError(40541, `Unrecognized argument to $dateFromString: ${name}`),
};

function compileDateFromString({ named }: Operands): Evaluator {
  const dateString = named["dateString"]!;
  const { timezone, onError, onNull } = named;
  return (scope) => {
    const format = formatArgument(named["format"], scope);
    const zone = timezoneOf(timezone, scope);
    const text = dateString(scope);
    if (isNullish(text)) return onNull === undefined ? null : onNull(scope);
    if (format === null || zone === undefined) return null;
    try {
      return new UtcDate(parseDateText(requireText(text), timezone === undefined ? undefined : zone, format));
    } catch (error) {
      if (
        onError === undefined || !(error instanceof CommandError) || error.codeName !== "ConversionFailure"
      ) {
        throw error;
      }
      return onError(scope);
    }
  };
}

/** The format's text; undefined where none is given, null for null. */
function formatArgument(evaluate: Evaluator | undefined, scope: Scope): string | undefined | null {
  if (evaluate === undefined) return undefined;
  const value = evaluate(scope);
  if (isNullish(value)) return null;
  if (typeof value === "string") return value;
  throw new CommandError(
    40684,
    `$dateFromString requires that 'format' be a string, found: ${typeName(value)} with value ${
      renderValue(value)
    }`,
  );
}

function requireText(value: Value): string {
  if (typeof value === "string") return value;
  throw new CommandError(
    "ConversionFailure",
    `$dateFromString requires that 'dateString' be a string, found: ${typeName(value)} with value ${
      renderValue(value)
    }`,
  );
}

export const DATE_BUILD: readonly OperatorDefinition[] = [
  { name: "$dateFromParts", parse: parseDateFromParts, compile: compileDateFromParts },
  {
    name: "$dateFromString",
    parse: (value, context, parse) => parseNamed(STRING_ARGUMENTS, value, context, parse),
    compile: compileDateFromString,
  },
];
