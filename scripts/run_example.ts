/**
 * Runs the README's example, by the Node driver, through `./chronogo` in an empty folder, with an empty cache: what
 * somebody sees who got nothing but that one file.
 */
import assert from "node:assert/strict";
import { installClients, runNode } from "../tests/clients/installed_clients.ts";
import { startServerProcess } from "../tests/support/server_process.ts";

const executable = new URL("../chronogo", import.meta.url).pathname;

await installClients();
const folder = await Deno.makeTempDir({ prefix: "chronogo-example-" });
try {
  const env = { XDG_CACHE_HOME: `${folder}/cache` };
  const cwd = `${folder}/empty`;
  await Deno.mkdir(cwd);
  await using server = await startServerProcess({ command: [executable], cwd, env });
  const { code, stdout, stderr } = await runNode("example.mjs", server.uri);
  assert.equal(code, 0, `${stdout}${stderr}`);
  const { found, windows } = JSON.parse(stdout);
  assert.equal(found[0].temperature, 22.5);
  assert.deepEqual([windows[0].avgTemp, windows[0].maxTemp], [22.5, 22.5]);
  assert.equal(await server.stop(), 0);
  console.log("the example runs through ./chronogo");
} finally {
  await Deno.remove(folder, { recursive: true });
}
