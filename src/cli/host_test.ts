import assert from "node:assert/strict";
import { readHost } from "./host.ts";

Deno.test("a machine is known from two files, or says what it does not know", () => {
  const files: Record<string, string> = {
    "/etc/hostname": "db-7\n",
    "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\nVERSION_ID=12\n',
  };
  const known = readHost((path) => files[path]);
  assert.equal(known.hostname, "db-7");
  assert.equal(known.osName, "Debian GNU/Linux 12 (bookworm)");
  assert.equal(known.osVersion, "12");
  assert.ok(known.cpuCores >= 1);

  const unknown = readHost(() => undefined);
  assert.equal(unknown.hostname, "localhost");
  assert.equal(unknown.osName, unknown.osType);
  assert.equal(unknown.osVersion, "unknown");
});
