/** GridFS through real drivers: files in chunks, on two plain collections. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { installClients, runNode, runPython } from "./installed_clients.ts";

Deno.test("the Node driver keeps files in GridFS", async () => {
  await installClients();
  await using server = await startServerProcess();
  const { stdout, stderr } = await runNode("gridfs.mjs", server.uri);
  assert.equal(stdout.trim(), "ok", stderr);
});

Deno.test("pymongo keeps files in GridFS", async () => {
  await installClients();
  await using server = await startServerProcess();
  const { stdout, stderr } = await runPython("gridfs_files.py", server.uri);
  assert.equal(stdout.trim(), "ok", stderr);
});
