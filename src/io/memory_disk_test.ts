import assert from "node:assert/strict";
import { seededRandom } from "../base/mod.ts";
import { failCall, FaultyDisk } from "./faulty_disk.ts";
import { MemoryDisk } from "./memory_disk.ts";

const OLD = new Uint8Array(64).fill(1);
const NEW = new Uint8Array(64).fill(2);

async function diskWithDurableFile(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const file = disk.open("data", "create");
  file.writeAt(OLD, 0);
  await file.sync();
  await disk.syncDirectory("");
  file.close();
  return disk;
}

function contentOf(disk: MemoryDisk, path: string): number[] | undefined {
  if (!disk.exists(path)) return undefined;
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(file.size());
  file.readAt(bytes, 0);
  file.close();
  return [...bytes];
}

/** The different outcomes of one scenario over many seeds. */
async function outcomes(
  scenario: (disk: MemoryDisk) => void | Promise<void>,
  path = "data",
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = await diskWithDurableFile();
    await scenario(disk);
    disk.crash(seededRandom(seed));
    const content = contentOf(disk, path);
    found.add(content === undefined ? "gone" : runs(content));
  }
  return found;
}

/** Which values follow each other: "21" for new bytes before old ones. */
function runs(bytes: readonly number[]): string {
  return bytes.filter((byte, i) => byte !== bytes[i - 1]).join("");
}

function overwrite(disk: MemoryDisk) {
  const file = disk.open("data", "write");
  file.writeAt(NEW, 0);
  return file;
}

Deno.test("a crash keeps what was synced", async () => {
  assert.deepEqual(await outcomes(async (disk) => await overwrite(disk).sync()), new Set(["2"]));
});

Deno.test("a crash keeps, loses or tears what was not synced", async () => {
  const found = await outcomes((disk) => void overwrite(disk));
  assert.deepEqual([...found].sort(), ["1", "12", "2", "21"]);
});

Deno.test("a write during a sync is not part of it", async () => {
  const found = await outcomes(async (disk) => {
    const file = disk.open("data", "write");
    const synced = file.sync();
    file.writeAt(NEW, 0);
    await synced;
  });
  assert.ok(found.has("1") && found.has("2"));
});

Deno.test("a crash keeps or loses a name whose folder was not synced, whatever its bytes", async () => {
  const create = async (disk: MemoryDisk) => {
    const file = disk.open("new", "create");
    file.writeAt(NEW, 0);
    await file.sync();
  };
  assert.deepEqual([...await outcomes(create, "new")].sort(), ["2", "gone"]);
  const durably = async (disk: MemoryDisk) => {
    await create(disk);
    await disk.syncDirectory("");
  };
  assert.deepEqual([...await outcomes(durably, "new")], ["2"]);
  assert.deepEqual([...await outcomes((disk) => disk.remove("data"))].sort(), ["1", "gone"]);
});

Deno.test("a rename happens whole or not at all", async () => {
  for (let seed = 0; seed < 50; seed++) {
    const disk = await diskWithDurableFile();
    disk.rename("data", "moved");
    disk.crash(seededRandom(seed));
    assert.equal(disk.list("").length, 1);
  }
});

Deno.test("a file in a folder that was lost is lost", async () => {
  const found = await outcomes(async (disk) => {
    disk.makeDirectory("folder");
    disk.open("folder/file", "create");
    await disk.syncDirectory("folder");
  }, "folder/file");
  assert.deepEqual([...found].sort(), ["", "gone"]);
});

Deno.test("handles, syncs and locks end with a crash", async () => {
  const disk = await diskWithDurableFile();
  disk.lock("lock");
  const file = disk.open("data", "write");
  const syncing = file.sync();
  disk.crash(seededRandom(1));
  await assert.rejects(syncing, { code: "EIO" });
  assert.throws(() => file.size(), { code: "EIO" });
  assert.ok(disk.lock("lock"));
});

Deno.test("a faulty disk fails the call it was told to, a write half done", async () => {
  const inner = await diskWithDurableFile();
  const disk = new FaultyDisk(inner, failCall(1, "ENOSPC"));
  const file = disk.open("data", "write");
  assert.throws(() => file.writeAt(NEW, 0), { code: "ENOSPC" });
  assert.equal(runs(contentOf(inner, "data")!), "21");
  file.writeAt(NEW, 0);
  assert.equal(runs(contentOf(inner, "data")!), "2");
  assert.equal(disk.calls, 3);
  disk.setPlan(failCall(3, "EIO", true));
  await assert.rejects(file.sync(), { code: "EIO" });
  await assert.rejects(disk.syncDirectory(""), { code: "EIO" });
});
