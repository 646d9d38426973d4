import assert from "node:assert/strict";
import { MemoryBudget } from "../base/mod.ts";
import { MessageMemory } from "./message_memory.ts";

async function isOpen(memory: MessageMemory): Promise<boolean> {
  let open = false;
  void memory.room().then(() => open = true);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  return open;
}

Deno.test("reading stops while whole messages fill their share, and goes on when one is answered", async () => {
  const budget = new MemoryBudget(1000);
  const memory = new MessageMemory(budget);
  memory.begin(60);
  assert.equal(await isOpen(memory), true);
  memory.begin(60);
  assert.equal(await isOpen(memory), false);
  const waiting = memory.room();
  memory.end(60);
  await waiting;
  memory.end(60);
  assert.equal(budget.heldBytes, 0);
});

Deno.test("messages that are not whole are counted, and keep nobody waiting by themselves", async () => {
  const budget = new MemoryBudget(1000);
  const memory = new MessageMemory(budget);
  memory.receiving(5000);
  assert.equal(await isOpen(memory), true);
  memory.begin(1);
  assert.equal(await isOpen(memory), false);
  memory.end(1);
  memory.receiving(-5000);
  assert.equal(budget.heldBytes, 0);
});
