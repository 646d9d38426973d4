/**
 * `deno task oracle:fuzz [seed] [questions]`: asks MongoDB and ChronoGo the same random questions about the same random documents,
 * in a time series and in a plain collection, lets them make the same random updates, and prints where the answers part.
 * Exit code 1 when they do.
 */
import { type Document } from "bson";
import { startMongod } from "../support/mongod.ts";
import { startServerProcess } from "../support/server_process.ts";
import { WireClient } from "../support/wire_client.ts";
import type { CaseFile, OracleCase } from "./case_file.ts";
import { compare, describe } from "./compare.ts";
import { RandomQueries } from "./random_query.ts";
import { replay } from "./replay.ts";

const DOCUMENTS = 300;
const SHOWN = 40;

function randomCases(seed: number, count: number): CaseFile {
  const queries = new RandomQueries(seed);
  const documents = queries.documents(DOCUMENTS);
  const create = { timeseries: { timeField: "t", metaField: "m" } };
  return {
    topic: "fuzz",
    isolated: false,
    collections: [{ name: "series", create, documents }, { name: "plain", create: undefined, documents }],
    cases: Array.from({ length: count }, (_, index) => {
      const name = `seed ${seed}, question ${index}`;
      if (index % 3 === 2) return toCase(name, queries.update("changed"));
      return toCase(name, [queries.command(index % 3 === 0 ? "series" : "plain")]);
    }),
  };
}

function toCase(name: string, commands: readonly Document[]): OracleCase {
  return { name, oracle: commands, chronogo: commands, differs: undefined };
}

const seed = Number(Deno.args[0] ?? Math.floor(Math.random() * 1e9));
const count = Number(Deno.args[1] ?? 1000);
const file = randomCases(seed, count);
const mongod = await startMongod();
await using server = await startServerProcess();
const [oracle, chronogo] = await Promise.all([
  WireClient.connect(mongod.port),
  WireClient.connect(server.port),
]);
const [expected, actual] = await Promise.all([
  replay(oracle, file, "oracle"),
  replay(chronogo, file, "chronogo"),
]);
oracle.close();
chronogo.close();
await mongod.stop();
const differences = compare(file, expected, actual);
for (const difference of differences.slice(0, SHOWN)) console.log(describe(difference) + "\n");
console.log(`seed ${seed}: ${count - differences.length} answers alike, ${differences.length} differ`);
Deno.exitCode = differences.length === 0 ? 0 : 1;
