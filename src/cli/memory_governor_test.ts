import assert from "node:assert/strict";
import { SILENT_LOGGER } from "../base/mod.ts";
import { SimulatedClock, SimulatedMemory } from "../io/mod.ts";
import { MemoryGovernor } from "./memory_governor.ts";

const MIB = 1024 * 1024;

function start(memory: SimulatedMemory) {
  const clock = new SimulatedClock();
  const governor = new MemoryGovernor({ limitBytes: 300 * MIB, memory, clock, logger: SILENT_LOGGER });
  return { clock, governor };
}

Deno.test("two fifths of what the base leaves are counted", () => {
  const { governor } = start(new SimulatedMemory(100 * MIB));
  assert.equal(governor.budget.totalBytes, 80 * MIB);
});

Deno.test("young buffers are collected once some megabytes came, not before", () => {
  const memory = new SimulatedMemory(100 * MIB);
  const { clock } = start(memory);
  memory.residentBytes += 7 * MIB;
  memory.garbageBytes = 7 * MIB;
  clock.advance(100);
  assert.equal(memory.youngCollections, 0);
  memory.residentBytes += 2 * MIB;
  memory.garbageBytes += 2 * MIB;
  clock.advance(100);
  assert.deepEqual([memory.youngCollections, memory.residentBytes], [1, 100 * MIB]);
});

Deno.test("near the limit the budget shrinks, to a fifth at least, and grows back when there is room", () => {
  const memory = new SimulatedMemory(100 * MIB);
  const { clock, governor } = start(memory);
  memory.residentBytes = 265 * MIB;
  clock.advance(10_100);
  assert.equal(governor.budget.totalBytes, 64 * MIB, "it did not grow any more");
  assert.equal(memory.fullCollections, 1);
  memory.residentBytes = 295 * MIB;
  clock.advance(60_000);
  assert.equal(governor.budget.totalBytes, 16 * MIB);
  memory.residentBytes = 240 * MIB;
  clock.advance(60_000);
  assert.equal(governor.budget.totalBytes, 16 * MIB);
  memory.residentBytes = 200 * MIB;
  clock.advance(120_000);
  assert.equal(governor.budget.totalBytes, 80 * MIB);
  governor.stop();
});
