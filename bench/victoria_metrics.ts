/**
 * VictoriaMetrics as a peer: Debian's package, installed by apt-get when it is not there. It keeps a series for each
 * metric of each host and knows neither rows nor ids. Rows go in as lines of InfluxDB's protocol, a batch a request;
 * queries are MetricsQL over HTTP.
 *
 * A window of MetricsQL ends at its time, included: asked for a millisecond before the next one starts, it holds what
 * MongoDB's window of the same start holds.
 */
import { type CpuWorkload, METRICS } from "../tests/data/cpu_workload.ts";
import type { Answer, Instance, LoadSize, Peer } from "./peer.ts";
import { PeerMissing } from "./peer_missing.ts";
import type { Query } from "./query.ts";
import { cpuSecondsOf } from "./wire_instance.ts";
import { cpuWorkloadOf, mustBeCpu, type Scenario } from "./scenario.ts";
import { nextLines, type Tags, tagsOfHosts } from "./workload_rows.ts";

export const VICTORIA_METRICS: Peer = { name: "VictoriaMetrics 1.79.5", start };

const PROGRAM = "victoria-metrics";
/** Parts that are being written get this long to come to rest, at most. */
const MERGE_TIMEOUT_MS = 60_000;

/** One query: at one time, or at the ends of windows of that many seconds. */
interface Metricsql {
  readonly expression: string;
  readonly stepSeconds?: number;
}

/** Undefined for a query that it cannot answer: those of whole rows. */
function metricsqlOf({ name, hosts, metrics = METRICS.length }: Query): Metricsql | undefined {
  const named = METRICS.slice(0, metrics).map((metric) => `cpu_${metric}`).join("|");
  const ofHosts = hosts === undefined ? "" : `,hostname=~"${hosts.join("|")}"`;
  const series = `{__name__=~"${named}"${ofHosts}}`;
  if (name.startsWith("single-groupby")) {
    return { expression: `max(max_over_time(${series}[1m])) by (__name__)`, stepSeconds: 60 };
  }
  if (name.startsWith("cpu-max-all")) {
    return { expression: `max(max_over_time(${series}[1h])) by (__name__)`, stepSeconds: 3600 };
  }
  if (name.startsWith("double-groupby")) {
    return { expression: `avg_over_time(${series}[1h])`, stepSeconds: 3600 };
  }
  return name === "lastpoint" ? { expression: `last_over_time(${series}[1d])` } : undefined;
}

async function start(scenario: Scenario): Promise<Instance> {
  mustBeCpu(scenario);
  await install();
  const folder = await Deno.makeTempDir({ prefix: "chronogo-bench-" });
  const port = freePort();
  const args = [`-storageDataPath=${folder}`, `-httpListenAddr=127.0.0.1:${port}`, "-retentionPeriod=100y"];
  args.push("-search.latencyOffset=0s", "-loggerLevel=ERROR");
  const address = `http://127.0.0.1:${port}`;
  const spawn = async () => {
    const process = new Deno.Command(PROGRAM, { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    await untilItAnswers(`${address}/health`);
    return process;
  };
  let process = await spawn();
  const end = async () => {
    process.kill("SIGTERM");
    await process.status;
  };
  return {
    cpuSeconds: () => cpuSecondsOf(process.pid),
    load: (workload, size, progress) => load(address, cpuWorkloadOf(workload), size, progress),
    async diskBytes() {
      await get(`${address}/internal/force_flush`);
      await get(`${address}/internal/force_merge`);
      const data = await atRest(() => folderBytes(`${folder}/data`) + folderBytes(`${folder}/indexdb`));
      return { data, ids: 0, log: 0 };
    },
    canRun: (query) => metricsqlOf(query) !== undefined,
    ping: async () => void await (await fetch(`${address}/health`)).arrayBuffer(),
    runQuery: async (query) => void await (await fetch(urlOf(address, query))).arrayBuffer(),
    answer: async (query) => answerOf(await (await fetch(urlOf(address, query))).json()),
    async restart() {
      await end();
      process = await spawn();
    },
    async [Symbol.asyncDispose]() {
      await end();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** @throws PeerMissing when it is not there and apt-get cannot install it */
async function install(): Promise<void> {
  if (await runs(PROGRAM, ["-version"])) return;
  console.error("installing Debian's package victoria-metrics by apt-get");
  const installed = await runs("apt-get", ["update", "-qq"]) &&
    await runs("apt-get", ["install", "-y", "-qq", PROGRAM]) && await runs(PROGRAM, ["-version"]);
  if (!installed) throw new PeerMissing(`there is no "${PROGRAM}", and apt-get cannot install it here`);
}

async function runs(program: string, args: string[]): Promise<boolean> {
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    return (await new Deno.Command(program, { args, env, stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function load(
  address: string,
  workload: CpuWorkload,
  { rowCount, batchRows }: LoadSize,
  progress: (rows: number) => void,
): Promise<void> {
  const heads = tagsOfHosts(workload).map(headOf);
  while (workload.rowCount < rowCount) {
    const count = Math.min(batchRows, rowCount - workload.rowCount);
    const body = nextLines(workload, count, (host, timeMs, values) => {
      return `${heads[host]} ${METRICS.map((metric, i) => `${metric}=${values[i]}`).join(",")} ${timeMs}\n`;
    });
    const response = await fetch(`${address}/write?precision=ms`, { method: "POST", body });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`VictoriaMetrics answered ${response.status} to a write`);
    progress(workload.rowCount);
  }
  await get(`${address}/internal/force_flush`);
}

/** A measurement and its tags, as InfluxDB's line protocol has them; a space or comma would have to be escaped. */
function headOf(tags: Tags): string {
  return `cpu,${Object.entries(tags).map(([name, value]) => `${name}=${value}`).join(",")}`;
}

function urlOf(address: string, query: Query): string {
  const made = metricsqlOf(query);
  if (made === undefined) throw new Error(`VictoriaMetrics cannot answer ${query.name}`);
  const { expression, stepSeconds } = made;
  const windows = Math.ceil((query.endMs - query.startMs) / 1000 / (stepSeconds ?? Infinity));
  const endOf = (window: number) => `${query.startMs / 1000 + window * (stepSeconds ?? 0) - 0.001}`;
  const times: Record<string, string> = stepSeconds === undefined
    ? { time: `${(query.endMs - 1) / 1000}` }
    : { start: endOf(1), end: endOf(windows), step: `${stepSeconds}` };
  const path = stepSeconds === undefined ? "query" : "query_range";
  return `${address}/api/v1/${path}?${new URLSearchParams({ query: expression, nocache: "1", ...times })}`;
}

interface Reply {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values?: readonly (readonly [number, string])[];
      readonly value?: readonly [number, string];
    }[];
  };
}

/** What is one row for the others are as many series here as the row has metrics. */
function answerOf({ data }: Reply): Answer {
  const rows = new Set<string>();
  let sum = 0;
  for (const { metric, values, value } of data.result) {
    for (const [time, text] of values ?? (value === undefined ? [] : [value])) {
      rows.add(`${metric["hostname"]} ${time}`);
      sum += Number(text);
    }
  }
  return { rowCount: rows.size, checksum: Math.round(sum * 1e3) / 1e3 };
}

async function get(url: string): Promise<void> {
  const response = await fetch(url);
  await response.body?.cancel();
}

async function untilItAnswers(url: string): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      return await get(url);
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The size once it has been the same for two seconds: merges run in the background. */
async function atRest(size: () => number): Promise<number> {
  const giveUpAt = performance.now() + MERGE_TIMEOUT_MS;
  for (let last = size();;) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const now = size();
    if (now === last || performance.now() > giveUpAt) return now;
    last = now;
  }
}

/** Bytes of all files below a folder; parts that a merge removes meanwhile do not count. */
function folderBytes(path: string): number {
  let bytes = 0;
  try {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      bytes += isDirectory ? folderBytes(`${path}/${name}`) : Deno.statSync(`${path}/${name}`).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bytes;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
