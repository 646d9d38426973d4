/**
 * node duckdb_process.mjs PATH_OF_THE_PACKAGE
 *
 * DuckDB in a process of its own, so that its processor time can be told: one JSON object a line on stdin, one on stdout.
 *
 *     {"sql": "…"}                → {"rows": 12, "sum": 345.6}      all numbers of the result added up
 *     {"sql": "…", "quiet": true} → {}                              the result is fetched and not looked at
 */
import { createInterface } from "node:readline";

// Where the package was installed.
const { DuckDBInstance } = await import(process.argv[2]);
const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();

for await (const line of createInterface({ input: process.stdin })) {
  const { sql, quiet } = JSON.parse(line);
  const reader = await connection.runAndReadAll(sql);
  const reply = quiet ? {} : { rows: reader.currentRowCount, sum: sumOf(reader.getRows()) };
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

function sumOf(rows) {
  return rows.flat().reduce((sum, value) => typeof value === "number" ? sum + value : sum, 0);
}
