/** A bit flips at rest in any file of a node's folder: it is refused with the file's name, or changes nothing. */
import assert from "node:assert/strict";
import { CorruptionError } from "../base/mod.ts";
import { MemoryDisk } from "../io/mod.ts";
import type { Namespace } from "./catalog.ts";
import { DataFolderError } from "./data_folder.ts";
import { insertNumbers, numbersIn, openNode, TIMESERIES } from "./node_fixture.ts";

const WEATHER: Namespace = { db: "d", collection: "weather" };
const PLACES = 60;
/** Each insert's numbers; the last one is the log's last record. */
const INSERTS = [[1, 2, 3], [4, 5], [6], [7, 8, 9, 10]];
const ALL = INSERTS.flat();
const LAST = INSERTS.at(-1)!;

/** Every file of a node that was stopped by a crash: rows in segments, rows in the log, a catalog's snapshot. */
async function filesOfNode(): Promise<ReadonlyMap<string, Uint8Array>> {
  const disk = new MemoryDisk();
  const node = await openNode(disk);
  await node.router.createCollection(WEATHER, TIMESERIES);
  for (const numbers of INSERTS.slice(0, 2)) await insertNumbers(node, WEATHER, numbers);
  await node.checkpoint();
  for (const numbers of INSERTS.slice(2)) await insertNumbers(node, WEATHER, numbers);
  const files = new Map<string, Uint8Array>();
  const gather = (directory: string) => {
    for (const name of disk.list(directory)) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const bytes = contentOf(disk, path);
      if (bytes === undefined) gather(path);
      else files.set(path, bytes);
    }
  };
  gather("");
  await node.close();
  return files;
}

/** Undefined for a folder. */
function contentOf(disk: MemoryDisk, path: string): Uint8Array | undefined {
  try {
    const file = disk.open(path, "read");
    const bytes = new Uint8Array(file.size());
    file.readAt(bytes, 0);
    file.close();
    return bytes;
  } catch (error) {
    if (/ENOENT/.test(String(error))) return undefined;
    throw error;
  }
}

function diskOf(files: ReadonlyMap<string, Uint8Array>): MemoryDisk {
  const disk = new MemoryDisk();
  for (const [path, bytes] of files) {
    const cut = path.lastIndexOf("/");
    if (cut > 0) disk.makeDirectory(path.slice(0, cut));
    const file = disk.open(path, "create");
    file.writeAt(bytes, 0);
    file.close();
  }
  return disk;
}

async function readAfterFlip(
  files: ReadonlyMap<string, Uint8Array>,
  path: string,
  at: number,
): Promise<number[]> {
  const disk = diskOf(files);
  const file = disk.open(path, "write");
  file.writeAt(Uint8Array.of(files.get(path)![at]! ^ (1 << at % 8)), at);
  file.close();
  const node = await openNode(disk);
  try {
    return await numbersIn(node, WEATHER);
  } finally {
    await node.close().catch(() => {});
  }
}

Deno.test("a flipped bit in any file of a node is refused with its name, or changes nothing", async () => {
  const files = await filesOfNode();
  const kinds = [...files.keys()].map((path) => path.replace(/\d{3,}/, "N")).sort();
  for (const expected of ["format.json", "log/N.log", "mnode/catalog"]) {
    assert.ok(kinds.includes(expected), kinds.join());
  }
  assert.ok(kinds.some((kind) => kind.endsWith(".seg")), kinds.join());
  let refused = 0;
  for (const [path, { length }] of files) {
    const step = Math.max(1, Math.floor(length / PLACES));
    for (let at = 0; at < length; at += step) {
      const where = `${path}, byte ${at}`;
      let numbers: number[];
      try {
        numbers = await readAfterFlip(files, path, at);
      } catch (error) {
        refused++;
        // A manifest's name in CURRENT may become another one, that is not there.
        if (path.endsWith("/CURRENT") && /ENOENT/.test(String(error))) continue;
        const isNamed = error instanceof DataFolderError ||
          (error instanceof CorruptionError && Number.isInteger(error.offset));
        assert.ok(isNamed, `${where}: ${error}`);
        continue;
      }
      // The log's very last record looks torn then: a crash could have left it so.
      const isTail = path.startsWith("log/") && numbers.join() === ALL.slice(0, -LAST.length).join();
      assert.ok(isTail || numbers.join() === ALL.join(), `${where}: ${numbers}`);
    }
  }
  assert.ok(refused > 100, `${refused} flips were refused`);
});
