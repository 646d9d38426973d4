/** What the server's Worker can and cannot do, tried from inside one with exactly its permissions. */
import assert from "node:assert/strict";
import { sandboxPermissions } from "../../src/cli/sandbox.ts";
import { startFlags } from "../../scripts/start_flags.ts";

const ALLOWED = [
  "write and sync a file in the data folder",
  "read a file in the data folder",
  "open SQLite in the data folder",
  // Deno checks the name that is opened. The owner may move part of the data to another disk so; the server cannot.
  "follow a link that the owner has put there",
  "listen on its own port",
];

/** Of the permission system, not of a file that happens to be missing; SQLite in a sandbox attaches nothing at all. */
const REFUSAL =
  /^NotCapable: |^TypeError: Requires \w+ access|escalate permissions|too many attached databases - max 0/;

Deno.test("the server's Worker has its data folder and its addresses, and nothing else", async () => {
  const folder = Deno.realPathSync(await Deno.makeTempDir({ prefix: "chronogo-sandbox-" }));
  const dataDir = `${folder}/data`;
  Deno.mkdirSync(dataDir);
  Deno.writeTextFileSync(`${folder}/other`, "secret");
  Deno.writeTextFileSync(`${folder}/other.ts`, "export const secret = 1;");
  Deno.symlinkSync(`${folder}/other`, `${dataDir}/link`);
  const ownPort = freePort();
  const other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const worker = new Worker(new URL("./sandbox_probe.ts", import.meta.url), {
    type: "module",
    deno: {
      permissions: sandboxPermissions({ dataDir, addresses: [{ hostname: "127.0.0.1", port: ownPort }] }),
    },
  });
  try {
    const results = await new Promise<Record<string, string>>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage({ dataDir, otherFile: `${folder}/other`, ownPort, otherPort: other.addr.port });
    });
    assert.ok(Object.keys(results).length >= 25);
    for (const [name, outcome] of Object.entries(results)) {
      if (ALLOWED.includes(name)) assert.equal(outcome, "allowed", name);
      else {assert.match(
          outcome,
          REFUSAL,
          `${name}: ${outcome}`,
        );}
    }
    assert.equal(Deno.readTextFileSync(`${folder}/other`), "secret");
    assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name).sort(), [
      "data",
      "other",
      "other.ts",
    ]);
  } finally {
    worker.terminate();
    other.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the process itself never holds run, ffi, sys or all of the environment", () => {
  const permissions = startFlags().filter((flag) => /^(-A|--allow|-[A-Z])/.test(flag)).sort();
  assert.deepEqual(permissions, ["--allow-env=CHRONOGO_*", "--allow-net", "--allow-read", "--allow-write"]);
  assert.ok(startFlags().includes("--no-prompt"), "nobody is asked for more");
});

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
