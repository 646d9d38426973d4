/** GridFS through the Node driver: upload, download whole and in part, find, rename, delete, and what is no file. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { withClient } from "./driver.mjs";

const { GridFSBucket, ObjectId } = createRequire(process.env.CLIENTS)("mongodb");
const CHUNK_BYTES = 255 * 1024;

/** Bytes that differ from each other all along. */
function content(sizeBytes) {
  return Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 31 + (i >> 8)) & 255));
}

async function upload(bucket, name, bytes, options) {
  const stream = bucket.openUploadStream(name, options);
  await pipeline(Readable.from([bytes]), stream);
  return stream.id;
}

async function download(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

await withClient(async (client) => {
  const db = client.db("gridfs");
  await db.dropDatabase();
  const bucket = new GridFSBucket(db);
  const large = content(3 * CHUNK_BYTES + 1000);
  const id = await upload(bucket, "large.bin", large, { metadata: { room: "r1" } });
  assert.ok((await download(bucket.openDownloadStream(id))).equals(large));
  assert.equal(await db.collection("fs.chunks").countDocuments({ files_id: id }), 4);
  const ranges = [[0, 10], [CHUNK_BYTES - 5, CHUNK_BYTES + 5], [3 * CHUNK_BYTES, large.length], [
    17,
    2 * CHUNK_BYTES,
  ]];
  for (const [start, end] of ranges) {
    const part = await download(bucket.openDownloadStream(id, { start, end }));
    assert.ok(part.equals(large.subarray(start, end)), `${start} to ${end}`);
  }
  const empty = await upload(bucket, "empty.bin", Buffer.alloc(0));
  assert.equal((await download(bucket.openDownloadStream(empty))).length, 0);

  // Revisions: the last one by default, others by number from either end.
  for (const revision of [1, 2, 3]) {
    await upload(bucket, "notes", Buffer.from(`revision ${revision}`), { chunkSizeBytes: 4 });
  }
  const byName = async (options) =>
    (await download(bucket.openDownloadStreamByName("notes", options))).toString();
  assert.equal(await byName(), "revision 3");
  assert.equal(await byName({ revision: 0 }), "revision 1");
  assert.equal(await byName({ revision: -2 }), "revision 2");

  const [file] = await bucket.find({ "metadata.room": "r1" }).toArray();
  assert.deepEqual([file.filename, file.length, file.chunkSize], ["large.bin", large.length, CHUNK_BYTES]);
  await bucket.rename(id, "renamed.bin");
  assert.ok((await download(bucket.openDownloadStreamByName("renamed.bin"))).equals(large));
  await assert.rejects(download(bucket.openDownloadStreamByName("large.bin")), /FileNotFound/);
  await bucket.delete(id);
  assert.equal(await db.collection("fs.chunks").countDocuments({ files_id: id }), 0);
  await assert.rejects(bucket.delete(id), /File not found/);
  await assert.rejects(download(bucket.openDownloadStream(new ObjectId())), /FileNotFound/);

  // The driver makes the indexes; a chunk comes once.
  const indexes = await db.collection("fs.chunks").listIndexes().toArray();
  assert.deepEqual(indexes.map(({ key, unique }) => [key, unique]), [[{ _id: 1 }, undefined], [{
    files_id: 1,
    n: 1,
  }, true]]);
  const chunk = await db.collection("fs.chunks").findOne({ n: 1 });
  await assert.rejects(db.collection("fs.chunks").insertOne({ files_id: chunk.files_id, n: 1 }), {
    code: 11000,
  });
  await bucket.drop();
  assert.deepEqual(await db.listCollections().toArray(), []);
  console.log("ok");
});
