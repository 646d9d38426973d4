/**
 * DuckDB as a peer: the npm package @duckdb/node-api, installed once into a folder that git does not see, run by Node in
 * a process of its own. Everything is in memory and nothing is durable: it shows what an engine that only scans columns
 * needs for the same rows. Loaded from CSV.
 */
import { installPackages } from "../scripts/installed_packages.ts";
import { type CpuWorkload, METRICS } from "../tests/data/cpu_workload.ts";
import type { Answer, Instance, LoadSize, Peer } from "./peer.ts";
import { PeerMissing } from "./peer_missing.ts";
import type { Query } from "./query.ts";
import { cpuSecondsOf } from "./wire_instance.ts";
import { cpuWorkloadOf, mustBeCpu, type Scenario } from "./scenario.ts";
import { nextLines, tagsOfHosts } from "./workload_rows.ts";

export const DUCKDB: Peer = { name: "DuckDB 1.5.6, in memory", start };

const FOLDER = new URL("./.installed/duckdb/", import.meta.url).pathname;
const PACKAGE = "@duckdb/node-api@1.5.6-r.1";
const SCRIPT = new URL("./duckdb_process.mjs", import.meta.url).pathname;

const each = (metrics: number, sql: (metric: string) => string) =>
  METRICS.slice(0, metrics).map(sql).join(", ");

/** Undefined for a query that is left out here. */
function sqlOf(query: Query): string | undefined {
  const { name, metrics = METRICS.length } = query;
  const maxima = each(metrics, (metric) => `max(${metric})`);
  if (name.startsWith("single-groupby")) {
    return `SELECT time_bucket(INTERVAL 1 MINUTE, t) AS minute, ${maxima} FROM cpu
      WHERE ${spanOf(query)} AND ${hostsOf(query)} GROUP BY minute ORDER BY minute`;
  }
  if (name.startsWith("cpu-max-all")) {
    return `SELECT time_bucket(INTERVAL 1 HOUR, t) AS hour, ${maxima} FROM cpu
      WHERE ${spanOf(query)} AND ${hostsOf(query)} GROUP BY hour ORDER BY hour`;
  }
  if (name.startsWith("double-groupby")) {
    const means = each(metrics, (metric) => `avg(${metric})`);
    return `SELECT hostname, time_bucket(INTERVAL 1 HOUR, t) AS hour, ${means} FROM cpu
      WHERE ${spanOf(query)} GROUP BY hostname, hour ORDER BY hour, hostname`;
  }
  if (name !== "lastpoint") return undefined;
  const newest = each(metrics, (metric) => `arg_max(${metric}, t)`);
  return `SELECT hostname, max(t), ${newest} FROM cpu GROUP BY hostname`;
}

function spanOf({ startMs, endMs }: Query): string {
  return `t >= epoch_ms(${startMs}) AND t < epoch_ms(${endMs})`;
}

function hostsOf({ hosts }: Query): string {
  return `hostname IN (${hosts?.map((host) => `'${host}'`).join(", ")})`;
}

async function start(scenario: Scenario): Promise<Instance> {
  mustBeCpu(scenario);
  await install();
  const child = new Deno.Command("node", {
    args: [SCRIPT, `${FOLDER}node_modules/@duckdb/node-api/lib/index.js`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ask = conversation(child);
  return {
    cpuSeconds: () => cpuSecondsOf(child.pid),
    load: (workload, size, progress) => load(ask, cpuWorkloadOf(workload), size, progress),
    diskBytes: () => Promise.resolve(undefined),
    canRun: (query) => sqlOf(query) !== undefined,
    runQuery: async (query) => void await ask({ sql: sqlOf(query) ?? "", quiet: true }),
    answer: async (query): Promise<Answer> => {
      const { rows = 0, sum = 0 } = await ask({ sql: sqlOf(query) ?? "" });
      return { rowCount: rows, checksum: Math.round(sum * 1e3) / 1e3 };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

interface Question {
  readonly sql: string;
  readonly quiet?: boolean;
}

interface Reply {
  readonly rows?: number;
  readonly sum?: number;
}

type Ask = (question: Question) => Promise<Reply>;

/** One question at a time, one line each way. */
function conversation(child: Deno.ChildProcess): Ask {
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return async (question) => {
    await writer.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("DuckDB's process ended");
      text += value;
    }
    const end = text.indexOf("\n");
    const reply: Reply = JSON.parse(text.slice(0, end));
    text = text.slice(end + 1);
    return reply;
  };
}

/** @throws PeerMissing when npm cannot install it */
async function install(): Promise<void> {
  try {
    await installPackages({ folder: FOLDER, npm: [PACKAGE], name: "DuckDB (70 MB)" });
  } catch (error) {
    throw new PeerMissing(error instanceof Error ? error.message : String(error));
  }
}

async function load(
  ask: Ask,
  workload: CpuWorkload,
  { rowCount, batchRows }: LoadSize,
  progress: (rows: number) => void,
): Promise<void> {
  const tags = tagsOfHosts(workload);
  const names = Object.keys(tags[0] ?? {});
  await ask({
    sql: `CREATE TABLE cpu (t TIMESTAMP_MS, ${names.map((name) => `${name} VARCHAR`).join(", ")}, ${
      each(METRICS.length, (metric) => `${metric} INTEGER`)
    })`,
  });
  const heads = tags.map((host) => names.map((name) => host[name]).join(","));
  const path = await Deno.makeTempFile({ prefix: "chronogo-bench-", suffix: ".csv" });
  try {
    using file = Deno.openSync(path, { write: true, truncate: true });
    while (workload.rowCount < rowCount) {
      const count = Math.min(batchRows, rowCount - workload.rowCount);
      const lines = nextLines(workload, count, (host, timeMs, values) => {
        return `${new Date(timeMs).toISOString().slice(0, -1)},${heads[host]},${values.join(",")}\n`;
      });
      const bytes = new TextEncoder().encode(lines);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      progress(workload.rowCount);
    }
    await ask({ sql: `COPY cpu FROM '${path}' (FORMAT CSV, HEADER false)` });
  } finally {
    await Deno.remove(path);
  }
}
