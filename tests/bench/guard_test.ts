import assert from "node:assert/strict";
import { regressions } from "../../bench/guard.ts";

const report = (load: string, query: string) =>
  [
    "864000 rows of 100 hosts",
    "",
    "| | ChronoGo | MongoDB | DuckDB | times better than MongoDB | times better than DuckDB |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
    `| load, rows/s | 1,000 | 10 | – | ${load} × | – |`,
    `| a query, ms | 1 | 10 | 20 | ${query} × | 20 × |`,
  ].join("\n");

Deno.test("a ratio that falls by half is a regression, one that moves a little or rises is none", () => {
  const kept = report("1,200", "10");
  assert.deepEqual(regressions(kept, report("1,000", "25")), []);
  assert.deepEqual(regressions(kept, report("1,300", "5")), [
    { measure: "a query, ms", peer: "MongoDB", before: 10, now: 5 },
  ]);
  assert.deepEqual(regressions(kept, report("500", "–")), [
    { measure: "load, rows/s", peer: "MongoDB", before: 1200, now: 500 },
  ]);
});
