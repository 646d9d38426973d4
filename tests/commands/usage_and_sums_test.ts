/** `dbHash` and `top`: sums that are MongoDB's, and counts of what was done. */
import assert from "node:assert/strict";
import { withServer } from "./harness.ts";

const DOCUMENTS = [{ _id: 1, a: "x" }, { _id: 2, a: "yy" }, { _id: 3, a: "zzz" }];

Deno.test("the sums of a database are MongoDB's, whatever the order of insertion", async () => {
  await withServer(async ({ client }) => {
    await client.must({ insert: "c", documents: DOCUMENTS.toReversed(), $db: "d" });
    await client.must({ create: "series", timeseries: { timeField: "t" }, $db: "d" });
    const { collections, md5, uuids, capped } = await client.must({ dbHash: 1, $db: "d" });
    // What mongod 6.0.5 answers for the same documents.
    assert.deepEqual(collections, { c: "a6ebcccbe8f4871a8f3c0d4640bc0532" });
    assert.equal(md5, "213627eb498ce80535bb78e360210fb0");
    assert.deepEqual([Object.keys(uuids), capped], [["c"], []]);
    const none = await client.must({ dbHash: 1, collections: ["other"], $db: "d" });
    assert.deepEqual([none["collections"], none["md5"]], [{}, "d41d8cd98f00b204e9800998ecf8427e"]);
    const { code } = await client.command({ dbHash: 1, collections: "c", $db: "d" });
    assert.equal(Number(code), 2);
  });
});

Deno.test("top counts operations by what they do to which collection", async () => {
  await withServer(async ({ client }) => {
    await client.must({ insert: "c", documents: DOCUMENTS, $db: "d" });
    await client.must({ find: "c", batchSize: 3, $db: "d" });
    await client.must({ count: "c", $db: "d" });
    await client.must({ delete: "c", deletes: [{ q: { _id: 1 }, limit: 1 }], $db: "d" });
    await client.must({ find: "gone", $db: "d" });
    const { totals } = await client.must({ top: 1 });
    assert.deepEqual(Object.keys(totals), ["note", "d.c"]);
    const counts = Object.fromEntries(
      Object.entries<{ count: number; time: number }>(totals["d.c"]).map((
        [name, { count }],
      ) => [name, Number(count)]),
    );
    assert.deepEqual(counts, {
      total: 4,
      readLock: 2,
      writeLock: 2,
      queries: 1,
      getmore: 0,
      insert: 1,
      update: 0,
      remove: 1,
      commands: 1,
    });
    const { code } = await client.command({ top: 1, $db: "d" });
    assert.equal(Number(code), 13);
  });
});
