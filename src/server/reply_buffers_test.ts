import assert from "node:assert/strict";
import { MemoryBudget } from "../base/mod.ts";
import { ReplyBuffers } from "./reply_buffers.ts";

const LARGE = 100_000;

Deno.test("the largest buffer is kept until it is taken", () => {
  const buffers = new ReplyBuffers(new MemoryBudget(1e6));
  const large = new Uint8Array(LARGE);
  buffers.give(new Uint8Array(10));
  assert.equal(buffers.take(), undefined);
  buffers.give(large);
  buffers.give(new Uint8Array(LARGE - 1));
  assert.equal(buffers.take(), large);
  assert.equal(buffers.take(), undefined);
});

Deno.test("a kept buffer is counted, and goes when memory is short", () => {
  const budget = new MemoryBudget(1.5 * LARGE);
  const buffers = new ReplyBuffers(budget);
  buffers.give(new Uint8Array(LARGE));
  assert.equal(budget.heldBytes, LARGE);
  assert.ok(budget.lease().tryGrow(LARGE));
  assert.equal(buffers.take(), undefined);
  buffers.give(new Uint8Array(LARGE));
  assert.equal(buffers.take(), undefined, "there is no room for it");
});
