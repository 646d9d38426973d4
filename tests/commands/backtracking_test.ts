/** Patterns that backtrack without end elsewhere: a real server answers them, and goes on. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { WireClient } from "../support/wire_client.ts";

Deno.test("a pattern that backtracks without end does not stop the server", async () => {
  await using server = await startServerProcess({ args: [] });
  const client = await WireClient.connect(server.port);
  const long = "a".repeat(5000);
  await client.must({ insert: "c", documents: [{ _id: 1, s: `${long}!` }, { _id: 2, s: long }], $db: "t" });
  const answers: readonly [string, readonly number[]][] = [
    ["^(a+)+$", [2]],
    ["^(a|aa)+$", [2]],
    ["^(a*)*$", [2]],
  ];
  for (const [pattern, ids] of answers) {
    const { cursor } = await client.must({ find: "c", filter: { s: { $regex: pattern } }, $db: "t" });
    assert.deepEqual(cursor["firstBatch"].map((row: { _id: unknown }) => Number(row._id)), ids, pattern);
  }
  client.close();
});
