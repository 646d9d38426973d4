/**
 * The queries of the Time Series Benchmark Suite's "cpu-only", each a pipeline that every MongoDB-compatible peer runs as it
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
  /** How many of the metrics it asks for, the first ones; all when absent. */
  readonly metrics?: number;
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
  const groupBy = (name: string, metrics: number, hosts: readonly string[]): Query => ({
    name: `single-groupby-${name}`,
    meaning: `the maximum of ${metrics} of the metrics of ${hosts.length} hosts, each minute of an hour`,
    ...last(1),
    hosts,
    metrics,
    pipeline: [
      { $match: { timestamp: span(1), "tags.hostname": ofHosts(hosts) } },
      { $group: { _id: truncatedTo("minute"), ...ofMetrics("$max", metrics) } },
      { $sort: { _id: 1 } },
    ],
  });
  const maxAll = (hosts: readonly string[]): Query => ({
    name: `cpu-max-all-${hosts.length}`,
    meaning: `the maximum of ten metrics of ${hosts.length} hosts, each hour of eight`,
    ...last(8),
    hosts,
    pipeline: [
      { $match: { timestamp: span(8), "tags.hostname": ofHosts(hosts) } },
      { $group: { _id: truncatedTo("hour"), ...ofMetrics("$max", METRICS.length) } },
      { $sort: { _id: 1 } },
    ],
  });
  const doubleGroupBy = (name: string, metrics: number): Query => ({
    name: `double-groupby-${name}`,
    meaning: `the mean of ${metrics} metrics, each host and each hour of twelve`,
    ...last(12),
    metrics,
    pipeline: [
      { $match: { timestamp: span(12) } },
      {
        $group: { _id: { host: "$tags.hostname", time: truncatedTo("hour") }, ...ofMetrics("$avg", metrics) },
      },
      { $sort: { "_id.time": 1, "_id.host": 1 } },
    ],
  });
  const highCpu = { timestamp: span(12), usage_user: { $gt: 90 } };
  const beforeMs = endMs - HOUR_MS / 2;
  return [
    groupBy("1-1-1", 1, oneHost),
    groupBy("5-8-1", 5, eightHosts),
    maxAll(oneHost),
    maxAll(eightHosts),
    doubleGroupBy("1", 1),
    doubleGroupBy("5", 5),
    doubleGroupBy("all", METRICS.length),
    {
      name: "high-cpu-all",
      meaning: "all rows of twelve hours with usage_user above 90",
      ...last(12),
      pipeline: [{ $match: highCpu }],
    },
    {
      name: "high-cpu-1",
      meaning: "those of one host",
      ...last(12),
      hosts: oneHost,
      pipeline: [{ $match: { ...highCpu, "tags.hostname": oneHost[0] } }],
    },
    {
      name: "lastpoint",
      meaning: "the newest row of each host",
      startMs,
      endMs,
      pipeline: [
        { $sort: { "tags.hostname": 1, timestamp: -1 } },
        {
          $group: {
            _id: "$tags.hostname",
            time: { $first: "$timestamp" },
            ...ofMetrics("$first", METRICS.length),
          },
        },
      ],
    },
    {
      name: "groupby-orderby-limit",
      meaning: "the maximum of one metric of all hosts in each of the last five minutes before a time",
      startMs,
      endMs: beforeMs,
      pipeline: [
        { $match: { timestamp: { $lt: new Date(beforeMs) } } },
        { $group: { _id: truncatedTo("minute"), max: { $max: "$usage_user" } } },
        { $sort: { _id: -1 } },
        { $limit: 5 },
      ],
    },
  ];
}

function ofHosts(hosts: readonly string[]): unknown {
  return hosts.length === 1 ? hosts[0] : { $in: hosts };
}

function truncatedTo(unit: string): Document {
  return { $dateTrunc: { date: "$timestamp", unit } };
}

/** An accumulator over each of the first metrics. */
function ofMetrics(accumulator: string, count: number): Document {
  return Object.fromEntries(
    METRICS.slice(0, count).map((metric) => [metric, { [accumulator]: `$${metric}` }]),
  );
}
