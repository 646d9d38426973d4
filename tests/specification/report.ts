/** What a run is summed up to: a table of suites, why tests were passed over, what failed. */
import type { KnownFailure } from "./known_failures.ts";
import type { TestResult } from "./run_suite.ts";

/** Counts of one suite. */
export interface SuiteCounts {
  readonly suite: string;
  readonly passed: number;
  /** Failed, and known to. */
  readonly known: number;
  /** Failed, and not known to. */
  readonly failed: number;
  readonly skipped: number;
}

/** The counts of each suite in the order of the results, and their sum under the name `all`. */
export function countBySuite(results: readonly TestResult[]): readonly SuiteCounts[] {
  const names = [...new Set(results.map(({ suite }) => suite))];
  return [
    ...names.map((name) => countOf(name, results.filter(({ suite }) => suite === name))),
    countOf("all", results),
  ];
}

function countOf(suite: string, results: readonly TestResult[]): SuiteCounts {
  const count = (isCounted: (result: TestResult) => boolean) => results.filter(isCounted).length;
  return {
    suite,
    passed: count(({ outcome }) => outcome === "passed"),
    known: count(({ outcome, known }) => outcome === "failed" && known !== undefined),
    failed: count(({ outcome, known }) => outcome === "failed" && known === undefined),
    skipped: count(({ outcome }) => outcome === "skipped"),
  };
}

const HEAD = ["suite", "passed", "known failures", "failed", "skipped"];

/** The table as Markdown, aligned. */
export function table(counts: readonly SuiteCounts[]): string {
  const rows = counts.map(({ suite, passed, known, failed, skipped }) => [
    suite,
    ...[passed, known, failed, skipped].map(String),
  ]);
  return markdownTable(HEAD, rows);
}

/** A table whose first column is text and whose others are numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join(" | ")
    } |`;
  const rule = `| ${
    widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")
  } |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** Why tests were passed over, with how many, most first. */
export function skipReasons(results: readonly TestResult[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { outcome, reason } of results) {
    if (outcome === "skipped") counts.set(reason ?? "", (counts.get(reason ?? "") ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** The known failures that there were, with how many tests each stands for. */
export function knownCounts(results: readonly TestResult[]): ReadonlyMap<KnownFailure, number> {
  const counts = new Map<KnownFailure, number>();
  for (const { known } of results) if (known !== undefined) counts.set(known, (counts.get(known) ?? 0) + 1);
  return counts;
}

/** One test that failed, as a line. */
export function failureLine({ suite, file, test, reason, known }: TestResult): string {
  const mark = known === undefined ? "FAILED" : "known ";
  return `${mark} ${suite} ${file}: ${test}\n       ${known?.reason ?? reason}`;
}
