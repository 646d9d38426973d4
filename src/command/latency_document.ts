/** Latencies as `serverStatus` and `$collStats` show them. */
import { BuiltDocument, type Document } from "../bson/mod.ts";
import type { Latencies, LatencyHistogram } from "./counters.ts";
import { int64 } from "./numbers.ts";

export function latencyDocument(latencies: Latencies, withBuckets: boolean): Document {
  return BuiltDocument.of({
    reads: histogramDocument(latencies.reads, withBuckets),
    writes: histogramDocument(latencies.writes, withBuckets),
    commands: histogramDocument(latencies.commands, withBuckets),
    transactions: histogramDocument(latencies.transactions, withBuckets),
  });
}

function histogramDocument(histogram: LatencyHistogram, withBuckets: boolean): Document {
  const buckets = histogram.buckets().map(({ micros, count }) =>
    BuiltDocument.of({ micros: int64(micros), count: int64(count) })
  );
  return BuiltDocument.of({
    histogram: withBuckets ? buckets : undefined,
    latency: int64(histogram.totalMicros),
    ops: int64(histogram.operations),
  });
}
