/** The recorded answers of a real MongoDB, asked of ChronoGo: see case_file.ts for the cases, record.ts for the recording. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { WireClient } from "../support/wire_client.ts";
import { readCaseFile, topics } from "./case_file.ts";
import { compare, describe } from "./compare.ts";
import { readGolden } from "./golden.ts";
import { replay } from "./replay.ts";

Deno.test("ChronoGo answers as MongoDB does", async (test) => {
  await using server = await startServerProcess();
  for (const topic of topics()) {
    await test.step(topic, async () => {
      const file = readCaseFile(topic);
      const client = await WireClient.connect(server.port);
      try {
        const differences = compare(file, readGolden(topic), await replay(client, file, "chronogo"));
        const lines = differences.map(describe).join("\n\n");
        assert.equal(
          differences.length,
          0,
          `${differences.length} of ${file.cases.length} differ\n\n${lines}`,
        );
      } finally {
        client.close();
      }
    });
  }
});

Deno.test("every recorded answer belongs to a case", () => {
  for (const topic of topics()) {
    const names = new Set(readCaseFile(topic).cases.map(({ name }) => name));
    const orphans = [...readGolden(topic).keys()].filter((name) => !names.has(name));
    assert.deepEqual(orphans, [], `golden/${topic}.json: no such cases`);
  }
});
