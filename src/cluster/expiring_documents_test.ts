import assert from "node:assert/strict";
import { MAX_EXPIRED_AT_ONCE } from "../base/mod.ts";
import { BuiltDocument, encodeDocument, Int32, RawDocument, UtcDate, type Value } from "../bson/mod.ts";
import { MemoryDisk, SimulatedClock } from "../io/mod.ts";
import type { Node } from "./node.ts";
import { numbersIn, openNode, PLAIN } from "./node_fixture.ts";

const NAMESPACE = { db: "d", collection: "c" };
const NOW_MS = 1_000_000_000;
const PASS_MS = 60_000;

async function insert(node: Node, documents: readonly Record<string, Value>[]): Promise<void> {
  const raw = documents.map((fields, i) => {
    const document = BuiltDocument.of({ _id: Int32.of(i), n: Int32.of(i), ...fields });
    return new RawDocument(encodeDocument(document));
  });
  const { inserted } = await node.router.insert(NAMESPACE, raw, true);
  assert.equal(inserted, documents.length);
}

async function withTtl(
  options: Record<string, Value>,
  test: (node: Node, pass: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const clock = new SimulatedClock(NOW_MS);
  const node = await openNode(new MemoryDisk(), { clock });
  await node.router.createCollection(NAMESPACE, PLAIN);
  const key = BuiltDocument.of({ at: Int32.of(1) });
  const index = BuiltDocument.of({ v: Int32.of(2), key, name: "at_1", ...options });
  await node.router.createIndexes(NAMESPACE, () => [index], () => Promise.resolve());
  const pass = async () => {
    const { passes } = node.router.retentionCounts;
    clock.advance(PASS_MS);
    while (node.router.retentionCounts.passes === passes) await new Promise((done) => setTimeout(done, 0));
  };
  try {
    await test(node, pass);
  } finally {
    await node.close();
  }
}

Deno.test("a document goes when its date is older than the index lets it be, and no other value does", async () => {
  await withTtl({ expireAfterSeconds: Int32.of(100) }, async (node, pass) => {
    const latest = NOW_MS + PASS_MS - 100_000;
    await insert(node, [
      { at: new UtcDate(latest) },
      { at: new UtcDate(latest + 1) },
      { at: latest - 1 },
      { at: null },
      {},
      { at: [new UtcDate(latest + 5), new UtcDate(latest - 5)] },
      { at: [new UtcDate(latest + 5), 1, "x"] },
      { at: [] },
      { at: BuiltDocument.of({ at: new UtcDate(0) }) },
      { at: new UtcDate(-NOW_MS) },
    ]);
    await pass();
    assert.deepEqual(await numbersIn(node, NAMESPACE), [1, 2, 3, 4, 6, 7, 8]);
    assert.equal(node.router.retentionCounts.deletedDocuments, 3);
    await pass();
    assert.deepEqual(await numbersIn(node, NAMESPACE), [2, 3, 4, 7, 8]);
  });
});

Deno.test("a partial index lets go only what it holds, a hidden one all the same", async () => {
  const partialFilterExpression = BuiltDocument.of({ kind: "short" });
  const options = { partialFilterExpression, hidden: true, expireAfterSeconds: Int32.of(0) };
  await withTtl(options, async (node, pass) => {
    const at = new UtcDate(NOW_MS);
    await insert(node, [{ at, kind: "short" }, { at, kind: "long" }, { at }]);
    await pass();
    assert.deepEqual(await numbersIn(node, NAMESPACE), [1, 2]);
  });
});

Deno.test("more than one write takes go in one pass", async () => {
  await withTtl({ expireAfterSeconds: Int32.of(0) }, async (node, pass) => {
    const count = 2 * MAX_EXPIRED_AT_ONCE + 1;
    await insert(node, Array.from({ length: count }, () => ({ at: new UtcDate(NOW_MS) })));
    await pass();
    assert.deepEqual(await numbersIn(node, NAMESPACE), []);
    assert.equal(node.router.retentionCounts.deletedDocuments, count);
  });
});

Deno.test("passes that are switched off let nothing go and are not counted", async () => {
  await withTtl({ expireAfterSeconds: Int32.of(0) }, async (node) => {
    node.router.retention({ isEnabled: false });
    await insert(node, [{ at: new UtcDate(NOW_MS) }]);
    assert.deepEqual(await numbersIn(node, NAMESPACE), [0]);
    assert.equal(node.router.retentionCounts.passes, 0);
  });
});
