/** Cluster time in answers, as clients with sessions see it. */
import assert from "node:assert/strict";
import { Binary, Long, Timestamp } from "bson";
import { withServer } from "./harness.ts";

const LSID = { id: new Binary(new Uint8Array(16).fill(7), 4) };
const UNSIGNED = { hash: new Binary(new Uint8Array(20)), keyId: Long.ZERO };

Deno.test("who has a session is told the time, in answers and errors alike; others are not", async () => {
  await withServer(async ({ client }) => {
    const plain = await client.command({ ping: 1 });
    assert.deepEqual(Object.keys(plain), ["ok"]);
    const answer = await client.command({ ping: 1, lsid: LSID });
    assert.deepEqual(Object.keys(answer), ["ok", "$clusterTime", "operationTime"]);
    assert.deepEqual(answer["$clusterTime"].signature, UNSIGNED);
    assert.ok(answer["operationTime"] instanceof Timestamp);
    const failed = await client.command({ find: "c", filter: { $x: 1 }, lsid: LSID });
    assert.deepEqual(Object.keys(failed).slice(-2), ["$clusterTime", "operationTime"]);
  });
});

Deno.test("a time that a client has seen is known from then on", async () => {
  await withServer(async ({ client }) => {
    const { $clusterTime } = await client.command({ ping: 1, lsid: LSID });
    const seen = new Timestamp({ t: $clusterTime.clusterTime.getHighBits() + 100, i: 3 });
    const early = await client.command({ find: "c", readConcern: { afterClusterTime: seen } });
    assert.equal(Number(early["code"]), 72);
    const gossip = { clusterTime: seen, signature: UNSIGNED };
    const answer = await client.command({ ping: 1, $clusterTime: gossip });
    assert.deepEqual(answer["$clusterTime"].clusterTime, seen);
    assert.ok(answer["operationTime"].lessThan(seen), "nothing happened at that time");
    const read = await client.must({ find: "c", readConcern: { afterClusterTime: seen }, lsid: LSID });
    assert.deepEqual(read["operationTime"], seen);
  });
});

Deno.test("a signature's key may be any number: drivers make an int of the long that they got", async () => {
  await withServer(async ({ client }) => {
    const gossip = (keyId: unknown) => ({
      clusterTime: new Timestamp({ t: 5, i: 1 }),
      signature: { ...UNSIGNED, keyId },
    });
    await client.must({ ping: 1, $clusterTime: gossip(0) });
    const { code, errmsg } = await client.command({ ping: 1, $clusterTime: gossip("x") });
    assert.equal(Number(code), 14);
    assert.equal(errmsg, 'Expected field "keyId" to have numeric type, but found string');
  });
});

Deno.test("a time too far in the future is refused", async () => {
  await withServer(async ({ client }) => {
    const t = Math.floor(Date.now() / 1000) + 100_000_000;
    const gossip = { clusterTime: new Timestamp({ t, i: 1 }), signature: UNSIGNED };
    const { code, errmsg } = await client.command({ ping: 1, $clusterTime: gossip });
    assert.equal(Number(code), 205);
    assert.match(errmsg, /^New \$clusterTime, \d+, is too far from this node's wall clock time, \d+\.$/);
  });
});
