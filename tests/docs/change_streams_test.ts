/** The example of docs/change_streams.md: it runs in Node as it stands, and prints what the page says. */
import assert from "node:assert/strict";
import { installClients, runProgram } from "../clients/installed_clients.ts";
import { startServerProcess } from "../support/server_process.ts";

const PAGE = new URL("../../docs/change_streams.md", import.meta.url);
const ADDRESS = "mongodb://127.0.0.1:27017";

Deno.test("the example of docs/change_streams.md prints what the page says", async () => {
  await installClients();
  const page = Deno.readTextFileSync(PAGE);
  const [, program = ""] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  const [, printed] = /```text\n([\s\S]*?)```/.exec(page) ?? [];
  assert.ok(program.includes(ADDRESS));
  await using server = await startServerProcess();
  const { code, stdout, stderr } = await runProgram(program.replace(ADDRESS, server.uri));
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stdout, printed);
});
