/**
 * `deno task oracle [--count | --record-only] [topic …]`: runs the cases on a real MongoDB, keeps its answers as golden files, then runs
 * them on ChronoGo and prints what differs. Exit code 1 when something does. `--count` only counts what is recorded.
 *
 * `deno task oracle --fuzz …`: see fuzz.ts.
 */
import { startMongod } from "../support/mongod.ts";
import { startServerProcess } from "../support/server_process.ts";
import { WireClient } from "../support/wire_client.ts";
import { type CaseFile, readCaseFile, topics } from "./case_file.ts";
import { compare, describe } from "./compare.ts";
import { fuzz } from "./fuzz.ts";
import { countAnswers, describeCounts } from "./count.ts";
import { readGolden, writeGolden } from "./golden.ts";
import type { Replies } from "./normalize.ts";
import { replay, type Side } from "./replay.ts";

async function replayAll(
  files: readonly CaseFile[],
  port: number,
  side: Side,
): Promise<Map<string, Replies>[]> {
  const client = await WireClient.connect(port);
  try {
    const answers: Map<string, Replies>[] = [];
    for (const file of files) answers.push(await replay(client, file, side));
    return answers;
  } finally {
    client.close();
  }
}

async function record(files: readonly CaseFile[]): Promise<void> {
  for (const replicaSet of [false, true]) {
    const asked = files.filter((file) => file.replicaSet === replicaSet);
    if (asked.length === 0) continue;
    const mongod = await startMongod({ replicaSet });
    try {
      const answers = await replayAll(asked, mongod.port, "oracle");
      asked.forEach((file, index) => writeGolden(file.topic, answers[index] ?? new Map()));
    } finally {
      await mongod.stop();
    }
  }
}

async function differencesOf(files: readonly CaseFile[]): Promise<number> {
  await using server = await startServerProcess();
  const answers = await replayAll(files, server.port, "chronogo");
  const differences = files.flatMap((file, index) => {
    return compare(file, readGolden(file.topic), answers[index] ?? new Map());
  });
  for (const difference of differences) console.log(describe(difference) + "\n");
  return differences.length;
}

async function run(recordOnly: boolean): Promise<void> {
  const chosen = Deno.args.filter((argument) => !argument.startsWith("--"));
  const files = (chosen.length === 0 ? topics() : chosen).map(readCaseFile);
  const caseCount = files.reduce((sum, file) => sum + file.cases.length, 0);
  await record(files);
  console.log(`recorded MongoDB's answers to ${caseCount} cases in ${files.length} files`);
  if (recordOnly) return;
  const count = await differencesOf(files);
  console.log(`${caseCount - count} cases alike, ${count} differ`);
  Deno.exitCode = count === 0 ? 0 : 1;
}

const USAGE = "usage: deno task oracle [--count | --record-only] [topic …], or deno task oracle --fuzz …";
const known = ["--count", "--record-only"];
const unknown = Deno.args.find((argument) => argument.startsWith("-") && !known.includes(argument));

if (Deno.args.includes("--fuzz")) Deno.exitCode = await fuzz(Deno.args);
else if (unknown !== undefined) {
  console.error(unknown === "--help" ? USAGE : `unknown option ${unknown}\n${USAGE}`);
  Deno.exitCode = 2;
} else if (Deno.args.includes("--count")) console.log(describeCounts(countAnswers()));
else await run(Deno.args.includes("--record-only"));
