/**
 * Arithmetic on moments in time zones: truncate to a bin, add units, count unit boundaries between two.
 *
 * Units of a day and more follow local calendars: a day may have 23 hours. Hours and less are spans of time. Bins are
 * counted from 2000-01-01T00:00 local time, weekly bins from the first `startOfWeek` on or after that.
 */
import {
  civilDate,
  dayNumber,
  daysInMonth,
  isoDayOfWeek,
  MS_PER_DAY,
  MS_PER_HOUR,
  MS_PER_MINUTE,
  MS_PER_SECOND,
} from "./civil.ts";
import { Timezone } from "./timezone.ts";

export type TimeUnit =
  | "millisecond"
  | "second"
  | "minute"
  | "hour"
  | "day"
  | "week"
  | "month"
  | "quarter"
  | "year";

/** 1 (Monday) to 7 (Sunday). */
export type DayOfWeek = 1 | 2 | 3 | 4 | 5 | 6 | 7;

export interface Bins {
  readonly unit: TimeUnit;
  /** Units a bin; a positive whole number. */
  readonly binSize: number;
  readonly timezone: Timezone;
  /** The day a week starts on; only weekly bins read it. */
  readonly startOfWeek: DayOfWeek;
}

/** Milliseconds of the units that are spans of time. */
const SPANS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: MS_PER_SECOND,
  minute: MS_PER_MINUTE,
  hour: MS_PER_HOUR,
};

const MONTHS: Readonly<Record<string, number>> = { month: 1, quarter: 3, year: 12 };

const REFERENCE_DAY = dayNumber(2000, 1, 1);
const REFERENCE_MONTH = 2000 * 12;

/**
 * The start of the bin a moment is in.
 *
 * @param ms milliseconds since 1970, UTC; so is the result
 */
export function truncateDate(ms: number, bins: Bins): number {
  const { unit, binSize, timezone } = bins;
  const span = SPANS[unit];
  if (span !== undefined) return truncateSpan(ms, span * binSize, timezone);
  const localDay = Math.floor((ms + timezone.offsetAt(ms)) / MS_PER_DAY);
  return timezone.toUtc(truncateDay(localDay, bins, binSize) * MS_PER_DAY);
}

function truncateSpan(ms: number, binMs: number, timezone: Timezone): number {
  const reference = timezone.toUtc(REFERENCE_DAY * MS_PER_DAY);
  const distance = ms - reference;
  const rest = distance % binMs;
  return ms - (rest < 0 ? rest + binMs : rest);
}

function truncateDay(day: number, { unit, startOfWeek }: Bins, binSize: number): number {
  if (unit === "day") return REFERENCE_DAY + floorTo(day - REFERENCE_DAY, binSize);
  if (unit === "week") {
    const reference = REFERENCE_DAY + (startOfWeek - isoDayOfWeek(REFERENCE_DAY) + 7) % 7;
    return reference + floorTo(day - reference, binSize * 7);
  }
  const { year, month } = civilDate(day);
  const months = floorTo(year * 12 + month - 1 - REFERENCE_MONTH, binSize * MONTHS[unit]!);
  return dayNumber(2000, 1 + months, 1);
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

/**
 * A moment some units later. The day of the month is cut to the length of the month it comes to.
 *
 * @param amount whole units, negative for earlier
 */
export function addToDate(ms: number, unit: TimeUnit, amount: number, timezone: Timezone): number {
  const span = SPANS[unit];
  if (span !== undefined) return ms + amount * span;
  if (amount === 0) return ms;
  const local = ms + timezone.offsetAt(ms);
  const day = Math.floor(local / MS_PER_DAY);
  const moved = local - day * MS_PER_DAY + addToDay(day, unit, amount) * MS_PER_DAY;
  return timezone.toUtc(moved, timezone.offsetAt(ms));
}

function addToDay(localDay: number, unit: TimeUnit, amount: number): number {
  if (unit === "day") return localDay + amount;
  if (unit === "week") return localDay + amount * 7;
  const { year, month, day } = civilDate(localDay);
  const target = year * 12 + month - 1 + amount * MONTHS[unit]!;
  const targetYear = Math.floor(target / 12);
  const targetMonth = target - targetYear * 12 + 1;
  return dayNumber(targetYear, targetMonth, Math.min(day, daysInMonth(targetYear, targetMonth)));
}

/** How many starts of a unit lie after `startMs` and up to `endMs`; negative when they are the other way round. */
export function diffDates(
  startMs: number,
  endMs: number,
  unit: TimeUnit,
  timezone: Timezone,
  startOfWeek: DayOfWeek,
): number {
  if (unit === "millisecond") return endMs - startMs;
  const startOffset = timezone.offsetAt(startMs);
  const endOffset = timezone.offsetAt(endMs);
  const span = SPANS[unit];
  if (span !== undefined) {
    const steps = Math.floor((endMs + endOffset) / span) - Math.floor((startMs + startOffset) / span);
    return steps + Math.trunc((startOffset - endOffset) / span);
  }
  const startDay = Math.floor((startMs + startOffset) / MS_PER_DAY);
  const endDay = Math.floor((endMs + endOffset) / MS_PER_DAY);
  return diffDays(startDay, endDay, unit, startOfWeek);
}

function diffDays(startDay: number, endDay: number, unit: TimeUnit, startOfWeek: DayOfWeek): number {
  if (unit === "day") return endDay - startDay;
  if (unit === "week") {
    const weekOf = (day: number) => Math.floor((day - isoDayOfWeekOffset(startOfWeek)) / 7);
    return weekOf(endDay) - weekOf(startDay);
  }
  const start = civilDate(startDay);
  const end = civilDate(endDay);
  const per = MONTHS[unit]!;
  return Math.floor((end.year * 12 + end.month - 1) / per) -
    Math.floor((start.year * 12 + start.month - 1) / per);
}

/** A day number on which a week starts. */
function isoDayOfWeekOffset(startOfWeek: DayOfWeek): number {
  return startOfWeek - isoDayOfWeek(0);
}
