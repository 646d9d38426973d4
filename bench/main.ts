/** `deno task bench`: one workload on ChronoGo and its peers, in turns in one run, and a table of ratios. */
import { keepCoresAwake } from "./awake_cores.ts";
import { CHRONOGO } from "./chronogo.ts";
import { DUCKDB } from "./duckdb.ts";
import { regressions } from "./guard.ts";
import { measure } from "./measure.ts";
import { MONGODB } from "./mongodb.ts";
import { type BenchOptions, parseBenchOptions, USAGE } from "./options.ts";
import type { Peer } from "./peer.ts";
import { report } from "./report.ts";
import { VICTORIA_METRICS } from "./victoria_metrics.ts";

/** The ratios that are kept, a part for each workload and size. */
const RESULTS = new URL("RESULTS.md", import.meta.url);

/** Of each peer its name on the command line. The first one is compared with the others. */
const PEERS: Readonly<Record<string, Peer>> = {
  chronogo: CHRONOGO,
  mongodb: MONGODB,
  victoriametrics: VICTORIA_METRICS,
  duckdb: DUCKDB,
};

function chosenPeers({ peers }: BenchOptions): Peer[] {
  if (peers.length === 0) return Object.values(PEERS);
  return peers.map((name) => {
    const peer = PEERS[name];
    if (peer === undefined) throw new Error(`no peer "${name}": there are ${Object.keys(PEERS).join(", ")}`);
    return peer;
  });
}

/** One line that is written over, where the terminal can. */
function showProgress(line: string): void {
  const text = Deno.stderr.isTerminal() ? `\r\x1b[K${line}` : "";
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

async function run(options: BenchOptions): Promise<void> {
  using _ = keepCoresAwake();
  const skipped: string[] = [];
  const results = await measure(chosenPeers(options), options, showProgress, (peer, reason) => {
    skipped.push(`${peer} was skipped: ${reason}`);
  });
  showProgress("");
  const text = report(results, options);
  console.log([text, ...skipped].join("\n"));
  if (options.guard) guard(text, options);
}

/** Says which ratios have fallen below what is kept of this workload in this size. @throws Error when one has */
function guard(text: string, options: BenchOptions): void {
  const size = options.scenario.describe(options);
  const kept = Deno.readTextFileSync(RESULTS).split(/^## /m).find((part) => part.includes(size));
  if (kept === undefined) throw new Error(`bench/RESULTS.md has no part of ${size} to compare with`);
  const fallen = regressions(kept, text);
  if (fallen.length === 0) return console.log("guard: no ratio has fallen");
  const lines = fallen.map(({ measure, peer, before, now }) => {
    return `${measure}: ${now} times better than ${peer}, was ${before}`;
  });
  throw new Error(["guard: ratios have fallen:", ...lines].join("\n"));
}

try {
  const options = parseBenchOptions(Deno.args);
  if (options === "help") console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
}
