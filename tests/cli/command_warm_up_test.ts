/** The commands that run in the quiet after a start: all of them, nothing of them is left, and clients go before. */
import assert from "node:assert/strict";
import { openServer } from "../../mod.ts";
import { Logger } from "../../src/base/mod.ts";
import { CommandWarmUp } from "../../src/cli/command_warm_up.ts";
import { warmUpCommands } from "../../src/cli/warm_up_commands.ts";
import { SystemClock } from "../../src/io/mod.ts";
import { ArrayRouter } from "../commands/array_router.ts";
import { eventually, testServices } from "../commands/harness.ts";
import { WireClient } from "../support/wire_client.ts";

const COMMANDS = [...warmUpCommands(0)].filter((command) => command !== "flush").length;
const DONE = new RegExp(`debug warm-up: typical commands are compiled commands=${COMMANDS} ms=`);

Deno.test("after a start typical commands run, and nothing is to be seen of them", async () => {
  const dataDir = Deno.makeTempDirSync({ prefix: "chronogo-warm-up-" });
  const lines: string[] = [];
  const server = await openServer({ dataDir, onLogLine: (line) => lines.push(line) });
  const client = await WireClient.connect(Number(new URL(server.uri).port));
  const status = async () => {
    const { opcounters, metrics, connections, opLatencies } = await client.must({
      serverStatus: 1,
      $db: "admin",
    });
    const operations = [opLatencies.reads.ops, opLatencies.writes.ops];
    return { ...opcounters, command: 0, operations, metrics, created: connections.totalCreated };
  };
  const files = () => [...Deno.readDirSync(`${dataDir}/vnode-1`)].map(({ name }) => name).sort();
  try {
    const before = { status: await status(), files: files() };
    await eventually(() => lines.some((line) => line.includes("warm-up")), "the commands have run");
    assert.match(lines.at(-1) ?? "", DONE);
    assert.deepEqual({ status: await status(), files: files() }, before);
    const { databases } = await client.must({ listDatabases: 1, nameOnly: true, $db: "admin" });
    assert.deepEqual(databases, []);
    assert.equal(
      lines.filter((line) => !line.includes(" debug ")).length,
      1,
      "the node has opened, no other one",
    );
  } finally {
    client.close();
    await server.close();
    Deno.removeSync(dataDir, { recursive: true });
  }
});

function warmUpOf(requests: () => number) {
  const clock = new SystemClock();
  const lines: string[] = [];
  const logger = new Logger("warm-up", "debug", (line) => lines.push(line), () => clock.nowMs());
  const services = testServices(new ArrayRouter(), clock);
  return { warmUp: new CommandWarmUp({ clock, logger, services, requests }), lines };
}

Deno.test("it waits while clients ask, and goes on in the quiet", async () => {
  let looks = 0;
  const { warmUp, lines } = warmUpOf(() => looks < 40 ? ++looks : looks);
  warmUp.start();
  await eventually(() => looks >= 30, "it looks for requests");
  assert.deepEqual(lines, []);
  await eventually(() => lines.length > 0, "the commands have run");
  assert.match(lines.join(), DONE);
  await warmUp.stop();
});

Deno.test("it ends for good where clients go on asking, and at once where it is stopped", async () => {
  let looks = 0;
  const asked = warmUpOf(() => ++looks);
  asked.warmUp.start();
  await eventually(() => looks === 200, "it has looked a hundred times, before a moment and after");
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(looks, 200, "it looks no more");
  assert.deepEqual(asked.lines, []);

  const stopped = warmUpOf(() => 0);
  stopped.warmUp.start();
  await stopped.warmUp.stop();
  assert.deepEqual(stopped.lines, []);
});
