/** True numbers about the server's work since it started, for `serverStatus`. */

import { MAX_COUNTED_NAMESPACES } from "../base/mod.ts";
import { UsageTable } from "./namespace_usage.ts";

export type LatencyKind = "reads" | "writes" | "commands" | "transactions";

/** Durations in buckets as MongoDB cuts them: each power of two, halved from 2048 µs on. */
export class LatencyHistogram {
  /** By bucket, those that hold something: mostly few, in a histogram for each of thousands of namespaces. */
  private counts: Map<number, number> | undefined;
  totalMicros = 0;
  operations = 0;

  add(micros: number): void {
    this.totalMicros += micros;
    this.operations++;
    this.counts ??= new Map();
    const bucket = bucketOf(micros);
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + 1);
  }

  /** The buckets that hold something: their lower bound in microseconds, and how many. */
  buckets(): readonly { readonly micros: number; readonly count: number }[] {
    return [...this.counts ?? []].sort(([a], [b]) => a - b).map(([bucket, count]) => ({
      micros: BUCKET_STARTS[bucket]!,
      count,
    }));
  }
}

const BUCKET_STARTS = bucketStarts();

function bucketStarts(): readonly number[] {
  const starts = [0];
  for (let power = 1; power <= 40; power++) {
    starts.push(2 ** power);
    if (power >= 11) starts.push(1.5 * 2 ** power);
  }
  return starts;
}

function bucketOf(micros: number): number {
  let low = 0;
  let high = BUCKET_STARTS.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (BUCKET_STARTS[middle]! <= micros) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** How long operations took, by what they did. */
export type Latencies = Readonly<Record<LatencyKind, LatencyHistogram>>;

function newLatencies(): Latencies {
  return {
    reads: new LatencyHistogram(),
    writes: new LatencyHistogram(),
    commands: new LatencyHistogram(),
    transactions: new LatencyHistogram(),
  };
}

export class ServerCounters {
  readonly opcounters = { insert: 0, query: 0, update: 0, delete: 0, getmore: 0, command: 0 };
  readonly latencies = newLatencies();
  readonly usage = new UsageTable();
  /** By namespace; the one that was used longest ago goes when there are too many. */
  private readonly byNamespace = new Map<string, Latencies>();
  private lastUsed: string | undefined;
  /** Connections ever accepted. */
  connectionsCreated = 0;
  connectionsRejected = 0;
  /** Bytes of messages, uncompressed and as they were on the wire. */
  readonly network = { bytesIn: 0, bytesOut: 0, physicalBytesIn: 0, physicalBytesOut: 0, requests: 0 };
  /** Errors: those that clients caused, and our own. */
  readonly asserts = { user: 0, internal: 0 };

  /** What was counted for a namespace. */
  latenciesOf(namespace: string): Latencies {
    return this.byNamespace.get(namespace) ?? newLatencies();
  }

  /** Counts an operation for its namespace. */
  addLatency(kind: LatencyKind, namespace: string, micros: number): void {
    const own = this.latenciesOf(namespace);
    own[kind].add(micros);
    if (namespace === this.lastUsed) return;
    this.lastUsed = namespace;
    this.byNamespace.delete(namespace);
    this.byNamespace.set(namespace, own);
    if (this.byNamespace.size <= MAX_COUNTED_NAMESPACES) return;
    for (const oldest of this.byNamespace.keys()) {
      this.byNamespace.delete(oldest);
      break;
    }
  }
}
