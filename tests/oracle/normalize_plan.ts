/**
 * The answer of `explain` as it is compared: which stages there are, within which bounds they read, and how many documents
 * each looks at and returns. What the server is, what it weighed before it chose, and how the run went step by step is left
 * out; so are keys examined, of which MongoDB also counts the one behind each range, the query as MongoDB has put it in order, and
 * how many rows each index of an OR brought, which ChronoGo does not count apart.
 */
import type { Json } from "./normalize.ts";

const LEFT_OUT: ReadonlySet<string> = new Set([
  "advanced",
  "allPlansExecution",
  "alreadyHasObj",
  "chronogo",
  "command",
  "dupsDropped",
  "dupsTested",
  "executionTimeMillis",
  "executionTimeMillisEstimate",
  "explainVersion",
  "indexFilterSet",
  "isEOF",
  "keysExamined",
  "maxIndexedAndSolutionsReached",
  "maxIndexedOrSolutionsReached",
  "maxScansToExplodeReached",
  "needTime",
  "needYield",
  "parsedQuery",
  "planCacheKey",
  "queryHash",
  "rejectedPlans",
  "restoreState",
  "saveState",
  "seeks",
  "serverInfo",
  "serverParameters",
  "spills",
  "totalDataSizeSorted",
  "totalKeysExamined",
  "usedDisk",
  "works",
]);

export function normalizePlan(plan: Json): Json {
  if (Array.isArray(plan)) return plan.map(normalizePlan);
  if (typeof plan !== "object" || plan === null) return plan;
  const kept = Object.entries(plan).filter(([name]) => !LEFT_OUT.has(name));
  // The order of a stage's fields says nothing, that of a filter's or an index's does.
  const isStage = kept.some(([name]) => name === "stage");
  if (isStage) kept.sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(
    kept.map(([name, value]) => [
      name,
      name === "inputStages" && Array.isArray(value) ? value.map(withoutRows) : normalizePlan(value),
    ]),
  );
}

function withoutRows(stage: Json): Json {
  const normal = normalizePlan(stage);
  if (typeof normal !== "object" || normal === null || Array.isArray(normal)) return normal;
  return Object.fromEntries(Object.entries(normal).filter(([name]) => name !== "nReturned"));
}
