/** Sorts that do not fit in a node's memory: the answer, a full disk, an end in the middle, a kill. */
import assert from "node:assert/strict";
import { ErrorCode, MemoryBudget } from "../base/mod.ts";
import { BuiltDocument, Int32 } from "../bson/mod.ts";
import { FaultyDisk, MemoryDisk } from "../io/mod.ts";
import { type CommandContext, newScanCounters, parsePipeline, type Rows } from "../query/mod.ts";
import type { Node } from "./node.ts";
import { insertNumbers, openNode, TIMESERIES } from "./node_fixture.ts";

const NAMESPACE = { db: "one", collection: "series" };
const ROWS = 2000;
/** A stage may hold a fifth of it: some hundred rows. */
const MEMORY_BYTES = 100_000;

function sorted(node: Node, options: Partial<CommandContext> = {}): Rows {
  const context = {
    nowMs: 0,
    variables: new Map(),
    checkpoint: () => Promise.resolve(),
    counters: newScanCounters(),
    ...options,
  };
  const sort = BuiltDocument.of({ $sort: BuiltDocument.of({ n: Int32.of(-1) }) });
  return node.router.query(NAMESPACE, parsePipeline([sort]), context);
}

async function numbersOf(rows: Rows): Promise<number[]> {
  const numbers: number[] = [];
  for await (const batch of rows) {
    for (const row of batch) numbers.push((row.get("n") as Int32).value);
  }
  return numbers;
}

async function filledNode(disk: FaultyDisk | MemoryDisk, memory: MemoryBudget): Promise<Node> {
  const node = await openNode(disk, { memory, memtableBytes: 2 ** 24 });
  await node.router.createCollection(NAMESPACE, TIMESERIES);
  await insertNumbers(node, NAMESPACE, Array.from({ length: ROWS }, (_, i) => (i * 7919) % ROWS));
  return node;
}

const DESCENDING = Array.from({ length: ROWS }, (_, i) => ROWS - 1 - i);

Deno.test("a sort larger than memory is right, and leaves neither files nor memory taken", async () => {
  const disk = new MemoryDisk();
  const memory = new MemoryBudget(MEMORY_BYTES);
  const node = await filledNode(disk, memory);
  const before = memory.heldBytes;
  const rows = sorted(node);
  const first = await rows.next();
  assert.ok(disk.list("spill").length > 0, "rows were put aside");
  assert.deepEqual([...numbersOfBatch(first.value), ...await numbersOf(rows)], DESCENDING);
  assert.deepEqual(disk.list("spill"), []);
  assert.ok(memory.heldBytes <= before);
  await node.close();
});

Deno.test("a query that is ended early, or may not use the disk, leaves no files", async () => {
  const disk = new MemoryDisk();
  const node = await filledNode(disk, new MemoryBudget(MEMORY_BYTES));
  const rows = sorted(node);
  await rows.next();
  await rows.return();
  assert.deepEqual(disk.list("spill"), []);
  await assert.rejects(numbersOf(sorted(node, { allowDiskUse: false })), {
    code: ErrorCode.QueryExceededMemoryLimitNoDiskUseAllowed,
  });
  assert.deepEqual(disk.list("spill"), []);
  await node.close();
});

Deno.test("a full disk ends the query with its name, leaves nothing behind, and the next query works", async () => {
  const inner = new MemoryDisk();
  const disk = new FaultyDisk(inner, () => undefined);
  const node = await filledNode(disk, new MemoryBudget(MEMORY_BYTES));
  for (const fullAfter of [0, 1, 3]) {
    let writes = 0;
    disk.setPlan(({ operation, path }) =>
      operation === "writeAt" && path.startsWith("spill/") && writes++ >= fullAfter ? "ENOSPC" : undefined
    );
    await assert.rejects(numbersOf(sorted(node)), { code: ErrorCode.OutOfDiskSpace });
    assert.deepEqual(inner.list("spill"), []);
  }
  disk.setPlan(() => undefined);
  assert.deepEqual(await numbersOf(sorted(node)), DESCENDING);
  await node.close();
});

Deno.test("what a killed node had put aside is gone after its next start", async () => {
  const disk = new MemoryDisk();
  const killed = await filledNode(disk, new MemoryBudget(MEMORY_BYTES));
  await sorted(killed).next();
  assert.ok(disk.list("spill").length > 0);
  disk.kill();
  const node = await openNode(disk);
  assert.deepEqual(disk.list("spill"), []);
  await node.close();
});

function numbersOfBatch(batch: unknown): number[] {
  return (batch as readonly BuiltDocument[]).map((row) => (row.get("n") as Int32).value);
}
