/** `$out` and views over a node's life: what takes a collection's place, what a crash leaves behind, what a restart keeps. */
import assert from "node:assert/strict";
import { BuiltDocument, Int32, type Value } from "../bson/mod.ts";
import { DenoDisk } from "../io/mod.ts";
import { collectRows, newScanCounters, parsePipeline } from "../query/mod.ts";
import type { Namespace } from "./catalog.ts";
import type { Node } from "./node.ts";
import { insertNumbers, numbersIn, openNode, PLAIN, TIMESERIES } from "./node_fixture.ts";

const SOURCE = { db: "one", collection: "source" };
const TARGET = { db: "one", collection: "target" };
const VIEW = { db: "one", collection: "view" };

async function withNodes(body: (open: () => Promise<Node>) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-out-" });
  try {
    await body(() => openNode(new DenoDisk(folder), { documentsPath: `${folder}/documents.sqlite` }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function aggregate(node: Node, namespace: Namespace, stages: readonly Value[]): Promise<number> {
  const context = {
    nowMs: 0,
    variables: new Map(),
    checkpoint: () => Promise.resolve(),
    counters: newScanCounters(),
  };
  return (await collectRows(node.router.query(namespace, parsePipeline(stages), context))).length;
}

function stage(name: string, value: Value): Value {
  return BuiltDocument.of({ [name]: value });
}

for (const spec of [PLAIN, TIMESERIES]) {
  const kind = spec.timeseries === undefined ? "documents" : "measurements";
  Deno.test(`$out puts ${kind} in the place of others, and keeps them over a restart`, async () => {
    await withNodes(async (open) => {
      let node = await open();
      await node.router.createCollection(SOURCE, spec);
      await node.router.createCollection(TARGET, spec);
      await insertNumbers(node, SOURCE, [1, 2, 3]);
      await insertNumbers(node, TARGET, [7]);
      await node.checkpoint();
      assert.equal(await aggregate(node, SOURCE, [stage("$out", "target")]), 0);
      assert.deepEqual(await numbersIn(node, TARGET), [1, 2, 3]);
      await insertNumbers(node, TARGET, [4]);
      await node.close();
      node = await open();
      assert.deepEqual(await numbersIn(node, TARGET), [1, 2, 3, 4]);
      assert.deepEqual(node.router.collections("one").map((info) => info.collection), ["source", "target"]);
      await node.close();
    });
  });
}

Deno.test("$out that fails leaves what was there, and nothing else", async () => {
  await withNodes(async (open) => {
    const node = await open();
    await insertNumbers(node, SOURCE, [1, 2]);
    await insertNumbers(node, TARGET, [7]);
    const same = stage("$set", BuiltDocument.of({ _id: Int32.of(1) }));
    await assert.rejects(aggregate(node, SOURCE, [same, stage("$out", "target")]), /E11000/);
    assert.deepEqual(await numbersIn(node, TARGET), [7]);
    assert.deepEqual(node.router.collections("one").map((info) => info.collection), ["source", "target"]);
    await node.close();
  });
});

Deno.test("a collection that was in the making when the node ended is gone at the next start", async () => {
  await withNodes(async (open) => {
    let node = await open();
    await node.router.createCollection(SOURCE, PLAIN);
    await node.router.createCollection(TARGET, { options: BuiltDocument.of({ temp: true }) });
    await insertNumbers(node, TARGET, [1]);
    await node.close();
    node = await open();
    assert.deepEqual(node.router.collections("one").map((info) => info.collection), ["source"]);
    await node.close();
  });
});

Deno.test("a view lives through a restart", async () => {
  await withNodes(async (open) => {
    let node = await open();
    await insertNumbers(node, SOURCE, [1, 2, 3]);
    const pipeline = [BuiltDocument.of({ $limit: Int32.of(2) })];
    const view = { viewOn: "source", pipeline };
    await node.router.createCollection(VIEW, { view, options: BuiltDocument.of(view) });
    await node.close();
    node = await open();
    assert.equal(await aggregate(node, VIEW, []), 2);
    assert.equal(await node.router.dropCollection(VIEW), true);
    await node.close();
  });
});
