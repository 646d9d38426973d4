/**
 * Five queries of the Time Series Benchmark Suite's "cpu-only", each a pipeline that every MongoDB-compatible peer runs as it
 * stands; for others each is also named and described by its parameters.
 */
import type { Document } from "bson";
import { METRICS } from "../tests/data/cpu_workload.ts";

export interface Query {
  readonly name: string;
  /** What it asks, in a few words for the table's legend. */
  readonly meaning: string;
  readonly pipeline: readonly Document[];
  /** The span of time that it looks at: milliseconds since 1970, the end not included. */
  readonly startMs: number;
  readonly endMs: number;
  /** The hosts that it looks at; all when absent. */
  readonly hosts?: readonly string[];
}

const HOUR_MS = 3_600_000;

/**
 * @param startMs the first time of the workload
 * @param endMs its end
 * @param hosts how many hosts it has
 */
export function cpuQueries(startMs: number, endMs: number, hosts: number): Query[] {
  const last = (hours: number) => ({ startMs: Math.max(startMs, endMs - hours * HOUR_MS), endMs });
  const span = (hours: number) => ({ $gte: new Date(last(hours).startMs), $lt: new Date(endMs) });
  const eightHosts = Array.from(
    { length: Math.min(8, hosts) },
    (_, i) => `host_${Math.floor((i * hosts) / 8)}`,
  );
  const oneHost = eightHosts.slice(-1);
  const trunc = (unit: string) => ({ $dateTrunc: { date: "$timestamp", unit } });
  return [
    {
      name: "single-groupby-1-1-1",
      meaning: "the maximum of one metric of one host, each minute of an hour",
      ...last(1),
      hosts: oneHost,
      pipeline: [
        { $match: { timestamp: span(1), "tags.hostname": oneHost[0] } },
        { $group: { _id: trunc("minute"), max: { $max: "$usage_user" } } },
        { $sort: { _id: 1 } },
      ],
    },
    {
      name: "cpu-max-all-8",
      meaning: "the maximum of ten metrics of eight hosts, each hour of eight",
      ...last(8),
      hosts: eightHosts,
      pipeline: [
        { $match: { timestamp: span(8), "tags.hostname": { $in: eightHosts } } },
        { $group: { _id: trunc("hour"), ...ofAllMetrics("$max") } },
        { $sort: { _id: 1 } },
      ],
    },
    {
      name: "double-groupby-all",
      meaning: "the mean of ten metrics, each host and each hour of twelve",
      ...last(12),
      pipeline: [
        { $match: { timestamp: span(12) } },
        { $group: { _id: { host: "$tags.hostname", time: trunc("hour") }, ...ofAllMetrics("$avg") } },
        { $sort: { "_id.time": 1, "_id.host": 1 } },
      ],
    },
    {
      name: "high-cpu-all",
      meaning: "all rows of twelve hours with usage_user above 90",
      ...last(12),
      pipeline: [{ $match: { timestamp: span(12), usage_user: { $gt: 90 } } }],
    },
    {
      name: "lastpoint",
      meaning: "the newest row of each host",
      startMs,
      endMs,
      pipeline: [
        { $sort: { "tags.hostname": 1, timestamp: -1 } },
        { $group: { _id: "$tags.hostname", time: { $first: "$timestamp" }, ...ofAllMetrics("$first") } },
      ],
    },
  ];
}

function ofAllMetrics(accumulator: string): Document {
  return Object.fromEntries(METRICS.map((metric) => [metric, { [accumulator]: `$${metric}` }]));
}
