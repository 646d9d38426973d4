/** Dates as text: `$dateToString`, and the ISO form that conversions give. */
import { CommandError } from "../../base/mod.ts";
import { isNullish, type Value } from "../../bson/mod.ts";
import {
  civilDate,
  dayOfYear,
  isoDayOfWeek,
  isoWeek,
  MS_PER_DAY,
  MS_PER_HOUR,
  MS_PER_MINUTE,
  sundayWeek,
} from "./civil.ts";
import { hourOf, millisecondOf, minuteOf, secondOf } from "./date_part.ts";
import { requireMoment, timezoneOf } from "./date_value.ts";
import { renderValue, typeName } from "./message.ts";
import { type NamedArguments, parseNamed } from "./named_arguments.ts";
import type { Operands, OperatorDefinition } from "./operator.ts";
import type { Evaluator } from "./expression.ts";

const ISO_FORMAT = "%Y-%m-%dT%H:%M:%S.%LZ";
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** The English name of a month, 1 to 12. */
export function monthName(month: number): string {
  return MONTHS[month - 1]!;
}

/** `2024-05-06T07:08:09.123Z`. @throws CommandError 18537 for years outside 0…9999 */
export function isoDateText(ms: number): string {
  return formatDate(ms, 0, ISO_FORMAT);
}

const pad = (value: number, width: number) => String(value).padStart(width, "0");

/**
 * A date by a format of `$dateToString`.
 *
 * @param offsetMs local time minus UTC
 * @throws CommandError 18535, 18536 for a bad format, 18537 for years outside 0…9999
 */
export function formatDate(ms: number, offsetMs: number, format: string): string {
  const localMs = ms + offsetMs;
  let text = "";
  for (let i = 0; i < format.length; i++) {
    if (format[i] !== "%") {
      text += format[i];
      continue;
    }
    i++;
    text += formatPart(format[i], localMs, offsetMs);
  }
  return text;
}

function formatPart(letter: string | undefined, localMs: number, offsetMs: number): string {
  const day = Math.floor(localMs / MS_PER_DAY);
  switch (letter) {
    case "%":
      return "%";
    case "Y":
      return pad(checkYear(civilDate(day).year), 4);
    case "m":
      return pad(civilDate(day).month, 2);
    case "d":
      return pad(civilDate(day).day, 2);
    case "b":
      return monthName(civilDate(day).month).slice(0, 3);
    case "B":
      return monthName(civilDate(day).month);
    case "H":
      return pad(hourOf(localMs), 2);
    case "M":
      return pad(minuteOf(localMs), 2);
    case "S":
      return pad(secondOf(localMs), 2);
    case "L":
      return pad(millisecondOf(localMs), 3);
    case "z":
      return offsetText(offsetMs);
    case "Z":
      return String(Math.trunc(offsetMs / MS_PER_MINUTE));
    default:
      return formatWeekPart(letter, day);
  }
}

function formatWeekPart(letter: string | undefined, day: number): string {
  switch (letter) {
    case "j":
      return pad(dayOfYear(day), 3);
    case "w":
      return String(isoDayOfWeek(day) % 7 + 1);
    case "u":
      return String(isoDayOfWeek(day));
    case "U":
      return pad(sundayWeek(day), 2);
    case "V":
      return pad(isoWeek(day).week, 2);
    case "G":
      return pad(checkYear(isoWeek(day).year), 4);
    default:
      return checkFormatLetter(letter);
  }
}

const LETTERS = "%bBdGHjLmMSuUVwYzZ";

function checkFormatLetter(letter: string | undefined): string {
  if (letter === undefined) throw new CommandError(18535, "Unmatched '%' at end of format string");
  if (LETTERS.includes(letter)) return letter;
  throw new CommandError(18536, `Invalid format character '%${letter}' in format string`);
}

function checkFormat(format: string): void {
  for (let i = 0; i < format.length; i++) {
    if (format[i] === "%") checkFormatLetter(format[++i]);
  }
}

function checkYear(year: number): number {
  if (year >= 0 && year <= 9999) return year;
  throw new CommandError(
    18537,
    `Could not convert date to string: date component was outside the supported range of 0-9999: ${year}`,
  );
}

function offsetText(offsetMs: number): string {
  const minutes = Math.trunc(Math.abs(offsetMs) / MS_PER_MINUTE);
  const hours = Math.floor(minutes * MS_PER_MINUTE / MS_PER_HOUR);
  return `${offsetMs < 0 ? "-" : "+"}${pad(hours, 2)}${pad(minutes % 60, 2)}`;
}

const ARGUMENTS: NamedArguments = {
  operator: "$dateToString",
  names: {
    date: new CommandError(18628, "Missing 'date' parameter to $dateToString"),
    format: "optional",
    timezone: "optional",
    onNull: "optional",
  },
  notAnObject: () => new CommandError(18629, "$dateToString only supports an object as its argument"),
  unknown: (name) => new CommandError(18534, `Unrecognized argument to $dateToString: ${name}`),
};

function compileDateToString({ named }: Operands): Evaluator {
  const date = named["date"]!;
  const { format, timezone, onNull } = named;
  return (scope) => {
    const value = date(scope);
    const pattern = format?.(scope);
    if (!isNullish(pattern)) checkFormatArgument(pattern);
    const zone = timezoneOf(timezone, scope);
    if (isNullish(value)) return onNull === undefined ? null : onNull(scope);
    if (zone === undefined || (format !== undefined && isNullish(pattern))) return null;
    const ms = requireMoment(value);
    // The default format ends in Z whatever the zone: so does MongoDB's.
    return formatDate(ms, zone.offsetAt(ms), typeof pattern === "string" ? pattern : ISO_FORMAT);
  };
}

function checkFormatArgument(pattern: Value): void {
  if (typeof pattern !== "string") {
    throw new CommandError(
      18533,
      `$dateToString requires that 'format' be a string, found: ${typeName(pattern)} with value ${
        renderValue(pattern)
      }`,
    );
  }
  checkFormat(pattern);
}

export const DATE_FORMAT: readonly OperatorDefinition[] = [{
  name: "$dateToString",
  parse: (value, context, parse) => parseNamed(ARGUMENTS, value, context, parse),
  compile: compileDateToString,
}];
