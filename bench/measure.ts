/** Runs the whole workload on peers and measures them. */
import type { BenchOptions } from "./options.ts";
import type { Answer, DiskBytes, Instance, Peer } from "./peer.ts";
import { PeerMissing } from "./peer_missing.ts";
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
  /** The median of a round trip that asks for nothing, the quickest of three times. */
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

/** A peer that has taken in the rows, and what was measured so far. */
interface Contender {
  readonly peer: string;
  readonly instance: Instance;
  readonly load: Timed;
  readonly disk: DiskBytes | undefined;
  pingMs: number | undefined;
  readonly found: Map<Query, Found>;
  singles: MeasuredSingles | undefined;
}

/**
 * Measures peers: each takes in the rows while the others rest, then they are asked in turns, query by query, so that what
 * the machine does beside them for a while meets all of them.
 *
 * @param progress gets a line for what is going on
 * @param skip gets the peers that are not there, and why
 */
export async function measure(
  peers: readonly Peer[],
  options: BenchOptions,
  progress: (text: string) => void,
  skip: (peer: string, reason: string) => void,
): Promise<Measured[]> {
  await using running = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  for (const peer of peers) {
    try {
      contenders.push(await load(peer, options, running, progress));
    } catch (error) {
      if (!(error instanceof PeerMissing)) throw error;
      skip(peer.name, error.message);
    }
  }
  const queries = options.scenario.queries(options);
  await measureQueries(contenders, queries, options, progress);
  for (const contender of contenders) {
    progress(`${contender.peer}: single inserts`);
    contender.singles = await measureSingles(contender.instance, options.scenario.open(options, 43), options);
  }
  if (options.cold) await measureFirst(contenders, queries, progress);
  return contenders.map(({ peer, load, disk, pingMs, found, singles }) => {
    const measured = queries.map((query) => ({
      query,
      ...(found.has(query) && { found: found.get(query)! }),
    }));
    return { peer, load, disk, pingMs, queries: measured, singles };
  });
}

async function load(
  peer: Peer,
  options: BenchOptions,
  running: AsyncDisposableStack,
  progress: (text: string) => void,
): Promise<Contender> {
  progress(`${peer.name}: starting`);
  const { scenario } = options;
  const instance = running.use(await peer.start(scenario));
  const workload = scenario.open(options, 42);
  const load = await timed(instance, () => {
    return instance.load(workload, options, (rows) => progress(`${peer.name}: ${rows} rows loaded`));
  });
  progress(`${peer.name}: measuring its disk`);
  const disk = await instance.diskBytes();
  return { peer: peer.name, instance, load, disk, pingMs: undefined, found: new Map(), singles: undefined };
}

async function measureQueries(
  contenders: readonly Contender[],
  queries: readonly Query[],
  { runs, cold }: BenchOptions,
  progress: (text: string) => void,
): Promise<void> {
  const inTurns = async (what: string, measure: (contender: Contender, query: Query) => Promise<void>) => {
    for (const query of queries) {
      for (const contender of contenders) {
        if (contender.instance.canRun?.(query) === false) continue;
        progress(`${what}: ${query.name}, ${contender.peer}`);
        await measure(contender, query);
      }
    }
  };
  await inTurns("warming up", ({ instance }, query) => warmUp(() => instance.runQuery(query)));
  for (const contender of contenders) await measurePing(contender);
  await inTurns("warm", async ({ instance, found }, query) => {
    const answer = await instance.answer(query);
    found.set(query, { ...await timeWarm(instance, query, runs), answer });
  });
  for (let time = 0; time < MORE_TIMES; time++) {
    // The quicker of two times counts, since what else the machine does only adds.
    for (const contender of contenders) await measurePing(contender);
    await inTurns("warm again", async ({ instance, found }, query) => {
      const before = found.get(query)!;
      if (before.ms >= SHORT_MS) return;
      const again = await timeWarm(instance, query, runs);
      if (again.ms < before.ms) found.set(query, { ...before, ...again });
    });
  }
  if (!cold) return;
  await inTurns("cold", async ({ instance, found }, query) => {
    const { emptyCaches } = instance;
    if (emptyCaches === undefined) return;
    await warmUp(() => coldMsOf(emptyCaches, instance, query));
    found.set(query, {
      ...found.get(query)!,
      coldMs: await medianOf(COLD_RUNS, emptyCaches, instance, query),
    });
  });
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

/** The quickest of the times that it is called counts. */
async function measurePing(contender: Contender): Promise<void> {
  const { ping } = contender.instance;
  if (ping === undefined) return;
  await warmUp(ping);
  contender.pingMs = Math.min(contender.pingMs ?? Infinity, quantile(await timesOf(ping, 1), 0.5));
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

/** The queries, each as the first one of a server. One that cannot empty its caches otherwise is cold then. */
async function measureFirst(
  contenders: readonly Contender[],
  queries: readonly Query[],
  progress: (text: string) => void,
): Promise<void> {
  for (const query of queries) {
    for (const { peer, instance, found } of contenders) {
      const { restart } = instance;
      const before = found.get(query);
      if (restart === undefined || before === undefined) continue;
      progress(`first after a start: ${query.name}, ${peer}`);
      const start = async () => {
        await restart();
        await new Promise((done) => setTimeout(done, START_MS));
      };
      const firstMs = await medianOf(FIRST_RUNS, start, instance, query);
      found.set(query, { coldMs: firstMs, ...before, firstMs });
    }
  }
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
