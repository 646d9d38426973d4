/** Works for some seconds, and fails at the first thing that goes wrong: others may trouble the server meanwhile. */
import assert from "node:assert/strict";
import process from "node:process";
import { withClient } from "./driver.mjs";

const DURATION_MS = Number(process.argv[3]);

await withClient(async (client) => {
  const failures = [];
  client.on("connectionPoolCleared", () => failures.push("pool cleared"));
  client.on("serverHeartbeatFailed", () => failures.push("heartbeat failed"));
  const series = await client.db("steady").createCollection("s", {
    timeseries: { timeField: "t", metaField: "m" },
  });
  let count = 0;
  for (const end = Date.now() + DURATION_MS; Date.now() < end;) {
    const t = new Date();
    await series.insertMany(Array.from({ length: 20 }, (_, m) => ({ t, m, v: count })));
    count += 20;
    assert.equal(await series.countDocuments(), count);
  }
  assert.deepEqual(failures, []);
  console.log(count);
}, { retryReads: false, retryWrites: false, heartbeatFrequencyMS: 500 });
