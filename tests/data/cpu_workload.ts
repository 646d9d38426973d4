/**
 * A workload in the manner of the Time Series Benchmark Suite's "cpu-only": hosts that report ten metrics of their
 * processors at a fixed interval, each metric a random walk of integers between 0 and 100. One seed gives the same rows
 * for ever, so that what a server returns can be checked against a second run of the generator.
 *
 * Rows come in order of time, all hosts of one time after another; each has an ObjectId as drivers make it:
 *
 *     { _id, timestamp, tags: { hostname, region, …: ten texts }, usage_user: int32, … ten metrics }
 *
 * Rows are written as BSON by filling in one template per host, so that the generator costs little beside a server.
 */
import { serialize } from "bson";
import { type Random, seededRandom } from "../../src/base/mod.ts";

export const METRICS = [
  "usage_user",
  "usage_system",
  "usage_idle",
  "usage_nice",
  "usage_iowait",
  "usage_irq",
  "usage_softirq",
  "usage_steal",
  "usage_guest",
  "usage_guest_nice",
] as const;

const REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"];
const SYSTEMS = ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"];
const ARCHITECTURES = ["x64", "x86"];
const TEAMS = ["SF", "NYC", "LON", "CHI"];
const ENVIRONMENTS = ["production", "staging", "test"];

const MAX_VALUE = 100;
/** Length and end of a BSON document, and of the array that a batch is in. */
const INT32_BYTES = 4;

/** What a workload holds. */
export interface CpuWorkloadShape {
  readonly hosts: number;
  /** The number of the first host; the others count on from it. */
  readonly firstHost?: number;
  /** The first time, in milliseconds since 1970. */
  readonly startMs: number;
  /** From one row of a host to its next. */
  readonly intervalMs: number;
  readonly seed: number;
}

/** A batch of rows as the documents of an `insert`: BSON one after another. */
export interface EncodedRows {
  readonly bytes: Uint8Array;
  readonly count: number;
}

interface HostTemplate {
  readonly bytes: Uint8Array;
  readonly idAt: number;
  readonly timeAt: number;
  /** Where each metric's int32 stands. */
  readonly metricsAt: Int32Array;
}

/** The generator: a walk through all rows, from the first on. */
export class CpuWorkload {
  /** Rows generated so far. */
  rowCount = 0;
  /** The sums so far: ten metrics of the first host, then of the next. */
  readonly sums: Float64Array;
  /** The values of the newest row of each host, in the same order. */
  readonly values: Int32Array;

  readonly #random: Random;
  readonly #templates: readonly HostTemplate[];

  constructor(readonly shape: CpuWorkloadShape) {
    this.#random = seededRandom(shape.seed);
    this.sums = new Float64Array(shape.hosts * METRICS.length);
    this.values = new Int32Array(shape.hosts * METRICS.length).map(() => this.#random() * MAX_VALUE);
    this.#templates = Array.from({ length: shape.hosts }, (_, host) => template(this.hostName(host)));
  }

  /** The name of a host by its index. */
  hostName(host: number): string {
    return `host_${(this.shape.firstHost ?? 0) + host}`;
  }

  /** The time of a row, in milliseconds since 1970. */
  timeOf(row: number): number {
    return this.shape.startMs + Math.floor(row / this.shape.hosts) * this.shape.intervalMs;
  }

  /** The next rows. */
  next(count: number): EncodedRows {
    const largest = Math.max(...this.#templates.map(({ bytes }) => bytes.length));
    const bytes = new Uint8Array(count * largest);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (let i = 0; i < count; i++) at = this.#writeRow(bytes, view, at);
    return { bytes: bytes.subarray(0, at), count };
  }

  /** Goes on without encoding, to a place in the walk that was reached before. */
  advanceTo(rowCount: number): void {
    while (this.rowCount < rowCount) {
      this.#step(this.rowCount % this.shape.hosts);
      this.rowCount++;
    }
  }

  #writeRow(bytes: Uint8Array, view: DataView, start: number): number {
    const host = this.rowCount % this.shape.hosts;
    const { bytes: layout, idAt, timeAt, metricsAt } = this.#templates[host] as HostTemplate;
    this.#step(host);
    bytes.set(layout, start);
    writeObjectId(view, start + idAt, this.timeOf(this.rowCount), this.shape.seed, this.rowCount);
    view.setBigInt64(start + timeAt, BigInt(this.timeOf(this.rowCount)), true);
    for (let metric = 0; metric < METRICS.length; metric++) {
      const value = this.values[host * METRICS.length + metric] as number;
      view.setInt32(start + (metricsAt[metric] as number), value, true);
    }
    this.rowCount++;
    return start + layout.length;
  }

  /** Moves a host's metrics: each by a rounded normal step, kept within 0 … 100. */
  #step(host: number): void {
    for (let at = host * METRICS.length; at < (host + 1) * METRICS.length; at++) {
      const moved = (this.values[at] as number) + Math.round(normal(this.#random));
      const value = Math.min(MAX_VALUE, Math.max(0, moved));
      this.values[at] = value;
      this.sums[at] = (this.sums[at] as number) + value;
    }
  }
}

/** Nearly normal with deviation 1: twelve uniform numbers would be Irwin–Hall's; four, scaled, do for a walk. */
function normal(random: Random): number {
  return (random() + random() + random() + random() - 2) * Math.sqrt(3);
}

function template(hostname: string): HostTemplate {
  const pick = <T>(from: readonly T[], salt: number) => from[hash(hostname, salt) % from.length];
  const region = pick(REGIONS, 1);
  const bytes = serialize({
    _id: new Uint8Array(0),
    timestamp: new Date(0),
    tags: {
      hostname,
      region,
      datacenter: `${region}${pick(["a", "b", "c"], 2)}`,
      rack: String(hash(hostname, 3) % 100),
      os: pick(SYSTEMS, 4),
      arch: pick(ARCHITECTURES, 5),
      team: pick(TEAMS, 6),
      service: String(hash(hostname, 7) % 20),
      service_version: String(hash(hostname, 8) % 2),
      service_environment: pick(ENVIRONMENTS, 9),
    },
    ...Object.fromEntries(METRICS.map((metric) => [metric, 0])),
  });
  return withObjectId(bytes);
}

/** Puts an ObjectId in the place of the template's empty `_id` (a binary of no bytes), and finds what is filled in. */
function withObjectId(serialized: Uint8Array): HostTemplate {
  const head = elementEnd("_id", INT32_BYTES);
  const emptyBinaryBytes = INT32_BYTES + 1;
  const bytes = new Uint8Array(serialized.length - emptyBinaryBytes + 12);
  bytes.set(serialized.subarray(0, head));
  bytes[INT32_BYTES] = 7;
  bytes.set(serialized.subarray(head + emptyBinaryBytes), head + 12);
  new DataView(bytes.buffer).setInt32(0, bytes.length, true);
  const timeAt = elementEnd("timestamp", head + 12);
  let at = timeAt + 8;
  at = elementEnd("tags", at);
  at += new DataView(bytes.buffer).getInt32(at, true);
  const metricsAt = Int32Array.from(METRICS, (metric) => {
    const valueAt = elementEnd(metric, at);
    at = valueAt + INT32_BYTES;
    return valueAt;
  });
  return { bytes, idAt: head, timeAt, metricsAt };
}

/** Where the value of an element stands whose type byte is at `at`. */
function elementEnd(name: string, at: number): number {
  return at + 1 + name.length + 1;
}

/** Seconds, five bytes of the seed as the machine, and the row as the counter: unique within a workload. */
function writeObjectId(view: DataView, at: number, timeMs: number, seed: number, row: number): void {
  view.setUint32(at, Math.floor(timeMs / 1000));
  view.setUint32(at + 4, seed);
  view.setUint32(at + 8, row);
}

/** FNV-1a, salted. */
function hash(text: string, salt: number): number {
  let value = 0x811c9dc5 ^ salt;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value >>> 3;
}
