/** The runner of the drivers' specification tests, by tests of our own: what holds passes, what does not fails. */
import assert from "node:assert/strict";
import { addressesOf, startDeployment } from "./deployment.ts";
import type { Identity } from "./options.ts";
import { runSuite, type TestResult } from "./run_suite.ts";

const CASES = new URL("./cases/", import.meta.url).pathname;

async function run(identity: Identity, file: string, pattern = ""): Promise<TestResult[]> {
  await using server = await startDeployment(identity);
  return await Array.fromAsync(runSuite("own", [CASES + file], addressesOf(server, identity), pattern));
}

Deno.test("a test passes, fails or is skipped as its description says", async () => {
  const results = await run("router", "runner.json");
  assert.ok(results.length > 0);
  for (const { test, outcome, reason } of results) {
    assert.equal(outcome, test.slice(0, test.indexOf(":")), `${test}: ${reason}`);
    assert.equal(reason === undefined, outcome === "passed", test);
  }
});

Deno.test("tests are chosen by their description", async () => {
  const results = await run("router", "runner.json", "^passed: an error");
  assert.deepEqual(results.map(({ test, file }) => [file, test]), [
    ["runner.json", "passed: an error is the expected one"],
  ]);
});

for (const identity of ["router", "replica-set"] as const) {
  Deno.test(`what a ${identity} is decides which tests are for it`, async () => {
    const results = await run(identity, "identity.json");
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      identity === "router" ? ["passed", "skipped", "skipped"] : ["skipped", "passed", "skipped"],
    );
  });
}
