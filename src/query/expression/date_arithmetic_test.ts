import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { civilDate, dayNumber, isoWeek, MS_PER_DAY } from "./civil.ts";
import { addToDate, type Bins, diffDates, type TimeUnit, truncateDate } from "./date_arithmetic.ts";
import { parseTimezone, Timezone } from "./timezone.ts";

const UNITS: readonly TimeUnit[] = [
  "millisecond",
  "second",
  "minute",
  "hour",
  "day",
  "week",
  "month",
  "quarter",
  "year",
];

Deno.test("the calendar is that of Date, for 20,000 years", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 5000; i++) {
    const days = Math.floor((random() - 0.5) * 7_300_000);
    const date = new Date(days * MS_PER_DAY);
    const civil = civilDate(days);
    assert.deepEqual(civil, {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
    });
    assert.equal(dayNumber(civil.year, civil.month, civil.day), days);
  }
  assert.deepEqual(isoWeek(dayNumber(2021, 1, 3)), { year: 2020, week: 53 });
});

Deno.test("a bin holds its moment, starts a bin, and ends where the next one starts", () => {
  const random = seededRandom(2);
  for (const name of ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]) {
    const timezone = parseTimezone(name);
    for (let i = 0; i < 400; i++) {
      const unit = UNITS[i % UNITS.length]!;
      const binSize = 1 + Math.floor(random() * 12);
      const bins: Bins = { unit, binSize, timezone, startOfWeek: 1 };
      const ms = Math.floor(random() * 2e12);
      const start = truncateDate(ms, bins);
      const next = addToDate(start, unit, binSize, timezone);
      assert.ok(start <= ms && ms < next, `${name} ${unit} ${binSize} ${ms}: ${start} to ${next}`);
      assert.equal(truncateDate(start, bins), start);
      assert.equal(diffDates(start, next, unit, timezone, 1), binSize);
    }
  }
});

Deno.test("bins are counted from 2000-01-01, weeks from the first day of their kind after it", () => {
  const at = (text: string) => Date.parse(text);
  const bins = (unit: TimeUnit, binSize: number, startOfWeek: 1 | 7 = 7): Bins => ({
    unit,
    binSize,
    timezone: Timezone.UTC,
    startOfWeek,
  });
  const cases: readonly (readonly [Bins, string, string])[] = [
    [bins("hour", 7), "2021-03-20T11:30:05Z", "2021-03-20T07:00:00Z"],
    [bins("day", 5), "1999-12-30T00:00:00Z", "1999-12-27T00:00:00Z"],
    [bins("week", 2), "2021-03-20T11:30:05Z", "2021-03-14T00:00:00Z"],
    [bins("week", 2, 1), "2021-03-20T11:30:05Z", "2021-03-15T00:00:00Z"],
    [bins("month", 5), "2021-03-20T11:30:05Z", "2020-11-01T00:00:00Z"],
    [bins("quarter", 3), "2021-03-20T11:30:05Z", "2021-01-01T00:00:00Z"],
    [bins("year", 3), "1999-03-20T11:30:05Z", "1997-01-01T00:00:00Z"],
  ];
  for (const [spec, moment, start] of cases) {
    assert.equal(new Date(truncateDate(at(moment), spec)).toISOString(), new Date(at(start)).toISOString());
  }
});

Deno.test("adding months cuts the day to the month's length; days keep the clock over a change of it", () => {
  const newYork = parseTimezone("America/New_York");
  const add = (text: string, unit: TimeUnit, amount: number, zone = Timezone.UTC) =>
    new Date(addToDate(Date.parse(text), unit, amount, zone)).toISOString();
  assert.equal(add("2021-01-31T10:00:00Z", "month", 1), "2021-02-28T10:00:00.000Z");
  assert.equal(add("2020-02-29T00:00:00Z", "year", -1), "2019-02-28T00:00:00.000Z");
  assert.equal(add("2021-03-13T17:00:00Z", "day", 1, newYork), "2021-03-14T16:00:00.000Z");
  assert.equal(add("2021-03-13T17:00:00Z", "hour", 24, newYork), "2021-03-14T17:00:00.000Z");
});
