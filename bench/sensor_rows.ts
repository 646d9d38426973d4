/**
 * Small measurements of many sensors, as BSON documents one behind the other, made by filling in one template:
 *
 *     { _id: ObjectId, t: date, tags: { sensor: "s0000042" }, temperature: double, humidity: int32 }
 *
 * All sensors of one time come one after another. A share of the rows is late: it tells of a time long before.
 */
import { Int32, ObjectId, serialize } from "bson";
import { type Random, seededRandom } from "../src/base/mod.ts";

/** How the times of late rows fall: a year before, in reverse order, or anywhere in the year before. */
export type Lateness = "last year" | "reverse" | "random";

export interface SensorShape {
  readonly sensors: number;
  readonly startMs: number;
  readonly intervalMs: number;
  /** The share of late rows, 0…1. */
  readonly lateShare?: number;
  readonly lateness?: Lateness;
}

const YEAR_MS = 365 * 86_400_000;
const DIGITS = 7;
const TEMPLATE = serialize({
  _id: new ObjectId("0".repeat(24)),
  t: new Date(0),
  tags: { sensor: `s${"0".repeat(DIGITS)}` },
  temperature: 0.5,
  humidity: new Int32(0),
});
/** Bytes of a row. */
export const ROW_BYTES = TEMPLATE.length;
/** Where what is filled in stands: behind type and name. */
const ID_AT = 4 + 5;
const TIME_AT = ID_AT + 12 + 3;
const DIGITS_AT = TIME_AT + 8 + 6 + 4 + 8 + 4 + 1;
const TEMPERATURE_AT = DIGITS_AT + DIGITS + 2 + 13;
const HUMIDITY_AT = TEMPERATURE_AT + 8 + 10;

export class SensorRows {
  private readonly random: Random = seededRandom(7);
  private late = 0;

  /** @param rowCount rows that were made before */
  constructor(private readonly shape: SensorShape, public rowCount = 0) {}

  /** The next rows. */
  next(count: number): Uint8Array {
    const bytes = new Uint8Array(count * ROW_BYTES);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += ROW_BYTES) this.writeRow(bytes, view, at);
    return bytes;
  }

  private writeRow(bytes: Uint8Array, view: DataView, at: number): void {
    const row = this.rowCount++;
    const sensor = row % this.shape.sensors;
    bytes.set(TEMPLATE, at);
    const onTime = this.shape.startMs + Math.floor(row / this.shape.sensors) * this.shape.intervalMs;
    view.setUint32(at + ID_AT, Math.floor(onTime / 1000));
    view.setUint32(at + ID_AT + 4, 0x5e4504);
    view.setUint32(at + ID_AT + 8, row);
    const time = this.isLate() ? this.lateTime(onTime) : onTime;
    view.setBigInt64(at + TIME_AT, BigInt(time), true);
    for (let digit = DIGITS - 1, rest = sensor; digit >= 0; digit--, rest = Math.floor(rest / 10)) {
      bytes[at + DIGITS_AT + digit] = 48 + rest % 10;
    }
    view.setFloat64(at + TEMPERATURE_AT, Math.round(200 + 30 * this.random()) / 10, true);
    view.setInt32(at + HUMIDITY_AT, Math.floor(this.random() * 100), true);
  }

  private isLate(): boolean {
    const { lateShare = 0 } = this.shape;
    return lateShare > 0 && this.random() < lateShare;
  }

  private lateTime(onTime: number): number {
    switch (this.shape.lateness ?? "last year") {
      case "last year":
        return onTime - YEAR_MS;
      case "reverse":
        return this.shape.startMs - ++this.late;
      case "random":
        return onTime - Math.floor(this.random() * YEAR_MS);
    }
  }
}
