/** What a run of the bench loads and asks: a workload with its queries, the same for each peer. */
import type { Document } from "bson";
import { CpuWorkload, type EncodedRows } from "../tests/data/cpu_workload.ts";
import { EventWorkload } from "../tests/data/event_workload.ts";
import { eventQueries } from "./event_query.ts";
import { PeerMissing } from "./peer_missing.ts";
import { cpuQueries, type Query } from "./query.ts";

/** A generator of rows. */
export interface Workload {
  /** Rows generated so far. */
  readonly rowCount: number;
  next(count: number): EncodedRows;
}

export interface ScenarioSize {
  /** How many hosts or devices there are: each is a series. */
  readonly hosts: number;
  readonly rowCount: number;
}

export interface Scenario {
  readonly name: string;
  readonly timeField: string;
  readonly metaField: string;
  /** MongoDB's best index for the queries. */
  readonly indexKey: Document;
  /** Sizes of a whole run, and of one of a tenth. */
  readonly hosts: number;
  rowsOf(hosts: number, quick: boolean): number;
  /** What there is, in a few words. */
  describe(size: ScenarioSize): string;
  open(size: ScenarioSize, seed: number): Workload;
  queries(size: ScenarioSize): readonly Query[];
}

const START_MS = Date.UTC(2024, 0, 1);
const INTERVAL_MS = 10_000;
const MEAN_GAP_MS = 170;

const CPU: Scenario = {
  name: "cpu",
  timeField: "timestamp",
  metaField: "tags",
  indexKey: { "tags.hostname": 1, timestamp: -1 },
  hosts: 100,
  rowsOf: (hosts, quick) => hosts * (quick ? 864 : 8640),
  describe: ({ hosts, rowCount }) => `${rowCount} rows of ${hosts} hosts, ten metrics each`,
  open: ({ hosts }, seed) => new CpuWorkload({ hosts, startMs: START_MS, intervalMs: INTERVAL_MS, seed }),
  queries: ({ hosts, rowCount }) => {
    return cpuQueries(START_MS, START_MS + Math.ceil(rowCount / hosts) * INTERVAL_MS, hosts);
  },
};

const EVENTS: Scenario = {
  name: "events",
  timeField: "at",
  metaField: "device",
  indexKey: { "device.id": 1, at: -1 },
  hosts: 50_000,
  rowsOf: (_, quick) => quick ? 50_000 : 500_000,
  describe: ({ hosts, rowCount }) => `${rowCount} events of ${hosts} devices, at irregular times`,
  open: ({ hosts }, seed) => {
    return new EventWorkload({ devices: hosts, startMs: START_MS, meanGapMs: MEAN_GAP_MS, seed });
  },
  queries: ({ hosts, rowCount }) => {
    return eventQueries(START_MS, START_MS + Math.floor(rowCount * MEAN_GAP_MS), hosts);
  },
};

/** By name on the command line. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = { cpu: CPU, events: EVENTS };

/** For peers that know one workload only. @throws PeerMissing for another one */
export function mustBeCpu(scenario: Scenario): void {
  if (scenario !== CPU) throw new PeerMissing(`it is asked about the workload "${CPU.name}" alone`);
}

/** The workload of those peers. */
export function cpuWorkloadOf(workload: Workload): CpuWorkload {
  if (workload instanceof CpuWorkload) return workload;
  throw new TypeError("a workload of processors is needed");
}
