/** An application on mongoose. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { installClients, runNode } from "./installed_clients.ts";

Deno.test("mongoose keeps unique fields, references and versions", async () => {
  await installClients();
  await using server = await startServerProcess();
  const { stdout, stderr } = await runNode("mongoose.mjs", server.uri);
  assert.equal(stdout.trim(), "ok", stderr);
});
