/**
 * Dates read from text: by a format of `$dateFromString`, or without one in the ISO 8601 forms and those written with
 * month names, dots or slashes that MongoDB's parser (timelib) takes.
 */
import { CommandError } from "../../base/mod.ts";
import {
  dayNumber,
  daysInMonth,
  isoYearStart,
  MS_PER_DAY,
  MS_PER_HOUR,
  MS_PER_MINUTE,
  MS_PER_SECOND,
} from "./civil.ts";
import type { Timezone } from "./timezone.ts";

/** What a text says, field by field. */
interface Read {
  year?: number;
  month?: number;
  day?: number;
  hour?: number;
  minute?: number;
  second?: number;
  millisecond?: number;
  isoYear?: number;
  isoWeek?: number;
  isoDay?: number;
  dayOfYear?: number;
  /** Minutes east of UTC. */
  offsetMinutes?: number;
  /** The zone as it was written. */
  zoneText?: string;
}

/**
 * The moment that a text names.
 *
 * @param zone where local time is, for a text without offset; undefined when none was given (UTC)
 * @param format of `$dateFromString`; undefined for the free forms
 * @throws CommandError ConversionFailure (241) for what is no date, 18535 and 18536 for a bad format
 */
export function parseDateText(text: string, zone: Timezone | undefined, format: string | undefined): number {
  const read = format === undefined ? readFree(text) : readByFormat(text, format);
  if (read.zoneText !== undefined && zone !== undefined) {
    throw failure(
      `you cannot pass in a date/time string with time zone information ('${read.zoneText}') together with a timezone argument`,
    );
  }
  const localMs = localMoment(read, text);
  if (read.offsetMinutes !== undefined) return localMs - read.offsetMinutes * MS_PER_MINUTE;
  return zone === undefined ? localMs : zone.toUtc(localMs);
}

function failure(message: string): CommandError {
  return new CommandError("ConversionFailure", message);
}

function parsingFailure(text: string, at: number, what: string): CommandError {
  return failure(`Error parsing date string '${text}'; ${at}: ${what} '${text[at] ?? "\0"}'`);
}

function localMoment(read: Read, text: string): number {
  const day = dayOf(read, text);
  const time = (read.hour ?? 0) * MS_PER_HOUR + (read.minute ?? 0) * MS_PER_MINUTE +
    (read.second ?? 0) * MS_PER_SECOND + (read.millisecond ?? 0);
  return day * MS_PER_DAY + time;
}

function dayOf(read: Read, text: string): number {
  if (read.isoYear !== undefined) {
    return isoYearStart(read.isoYear) + ((read.isoWeek ?? 1) - 1) * 7 + (read.isoDay ?? 1) - 1;
  }
  const { year, month, day } = read;
  if (year !== undefined && read.dayOfYear !== undefined) return dayNumber(year, 1, read.dayOfYear);
  if (year === undefined || month === undefined || day === undefined) {
    throw failure(`an incomplete date/time string has been found, with elements missing: "${text}"`);
  }
  if (day < 1 || day > daysInMonth(year, month)) {
    throw failure(
      `Error parsing date string '${text}'; ${text.length + 1}: The parsed date was invalid '\0'`,
    );
  }
  return dayNumber(year, month, day);
}

const MONTH_NAMES = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH =
  "(?<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const WEEKDAY = "(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?[.,]?\\s+)?";
const TIME =
  "(?:[T\\s]+(?<hour>[01]?\\d|2[0-3])(?::(?<minute>[0-5]?\\d))?(?::(?<second>[0-5]?\\d|60)(?:[.,:](?<fraction>\\d+))?)?)?";
const COMPACT_TIME =
  "(?:T?(?<hour>[01]\\d|2[0-3]):?(?<minute>[0-5]\\d):?(?<second>[0-5]\\d)?(?:[.,](?<fraction>\\d+))?)?";
const ZONE = "(?:\\s*(?<zone>Z|UTC|GMT|(?:GMT)?(?<sign>[+-])(?<zoneHour>\\d{1,2}):?(?<zoneMinute>\\d{2})?))?";

/** The free forms: date, time, zone; the first that fits is taken. */
const FREE_FORMS: readonly RegExp[] = [
  `(?<year>[+-]?\\d{4,})-(?<month>0?[1-9]|1[0-2])-(?<day>[0-2]?\\d|3[01])${TIME}`,
  `(?<year>\\d{4})-(?<month>0[1-9]|1[0-2])`,
  `(?<year>\\d{4})-?W(?<isoWeek>[0-4]\\d|5[0-3])(?:-?(?<isoDay>[0-7]))?${TIME}`,
  `(?<year>\\d{4})(?<dayOfYear>[0-2]\\d\\d|3[0-6]\\d)`,
  `(?<year>\\d{4})(?<month>0[1-9]|1[0-2])(?<day>[0-2]\\d|3[01])${COMPACT_TIME}`,
  `(?<year>\\d{4})/(?<month>0?[1-9]|1[0-2])/(?<day>[0-2]?\\d|3[01])${TIME}`,
  `(?<month>0?[1-9]|1[0-2])/(?<day>[0-2]?\\d|3[01])/(?<year>\\d{4})${TIME}`,
  `(?<day>[0-2]?\\d|3[01])[.-](?<month>0?[1-9]|1[0-2])[.-](?<year>\\d{4})${TIME}`,
  `${WEEKDAY}(?<day>[0-2]?\\d|3[01])(?:st|nd|rd|th)?[ .\\t-]*${MONTH}[ .,\\t-]*(?<year>\\d{4})${TIME}`,
  `${WEEKDAY}${MONTH}[ .\\t-]*(?<day>[0-2]?\\d|3[01])(?:st|nd|rd|th)?[ .,\\t]+(?<year>\\d{4})${TIME}`,
  `${WEEKDAY}${MONTH}\\s+(?<day>[0-2]?\\d|3[01])\\s+(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})\\s+(?<year>\\d{4})`,
].map((form) => new RegExp(`^\\s*${form}${ZONE}\\s*$`, "i"));

function readFree(text: string): Read {
  if (text === "") throw failure("Error parsing date string ''; 0: Empty string '\0'");
  for (const form of FREE_FORMS) {
    const groups = form.exec(text)?.groups;
    if (groups !== undefined) return readGroups(groups);
  }
  if (
    /^\s*(?:\d{1,2}:\d{2}(?::\d{2})?|\d{4}|now|today|noon|midnight|tomorrow|yesterday|[a-ik-z])\s*$/i.test(
      text,
    )
  ) {
    throw failure(`an incomplete date/time string has been found, with elements missing: "${text}"`);
  }
  const identifier = /[A-Za-z]{2,}(?:\/[A-Za-z_]+)*\s*$/.exec(text);
  if (identifier !== null && !MONTH_NAMES.includes(identifier[0].slice(0, 3).toLowerCase())) {
    throw parsingFailure(
      text,
      identifier.index,
      "passing a time zone identifier as part of the string is not allowed",
    );
  }
  throw parsingFailure(text, unexpectedAt(text), "Unexpected character");
}

/** Behind the longest beginning that is a date. */
function unexpectedAt(text: string): number {
  for (let length = text.length - 1; length > 0; length--) {
    if (FREE_FORMS.some((form) => form.test(text.slice(0, length)))) return length;
  }
  return 0;
}

type Groups = Readonly<Record<string, string | undefined>>;

function readGroups(groups: Groups): Read {
  const read: Read = {};
  const number = (name: string) => groups[name] === undefined ? undefined : Number(groups[name]);
  const assign = (name: keyof Omit<Read, "zoneText">, value: number | undefined) => {
    if (value !== undefined) read[name] = value;
  };
  const name = groups["name"];
  const isWeekDate = groups["isoWeek"] !== undefined;
  assign(isWeekDate ? "isoYear" : "year", number("year"));
  assign(
    "month",
    name === undefined ? number("month") : MONTH_NAMES.indexOf(name.slice(0, 3).toLowerCase()) + 1,
  );
  assign("day", number("day"));
  assign("isoWeek", number("isoWeek"));
  assign("isoDay", number("isoDay"));
  assign("dayOfYear", number("dayOfYear"));
  assign("hour", number("hour"));
  assign("minute", number("minute"));
  assign("second", number("second"));
  const fraction = groups["fraction"];
  if (fraction !== undefined) read.millisecond = Number(fraction.slice(0, 3).padEnd(3, "0"));
  return { ...read, ...zoneOf(groups) };
}

function zoneOf(groups: Groups): Read {
  const zoneText = groups["zone"];
  if (zoneText === undefined) return {};
  const sign = groups["sign"];
  if (sign === undefined) return { zoneText, offsetMinutes: 0 };
  const minutes = Number(groups["zoneHour"]) * 60 + Number(groups["zoneMinute"] ?? 0);
  return { zoneText, offsetMinutes: sign === "-" ? -minutes : minutes };
}

/** What each letter of a format matches, and where it goes. */
const FORMAT_PARTS: Readonly<Record<string, readonly [pattern: RegExp, field: keyof Read]>> = {
  Y: [/^\d{4}/, "year"],
  m: [/^\d{1,2}/, "month"],
  d: [/^\d{1,2}/, "day"],
  H: [/^\d{1,2}/, "hour"],
  M: [/^\d{1,2}/, "minute"],
  S: [/^\d{1,2}/, "second"],
  L: [/^\d{1,3}/, "millisecond"],
  G: [/^\d{4}/, "isoYear"],
  V: [/^\d{1,2}/, "isoWeek"],
  u: [/^[0-7]/, "isoDay"],
  j: [/^\d{3}/, "dayOfYear"],
};

function readByFormat(text: string, format: string): Read {
  const read: Read = {};
  let at = 0;
  for (let i = 0; i < format.length; i++) {
    const letter = format[i]!;
    if (at >= text.length) throw parsingFailure(text, at, "Not enough data available to satisfy format");
    if (letter !== "%") {
      if (text[at] !== letter) throw parsingFailure(text, at, "Format literal not found");
      at++;
    } else {
      at += readPart(read, text, at, format[++i]);
    }
  }
  if (at < text.length) throw parsingFailure(text, at, "Trailing data");
  return read;
}

/** Reads one part of a format; returns how many characters it took. */
function readPart(read: Read, text: string, at: number, letter: string | undefined): number {
  const rest = text.slice(at);
  if (letter === undefined) throw new CommandError(18535, "Unmatched '%' at end of format string");
  if (letter === "%") return 1;
  if (letter === "z" || letter === "Z") return readZonePart(read, text, at);
  if (letter === "b" || letter === "B") return readMonthPart(read, text, at);
  const part = FORMAT_PARTS[letter];
  if (part === undefined) {
    throw new CommandError(18536, `Invalid format character '%${letter}' in format string`);
  }
  const [pattern, field] = part;
  const digits = pattern.exec(rest)?.[0];
  if (digits === undefined) throw parsingFailure(text, at, "Unexpected data found.");
  Object.assign(read, { [field]: Number(digits) });
  return digits.length;
}

function readMonthPart(read: Read, text: string, at: number): number {
  const match = new RegExp(`^${MONTH}`, "i").exec(text.slice(at));
  if (match === null) throw parsingFailure(text, at, "A textual month could not be found");
  read.month = MONTH_NAMES.indexOf(match[0].slice(0, 3).toLowerCase()) + 1;
  return match[0].length;
}

function readZonePart(read: Read, text: string, at: number): number {
  const rest = text.slice(at);
  const minutes = /^[+-]\d{3,}(?!:)/.exec(rest);
  const match = new RegExp(`^${ZONE}`, "i").exec(rest);
  if (match?.groups?.["zone"] !== undefined) {
    Object.assign(read, zoneOf(match.groups));
    return match[0].length;
  }
  if (minutes === null) throw parsingFailure(text, at, "The timezone could not be found in the database");
  read.offsetMinutes = Number(minutes[0]);
  read.zoneText = minutes[0];
  return minutes[0].length;
}
