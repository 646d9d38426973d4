/** Runs the whole workload on one peer and measures it. */
import type { BenchOptions } from "./options.ts";
import type { Answer, DiskBytes, Instance, Peer } from "./peer.ts";
import type { Query } from "./query.ts";
import type { Workload } from "./scenario.ts";

/** What is timed is a server that has answered such queries for a while: caches and compiled code are there. */
const WARM_UP_MS = 1500;
/** Of the hosts and of the rows, so many times fewer warm up what is measured cold. */
const WARM_UP_PART = 50;

/** What was measured on one peer. */
export interface Measured {
  readonly peer: string;
  readonly load: Timed;
  readonly disk: DiskBytes | undefined;
  readonly queries: readonly MeasuredQuery[];
  readonly singles: MeasuredSingles | undefined;
}

export interface Timed {
  readonly seconds: number;
  /** Of the server's process. */
  readonly cpuSeconds: number;
}

export interface MeasuredQuery {
  readonly query: Query;
  /** Absent where the peer cannot answer it. */
  readonly found?: {
    /** The median. */
    readonly ms: number;
    /** The server's, the mean of a run. */
    readonly cpuMs: number;
    readonly answer: Answer;
    /** Once, with nothing of the rows in memory; absent where that is not measured. */
    readonly coldMs?: number;
  };
}

export interface MeasuredSingles extends Timed {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Measures one peer; `progress` gets a line for what is going on. */
export async function measure(
  peer: Peer,
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<Measured> {
  progress(`${peer.name}: starting`);
  await using instance = await peer.start(options.scenario);
  const { scenario } = options;
  const workload = scenario.open(options, 42);
  const load = await timed(instance, () => {
    return instance.load(workload, options, (rows) => progress(`${peer.name}: ${rows} rows loaded`));
  });
  progress(`${peer.name}: measuring its disk`);
  const disk = await instance.diskBytes();
  const queries: MeasuredQuery[] = [];
  for (const query of scenario.queries(options)) {
    progress(`${peer.name}: ${query.name}`);
    queries.push(await measureQuery(instance, query, options.runs));
  }
  progress(`${peer.name}: single inserts`);
  const singles = await measureSingles(instance, scenario.open(options, 43), options);
  const measured = options.cold ? await measureCold(instance, queries, options, progress) : queries;
  return { peer: peer.name, load, disk, queries: measured, singles };
}

/** The queries, each once more on an instance that has nothing of the rows in memory. */
async function measureCold(
  instance: Instance,
  queries: readonly MeasuredQuery[],
  { scenario, hosts, rowCount }: BenchOptions,
  progress: (text: string) => void,
): Promise<MeasuredQuery[]> {
  const cold: MeasuredQuery[] = [];
  const size = { hosts: Math.ceil(hosts / WARM_UP_PART), rowCount: Math.ceil(rowCount / WARM_UP_PART) };
  const warmUp = scenario.open(size, 44);
  for (const { query, found } of queries) {
    progress(`cold: ${query.name}`);
    if (found === undefined || instance.cool === undefined) {
      cold.push({ query, ...(found && { found }) });
      continue;
    }
    await instance.cool(warmUp, size.rowCount, queries.map((each) => each.query));
    const start = performance.now();
    await instance.runQuery(query);
    cold.push({ query, found: { ...found, coldMs: performance.now() - start } });
  }
  return cold;
}

async function measureQuery(instance: Instance, query: Query, runs: number): Promise<MeasuredQuery> {
  if (instance.canRun?.(query) === false) return { query };
  const answer = await instance.answer(query);
  const warmAt = performance.now() + WARM_UP_MS;
  while (performance.now() < warmAt) await instance.runQuery(query);
  const times = new Float64Array(runs);
  const { cpuSeconds } = await timed(instance, async () => {
    for (let run = 0; run < runs; run++) {
      const start = performance.now();
      await instance.runQuery(query);
      times[run] = performance.now() - start;
    }
  });
  return { query, found: { ms: quantile(times, 0.5), cpuMs: cpuSeconds * 1000 / runs, answer } };
}

async function measureSingles(
  instance: Instance,
  workload: Workload,
  { singleRows, connections }: BenchOptions,
): Promise<MeasuredSingles | undefined> {
  if (instance.insertSingly === undefined) return undefined;
  let latencies: Float64Array = new Float64Array();
  const time = await timed(instance, async () => {
    latencies = await instance.insertSingly?.(workload, { rowCount: singleRows, connections }) ?? latencies;
  });
  return { ...time, p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) };
}

async function timed(instance: Instance, body: () => Promise<void>): Promise<Timed> {
  const cpuBefore = instance.cpuSeconds();
  const start = performance.now();
  await body();
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: instance.cpuSeconds() - cpuBefore };
}

function quantile(values: Float64Array, at: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? NaN;
}
