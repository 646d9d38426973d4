/** The intended differences from MongoDB 6.0.5, collected from the oracle's cases. */
import { EJSON } from "bson";
import { INTENDED_DIFFERENCES } from "../../src/query/expression/oracle_answers/intended_differences.ts";
import { readCaseFile, topics } from "../../tests/oracle/case_file.ts";

/** Cases of one topic that differ for one reason. */
export interface IntendedDifference {
  readonly topic: string;
  readonly reason: string;
  readonly cases: readonly string[];
}

/** @returns by topic, in the order of the case files; expressions that were recorded by themselves last */
export function intendedDifferences(): readonly IntendedDifference[] {
  const expressions = INTENDED_DIFFERENCES.map(({ expression, reason }) => ({
    topic: "expressions, one by one",
    reason,
    cases: [EJSON.stringify(EJSON.parse(expression, { relaxed: true }))],
  }));
  return [...topics().flatMap(differencesOf), ...expressions];
}

function differencesOf(topic: string): readonly IntendedDifference[] {
  const byReason = new Map<string, string[]>();
  for (const { name, differs } of readCaseFile(topic).cases) {
    if (differs === undefined) continue;
    const cases = byReason.get(differs.reason);
    if (cases === undefined) byReason.set(differs.reason, [name]);
    else cases.push(name);
  }
  return [...byReason].map(([reason, cases]) => ({ topic, reason, cases }));
}
