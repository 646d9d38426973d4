import assert from "node:assert/strict";
import { CommandError, seededRandom } from "../../base/mod.ts";
import { MS_PER_DAY, MS_PER_HOUR } from "./civil.ts";
import { parseTimezone, Timezone } from "./timezone.ts";

const ZONES = [
  "America/New_York",
  "Europe/Berlin",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
  "Pacific/Apia",
];

/** The simple version: the platform is asked for each moment. */
function simpleOffset(zone: string, utcMs: number): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  const name = format.formatToParts(utcMs).find((part) => part.type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? ["", "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

Deno.test("cached offsets are those of the platform, at random moments and around every change", () => {
  const random = seededRandom(7);
  for (const name of ZONES) {
    const zone = parseTimezone(name);
    for (let i = 0; i < 120; i++) {
      const ms = Math.floor((1975 + random() * 60 - 1970) * 365.25 * MS_PER_DAY);
      assert.equal(zone.offsetAt(ms), simpleOffset(name, ms), `${name} at ${ms}`);
    }
  }
  const berlin = parseTimezone("Europe/Berlin");
  const change = Date.UTC(2021, 2, 28, 1);
  assert.deepEqual([berlin.offsetAt(change - 1), berlin.offsetAt(change)], [MS_PER_HOUR, 2 * MS_PER_HOUR]);
});

Deno.test("local time goes back to UTC, over gaps forward and in overlaps to the second", () => {
  const random = seededRandom(8);
  for (const name of ZONES) {
    const zone = parseTimezone(name);
    for (let i = 0; i < 500; i++) {
      const ms = Math.floor(random() * 2e12);
      const back = zone.toUtc(ms + zone.offsetAt(ms));
      // Another moment only where clocks show one time twice, and then the later.
      assert.ok(back === ms || (back > ms && back + zone.offsetAt(back) === ms + zone.offsetAt(ms)));
    }
  }
  const newYork = parseTimezone("America/New_York");
  assert.equal(newYork.toUtc(Date.UTC(2021, 2, 14, 2, 30)), Date.UTC(2021, 2, 14, 7, 30));
  assert.equal(newYork.toUtc(Date.UTC(2021, 10, 7, 1, 30)), Date.UTC(2021, 10, 7, 6, 30));
  const summer = newYork.offsetAt(Date.UTC(2021, 6, 1));
  assert.equal(newYork.toUtc(Date.UTC(2021, 10, 7, 1, 30), summer), Date.UTC(2021, 10, 7, 5, 30));
  assert.equal(newYork.toUtc(Date.UTC(2021, 10, 7, 3, 30), summer), Date.UTC(2021, 10, 7, 8, 30));
});

Deno.test("zones are named or offsets; all else is error 40485", () => {
  assert.equal(parseTimezone("+05:30").offsetAt(0), 5.5 * MS_PER_HOUR);
  assert.equal(parseTimezone("-0815").offsetAt(0), -8.25 * MS_PER_HOUR);
  assert.equal(parseTimezone("+03").offsetAt(0), 3 * MS_PER_HOUR);
  assert.equal(parseTimezone("UTC"), Timezone.UTC);
  for (const text of ["", "Z", "utc", "+5", "+05:3", "america/new_york", "Nowhere/At_All"]) {
    assert.throws(
      () => parseTimezone(text),
      (error: unknown) => error instanceof CommandError && error.code === 40485,
    );
  }
});
