import assert from "node:assert/strict";
import { MemoryBudget } from "./memory_budget.ts";

Deno.test("a lease grows while there is room, and gives back", () => {
  const budget = new MemoryBudget(100);
  const a = budget.lease();
  const b = budget.lease();
  assert.equal(a.tryGrow(60), true);
  assert.equal(b.tryGrow(41), false);
  assert.equal(b.tryGrow(40), true);
  a.shrink(10);
  assert.deepEqual([a.bytes, b.bytes, budget.heldBytes], [50, 40, 90]);
  a.release();
  b.release();
  assert.equal(budget.heldBytes, 0);
});

Deno.test("what is there already is counted beyond the total, and others find no room", () => {
  const budget = new MemoryBudget(100);
  const forced = budget.lease();
  forced.grow(150);
  const other = budget.lease();
  assert.equal(other.tryGrow(1), false);
  forced.set(20);
  assert.equal(other.tryGrow(80), true);
});

Deno.test("a cache gives way to what needs room", () => {
  const budget = new MemoryBudget(100);
  const cache = budget.lease();
  budget.onShortage((bytes) => cache.shrink(Math.min(bytes, cache.bytes)));
  cache.grow(90);
  const sort = budget.lease();
  assert.equal(sort.tryGrow(50), true);
  assert.deepEqual([cache.bytes, sort.bytes], [50, 50]);
  assert.equal(sort.tryGrow(60), false);
  assert.equal(cache.bytes, 0);
  budget.totalBytes = 20;
  assert.equal(budget.share(0.5), 10);
});

Deno.test("caches are emptied, and others keep what they hold", () => {
  const budget = new MemoryBudget(100);
  const cache = budget.lease();
  budget.onShortage((bytes) => cache.shrink(Math.min(bytes, cache.bytes)));
  const sort = budget.lease();
  cache.grow(30);
  sort.grow(20);
  assert.equal(budget.emptyCaches(), 30);
  assert.deepEqual([cache.bytes, sort.bytes], [0, 20]);
});
