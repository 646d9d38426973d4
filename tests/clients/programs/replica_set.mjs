/** An address with `?replicaSet=`: the driver finds the primary, and works with it. */
import assert from "node:assert/strict";
import { withClient } from "./driver.mjs";

await withClient(async (client) => {
  const types = new Set();
  client.on("topologyDescriptionChanged", ({ newDescription }) => types.add(newDescription.type));
  const collection = client.db("replicated").collection("plain");
  await collection.insertOne({ _id: 1 }, { writeConcern: { w: "majority" } });
  assert.equal(await collection.countDocuments({}, { readPreference: "secondaryPreferred" }), 1);
  assert.ok(types.has("ReplicaSetWithPrimary"), [...types].join());

  const hello = await client.db("admin").command({ hello: 1 });
  const host = process.argv[2].match(/\/\/([^/]+)/)[1];
  assert.equal(hello.msg, undefined);
  assert.deepEqual([hello.hosts, hello.primary, hello.me, hello.setName], [[host], host, host, "rs0"]);
  assert.deepEqual([hello.isWritablePrimary, hello.secondary, hello.setVersion], [true, false, 1]);
  assert.equal(hello.electionId.toHexString(), "7fffffff0000000000000001");
  assert.ok(Math.abs(hello.lastWrite.lastWriteDate - Date.now()) < 60_000, hello.lastWrite.lastWriteDate);
  assert.equal((await client.db("admin").command({ isMaster: 1 })).ismaster, true);

  const { config } = await client.db("admin").command({ replSetGetConfig: 1 });
  assert.deepEqual(config.members.map(({ host }) => host), [host]);
  const { repl, process: name } = await client.db("admin").command({ serverStatus: 1 });
  assert.deepEqual([repl.setName, name], ["rs0", "mongod"]);
  await assert.rejects(client.db("admin").command({ listShards: 1 }), { code: 59 });
});
console.log("ok");
