/** The options of `deno task bench`. */
import { parseArgs } from "node:util";
import { type Scenario, SCENARIOS } from "./scenario.ts";

export interface BenchOptions {
  readonly scenario: Scenario;
  readonly hosts: number;
  readonly rowCount: number;
  readonly batchRows: number;
  readonly singleRows: number;
  readonly connections: number;
  /** How often each query runs at least; the median counts. */
  readonly runs: number;
  /** Names of peers to run; all when empty. */
  readonly peers: readonly string[];
  /** Whether queries are also asked with nothing in memory. */
  readonly cold: boolean;
  /** Whether the ratios are compared with those that are kept. */
  readonly guard: boolean;
}

export const USAGE =
  `deno task bench [--workload NAME] [--guard] [--quick] [--rows N] [--hosts N] [--batch N] [--singles N] [--runs N] [--peer NAME …]

  --workload   cpu or events (cpu)
  --guard      compare the ratios with bench/RESULTS.md, and leave with 1 where one has fallen
  --quick      a tenth of everything: is it sane, not how fast is it
  --rows       rows to load (cpu: 864000, a day of 100 hosts at 10 s; events: 500000)
  --hosts      hosts or devices that report them (100; events: 50000)
  --batch      rows a batch (1000)
  --singles    rows that 64 connections insert one by one (20000)
  --runs       the least runs of each query; the median counts (11)
  --peer       chronogo, mongodb, victoriametrics or duckdb; may be repeated (all)
  --help       print this and leave`;

/** The options, or "help" when they ask for it. @throws Error with the usage when an option is wrong */
export function parseBenchOptions(args: readonly string[]): BenchOptions | "help" {
  const values = parseFlags(args);
  if (values.help === true) return "help";
  const quick = values.quick === true;
  const scenario = scenarioOf(values.workload ?? "cpu");
  const hosts = count("hosts", values.hosts, scenario.hosts);
  return {
    scenario,
    hosts,
    rowCount: count("rows", values.rows, scenario.rowsOf(hosts, quick)),
    batchRows: count("batch", values.batch, 1000),
    singleRows: count("singles", values.singles, quick ? 2000 : 20_000),
    connections: 64,
    runs: count("runs", values.runs, quick ? 3 : 11),
    peers: values.peer ?? [],
    cold: !quick,
    guard: values.guard === true,
  };
}

function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS[name];
  if (scenario !== undefined) return scenario;
  throw new Error(`no workload "${name}": there are ${Object.keys(SCENARIOS).join(", ")}\n\n${USAGE}`);
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        workload: { type: "string" },
        guard: { type: "boolean" },
        quick: { type: "boolean" },
        rows: { type: "string" },
        hosts: { type: "string" },
        batch: { type: "string" },
        singles: { type: "string" },
        runs: { type: "string" },
        peer: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    // Node's words name the option; what there is instead, we say.
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function count(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} needs a whole number above 0\n\n${USAGE}`);
  return Number(text);
}
