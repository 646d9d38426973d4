/** What every disk promises: the real one, the simulated one, and either behind a disk that may fail. */
import assert from "node:assert/strict";
import { DenoDisk, type Disk, FaultyDisk, MemoryDisk } from "../../src/io/mod.ts";

function onEveryDisk(name: string, body: (disk: Disk) => void | Promise<void>): void {
  Deno.test(`real disk: ${name}`, () => withFolder((folder) => body(new DenoDisk(folder))));
  Deno.test(`memory disk: ${name}`, () => body(new MemoryDisk()));
  Deno.test(`faulty disk without faults: ${name}`, () =>
    body(new FaultyDisk(new MemoryDisk(), () => undefined)));
}

async function withFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "chronogo-disk-" });
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const hasCode = (code: string) => (error: unknown) =>
  error instanceof Error && "code" in error && error.code === code;

function write(disk: Disk, path: string, bytes: readonly number[]): void {
  const file = disk.open(path, "create");
  file.writeAt(Uint8Array.from(bytes), 0);
  file.close();
}

function read(disk: Disk, path: string): number[] {
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(file.size());
  assert.equal(file.readAt(bytes, 0), bytes.length);
  file.close();
  return [...bytes];
}

onEveryDisk("writes and reads at positions, zeros between", async (disk) => {
  const file = disk.open("data", "create");
  assert.equal(file.path, "data");
  assert.equal(file.size(), 0);
  file.writeAt(Uint8Array.of(1, 2, 3), 0);
  file.writeAt(Uint8Array.of(9), 5);
  file.writeAt(Uint8Array.of(7, 8), 1);
  await file.sync();
  assert.equal(file.size(), 6);
  const bytes = new Uint8Array(4);
  assert.equal(file.readAt(bytes, 2), 4);
  assert.deepEqual([...bytes], [8, 0, 0, 9]);
  assert.equal(file.readAt(bytes, 4), 2, "fewer bytes at the end of the file");
  assert.equal(file.readAt(bytes, 6), 0);
  assert.equal(file.readAt(bytes, 100), 0);
  file.close();
  assert.deepEqual(read(disk, "data"), [1, 7, 8, 0, 0, 9]);
});

onEveryDisk(
  "what is asked for ahead is read as it stands, and a file may be closed meanwhile",
  async (disk) => {
    write(disk, "data", [1, 2, 3, 4]);
    const file = disk.open("data", "read");
    await file.prefetch([{ offset: 1, sizeBytes: 2 }, { offset: 2, sizeBytes: 3_000_000 }]);
    const bytes = new Uint8Array(3);
    assert.equal(file.readAt(bytes, 1), 3);
    assert.deepEqual([...bytes], [2, 3, 4]);
    const running = file.prefetch([{ offset: 0, sizeBytes: 4 }]);
    file.close();
    await running;
  },
);

onEveryDisk("what is written is copied", (disk) => {
  const file = disk.open("data", "create");
  const bytes = Uint8Array.of(1, 2, 3);
  file.writeAt(bytes, 0);
  bytes.fill(0);
  file.close();
  assert.deepEqual(read(disk, "data"), [1, 2, 3]);
});

onEveryDisk("truncates, and grows with zeros", (disk) => {
  write(disk, "data", [1, 2, 3, 4]);
  const file = disk.open("data", "write");
  file.truncate(2);
  assert.equal(file.size(), 2);
  file.truncate(4);
  file.close();
  assert.deepEqual(read(disk, "data"), [1, 2, 0, 0]);
});

onEveryDisk("modes of opening", (disk) => {
  assert.throws(() => disk.open("data", "read"), hasCode("ENOENT"));
  assert.throws(() => disk.open("data", "write"), hasCode("ENOENT"));
  assert.throws(() => disk.open("folder/data", "create"), hasCode("ENOENT"));
  write(disk, "data", [1]);
  assert.throws(() => disk.open("data", "create"), hasCode("EEXIST"));
  const file = disk.open("data", "read");
  assert.throws(() => file.writeAt(Uint8Array.of(1), 0));
  file.close();
});

onEveryDisk("two handles see one file", (disk) => {
  const one = disk.open("data", "create");
  const two = disk.open("data", "read");
  one.writeAt(Uint8Array.of(5), 0);
  const bytes = new Uint8Array(1);
  assert.equal(two.readAt(bytes, 0), 1);
  assert.equal(bytes[0], 5);
  one.close();
  two.close();
});

onEveryDisk("makes, lists and removes folders", async (disk) => {
  assert.deepEqual(disk.list("a"), []);
  disk.makeDirectory("a/b");
  disk.makeDirectory("a/b");
  write(disk, "a/z", [1]);
  write(disk, "a/b/y", [1]);
  await disk.syncDirectory("a");
  await disk.syncDirectory("");
  assert.deepEqual(disk.list(""), ["a"]);
  assert.deepEqual(disk.list("a"), ["b", "z"]);
  assert.ok(disk.exists("a/b") && disk.exists("a/b/y") && !disk.exists("a/b/z"));
  disk.remove("a/b");
  disk.remove("a/b");
  assert.deepEqual(disk.list("a"), ["z"]);
  disk.remove("a/z");
  assert.deepEqual(disk.list("a"), []);
  await assert.rejects(disk.syncDirectory("nowhere"), hasCode("ENOENT"));
});

onEveryDisk("renames, over what is there", (disk) => {
  write(disk, "old", [1]);
  write(disk, "new", [2]);
  disk.rename("old", "new");
  assert.ok(!disk.exists("old"));
  assert.deepEqual(read(disk, "new"), [1]);
  assert.throws(() => disk.rename("old", "new"), hasCode("ENOENT"));
  disk.makeDirectory("here/deep");
  write(disk, "here/deep/x", [3]);
  disk.rename("here", "there");
  assert.deepEqual(disk.list(""), ["new", "there"]);
  assert.deepEqual(read(disk, "there/deep/x"), [3]);
});

onEveryDisk("an open file outlives its name", (disk) => {
  write(disk, "data", [4]);
  const file = disk.open("data", "read");
  disk.remove("data");
  const bytes = new Uint8Array(1);
  assert.equal(file.readAt(bytes, 0), 1);
  assert.equal(bytes[0], 4);
  file.close();
});

onEveryDisk("a lock has one holder", (disk) => {
  const unlock = disk.lock("lock");
  assert.ok(unlock);
  assert.equal(disk.lock("lock"), undefined);
  unlock();
  const again = disk.lock("lock");
  assert.ok(again);
  again();
});

onEveryDisk("a file may be closed while it is synced", async (disk) => {
  const file = disk.open("data", "create");
  file.writeAt(Uint8Array.of(1), 0);
  const synced = file.sync();
  file.close();
  await synced;
  assert.deepEqual(read(disk, "data"), [1]);
});

onEveryDisk("no path leaves the root", (disk) => {
  for (const path of ["../x", "/x", "a/../../x", "a//b", "./a"]) {
    assert.throws(() => disk.open(path, "create"), { name: "AssertionError" });
  }
});

Deno.test("real disk: the lock ends with the process that holds it", () =>
  withFolder(async (folder) => {
    const io = new URL("../../src/io/mod.ts", import.meta.url).href;
    const program = `import { DenoDisk } from ${JSON.stringify(io)};
      console.log(new DenoDisk(${JSON.stringify(folder)}).lock("lock") !== undefined);
      setInterval(() => {}, 1000);`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", `--allow-read=${folder}`, `--allow-write=${folder}`, "-"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode(program));
    await input.close();
    const output = child.stdout.getReader();
    const first = await output.read();
    assert.equal(new TextDecoder().decode(first.value).trim(), "true");
    const disk = new DenoDisk(folder);
    assert.equal(disk.lock("lock"), undefined);
    child.kill("SIGKILL");
    await output.cancel();
    await child.status;
    const unlock = disk.lock("lock");
    assert.ok(unlock);
    unlock();
  }));

Deno.test("real disk: works in a Worker that may only read and write its folder", () =>
  withFolder(async (folder) => {
    const io = new URL("../../src/io/mod.ts", import.meta.url).href;
    const program = `import { DenoDisk } from ${JSON.stringify(io)};
      async function run() {
        const disk = new DenoDisk(${JSON.stringify(folder)});
        const unlock = disk.lock("lock");
        disk.makeDirectory("d");
        const file = disk.open("d/x", "create");
        file.writeAt(Uint8Array.of(1, 2, 3), 4096);
        await file.sync();
        file.truncate(5000);
        const size = file.size();
        file.close();
        await disk.syncDirectory("d");
        disk.rename("d/x", "d/y");
        const names = disk.list("d");
        disk.remove("d");
        unlock();
        let refused = false;
        try { new DenoDisk("/etc").open("hostname", "read"); } catch { refused = true; }
        return { size, names, refused };
      }
      run().then((result) => postMessage(result), (error) => postMessage(String(error)));`;
    const source = URL.createObjectURL(new Blob([program], { type: "application/javascript" }));
    const worker = new Worker(source, {
      type: "module",
      deno: { permissions: { read: [folder], write: [folder] } },
    });
    const answer = await new Promise((resolve) => worker.onmessage = (event) => resolve(event.data));
    worker.terminate();
    URL.revokeObjectURL(source);
    assert.deepEqual(answer, { size: 5000, names: ["y"], refused: true });
  }));
