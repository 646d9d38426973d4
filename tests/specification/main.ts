/**
 * `deno task spec`: the specification tests of MongoDB's drivers, run over the Node driver against a ChronoGo server, once as
 * a router and once as a replica set of one. See options.ts for what can be chosen.
 */
import { addressesOf, startDeployment } from "./deployment.ts";
import { filesOf, findFixtures } from "./fixtures.ts";
import { knownFailure } from "./known_failures.ts";
import { type Identity, parseOptions, type SpecificationOptions, USAGE } from "./options.ts";
import { type IdentityResults, PAGE, specificationPage } from "./page.ts";
import { countBySuite, failureLine, knownCounts, skipReasons, table } from "./report.ts";
import { type Addresses, runSuite, type TestResult } from "./run_suite.ts";
import { SUITES } from "./suites.ts";

const MAX_REASONS = 12;

async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  const fixtures = await findFixtures();
  if (options.uri !== undefined) {
    const results = await runSuites(options, fixtures, { one: options.uri, two: options.uri });
    summarize(results);
    return results.some(({ outcome }) => outcome === "failed") ? 1 : 0;
  }
  const all: IdentityResults[] = [];
  for (const identity of options.identities) all.push(await runIdentity(options, fixtures, identity));
  if (options.writesPage) await writePage(specificationPage(all));
  return all.some(({ results }) => results.some(isUnexpected)) ? 1 : 0;
}

/** Formatted, as all files are. */
async function writePage(page: string): Promise<void> {
  Deno.writeTextFileSync(PAGE, page);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PAGE.pathname] }).output();
}

async function runIdentity(
  options: SpecificationOptions,
  fixtures: string,
  identity: Identity,
): Promise<IdentityResults> {
  await using server = await startDeployment(identity);
  console.log(`\n## as a ${identity}\n`);
  const results = await runSuites(options, fixtures, addressesOf(server, identity), identity);
  summarize(results);
  return { identity, results };
}

/** @param identity whose known failures count; none when absent */
async function runSuites(
  options: SpecificationOptions,
  fixtures: string,
  addresses: Addresses,
  identity?: Identity,
): Promise<readonly TestResult[]> {
  const results: TestResult[] = [];
  for (const suite of SUITES.filter(({ name }) => options.suites.includes(name))) {
    const first = results.length;
    for await (const result of runSuite(suite.name, filesOf(fixtures, suite), addresses, options.pattern)) {
      results.push(withKnown(result, identity));
    }
    const ran = results.slice(first);
    console.log(progressLine(suite.name, ran));
    for (const result of ran.filter(isUnexpected)) console.log(failureLine(result));
  }
  return results;
}

/** A failure that is known; a pass that is known to fail becomes a failure. */
function withKnown(result: TestResult, identity: Identity | undefined): TestResult {
  const known = identity === undefined ? undefined : knownFailure(result, identity);
  if (known === undefined) return result;
  if (result.outcome === "failed") return { ...result, known };
  if (result.outcome === "skipped") return result;
  return {
    ...result,
    outcome: "failed",
    reason: `passes, and is known to fail: take it off the list (${known.reason})`,
  };
}

function isUnexpected({ outcome, known }: TestResult): boolean {
  return outcome === "failed" && known === undefined;
}

function progressLine(suite: string, results: readonly TestResult[]): string {
  const seconds = (results.reduce((sum, { ms }) => sum + ms, 0) / 1000).toFixed(1);
  const { passed, known, failed, skipped } = countBySuite(results).at(-1)!;
  return `${suite}: ${passed} passed, ${known + failed} failed, ${skipped} skipped, ${seconds} s`;
}

function summarize(results: readonly TestResult[]): void {
  console.log(`\n${table(countBySuite(results))}\n\nskipped, for a server or a driver:`);
  const reasons = skipReasons(results);
  for (const [reason, count] of reasons.slice(0, MAX_REASONS)) console.log(`  ${count} ${reason}`);
  const others = reasons.slice(MAX_REASONS).reduce((sum, [, count]) => sum + count, 0);
  if (others > 0) console.log(`  ${others} for other reasons`);
  const known = knownCounts(results);
  if (known.size > 0) console.log("\nknown failures:");
  for (const [{ suite, file, owner, reason }, count] of known) {
    console.log(`  ${count} ${suite} ${typeof file === "string" ? file : file.source} (${owner}): ${reason}`);
  }
}

try {
  Deno.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
