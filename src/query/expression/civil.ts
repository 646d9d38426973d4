/**
 * The proleptic Gregorian calendar as arithmetic on day numbers: day 0 is 1970-01-01. No Date object is made.
 * (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": years start in March, eras have 400 years.)
 */

export const MS_PER_SECOND = 1000;
export const MS_PER_MINUTE = 60_000;
export const MS_PER_HOUR = 3_600_000;
export const MS_PER_DAY = 86_400_000;

const DAYS_PER_ERA = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_EPOCH = 719_468;

export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** Day number of a date; months outside 1…12 and days outside the month count on. */
export function dayNumber(year: number, month: number, day: number): number {
  const monthIndex = year * 12 + month - 1;
  const realYear = Math.floor(monthIndex / 12);
  const realMonth = monthIndex - realYear * 12 + 1;
  const y = realMonth <= 2 ? realYear - 1 : realYear;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (realMonth + (realMonth > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - DAYS_TO_EPOCH;
}

/** The date of a day number. */
export function civilDate(days: number): CivilDate {
  const z = days + DAYS_TO_EPOCH;
  const era = Math.floor(z / DAYS_PER_ERA);
  const dayOfEra = z - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}

/** 28 to 31. */
export function daysInMonth(year: number, month: number): number {
  return dayNumber(year, month + 1, 1) - dayNumber(year, month, 1);
}

/** 1 (Monday) to 7 (Sunday). */
export function isoDayOfWeek(days: number): number {
  return ((days + 3) % 7 + 7) % 7 + 1;
}

/** 1 for the first of January. */
export function dayOfYear(days: number): number {
  return days - dayNumber(civilDate(days).year, 1, 1) + 1;
}

/** Year and week of ISO 8601: a week belongs to the year that its Thursday is in. */
export function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days - isoDayOfWeek(days) + 4;
  const { year } = civilDate(thursday);
  return { year, week: Math.floor((thursday - dayNumber(year, 1, 1)) / 7) + 1 };
}

/** 0 to 53: weeks begin on Sundays, week 1 with the year's first one (C's `%U`). */
export function sundayWeek(days: number): number {
  const sundayBased = isoDayOfWeek(days) % 7;
  return Math.floor((dayOfYear(days) - 1 + 7 - sundayBased) / 7);
}

/** Day number of the first day of an ISO year's week 1, a Monday. */
export function isoYearStart(year: number): number {
  const fourth = dayNumber(year, 1, 4);
  return fourth - isoDayOfWeek(fourth) + 1;
}
