/**
 * Runs files of the unified test format against a server and prints a line of JSON for each test:
 *
 *     node run.mjs ADDRESSES PATTERN < paths, one a line
 *     {"file": path, "test": description, "outcome": "passed" | "failed" | "skipped", "reason": text, "ms": 12}
 *
 * ADDRESSES is JSON: {"one": uri, "two": uri}, see Entities. Tests whose description does not match PATTERN are passed over.
 */
import { readFileSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import { driver, EJSON } from "./driver.mjs";
import { Unrunnable } from "./outcome.mjs";
import { readServer, unmet } from "./requirements.mjs";
import { endTransactions, runTest } from "./execution.mjs";

const TEST_LIMIT_MS = 40_000;

const [addressesText, patternText] = process.argv.slice(2);
const addresses = JSON.parse(addressesText);
const pattern = new RegExp(patternText, "i");
const paths = readFileSync(0, "utf8").split("\n").filter(Boolean);
const internal = new driver.MongoClient(addresses.one);
const server = await readServer(internal);
const deployment = { internal, addresses, server };

/** What nobody waited for; it belongs to the test that runs. */
let stray;
process.on("unhandledRejection", (error) => void (stray = error));

await endTransactions(internal);
for (const path of paths) await runFile(path);
await internal.close();
// Connections that a failed test left open would keep the process alive.
process.exit(0);

async function runFile(path) {
  const file = EJSON.parse(readFileSync(path, "utf8"), { relaxed: true });
  const unmetByFile = unmet(file.runOnRequirements, server);
  for (const test of file.tests) {
    if (!pattern.test(test.description)) continue;
    const skipped = test.skipReason ?? unmetByFile ?? unmet(test.runOnRequirements, server);
    const startedMs = performance.now();
    const result = skipped === undefined
      ? await outcomeOf(file, test)
      : { outcome: "skipped", reason: skipped };
    const ms = Math.round(performance.now() - startedMs);
    console.log(JSON.stringify({ file: path, test: test.description, ...result, ms }));
  }
}

async function outcomeOf(file, test) {
  stray = undefined;
  // A test may change what it is given: documents get ids.
  const copy = EJSON.parse(EJSON.stringify({ file, test }, { relaxed: false }), { relaxed: true });
  try {
    const timer = new AbortController();
    const late = after(TEST_LIMIT_MS, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`took longer than ${TEST_LIMIT_MS} ms`);
    });
    late.catch(() => {});
    await Promise.race([runTest(copy.file, copy.test, deployment), late]);
    timer.abort();
    return { outcome: "passed" };
  } catch (error) {
    if (error instanceof Unrunnable) return { outcome: "skipped", reason: error.message };
    await recover();
    return { outcome: "failed", reason: describe(error) };
  }
}

/** The next test finds no open transaction. */
async function recover() {
  try {
    await endTransactions(internal);
  } catch (error) {
    console.error(`could not end transactions: ${error}`);
  }
}

function describe(error) {
  const code = error?.code === undefined ? "" : ` (${error.code})`;
  const more = stray === undefined || stray === error ? "" : `; beside it: ${stray}`;
  return `${error?.name === "Error" ? "" : `${error?.name}: `}${error?.message}${code}${more}`.replace(
    /^Mismatch: /,
    "",
  );
}
