/** A find by _id alone is answered without a plan: as the same find is that has to be planned, byte for byte. */
import assert from "node:assert/strict";
import { Binary, Double, Int32, Long, ObjectId, Timestamp } from "bson";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, encodeCommand, WireClient } from "../support/wire_client.ts";

const DB = "points";
const OBJECT_ID = new ObjectId("64b000000000000000000001");
const DATE = new Date(1_700_000_000_000);
const UUID = new Binary(new Uint8Array(16).fill(7), 4);
const STORED = [1, 2.5, "a", "", OBJECT_ID, DATE, UUID, true, null, { a: 1 }];
const ASKED = [
  ...STORED,
  new Int32(1),
  new Double(1),
  Long.fromNumber(1),
  Long.fromNumber(2),
  "A",
  new ObjectId(),
  new Date(5),
  new Binary(new Uint8Array(16).fill(7), 0),
  NaN,
  -1,
  [1],
  /a/,
  false,
  { $gt: 1 },
  new Timestamp({ t: 1, i: 1 }),
];
const OPTIONS: readonly Document[] = [
  {},
  { limit: new Int32(1) },
  { limit: new Int32(1), singleBatch: true },
  { limit: new Int32(1), batchSize: new Int32(1), singleBatch: true },
  { batchSize: new Int32(1) },
  { batchSize: new Int32(0) },
  { batchSize: new Int32(0), limit: new Int32(1), singleBatch: true },
  { limit: Long.fromNumber(1) },
  { limit: new Int32(-1) },
  { limit: null, batchSize: null },
  { singleBatch: false },
  { comment: "why" },
  { maxTimeMS: new Int32(10_000) },
  { nonsense: 1 },
];
const REPLY_HEADER_BYTES = 16;

async function bytesOf(client: WireClient, command: Document): Promise<Uint8Array> {
  return (await client.roundTrip(encodeCommand({ ...command, $db: DB }))).subarray(REPLY_HEADER_BYTES);
}

/** A reply without the numbers that no two replies have alike. */
function comparable(reply: Document): Document {
  const { operationTime: _, $clusterTime: __, ...rest } = reply;
  if (rest["cursor"]?.id !== undefined && String(rest["cursor"].id) !== "0") rest["cursor"].id = "open";
  return rest;
}

Deno.test("a find by _id answers as a planned one does", async () => {
  await using server = await startServerProcess();
  const client = await WireClient.connect(server.port);
  await client.must({ insert: "c", documents: STORED.map((_id, n) => ({ _id, n })), $db: DB });
  await client.must({ create: "folded", collation: { locale: "en", strength: new Int32(2) }, $db: DB });
  await client.must({ insert: "folded", documents: [{ _id: "a" }], $db: DB });
  await client.must({ create: "seen", viewOn: "c", pipeline: [{ $set: { seen: true } }], $db: DB });
  await client.must({ create: "series", timeseries: { timeField: "t" }, $db: DB });
  await client.must({ insert: "series", documents: [{ _id: 1, t: DATE }, { _id: 1, t: DATE }], $db: DB });
  for (const find of ["c", "folded", "seen", "series", "missing"]) {
    for (const _id of ASKED) {
      const alone = await bytesOf(client, { find, filter: { _id } });
      const planned = await bytesOf(client, { find, filter: { _id }, sort: {} });
      assert.deepEqual(alone, planned, `${find} ${JSON.stringify(_id)}`);
    }
  }
  for (const options of OPTIONS) {
    const find = { find: "c", filter: { _id: 1 }, ...options, $db: DB };
    const planned = await client.command({ ...find, sort: {} });
    assert.deepEqual(
      comparable(await client.command(find)),
      comparable(planned),
      JSON.stringify(options),
    );
  }
  client.close();
});

Deno.test("a find by _id reads the snapshot of its transaction, and what that wrote", async () => {
  await using server = await startServerProcess();
  const client = await WireClient.connect(server.port);
  const find = { find: "c", filter: { _id: 1 } };
  const lsid = { id: UUID };
  const inside = async (command: Document, first = false) =>
    await client.must({
      ...command,
      lsid,
      txnNumber: Long.fromNumber(1),
      autocommit: false,
      ...(first ? { startTransaction: true } : {}),
      $db: DB,
    });
  const found = (reply: Document) => reply["cursor"].firstBatch.map(({ n }: Document) => Number(n));
  const set = (_id: number, n: number) => ({ update: "c", updates: [{ q: { _id }, u: { $set: { n } } }] });
  await client.must({ insert: "c", documents: [{ _id: 1, n: 1 }, { _id: 2, n: 1 }], $db: DB });
  assert.deepEqual(found(await inside(find, true)), [1]);
  await client.must({ ...set(1, 2), $db: DB });
  assert.deepEqual(found(await inside(find)), [1]);
  await inside(set(2, 3));
  assert.deepEqual(found(await inside({ find: "c", filter: { _id: 2 } })), [3]);
  assert.deepEqual(found(await client.must({ find: "c", filter: { _id: 2 }, $db: DB })), [1]);
  const { cursor } = await client.must({ ...find, readConcern: { level: "snapshot" }, lsid, $db: DB });
  assert.ok(cursor.atClusterTime instanceof Timestamp);
  await client.must({ ...set(1, 4), $db: DB });
  const earlier = { level: "snapshot", atClusterTime: cursor.atClusterTime };
  assert.deepEqual(found(await client.must({ ...find, readConcern: earlier, lsid, $db: DB })), [2]);
  client.close();
});
