/** Indexes of a node: the catalog names them, and whatever the store lost or has too much is made good at the next start. */
import assert from "node:assert/strict";
import { seededRandom } from "../base/mod.ts";
import { BuiltDocument, Int32 } from "../bson/mod.ts";
import { MemoryDisk } from "../io/mod.ts";
import { indexesOf } from "./indexes.ts";
import {
  deleteNumbers,
  insertNumbers,
  numbered,
  openNode,
  PLAIN,
  renumber,
  TIMESERIES,
} from "./node_fixture.ts";
import type { Node } from "./node.ts";

const NAMESPACE = { db: "d", collection: "c" };
const go = () => Promise.resolve();

function indexOf(field: string, options: Readonly<Record<string, boolean>> = {}) {
  return BuiltDocument.of({
    v: Int32.of(2),
    key: BuiltDocument.of({ [field]: Int32.of(1) }),
    name: `${field}_1`,
    ...options,
  });
}

function names(node: Node): unknown[] {
  return indexesOf(node.router.collection(NAMESPACE)!).map((index) => index.get("name"));
}

function stored(node: Node): string[] {
  const { vnode } = node as unknown as {
    vnode: { documents: { indexStates(id: number): { definition: { name: string } }[] } };
  };
  return vnode.documents.indexStates(node.router.collection(NAMESPACE)!.id).map(({ definition }) =>
    definition.name
  );
}

Deno.test("indexes are there after a restart, though the store forgot all", async () => {
  const disk = new MemoryDisk();
  let node = await openNode(disk);
  await node.router.createCollection(NAMESPACE, PLAIN);
  await insertNumbers(node, NAMESPACE, [1, 2, 3]);
  await node.router.createIndexes(NAMESPACE, () => [indexOf("n", { unique: true }), indexOf("m")], go);
  await assert.rejects(renumber(node, NAMESPACE, [1], 1), { codeName: "DuplicateKey" });
  await deleteNumbers(node, NAMESPACE, [3]);
  for (let life = 0; life < 2; life++) {
    disk.crash(seededRandom(1));
    node = await openNode(disk);
    assert.deepEqual(names(node), ["n_1", "m_1"]);
    assert.deepEqual(stored(node), ["n_1", "m_1"]);
    await assert.rejects(renumber(node, NAMESPACE, [1], 1), { codeName: "DuplicateKey" });
  }
  await node.router.changeIndexes(NAMESPACE, (info) => indexesOf(info).slice(1));
  await renumber(node, NAMESPACE, [1], 1);
  disk.crash(seededRandom(1));
  node = await openNode(disk);
  assert.deepEqual(stored(node), ["m_1"]);
  await node.close();
});

Deno.test("a unique index over duplicates is not made", async () => {
  const node = await openNode(new MemoryDisk());
  await node.router.createCollection(NAMESPACE, PLAIN);
  await node.router.insert(NAMESPACE, [1, 4].map(numbered), true);
  const made = node.router.createIndexes(NAMESPACE, () => [indexOf("n"), indexOf("m", { unique: true })], go);
  await assert.rejects(made, { codeName: "DuplicateKey", message: /index: m_1 dup key: { m: 1 }$/ });
  assert.deepEqual([names(node), stored(node)], [[], []]);
  await node.close();
});

Deno.test("an index that is to become unique takes no more duplicates, and is unique when it has none", async () => {
  const disk = new MemoryDisk();
  let node = await openNode(disk);
  await node.router.createCollection(NAMESPACE, PLAIN);
  await insertNumbers(node, NAMESPACE, [1, 4]);
  await node.router.createIndexes(NAMESPACE, () => [indexOf("m")], go);
  await node.router.changeIndexes(NAMESPACE, () => [indexOf("m", { prepareUnique: true })]);
  for (let life = 0; life < 2; life++) {
    const { errors } = await node.router.insert(NAMESPACE, [numbered(7)], true);
    assert.equal(errors[0]?.error.codeName, "DuplicateKey");
    assert.equal(node.router.duplicates(NAMESPACE, "m_1")[0]?.length, 2);
    disk.crash(seededRandom(1));
    node = await openNode(disk);
    assert.deepEqual(stored(node), ["m_1"]);
  }
  await deleteNumbers(node, NAMESPACE, [4]);
  assert.deepEqual(node.router.duplicates(NAMESPACE, "m_1"), []);
  await node.router.changeIndexes(NAMESPACE, () => [indexOf("m", { unique: true })]);
  assert.deepEqual(stored(node), ["m_1"]);
  const { errors } = await node.router.insert(NAMESPACE, [numbered(7)], true);
  assert.equal(errors[0]?.error.codeName, "DuplicateKey");
  await node.close();
});

Deno.test("indexes of a time series stand in the catalog, beside the one that it comes with", async () => {
  const disk = new MemoryDisk();
  let node = await openNode(disk);
  await node.router.createCollection(NAMESPACE, TIMESERIES);
  assert.deepEqual(names(node), ["m_1_t_1"]);
  await node.router.createIndexes(NAMESPACE, () => [indexOf("v")], go);
  disk.crash(seededRandom(1));
  node = await openNode(disk);
  assert.deepEqual(names(node), ["m_1_t_1", "v_1"]);
  await node.router.changeIndexes(NAMESPACE, () => []);
  await node.close();
  node = await openNode(disk);
  assert.deepEqual(names(node), []);
  await node.close();
});
