import assert from "node:assert/strict";
import { MemoryBudget, SMALL_MESSAGE_BYTES } from "../base/mod.ts";
import { MessageMemory } from "./message_memory.ts";

/** Two messages of this size fill the share of a budget of `BUDGET_BYTES`. */
const LARGE = 6 * SMALL_MESSAGE_BYTES;
const BUDGET_BYTES = 100 * SMALL_MESSAGE_BYTES;

async function isOpen(memory: MessageMemory): Promise<boolean> {
  let open = false;
  void memory.room().then(() => open = true);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  return open;
}

Deno.test("reading stops while whole messages fill their share, and goes on when one is answered", async () => {
  const budget = new MemoryBudget(BUDGET_BYTES);
  const memory = new MessageMemory(budget);
  memory.begin(LARGE);
  assert.equal(await isOpen(memory), true);
  memory.begin(LARGE);
  assert.equal(await isOpen(memory), false);
  const waiting = memory.room();
  memory.end(LARGE);
  await waiting;
  memory.end(LARGE);
  assert.equal(budget.heldBytes, 0);
});

Deno.test("messages that are not whole are counted, and keep nobody waiting", async () => {
  const budget = new MemoryBudget(BUDGET_BYTES);
  const memory = new MessageMemory(budget);
  memory.receiving(5 * BUDGET_BYTES);
  assert.equal(budget.heldBytes, 5 * BUDGET_BYTES);
  memory.begin(LARGE);
  assert.equal(await isOpen(memory), true);
  memory.end(LARGE);
  memory.receiving(-5 * BUDGET_BYTES);
  assert.equal(budget.heldBytes, 0);
});

Deno.test("a large message comes in beside small ones that are never answered", async () => {
  const budget = new MemoryBudget(BUDGET_BYTES);
  const memory = new MessageMemory(budget);
  for (let i = 0; i < 50; i++) memory.begin(SMALL_MESSAGE_BYTES);
  memory.receiving(BUDGET_BYTES);
  assert.equal(await isOpen(memory), true);
  for (let i = 0; i < 50; i++) memory.end(SMALL_MESSAGE_BYTES);
  memory.receiving(-BUDGET_BYTES);
  assert.equal(budget.heldBytes, 0);
});
