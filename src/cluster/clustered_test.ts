import assert from "node:assert/strict";
import {
  BuiltDocument,
  Document,
  encodeDocument,
  Int32,
  RawDocument,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import { MemoryDisk } from "../io/mod.ts";
import { type CommandContext, newScanCounters, parseFind } from "../query/mod.ts";
import { expiredFilters } from "./expiring_documents.ts";
import { openNode } from "./node_fixture.ts";
import type { Node } from "./node.ts";

const NAMESPACE = { db: "d", collection: "c" };
const CLUSTERED_INDEX = BuiltDocument.of({
  v: Int32.of(2),
  key: BuiltDocument.of({ _id: Int32.of(1) }),
  name: "mine",
  unique: true,
});

function context(): CommandContext {
  return { nowMs: 0, variables: new Map(), checkpoint: () => Promise.resolve(), counters: newScanCounters() };
}

async function withClustered(
  ids: readonly Value[],
  test: (node: Node) => Promise<void> | void,
): Promise<void> {
  const node = await openNode(new MemoryDisk());
  const options = BuiltDocument.of({ clusteredIndex: CLUSTERED_INDEX, expireAfterSeconds: 10n });
  await node.router.createCollection(NAMESPACE, { options });
  const documents = ids.map((_id) => new RawDocument(encodeDocument(BuiltDocument.of({ _id }))));
  assert.deepEqual((await node.router.insert(NAMESPACE, documents, true)).errors, []);
  await test(node);
  await node.close();
}

const comparing = (operators: Record<string, Value>) =>
  BuiltDocument.of({ _id: BuiltDocument.of(operators) });

Deno.test("explain shows between which ids documents are read", async () => {
  await withClustered([3, 1, 2], async (node) => {
    const stageOf = async (filter: Document | undefined, sort?: number) => {
      const pipeline = parseFind({
        filter,
        sort: sort === undefined ? undefined : BuiltDocument.of({ _id: sort }),
      });
      const plan = await node.router.explain(NAMESPACE, pipeline, context(), "executionStats");
      const stage = (plan.get("executionStats") as Document).get("executionStages") as Document;
      return ["stage", "direction", "minRecord", "maxRecord", "docsExamined"].map((name) => stage.get(name));
    };
    const read = (count: number) => Int32.of(count);
    assert.deepEqual(await stageOf(undefined), ["COLLSCAN", "forward", undefined, undefined, read(3)]);
    assert.deepEqual(await stageOf(undefined, -1), ["COLLSCAN", "backward", undefined, undefined, read(3)]);
    assert.deepEqual(await stageOf(comparing({ $eq: 2 })), ["CLUSTERED_IXSCAN", "forward", 2, 2, read(1)]);
    assert.deepEqual(await stageOf(comparing({ $gt: 1 }), -1), [
      "CLUSTERED_IXSCAN",
      "backward",
      1,
      Infinity,
      read(2),
    ]);
    assert.deepEqual(await stageOf(comparing({ $lte: 1, $lt: 5 })), [
      "CLUSTERED_IXSCAN",
      "forward",
      NaN,
      1,
      read(1),
    ]);
    assert.deepEqual(await stageOf(comparing({ $in: [3, 1] })), [
      "CLUSTERED_IXSCAN",
      "forward",
      1,
      3,
      read(2),
    ]);
  });
});

Deno.test("what a clustered collection holds expires by the dates of its ids", async () => {
  await withClustered([], (node) => {
    const [filter] = expiredFilters(node.router.collection(NAMESPACE)!, 15_000);
    assert.deepEqual(filter, comparing({ $lte: new UtcDate(5_000) }));
  });
});
