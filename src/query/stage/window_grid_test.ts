import { strictEqual } from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { addToDate, type TimeUnit, truncateDate } from "../expression/date_arithmetic.ts";
import { parseTimezone } from "../expression/timezone.ts";
import { type Duration, WindowGrid } from "./window_grid.ts";

const UNITS: readonly TimeUnit[] = [
  "millisecond",
  "second",
  "minute",
  "hour",
  "day",
  "week",
  "month",
  "year",
];
const OFFSETS: readonly (Duration | undefined)[] = [
  undefined,
  { unit: "minute", count: -90 },
  { unit: "hour", count: 5 },
  { unit: "day", count: 3 },
  { unit: "week", count: -1 },
];
const ZONES = [undefined, "UTC", "+05:30", "Europe/Berlin", "America/New_York"];

Deno.test("windows start where $dateTrunc's bins do, moved by the offset", () => {
  const random = seededRandom(7);
  for (const unit of UNITS) {
    for (const offset of OFFSETS) {
      for (const zone of ZONES) {
        const count = 1 + Math.floor(random() * 40);
        const grid = new WindowGrid({
          window: { unit, count },
          offset,
          timezone: zone,
          startOfWeek: 3,
        });
        const timezone = parseTimezone(zone ?? "UTC");
        const bins = { unit, binSize: count, timezone, startOfWeek: 3 } as const;
        const moved = (ms: number, sign: 1 | -1) =>
          offset === undefined ? ms : addToDate(ms, offset.unit, sign * offset.count, timezone);
        for (let i = 0; i < 40; i++) {
          const ms = Math.floor((random() - 0.3) * 3e12);
          const startMs = moved(truncateDate(moved(ms, -1), bins), 1);
          const name = `${count} ${unit}, ${offset?.count} ${offset?.unit}, ${zone}, ${ms}`;
          strictEqual(grid.startOf(ms), startMs, name);
          const span = grid.spanOf(ms);
          strictEqual(span.fromMs <= ms && ms < span.endMs, true, name);
          strictEqual(grid.startOf(span.endMs - 1), startMs, name);
          strictEqual(grid.startOf(span.fromMs), startMs, name);
        }
      }
    }
  }
});
