/**
 * `deno task bench:versions FOLDER [FOLDER]`: two versions of ChronoGo, or one twice, on copies of the same rows, asked the
 * same queries in turns, so that what else the machine does meets both. The folders are checkouts.
 */
import { cp } from "node:fs/promises";
import { parseArgs } from "node:util";
import { startEnvironment, startFlags } from "../scripts/start_flags.ts";
import { type ServerProcess, startServerProcess } from "../tests/support/server_process.ts";
import { WireClient } from "../tests/support/wire_client.ts";
import { keepCoresAwake } from "./awake_cores.ts";
import { dropPageCache, quantile, warmUp } from "./measure.ts";
import type { Query } from "./query.ts";
import { type Scenario, SCENARIOS, type ScenarioSize } from "./scenario.ts";
import { COLLECTION, command, createCollections, loadOverWire, runOverWire } from "./wire_instance.ts";

const USAGE =
  `deno task bench:versions BEFORE [AFTER] [--workload NAME] [--hosts N] [--rows N] [--query TEXT …] [--alone] [--cold] [--turns N]

  BEFORE, AFTER  folders with a checkout each (AFTER: this one)
  --workload, --hosts, --rows   as of "deno task bench"
  --query        queries whose name begins so; may be repeated (all)
  --alone        start both anew for each query: otherwise both have answered all of them before
  --cold         with nothing in memory
  --turns        how often both are asked (15)`;

/** One after the other is asked for so long. */
const TURN_MS = 150;
const BATCH_ROWS = 1000;

interface Options extends ScenarioSize {
  readonly folders: readonly string[];
  readonly scenario: Scenario;
  readonly queries: readonly string[];
  readonly alone: boolean;
  readonly cold: boolean;
  readonly turns: number;
}

/** A version that runs. */
interface Version {
  readonly server: ServerProcess;
  readonly client: WireClient;
}

/** Of one turn, or the medians of all. */
interface Cost {
  readonly ms: number;
  readonly cpuMs: number;
}

function parse(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      workload: { type: "string", default: "cpu" },
      hosts: { type: "string" },
      rows: { type: "string" },
      query: { type: "string", multiple: true, default: [] },
      alone: { type: "boolean", default: false },
      cold: { type: "boolean", default: false },
      turns: { type: "string", default: "15" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [before, after = new URL("..", import.meta.url).pathname] = positionals;
  const scenario = SCENARIOS[values.workload];
  if (before === undefined || scenario === undefined || values.help) throw new Error(USAGE);
  const hosts = Number(values.hosts ?? scenario.hosts);
  return {
    folders: [before, after].map((folder) => Deno.realPathSync(folder)),
    scenario,
    hosts,
    rowCount: Number(values.rows ?? scenario.rowsOf(hosts, false)),
    queries: values.query,
    alone: values.alone,
    cold: values.cold,
    turns: Number(values.turns),
  };
}

/** Starts the server of a checkout with the flags that it has itself. */
async function start(folder: string, dataDir: string): Promise<Version> {
  const manifest = JSON.parse(await Deno.readTextFile(`${folder}/deno.json`));
  const server = await startServerProcess({
    dataDir,
    cwd: folder,
    command: [Deno.execPath(), "run", ...startFlags(manifest), `${folder}/main.ts`],
    env: startEnvironment(manifest),
  });
  return { server, client: await WireClient.connect(server.port) };
}

async function stop({ server, client }: Version): Promise<void> {
  client.close();
  await server.stop();
}

/** Rows in a data folder for each version: the first one takes them in, the others get copies. */
async function load({ folders, scenario, ...size }: Options, folder: string): Promise<string[]> {
  const loaded = `${folder}/0`;
  const version = await start(folders[0] ?? "", loaded);
  await createCollections(version.server.port, scenario);
  const batches = { ...size, batchRows: BATCH_ROWS };
  await loadOverWire(version.server.port, scenario.open(size, 42), batches, () => {});
  await command(version.server.port, { compact: COLLECTION });
  await stop(version);
  const dataDirs = folders.map((_, i) => `${folder}/${i}`);
  for (const copy of dataDirs.slice(1)) await cp(loaded, copy, { recursive: true });
  return dataDirs;
}

/** Asks both in turns. @returns of each version the medians of its turns */
async function compare(versions: readonly Version[], query: Query, options: Options): Promise<Cost[]> {
  const turns: Cost[][] = versions.map(() => []);
  for (const { client } of versions) await warmUp(() => runOverWire(client, query));
  for (let turn = 0; turn < options.turns; turn++) {
    const order = turn % 2 === 0 ? [0, 1] : [1, 0];
    for (const at of order) {
      const version = versions[at];
      if (version !== undefined) turns[at]?.push(await costOf(version, query, options.cold));
    }
  }
  return turns.map((costs) => ({
    ms: median(costs.map(({ ms }) => ms)),
    cpuMs: median(costs.map(({ cpuMs }) => cpuMs)),
  }));
}

async function costOf({ server, client }: Version, query: Query, cold: boolean): Promise<Cost> {
  const times: number[] = [];
  let cpuMs = 0;
  const overAt = performance.now() + TURN_MS;
  while (times.length === 0 || performance.now() < overAt) {
    if (cold) {
      await client.must({ emptyCaches: 1, $db: "admin" });
      dropPageCache();
    }
    const cpuBefore = cpuMsOf(server.pid);
    const startedAt = performance.now();
    await runOverWire(client, query);
    times.push(performance.now() - startedAt);
    cpuMs += cpuMsOf(server.pid) - cpuBefore;
  }
  return { ms: median(times), cpuMs: cpuMs / times.length };
}

/** What the threads of a process have used, finer than the ticks of its `stat`; without those that have ended. */
function cpuMsOf(pid: number): number {
  let nanoseconds = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
  }
  return nanoseconds / 1e6;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function line(name: string, [before, after]: readonly Cost[]): string {
  const cells = (key: keyof Cost) => {
    const [a, b] = [before?.[key] ?? NaN, after?.[key] ?? NaN];
    return `${a.toFixed(3).padStart(9)} ${b.toFixed(3).padStart(9)} ${(b / a).toFixed(2).padStart(6)}`;
  };
  return `${name.padEnd(24)}${cells("ms")} |${cells("cpuMs")}`;
}

async function run(options: Options): Promise<void> {
  const { folders, scenario, alone } = options;
  const all = scenario.queries(options);
  const asked = all.filter(({ name }) => {
    return options.queries.length === 0 || options.queries.some((start) => name.startsWith(start));
  });
  using _ = keepCoresAwake();
  const folder = await Deno.makeTempDir({ prefix: "chronogo-versions-" });
  try {
    const dataDirs = await load(options, folder);
    console.log(`${"".padEnd(24)}ms: before     after  ratio |   CPU ms:            ratio`);
    for (const queries of alone ? asked.map((query) => [query]) : [asked]) {
      const versions = await Promise.all(folders.map((root, i) => start(root, dataDirs[i] ?? "")));
      try {
        if (!alone) {
          for (const query of all) {
            for (const { client } of versions) await warmUp(() => runOverWire(client, query));
          }
        }
        for (const query of queries) console.log(line(query.name, await compare(versions, query, options)));
      } finally {
        await Promise.all(versions.map(stop));
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

try {
  await run(parse(Deno.args));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
}
