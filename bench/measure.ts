/** Runs the whole workload on one peer and measures it. */
import type { BenchOptions } from "./options.ts";
import type { Answer, DiskBytes, Instance, Peer } from "./peer.ts";
import type { Query } from "./query.ts";
import type { Workload } from "./scenario.ts";

/**
 * What is timed is a server that has answered such queries for a while: caches and compiled code are there; of cold ones, the
 * code.
 */
const WARM_UP_MS = 1500;
/** A query that takes less than a millisecond is run for so long: what else the machine does for a moment counts less. */
const LEAST_MS = 500;
/** Shorter queries, in milliseconds, are timed again so often after all others: what disturbs one of these times is over then. */
const SHORT_MS = 20;
const MORE_TIMES = 2;
/** Of each query with nothing in memory, on a server that runs and on one that was just started; medians count. */
const COLD_RUNS = 11;
const FIRST_RUNS = 3;
/** What a server that was just started does by itself is mostly done then. */
const START_MS = 2000;
const DROP_CACHES = "/proc/sys/vm/drop_caches";

/** What was measured on one peer. */
export interface Measured {
  readonly peer: string;
  readonly load: Timed;
  readonly disk: DiskBytes | undefined;
  /** The median of a round trip that asks for nothing. */
  readonly pingMs: number | undefined;
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
  readonly found?: Found;
}

interface Found {
  /** The median. */
  readonly ms: number;
  /** The server's, the mean of a run. */
  readonly cpuMs: number;
  readonly answer: Answer;
  /** The median with nothing of the rows in memory; absent where that is not measured. */
  readonly coldMs?: number;
  /** As that, of the first query after a start. */
  readonly firstMs?: number;
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
  const asked = scenario.queries(options).map((query) => ({
    query,
    isAnswered: instance.canRun?.(query) !== false,
  }));
  for (const { query, isAnswered } of asked) {
    progress(`${peer.name}: warming up ${query.name}`);
    if (isAnswered) await warmUp(() => instance.runQuery(query));
  }
  const pingMs = await measurePing(instance);
  let queries: MeasuredQuery[] = [];
  for (const { query, isAnswered } of asked) {
    progress(`${peer.name}: ${query.name}`);
    queries.push(isAnswered ? await measureQuery(instance, query, options) : { query });
  }
  for (let time = 0; time < MORE_TIMES; time++) {
    progress(`${peer.name}: short queries again`);
    queries = await timeAgain(instance, queries, options.runs);
  }
  progress(`${peer.name}: single inserts`);
  const singles = await measureSingles(instance, scenario.open(options, 43), options);
  const measured = options.cold ? await measureFirst(instance, queries, progress) : queries;
  return { peer: peer.name, load, disk, pingMs, queries: measured, singles };
}

/** Asks until what answers is as quick as it gets, more or less. */
export async function warmUp(ask: () => Promise<unknown>): Promise<void> {
  const warmAt = performance.now() + WARM_UP_MS;
  while (performance.now() < warmAt) await ask();
}

/** Asks so often at least, and for a while. @returns how long each time took, in milliseconds */
async function timesOf(ask: () => Promise<unknown>, leastRuns: number): Promise<number[]> {
  const times: number[] = [];
  const leastAt = performance.now() + LEAST_MS;
  while (times.length < leastRuns || performance.now() < leastAt) times.push(await msOf(ask));
  return times;
}

async function measurePing({ ping }: Instance): Promise<number | undefined> {
  if (ping === undefined) return undefined;
  await warmUp(ping);
  return quantile(await timesOf(ping, 1), 0.5);
}

/** Times a query that is asked again and again. @returns its median, and the server's processor time, the mean of a run */
async function timeWarm(
  instance: Instance,
  query: Query,
  runs: number,
): Promise<Pick<Found, "ms" | "cpuMs">> {
  const ask = () => instance.runQuery(query);
  await warmUp(ask);
  let times: number[] = [];
  const { cpuSeconds } = await timed(instance, async () => {
    times = await timesOf(ask, runs);
  });
  return { ms: quantile(times, 0.5), cpuMs: cpuSeconds * 1000 / times.length };
}

/** Times short queries once more: the quicker of both times counts, since what else the machine does only adds. */
async function timeAgain(
  instance: Instance,
  queries: readonly MeasuredQuery[],
  runs: number,
): Promise<MeasuredQuery[]> {
  const again: MeasuredQuery[] = [];
  for (const { query, found } of queries) {
    if (found === undefined || found.ms >= SHORT_MS) {
      again.push({ query, ...(found && { found }) });
      continue;
    }
    const warm = await timeWarm(instance, query, runs);
    again.push({ query, found: warm.ms < found.ms ? { ...found, ...warm } : found });
  }
  return again;
}

async function measureQuery(
  instance: Instance,
  query: Query,
  { runs, cold }: BenchOptions,
): Promise<MeasuredQuery> {
  const answer = await instance.answer(query);
  const warm = { ...await timeWarm(instance, query, runs), answer };
  const { emptyCaches } = instance;
  if (!cold || emptyCaches === undefined) return { query, found: warm };
  await warmUp(() => coldMsOf(emptyCaches, instance, query));
  return { query, found: { ...warm, coldMs: await medianOf(COLD_RUNS, emptyCaches, instance, query) } };
}

/** The queries, each as the first one of a server. One that cannot empty its caches otherwise is cold then. */
async function measureFirst(
  instance: Instance,
  queries: readonly MeasuredQuery[],
  progress: (text: string) => void,
): Promise<MeasuredQuery[]> {
  const { restart } = instance;
  if (restart === undefined) return [...queries];
  const start = async () => {
    await restart();
    await new Promise((done) => setTimeout(done, START_MS));
  };
  const measured: MeasuredQuery[] = [];
  for (const { query, found } of queries) {
    progress(`after a start: ${query.name}`);
    if (found === undefined) {
      measured.push({ query });
      continue;
    }
    const firstMs = await medianOf(FIRST_RUNS, start, instance, query);
    measured.push({ query, found: { coldMs: firstMs, ...found, firstMs } });
  }
  return measured;
}

/** The median of runs before each of which the peer lets go of what it holds, and the system too. */
async function medianOf(
  runs: number,
  letGo: () => Promise<void>,
  instance: Instance,
  query: Query,
): Promise<number> {
  const times: number[] = [];
  while (times.length < runs) times.push(await coldMsOf(letGo, instance, query));
  return quantile(times, 0.5);
}

async function coldMsOf(letGo: () => Promise<void>, instance: Instance, query: Query): Promise<number> {
  await letGo();
  dropPageCache();
  return await msOf(() => instance.runQuery(query));
}

/** Only root may, and not in every container. */
export function dropPageCache(): void {
  try {
    Deno.writeTextFileSync(DROP_CACHES, "1");
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable)) {
      throw error;
    }
  }
}

async function msOf(ask: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await ask();
  return performance.now() - start;
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

export function quantile(values: ArrayLike<number>, at: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? NaN;
}
