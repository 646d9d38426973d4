/** Change streams through real drivers, over a server that is killed in between. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { installClients, type ProgramResult, runMongosh, runNode, runPython } from "./installed_clients.ts";

function lastLine({ code, stdout, stderr }: ProgramResult): string {
  assert.equal(code, 0, `the program ended with ${code}:\n${stdout}${stderr}`);
  return stdout.trim().split("\n").at(-1) ?? "";
}

Deno.test("the Node driver follows changes, and goes on behind them after kill -9 and a restart", async () => {
  await installClients();
  const folder = await Deno.makeTempDir({ prefix: "chronogo-watch-" });
  const dataDir = `${folder}/data`;
  try {
    let token: string;
    {
      await using server = await startServerProcess({ dataDir });
      token = lastLine(await runNode("change_stream.mjs", server.uri, "follow"));
      await server.kill9();
    }
    await using server = await startServerProcess({ dataDir });
    assert.equal(lastLine(await runNode("change_stream.mjs", server.uri, "goOn", token)), "ok");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("pymongo follows changes", async () => {
  await installClients();
  await using server = await startServerProcess();
  assert.equal(lastLine(await runPython("change_stream.py", server.uri)), "ok");
});

Deno.test("mongoose follows a model", async () => {
  await installClients();
  await using server = await startServerProcess();
  assert.equal(lastLine(await runNode("change_stream_mongoose.mjs", server.uri)), "ok");
});

Deno.test("mongosh follows a collection, a database and the deployment", async () => {
  await installClients();
  await using server = await startServerProcess();
  const seen = JSON.parse(lastLine(await runMongosh("change_stream.mongosh.js", server.uri)));
  const event = ["insert", "watched_in_shell", 1];
  assert.deepEqual(seen, [event, event, event]);
});
