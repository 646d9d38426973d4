import assert from "node:assert/strict";
import { CorruptionError } from "../base/mod.ts";
import { type Disk, MemoryDisk } from "../io/mod.ts";
import { readCatalog, writeCatalog } from "./catalog_file.ts";
import { DataFolderError, takeDataFolder } from "./data_folder.ts";

function write(disk: Disk, path: string, text: string): void {
  disk.remove(path);
  const file = disk.open(path, "create");
  file.writeAt(new TextEncoder().encode(text), 0);
  file.close();
}

Deno.test("a data folder has one owner at a time and keeps its uuid", async () => {
  const disk = new MemoryDisk();
  const first = await takeDataFolder(disk);
  await assert.rejects(
    () => takeDataFolder(disk),
    (error) => error instanceof DataFolderError && error.message.includes("in use"),
  );
  first.release();
  const second = await takeDataFolder(disk);
  assert.equal(second.nodeUuid, first.nodeUuid);
});

for (
  const [what, text, expected] of [
    ["another format", '{"format": 2, "nodeUuid": "x"}', "has format 2"],
    ["a damaged stamp", '{"format', "is damaged"],
  ] as const
) {
  Deno.test(`a data folder with ${what} is refused, and free again`, async () => {
    const disk = new MemoryDisk();
    write(disk, "format.json", text);
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(
        () => takeDataFolder(disk),
        (error) => error instanceof DataFolderError && error.message.includes(expected),
      );
    }
  });
}

Deno.test("a folder with other people's files is refused", async () => {
  const disk = new MemoryDisk();
  write(disk, "thesis.txt", "mine");
  await assert.rejects(() => takeDataFolder(disk), /"thesis.txt"/);
});

Deno.test("the catalog's snapshot comes back, and every flipped bit is noticed", async () => {
  const disk = new MemoryDisk();
  assert.equal(readCatalog(disk), undefined);
  await writeCatalog(disk, new Uint8Array([1, 2, 3]));
  await writeCatalog(disk, new Uint8Array([4, 5, 6, 7]));
  assert.deepEqual(readCatalog(disk), new Uint8Array([4, 5, 6, 7]));
  const file = disk.open("mnode/catalog", "write");
  const size = file.size();
  for (let at = 0; at < size; at++) {
    const byte = new Uint8Array(1);
    file.readAt(byte, at);
    file.writeAt(new Uint8Array([byte[0]! ^ 1]), at);
    assert.throws(() => readCatalog(disk), CorruptionError, `byte ${at}`);
    file.writeAt(byte, at);
  }
  file.close();
});
