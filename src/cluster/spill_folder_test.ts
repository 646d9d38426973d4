import assert from "node:assert/strict";
import { ErrorCode } from "../base/mod.ts";
import { FaultyDisk, MemoryDisk } from "../io/mod.ts";
import { SpillFolder } from "./spill_folder.ts";

Deno.test("a spilled file is written, read and gone", () => {
  const disk = new MemoryDisk();
  const file = SpillFolder.open(disk).create();
  file.append(new Uint8Array([1, 2, 3]));
  file.append(new Uint8Array([4, 5]));
  const target = new Uint8Array(10);
  assert.equal(file.readAt(target, 2), 3);
  assert.deepEqual([...target.subarray(0, 3)], [3, 4, 5]);
  file.remove();
  file.remove();
  assert.deepEqual(disk.list("spill"), []);
});

Deno.test("what a killed process left is removed at the next start", () => {
  const disk = new MemoryDisk();
  SpillFolder.open(disk).create().append(new Uint8Array(100));
  disk.kill();
  SpillFolder.open(disk);
  assert.equal(disk.exists("spill"), false);
});

Deno.test("a full device is named", () => {
  const disk = new FaultyDisk(new MemoryDisk(), () => undefined);
  const file = SpillFolder.open(disk).create();
  disk.setPlan(({ operation }) => operation === "writeAt" ? "ENOSPC" : undefined);
  assert.throws(() => file.append(new Uint8Array(1)), { code: ErrorCode.OutOfDiskSpace });
});
