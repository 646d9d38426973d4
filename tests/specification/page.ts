/** docs/specification_tests.md: the numbers of a whole run, and why any test fails. */
import type { KnownFailure } from "./known_failures.ts";
import type { Identity } from "./options.ts";
import { countBySuite, knownCounts, skipReasons, table } from "./report.ts";
import type { TestResult } from "./run_suite.ts";

export const PAGE = new URL("../../docs/specification_tests.md", import.meta.url);
const MAX_REASONS = 15;

export interface IdentityResults {
  readonly identity: Identity;
  readonly results: readonly TestResult[];
}

const TITLES: Readonly<Record<Identity, string>> = {
  "router": "As a router",
  "replica-set": "As a replica set of one member",
};

export function specificationPage(all: readonly IdentityResults[]): string {
  return [
    "# The drivers' specification tests",
    "",
    "MongoDB's drivers are tested by files that say which operations to run, which commands a driver must send then, and",
    "what must come of them ([mongodb/specifications](https://github.com/mongodb/specifications), the unified test format).",
    "`deno task spec` runs them over the Node driver against ChronoGo, with the fail points that they need. Made by",
    "`deno task spec --page`; the runner and the list of known failures are in `tests/specification/`.",
    "",
    ...all.flatMap(({ identity, results }) => [
      `## ${TITLES[identity]}`,
      "",
      table(countBySuite(results)),
      "",
      "Skipped, because a test is for another server, or the driver has no such call:",
      "",
      ...reasonLines(results),
      "",
    ]),
    "## Known failures",
    "",
    "Where the Node driver does not do what its specification says, the same test fails against a MongoDB.",
    "",
    ...failureLines(all),
  ].join("\n") + "\n";
}

function reasonLines(results: readonly TestResult[]): string[] {
  const reasons = skipReasons(results);
  const shown = reasons.slice(0, MAX_REASONS).map(([reason, count]) => `- ${count}: ${reason}`);
  const others = reasons.slice(MAX_REASONS).reduce((sum, [, count]) => sum + count, 0);
  return others === 0 ? shown : [...shown, `- ${others}: other reasons`];
}

/** Of what a known failure is part: one file, or the suite. */
function placeOf({ suite, file }: KnownFailure): string {
  return typeof file === "string" ? `${suite}, \`${file}\`` : suite;
}

function failureLines(all: readonly IdentityResults[]): string[] {
  const counts = new Map<KnownFailure, number>();
  for (const { results } of all) {
    for (const [known, count] of knownCounts(results)) {
      counts.set(known, Math.max(counts.get(known) ?? 0, count));
    }
  }
  const line = ([known, count]: [KnownFailure, number]) => `- ${placeOf(known)} (${count}): ${known.reason}`;
  const of = (owner: KnownFailure["owner"]) =>
    [...counts].filter(([known]) => known.owner === owner).map(line);
  return [
    "### ChronoGo's",
    "",
    ...of("ChronoGo"),
    "",
    "### For want of a second node",
    "",
    ...of("one node"),
    "",
    "### The driver's",
    "",
    ...of("driver"),
  ];
}
