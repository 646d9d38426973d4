import assert from "node:assert/strict";
import { MemoryDisk } from "../../io/mod.ts";
import { FilePool } from "./file_pool.ts";

function diskWith(count: number): MemoryDisk {
  const disk = new MemoryDisk();
  for (let i = 0; i < count; i++) disk.open(`f${i}`, "create").writeAt(Uint8Array.of(i), 0);
  return disk;
}

function read(pool: FilePool, path: string): number {
  const target = new Uint8Array(1);
  assert.equal(pool.file(path).readAt(target, 0), 1);
  return target[0]!;
}

Deno.test("a pool reads any number of files through few open ones, and lets go of the one unused for longest", () => {
  const pool = new FilePool(diskWith(10), 3);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 10; i++) {
      assert.equal(read(pool, `f${i}`), i);
      assert.ok(pool.size <= 3);
    }
  }
  const [used, unused] = [pool.file("f8"), pool.file("f7")];
  assert.equal(pool.file("f8"), used);
  read(pool, "f1");
  read(pool, "f2");
  assert.equal(pool.file("f8"), used);
  assert.throws(() => unused.readAt(new Uint8Array(1), 0));
  pool.closeAll();
  assert.equal(pool.size, 0);
});

Deno.test("a file that was taken stays open without its name, and counts no more", () => {
  const disk = diskWith(2);
  const pool = new FilePool(disk, 1);
  const taken = pool.take("f1");
  disk.remove("f1");
  assert.equal(read(pool, "f0"), 0);
  const target = new Uint8Array(1);
  taken.readAt(target, 0);
  assert.equal(target[0], 1);
  assert.throws(() => pool.file("f1"), /ENOENT/);
  taken.close();
  pool.close("f0");
  assert.equal(pool.size, 0);
});
