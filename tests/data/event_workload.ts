/**
 * A workload unlike that of the processors: devices of many that tell of something now and then. A few devices are busy, most
 * are quiet; times are irregular; texts, fields that most rows lack, and documents in documents. One seed gives the same rows
 * for ever, in order of time, no two of one time:
 *
 *     { _id, at, device: { id, model, site: { country, city } }, level: text, message: text,
 *       duration?: double, http?: { method, status: int32, bytes: int32 }, battery?: double, tags?: [texts] }
 */
import { ObjectId, serialize } from "bson";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import type { EncodedRows } from "./cpu_workload.ts";

const SITES = [
  ["DE", "Berlin"],
  ["DE", "Hamburg"],
  ["FR", "Lyon"],
  ["US", "Austin"],
  ["US", "Boston"],
  ["US", "Denver"],
  ["JP", "Osaka"],
  ["BR", "Recife"],
] as const;
const MODELS = ["gateway", "meter", "camera", "lock", "valve"];
const METHODS = ["GET", "GET", "GET", "POST", "PUT"];
const STATUSES = [200, 200, 200, 200, 204, 304, 404, 500, 503];
const CAUSES = ["timeout", "refused", "reset by peer", "no route", "certificate expired"];

export interface EventWorkloadShape {
  readonly devices: number;
  /** The first time, in milliseconds since 1970. */
  readonly startMs: number;
  /** From one row to the next, whichever device it is of: the mean, in milliseconds, at least 1. */
  readonly meanGapMs: number;
  readonly seed: number;
}

/** The id of a device by its number. */
export function deviceId(device: number): string {
  return `device-${String(device).padStart(6, "0")}`;
}

/** The generator: a walk through all rows, from the first on. */
export class EventWorkload {
  /** Rows generated so far. */
  rowCount = 0;
  /** Of the newest row, milliseconds since 1970. */
  timeMs: number;
  readonly #random: Random;

  constructor(readonly shape: EventWorkloadShape) {
    this.#random = seededRandom(shape.seed);
    this.timeMs = shape.startMs;
  }

  /** The next rows. */
  next(count: number): EncodedRows {
    const rows = Array.from({ length: count }, () => serialize(this.#row()));
    const bytes = new Uint8Array(rows.reduce((sum, row) => sum + row.length, 0));
    let at = 0;
    for (const row of rows) {
      bytes.set(row, at);
      at += row.length;
    }
    return { bytes, count };
  }

  #row(): Record<string, unknown> {
    const random = this.#random;
    this.timeMs += 1 + Math.floor(-Math.log(1 - random()) * (this.shape.meanGapMs - 1));
    // The third power: a tenth of the devices has nearly half of the rows.
    const device = Math.floor(random() ** 3 * this.shape.devices);
    const row: Record<string, unknown> = {
      _id: new ObjectId(hexOf(this.timeMs / 1000, 8) + hexOf(this.shape.seed, 8) + hexOf(this.rowCount, 8)),
      at: new Date(this.timeMs),
      device: metaOf(device),
    };
    const isError = random() < 0.03;
    row["level"] = isError ? "error" : random() < 0.1 ? "warning" : "info";
    row["message"] = isError
      ? `connection to upstream ${Math.floor(random() * 100)} failed: ${pick(random, CAUSES)}`
      : `${pick(random, ["opened", "closed", "measured", "synchronized"])} unit ${
        Math.floor(random() * 1000)
      }`;
    if (random() < 0.6) row["duration"] = Math.round(random() ** 4 * 1e7) / 1e3;
    if (random() < 0.3) {
      const bytes = Math.floor(random() * 1e6);
      row["http"] = { method: pick(random, METHODS), status: pick(random, STATUSES), bytes };
    }
    if (random() < 0.1) row["battery"] = Math.round(random() * 1000) / 10;
    if (random() < 0.02) row["tags"] = ["maintenance", pick(random, MODELS)];
    this.rowCount++;
    return row;
  }
}

function metaOf(device: number): Record<string, unknown> {
  const [country, city] = SITES[device % SITES.length]!;
  return { id: deviceId(device), model: MODELS[device % MODELS.length], site: { country, city } };
}

function hexOf(value: number, digits: number): string {
  return Math.floor(value).toString(16).padStart(digits, "0").slice(-digits);
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}
