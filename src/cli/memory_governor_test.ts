import assert from "node:assert/strict";
import { SILENT_LOGGER } from "../base/mod.ts";
import { SimulatedClock, SimulatedMemory } from "../io/mod.ts";
import { MemoryGovernor } from "./memory_governor.ts";

const MIB = 1024 * 1024;

function start(memory: SimulatedMemory, limitBytes = 300 * MIB) {
  const clock = new SimulatedClock();
  const governor = new MemoryGovernor({ limitBytes, memory, clock, logger: SILENT_LOGGER });
  return { clock, governor };
}

Deno.test("two fifths of what the base and the fixed costs leave are counted, and 8 MB at least", () => {
  const budgetAt = (baseBytes: number) => {
    const { governor } = start(new SimulatedMemory(baseBytes));
    governor.stop();
    return governor.budget.totalBytes;
  };
  assert.equal(budgetAt(152 * MIB), 40 * MIB);
  assert.equal(budgetAt(260 * MIB), 8 * MIB);
  assert.equal(budgetAt(310 * MIB), 8 * MIB);
});

Deno.test("young buffers are collected once 8 MB or a thirty-second of the limit came, not before", () => {
  const collectedAfter = (limitBytes: number, garbageBytes: number) => {
    const memory = new SimulatedMemory(100 * MIB);
    const { clock, governor } = start(memory, limitBytes);
    memory.residentBytes += garbageBytes;
    memory.garbageBytes = garbageBytes;
    clock.advance(100);
    governor.stop();
    return [memory.youngCollections, memory.residentBytes];
  };
  assert.deepEqual(collectedAfter(192 * MIB, 7 * MIB), [0, 107 * MIB]);
  assert.deepEqual(collectedAfter(192 * MIB, 9 * MIB), [1, 100 * MIB]);
  assert.deepEqual(collectedAfter(1024 * MIB, 31 * MIB), [0, 131 * MIB]);
  assert.deepEqual(collectedAfter(1024 * MIB, 33 * MIB), [1, 100 * MIB]);
});

Deno.test("where two thirds of the limit are taken all garbage is collected once some megabytes came", () => {
  const memory = new SimulatedMemory(176 * MIB);
  const { clock, governor } = start(memory);
  memory.residentBytes += 24 * MIB;
  memory.oldGarbageBytes = 24 * MIB;
  clock.advance(1000);
  assert.equal(memory.fullCollections, 0, "there is room");
  memory.residentBytes += 8 * MIB;
  clock.advance(100);
  assert.deepEqual([memory.fullCollections, memory.residentBytes], [1, 184 * MIB]);
  memory.residentBytes += 23 * MIB;
  memory.oldGarbageBytes = 23 * MIB;
  clock.advance(50);
  assert.equal(memory.fullCollections, 1, "one has just been");
  clock.advance(200);
  assert.deepEqual([memory.fullCollections, memory.residentBytes], [2, 184 * MIB]);
  memory.residentBytes = 210 * MIB;
  clock.advance(1000);
  memory.residentBytes += 7 * MIB;
  clock.advance(1000);
  assert.equal(memory.fullCollections, 3, "little came since");
  governor.stop();
});

Deno.test("near the limit the budget shrinks, to a fifth at least, and grows back when there is room", () => {
  const memory = new SimulatedMemory(52 * MIB);
  const { clock, governor } = start(memory);
  memory.residentBytes = 245 * MIB;
  clock.advance(10_100);
  assert.equal(governor.budget.totalBytes, 64 * MIB, "it did not grow any more");
  memory.residentBytes = 295 * MIB;
  clock.advance(60_000);
  assert.equal(governor.budget.totalBytes, 16 * MIB);
  memory.residentBytes = 220 * MIB;
  clock.advance(60_000);
  assert.equal(governor.budget.totalBytes, 16 * MIB);
  memory.residentBytes = 200 * MIB;
  clock.advance(120_000);
  assert.equal(governor.budget.totalBytes, 80 * MIB);
  governor.stop();
});
