import assert from "node:assert/strict";
import { MemoryDisk } from "../io/mod.ts";
import { insertNumbers, numbersIn, openNode, PLAIN } from "./node_fixture.ts";

const FROM = { db: "d", collection: "from" };
const TO = { db: "other", collection: "to" };

Deno.test("a renamed collection keeps its documents and its id, in another database and after a start too", async () => {
  const disk = new MemoryDisk();
  const node = await openNode(disk);
  await insertNumbers(node, FROM, [1, 2]);
  await insertNumbers(node, TO, [7]);
  const { id, uuid } = node.router.collection(FROM)!;
  await node.router.renameCollection(FROM, TO, true);
  assert.deepEqual(node.router.databaseNames(), ["other"], "the database went with its last collection");
  assert.deepEqual(await numbersIn(node, TO), [1, 2]);
  await insertNumbers(node, FROM, [3]);
  await node.router.renameCollection(FROM, { db: "d", collection: "again" }, false);
  await node.close();
  const next = await openNode(disk);
  const renamed = next.router.collection(TO);
  assert.deepEqual([renamed?.id, renamed?.uuid.toString()], [id, uuid.toString()]);
  assert.deepEqual(next.router.collection(FROM), undefined);
  await next.close();
});

Deno.test("what cannot be renamed stays", async () => {
  const node = await openNode(new MemoryDisk());
  await insertNumbers(node, FROM, [1]);
  await node.router.createCollection(TO, PLAIN);
  await assert.rejects(node.router.renameCollection(FROM, TO, false), { code: 48 });
  await assert.rejects(node.router.renameCollection({ ...FROM, collection: "x" }, TO, true), { code: 26 });
  assert.deepEqual(await numbersIn(node, FROM), [1]);
  await node.close();
});
