/** Transactions on a node: what waits for them, what they wait for, and how they end. */
import assert from "node:assert/strict";
import { CommandError, MemoryBudget } from "../base/mod.ts";
import { MemoryDisk } from "../io/mod.ts";
import type { Namespace } from "./catalog.ts";
import type { Node } from "./node.ts";
import {
  deleteNumbers,
  insertNumbers,
  insertNumbersIn,
  numbersIn,
  openNode,
  PLAIN,
  renumber,
  TIMESERIES,
} from "./node_fixture.ts";
import type { Transaction } from "./transaction.ts";

const C: Namespace = { db: "d", collection: "c" };
const OTHER: Namespace = { db: "e", collection: "other" };
const LSID = new Uint8Array(16).fill(1);

let lastNumber = 0n;

function begin(node: Node): Transaction {
  return node.router.beginTransaction({ lsid: LSID, txnNumber: ++lastNumber });
}

function abort(transaction: Transaction): void {
  transaction.end(new CommandError("NoSuchTransaction", "it was aborted"));
}

async function withNode(body: (node: Node) => Promise<void>): Promise<void> {
  const node = await openNode(new MemoryDisk(), { memory: new MemoryBudget(1 << 26) });
  await node.router.createCollection(C, PLAIN);
  await body(node);
  await node.close();
}

/** Whether a promise is settled after everything that can go on has gone on. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  return settled;
}

Deno.test("collections of two databases change in one transaction, and one that it makes comes with it", async () => {
  await withNode(async (node) => {
    await insertNumbers(node, C, [1, 2]);
    const transaction = begin(node);
    await insertNumbersIn(transaction, node, OTHER, [5]);
    await deleteNumbers(node, C, [1], transaction);
    assert.deepEqual(await numbersIn(node, OTHER, transaction), [5]);
    assert.deepEqual(await numbersIn(node, C, transaction), [2]);
    assert.equal(node.router.collection(OTHER), undefined);
    assert.deepEqual(await numbersIn(node, C), [1, 2]);
    await node.router.commitTransaction(transaction);
    assert.deepEqual(await numbersIn(node, OTHER), [5]);
    assert.deepEqual(await numbersIn(node, C), [2]);
  });
});

Deno.test("a write outside waits for the transaction, then goes on with what is there", async () => {
  for (const commits of [false, true]) {
    await withNode(async (node) => {
      await insertNumbers(node, C, [1, 2]);
      const transaction = begin(node);
      await renumber(node, C, [1], 10, transaction);
      const blocked = renumber(node, C, [1, 2], 100);
      const inserted = insertNumbers(node, C, [1]);
      assert.equal(await isSettled(blocked), false);
      await insertNumbers(node, C, [3]);
      if (commits) await node.router.commitTransaction(transaction);
      else abort(transaction);
      await blocked;
      // The document that it renumbered has kept its _id.
      await assert.rejects(inserted, /duplicate key/);
      assert.deepEqual(await numbersIn(node, C), commits ? [3, 11, 102] : [3, 101, 102]);
    });
  }
});

Deno.test("what ends a transaction comes too late for one that commits: its documents stay its own until then", async () => {
  await withNode(async (node) => {
    await insertNumbers(node, C, [1]);
    const [first, second] = [begin(node), begin(node)];
    await renumber(node, C, [1], 10, first);
    const committed = node.router.commitTransaction(first);
    abort(first);
    await assert.rejects(() => renumber(node, C, [1], 100, second), /WriteConflict/);
    await committed;
    abort(second);
    assert.deepEqual(await numbersIn(node, C), [11]);
  });
});

Deno.test("a collection is dropped or changed when no transaction has written to it", async () => {
  await withNode(async (node) => {
    const transaction = begin(node);
    await insertNumbersIn(transaction, node, C, [1]);
    const dropped = node.router.dropCollection(C);
    assert.equal(await isSettled(dropped), false);
    await node.router.commitTransaction(transaction);
    assert.equal(await dropped, true);
    assert.deepEqual(await numbersIn(node, C), []);
  });
});

Deno.test("two transactions make no collection of one name", async () => {
  await withNode(async (node) => {
    const first = begin(node);
    const second = begin(node);
    await insertNumbersIn(first, node, OTHER, [1]);
    await assert.rejects(insertNumbersIn(second, node, OTHER, [2]), { codeName: "WriteConflict" });
    abort(second);
    await insertNumbers(node, OTHER, [3]);
    await assert.rejects(node.router.commitTransaction(first), { codeName: "WriteConflict" });
    assert.deepEqual(await numbersIn(node, OTHER), [3]);
  });
});

Deno.test("what a transaction holds is counted, and given back", async () => {
  await withNode(async (node) => {
    const before = node.memory.heldBytes;
    const transaction = begin(node);
    await insertNumbersIn(transaction, node, C, Array.from({ length: 500 }, (_, i) => i));
    assert.ok(node.memory.heldBytes > before + 500 * 30, "its documents");
    abort(transaction);
    assert.equal(node.memory.heldBytes, before);
  });
});

Deno.test("a time series is read in a transaction, and not written", async () => {
  await withNode(async (node) => {
    await node.router.createCollection(OTHER, TIMESERIES);
    await insertNumbers(node, OTHER, [1]);
    const transaction = begin(node);
    assert.deepEqual(await numbersIn(node, OTHER, transaction), [1]);
    await insertNumbers(node, OTHER, [2]);
    assert.deepEqual(await numbersIn(node, OTHER, transaction), [1], "as it was");
    await node.checkpoint();
    await deleteNumbers(node, OTHER, [1]);
    assert.deepEqual(await numbersIn(node, OTHER, transaction), [1], "in a segment, too");
    assert.deepEqual(await numbersIn(node, OTHER, begin(node)), [2]);
    await assert.rejects(insertNumbersIn(transaction, node, OTHER, [2]), {
      codeName: "OperationNotSupportedInTransaction",
    });
    abort(transaction);
  });
});

Deno.test("a node that closes ends its transactions, and what waits for them", async () => {
  const node = await openNode(new MemoryDisk());
  await node.router.createCollection(C, PLAIN);
  await insertNumbers(node, C, [1]);
  const transaction = begin(node);
  await renumber(node, C, [1], 10, transaction);
  const blocked = renumber(node, C, [1], 100);
  assert.equal(await isSettled(blocked), false);
  await node.close();
  await blocked;
  assert.equal(transaction.isEnded, true);
  await assert.rejects(insertNumbersIn(transaction, node, C, [2]), { codeName: "ShutdownInProgress" });
});
