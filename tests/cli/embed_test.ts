import assert from "node:assert/strict";
import { openServer } from "../../mod.ts";
import { WireClient } from "../support/wire_client.ts";

Deno.test("a program that embeds the server serves drivers, stops, and finds its data again", async () => {
  const dataDir = Deno.makeTempDirSync({ prefix: "chronogo-embed-" });
  try {
    const lines: string[] = [];
    const first = await openServer({ dataDir, onLogLine: (line) => lines.push(line) });
    const client = await WireClient.connect(Number(new URL(first.uri).port));
    await client.must({ create: "s", timeseries: { timeField: "t", metaField: "m" }, $db: "d" });
    await client.must({ insert: "s", documents: [{ t: new Date(5), m: "a", v: 1.5 }], $db: "d" });
    client.close();
    const health = await fetch(`${first.httpUrl}/health`);
    assert.equal((await health.json()).status, "ok");
    await first.close();
    assert.ok(lines.some((line) => line.includes("checkpoint")), lines.join("\n"));

    const second = await openServer({ dataDir });
    const { databases, collections, series, rows } = second.found;
    assert.deepEqual({ databases, collections, series, rows }, {
      databases: 1,
      collections: 1,
      series: 1,
      rows: 1,
    });
    await assert.rejects(openServer({ dataDir }), /in use by another ChronoGo/);
    await second.close();
  } finally {
    Deno.removeSync(dataDir, { recursive: true });
  }
});
