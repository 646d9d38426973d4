import assert from "node:assert/strict";
import { FaultyDisk, MemoryDisk } from "../io/mod.ts";
import { DiskReserve } from "./disk_reserve.ts";

function sizeOf(disk: MemoryDisk): number {
  const file = disk.open("reserve", "read");
  try {
    return file.size();
  } finally {
    file.close();
  }
}

Deno.test("a reserve holds what was asked for, at least, until it is released", () => {
  const disk = new MemoryDisk();
  const reserve = new DiskReserve(disk, "reserve");
  reserve.hold(1_000_000);
  assert.ok(sizeOf(disk) >= 1_000_000);
  reserve.hold(10);
  assert.ok(sizeOf(disk) >= 1_000_000);
  reserve.hold(2_000_000);
  assert.ok(sizeOf(disk) >= 2_000_000);
  reserve.release();
  assert.equal(disk.exists("reserve"), false);
});

Deno.test("what an earlier process held goes, and a full disk leaves nothing behind", () => {
  const inner = new MemoryDisk();
  new DiskReserve(inner, "reserve").hold(10);
  let writes = 0;
  const disk = new FaultyDisk(inner, ({ operation }) => {
    return operation === "writeAt" && ++writes === 3 ? "ENOSPC" : undefined;
  });
  const reserve = new DiskReserve(disk, "reserve");
  assert.equal(inner.exists("reserve"), false);
  assert.throws(() => reserve.hold(10_000_000), { code: "ENOSPC" });
  assert.equal(inner.exists("reserve"), false);
  reserve.hold(10);
  assert.equal(inner.exists("reserve"), true);
});
