/**
 * `deno task oracle --fuzz [--seed N] [--count N]`, or `deno task oracle:fuzz …`: asks MongoDB and ChronoGo the same random
 * questions about the same random documents, in a time series and in a plain collection, lets them make the same random updates,
 * and prints where the answers part, each made as small as it goes. Exit code 1 when they do.
 *
 * Many questions are asked in rounds of some thousands, one after another, each in a process and about documents of its own: the
 * first round has the seed that was given, each later one the next. `--seed S --count C` of one round asks what that round asked.
 */
import { parseArgs } from "node:util";
import { fuzzRound } from "./fuzz_round.ts";

const DEFAULT_COUNT = 1000;
const ROUND_COUNT = 4000;
const SUMMARY = /^seed (\d+): (\d+) asked, (\d+) differ$/m;

/** What came of a round, or of all. */
interface Summary {
  readonly asked: number;
  readonly differences: number;
}

/** @returns the exit code */
export async function fuzz(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { fuzz: { type: "boolean" }, seed: { type: "string" }, count: { type: "string" } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  const count = Number(values.count ?? DEFAULT_COUNT);
  if (count > ROUND_COUNT) return await fuzzInRounds(seed, count);
  const differences = await fuzzRound(seed, count);
  console.log(`seed ${seed}: ${count} asked, ${differences} differ`);
  return differences === 0 ? 0 : 1;
}

async function fuzzInRounds(firstSeed: number, count: number): Promise<number> {
  const startMs = Date.now();
  const failed: number[] = [];
  let all: Summary = { asked: 0, differences: 0 };
  for (let seed = firstSeed; all.asked < count; seed++) {
    const { asked, differences } = await roundInProcess(seed, Math.min(ROUND_COUNT, count - all.asked));
    if (differences > 0) failed.push(seed);
    all = { asked: all.asked + asked, differences: all.differences + differences };
    const seconds = Math.round((Date.now() - startMs) / 1000);
    console.log(`    ${all.asked} of ${count} asked, ${all.differences} differ, ${seconds} s`);
  }
  console.log(
    `${all.asked} questions from seed ${firstSeed} on: ${all.asked - all.differences} answered alike, ` +
      `${all.differences} not${failed.length === 0 ? "" : ` (seeds ${failed.join(", ")})`}`,
  );
  return all.differences === 0 ? 0 : 1;
}

async function roundInProcess(seed: number, count: number): Promise<Summary> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", import.meta.filename!, "--seed", String(seed), "--count", String(count)],
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout);
  console.log(text.trimEnd());
  const [, , asked, differences] = SUMMARY.exec(text) ?? [];
  if (asked === undefined) {
    throw new Error(`the round of seed ${seed} ended with ${code} and without a summary`);
  }
  return { asked: Number(asked), differences: Number(differences) };
}

if (import.meta.main) Deno.exitCode = await fuzz(Deno.args);
