/** What clients take the server for: a router or, with `--replica-set`, the primary of a set of one. */
import assert from "node:assert/strict";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { installClients, type ProgramResult, runMongosh, runNode, runPython } from "./installed_clients.ts";

const REPLICA_SET = ["--replica-set", "rs0", "--advertise", "127.0.0.1:0"];

function identityTest(
  name: string,
  args: readonly string[],
  body: (server: ServerProcess) => Promise<void>,
): void {
  Deno.test(name, async () => {
    await installClients();
    await using server = await startServerProcess({ args });
    await body(server);
  });
}

function lastLine({ code, stdout, stderr }: ProgramResult): string {
  assert.equal(code, 0, `the program ended with ${code}:\n${stdout}${stderr}`);
  return stdout.trim().split("\n").at(-1) ?? "";
}

identityTest("the Node driver finds the primary of a replica set", REPLICA_SET, async ({ uri }) => {
  assert.equal(lastLine(await runNode("replica_set.mjs", `${uri}/?replicaSet=rs0`)), "ok");
});

identityTest("pymongo finds the primary of a replica set", REPLICA_SET, async ({ uri }) => {
  assert.equal(lastLine(await runPython("replica_set.py", `${uri}/?replicaSet=rs0`)), "ok");
});

identityTest("mongosh shows a replica set's status and configuration", REPLICA_SET, async ({ uri, port }) => {
  const host = `127.0.0.1:${port}`;
  assert.deepEqual(
    JSON.parse(lastLine(await runMongosh("replica_set.mongosh.js", `${uri}/?replicaSet=rs0`))),
    {
      set: "rs0",
      members: [[host, "PRIMARY"]],
      conf: ["rs0", [host]],
      hello: ["rs0", true],
    },
  );
});

identityTest("mongosh shows a router's cluster", [], async ({ uri }) => {
  const shown = JSON.parse(lastLine(await runMongosh("sharding.mongosh.js", uri)));
  assert.deepEqual(shown, {
    version: 1,
    shards: [1],
    routers: [{ "8.0.0": 1 }],
    balancer: "no",
    databases: [["config", "config"], ["sharding", "chronogo"]],
    listed: 1,
  });
});
