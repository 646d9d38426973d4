/**
 * Where the windows of `$timeWindow` start: `$dateTrunc`'s bins, moved by an offset.
 *
 * Durations are a whole number and a unit: `500ms 30s 15m 1h 1d 2w 1mo 1q 1y`. Days and weeks of an offset are those of
 * the calendar in the time zone, as `$dateAdd` counts them; months and longer have no fixed length and are refused
 * there.
 */
import { CommandError } from "../../base/mod.ts";
import type { Value } from "../../bson/mod.ts";
import {
  addToDate,
  type Bins,
  type DayOfWeek,
  type TimeUnit,
  truncateDate,
} from "../expression/date_arithmetic.ts";
import { parseTimezone } from "../expression/timezone.ts";
import { elementText } from "../element_text.ts";

export interface Duration {
  readonly unit: TimeUnit;
  /** Negative only in an offset. */
  readonly count: number;
}

const UNITS: ReadonlyMap<string, TimeUnit> = new Map([
  ["ms", "millisecond"],
  ["s", "second"],
  ["m", "minute"],
  ["h", "hour"],
  ["d", "day"],
  ["w", "week"],
  ["mo", "month"],
  ["q", "quarter"],
  ["y", "year"],
]);
const CALENDAR_UNITS: ReadonlySet<TimeUnit> = new Set(["month", "quarter", "year"]);
/** Lengths in the smallest unit of their kind: durations of one kind have a common divisor. */
const SAME_KIND: readonly ReadonlyMap<TimeUnit, number>[] = [
  new Map([["hour", 3_600_000], ["minute", 60_000], ["second", 1000], ["millisecond", 1]]),
  new Map([["year", 12], ["quarter", 3], ["month", 1]]),
  new Map([["week", 1]]),
  new Map([["day", 1]]),
];
/** Where no clock is ever put forward or back, days are hours. */
const UTC_KIND: ReadonlyMap<TimeUnit, number> = new Map([["day", 86_400_000], ...SAME_KIND[0]!]);

/** `$dateTrunc`'s default. */
const SUNDAY: DayOfWeek = 7;
const MAX_COUNT = 2 ** 31 - 1;

/**
 * Reads `15m`.
 *
 * @param name the option, for errors
 * @param isOffset whether it may be negative, zero, and must have a fixed length
 * @throws CommandError FailedToParse
 */
export function parseDuration(name: string, value: Value, isOffset: boolean): Duration {
  const match = typeof value === "string" ? /^(-?)(\d{1,10})([a-z]+)$/.exec(value) : null;
  const unit = match === null ? undefined : UNITS.get(match[3]!);
  const count = match === null ? NaN : Number(match[2]);
  if (unit === undefined || count > MAX_COUNT || (!isOffset && (count === 0 || match![1] === "-"))) {
    throw durationError(name, value, isOffset);
  }
  if (isOffset && CALENDAR_UNITS.has(unit)) throw durationError(name, value, isOffset);
  return { unit, count: match![1] === "-" ? -count : count };
}

function durationError(name: string, value: Value, isOffset: boolean): CommandError {
  const units = isOffset ? "ms, s, m, h, d, w" : "ms, s, m, h, d, w, mo, q, y";
  const number = isOffset ? "a whole number" : "a positive whole number";
  return new CommandError(
    "FailedToParse",
    `$timeWindow requires '${name}' to be a string of ${number} and a unit (${units}) such as "15m", found ` +
      elementText(name, value),
  );
}

const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const FIXED_MS: ReadonlyMap<TimeUnit, number> = new Map([["week", 604_800_000], ...UTC_KIND]);

/** A duration that is the same at all times, in milliseconds: a day is 24 hours. @throws CommandError for months and longer */
export function fixedMs(name: string, value: Value): number {
  const { unit, count } = parseDuration(name, value, false);
  const unitMs = FIXED_MS.get(unit);
  if (unitMs === undefined) throw durationError(name, value, true);
  return count * unitMs;
}

/** A day of the week as `$dateTrunc` names it: whole or its first three letters, in any case. */
export function parseWeekday(value: Value): DayOfWeek {
  const text = typeof value === "string" ? value.toLowerCase() : "";
  const day = WEEKDAYS.findIndex((each) => text === each || text === each.slice(0, 3)) + 1;
  if (day > 0) return day as DayOfWeek;
  throw new CommandError(
    "FailedToParse",
    `$timeWindow requires 'startOfWeek' to be a day of the week such as "monday", found ` +
      elementText("startOfWeek", value),
  );
}

/**
 * The longest duration that divides both, so that windows of the one that start on the grid of the other are whole panes of
 * it.
 *
 * @throws CommandError FailedToParse when there is none: days in a time zone and hours, months and weeks
 */
export function paneOf(window: Duration, every: Duration, timezone: string | undefined): Duration {
  const kinds = timezone === undefined || timezone === "UTC" ? [UTC_KIND, ...SAME_KIND] : SAME_KIND;
  const kind = kinds.find((each) => each.has(window.unit) && each.has(every.unit));
  if (kind === undefined) {
    throw new CommandError(
      "FailedToParse",
      "$timeWindow requires 'window' and 'every' to be of one kind: hours and shorter, days, weeks, or months and " +
        "longer; without a time zone a day is 24h",
    );
  }
  const shared = greatestCommonDivisor(
    window.count * kind.get(window.unit)!,
    every.count * kind.get(every.unit)!,
  );
  const [unit, size] = [...kind].find(([, length]) => shared % length === 0)!;
  return { unit, count: shared / size };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** What rules the grid. */
export interface GridSpec {
  readonly window: Duration;
  readonly offset: Duration | undefined;
  readonly timezone: string | undefined;
  readonly startOfWeek: DayOfWeek | undefined;
}

/** Units of the same length at all times, whatever the zone; in UTC days and weeks are such, too. */
const SPAN_KIND = SAME_KIND[0]!;

/**
 * Finds the start of the window of a time. Rows mostly come in order: the last window is remembered. Where all windows have
 * one length, they are counted from one of them.
 */
export class WindowGrid {
  private readonly bins: Bins;
  /** Of all windows, in milliseconds; NaN where that is not one length. */
  private readonly lengthMs: number;
  /** The start of one of them. */
  private readonly originMs: number;
  private startMs = NaN;
  /** Times from here up to `endMs` are known to fall into the window that starts at `startMs`. */
  private fromMs = Infinity;
  private endMs = -Infinity;

  /** @throws CommandError for an unknown time zone, as `$dateTrunc` does */
  constructor(private readonly spec: GridSpec) {
    this.bins = {
      unit: spec.window.unit,
      binSize: spec.window.count,
      timezone: parseTimezone(spec.timezone ?? "UTC"),
      startOfWeek: spec.startOfWeek ?? SUNDAY,
    };
    const fixed = this.bins.timezone.isUtc ? FIXED_MS : SPAN_KIND;
    const isFixed = spec.offset === undefined || fixed.has(spec.offset.unit);
    this.lengthMs = isFixed ? spec.window.count * (fixed.get(spec.window.unit) ?? NaN) : NaN;
    this.originMs = Number.isNaN(this.lengthMs) ? NaN : this.locate(0);
  }

  /** Whether all windows have one length. */
  get isEven(): boolean {
    return !Number.isNaN(this.lengthMs);
  }

  startOf(ms: number): number {
    if (ms < this.fromMs || ms >= this.endMs) this.moveTo(ms);
    return this.startMs;
  }

  /** The moment that lies a duration after another, by the calendar of the time zone. */
  after(ms: number, duration: Duration): number {
    return this.move(ms, duration, 1);
  }

  /** The start of the window behind the one that starts at `startMs`. */
  next(startMs: number): number {
    if (this.isEven) return startMs + this.lengthMs;
    const next = this.after(startMs, this.spec.window);
    const aligned = this.startOf(next);
    // Where a clock is put back, the hour that comes twice may lead back to the start.
    return aligned > startMs ? aligned : next;
  }

  /** Times around `ms` that are known to fall into the same window: from `fromMs` on, below `endMs`. */
  spanOf(ms: number): { readonly fromMs: number; readonly endMs: number } {
    this.startOf(ms);
    return { fromMs: this.fromMs, endMs: this.endMs };
  }

  /**
   * Remembers the window from its start to the next one, where the grid is regular; else (the hour that a clock
   * repeats in autumn) nothing but `ms`.
   */
  private moveTo(ms: number): void {
    const { lengthMs } = this;
    if (!Number.isNaN(lengthMs)) {
      const rest = (ms - this.originMs) % lengthMs;
      this.startMs = this.fromMs = rest < 0 ? ms - rest - lengthMs : ms - rest;
      this.endMs = this.startMs + lengthMs;
      return;
    }
    const { unit, binSize, timezone } = this.bins;
    const startMs = this.locate(ms);
    const next = addToDate(startMs, unit, binSize, timezone);
    const isRegular = next > ms && this.locate(next) === next && this.locate(next - 1) === startMs &&
      this.locate(startMs) === startMs;
    this.startMs = startMs;
    this.fromMs = isRegular ? startMs : ms;
    this.endMs = isRegular ? next : ms + 1;
  }

  private locate(ms: number): number {
    const { offset } = this.spec;
    if (offset === undefined) return truncateDate(ms, this.bins);
    return this.move(truncateDate(this.move(ms, offset, -1), this.bins), offset, 1);
  }

  private move(ms: number, { unit, count }: Duration, sign: 1 | -1): number {
    return addToDate(ms, unit, count * sign, this.bins.timezone);
  }
}
