/** The self-extracting executable: unpacking once, checking what it unpacked, and what can go wrong with it. */
import assert from "node:assert/strict";
import { startEnvironment, startFlags, VERSION } from "../../scripts/start_flags.ts";
import { writeSelfExtracting } from "../../scripts/self_extracting.ts";
import { startServerProcess } from "../support/server_process.ts";

const RUNTIME = "chronogo";

interface Built {
  /** An empty folder to run in. */
  readonly folder: string;
  readonly executable: string;
}

/** Builds it once for all tests of this file. */
let built: Promise<Built> | undefined;

async function build(): Promise<Built> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-executable-" });
  const executable = `${folder}/chronogo`;
  try {
    await writeSelfExtracting(executable);
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
  return { folder, executable };
}

Deno.test.afterAll(async () => {
  // A build that failed has cleaned up after itself, and each test has said so.
  const folder = await built?.then((done) => done.folder, () => undefined);
  if (folder !== undefined) await Deno.remove(folder, { recursive: true });
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the executable with nothing in its environment but what is given. */
async function run(
  executable: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Finished> {
  const { code, stdout, stderr } = await new Deno.Command(executable, {
    args: [...args],
    cwd: executable.slice(0, executable.lastIndexOf("/")),
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Calls `body` with the executable and a cache folder of its own. */
async function withCache(body: (executable: string, cache: string) => Promise<void>): Promise<void> {
  built ??= build();
  const { executable } = await built;
  const cache = await Deno.makeTempDir({ prefix: "chronogo-cache-" });
  try {
    await body(executable, cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

/** The folder it unpacked into. */
function unpacked(cache: string): string {
  const names = [...Deno.readDirSync(`${cache}/chronogo`)].map((entry) => entry.name);
  assert.equal(names.length, 1);
  return `${cache}/chronogo/${names[0]}`;
}

function assertVersion(finished: Finished): void {
  assert.deepEqual(finished, { code: 0, stdout: `chronogo ${VERSION}\n`, stderr: "" });
}

Deno.test("it serves from an empty folder, passes signals and exit codes on, and unpacks only once", async () => {
  await withCache(async (executable, cache) => {
    const env = { XDG_CACHE_HOME: cache };
    const cwd = await Deno.makeTempDir({ prefix: "chronogo-empty-" });
    // A stranger's project around it changes nothing.
    await Deno.writeTextFile(`${cwd}/deno.json`, '{"imports": {"bson": "./nowhere.ts"}, "broken');
    await Deno.writeTextFile(`${cwd}/package.json`, "{");
    let inode: number | null = null;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      await using server = await startServerProcess({ command: [executable], cwd, env });
      const response = await fetch(`http://127.0.0.1:${server.httpPort}/health`);
      assert.equal((await response.json()).version, VERSION);
      server.signal(signal);
      assert.equal(await server.ended, 0);
      const runtime = await Deno.stat(`${unpacked(cache)}/${RUNTIME}`);
      if (inode !== null) assert.equal(runtime.ino, inode, "not unpacked a second time");
      inode = runtime.ino;
    }
    const wrong = await run(executable, ["--data-dri", "x"], env);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /did you mean --data-dir\?\n$/);
    await Deno.remove(cwd, { recursive: true });
  });
});

Deno.test("it holds the permissions and the environment of the task start", async () => {
  built ??= build();
  const { executable } = await built;
  const file = await Deno.open(executable);
  const head = new Uint8Array(8192);
  await file.read(head);
  file.close();
  const script = new TextDecoder().decode(head);
  for (const flag of startFlags()) assert.ok(script.includes(`'${flag}'`), flag);
  const environment = Object.entries(startEnvironment());
  assert.ok(environment.length > 0);
  for (const [name, value] of environment) assert.ok(script.includes(`${name}='${value}'`), name);
  assert.doesNotMatch(script, /allow-(run|ffi|sys|all)|-A\b/);
});

Deno.test("what is damaged in the cache is noticed and unpacked anew", async () => {
  await withCache(async (executable, cache) => {
    const env = { XDG_CACHE_HOME: cache };
    assertVersion(await run(executable, ["--version"], env));
    const folder = unpacked(cache);
    const damages: [string, () => void][] = [
      ["a changed bundle", () => Deno.writeTextFileSync(`${folder}/main.js`, "console.log('not ours')")],
      ["a missing bundle", () => Deno.removeSync(`${folder}/server_worker.js`)],
      ["a shorter runtime", () => Deno.truncateSync(`${folder}/${RUNTIME}`, 4096)],
      ["a runtime with one other byte", () => overwriteByte(`${folder}/${RUNTIME}`, 4096)],
      ["a missing runtime", () => Deno.removeSync(`${folder}/${RUNTIME}`)],
    ];
    for (const [what, damage] of damages) {
      const before = sizes(folder);
      damage();
      const finished = await run(executable, ["--version"], env);
      assert.deepEqual(finished, { code: 0, stdout: `chronogo ${VERSION}\n`, stderr: "" }, what);
      assert.deepEqual(sizes(folder), before, what);
    }
    assert.notEqual(Deno.readTextFileSync(`${folder}/main.js`), "console.log('not ours')");
  });
});

function overwriteByte(path: string, offset: number): void {
  const file = Deno.openSync(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  file.seekSync(offset, Deno.SeekMode.Start);
  file.readSync(byte);
  file.seekSync(offset, Deno.SeekMode.Start);
  file.writeSync(byte.map((value) => value ^ 0xff));
  file.close();
}

/** The sizes of the unpacked files. */
function sizes(folder: string): Record<string, number> {
  const names = [RUNTIME, "main.js", "server_worker.js"];
  return Object.fromEntries(names.map((name) => [name, Deno.statSync(`${folder}/${name}`).size]));
}

Deno.test("first starts at the same time do not disturb each other, nor what a killed one left", async () => {
  await withCache(async (executable, cache) => {
    const env = { XDG_CACHE_HOME: cache };
    const runs = await Promise.all([1, 2, 3].map(() => run(executable, ["--version"], env)));
    runs.forEach(assertVersion);
    const folder = unpacked(cache);
    const parts = () => [...Deno.readDirSync(folder)].filter((entry) => entry.name.includes(".part."));
    assert.deepEqual(parts(), []);
    // Process ids end below 2^22, so that this one is nobody's.
    await Deno.writeTextFile(`${folder}/main.js.part.99999999`, "half");
    await Deno.remove(`${folder}/main.js`);
    assertVersion(await run(executable, ["--version"], env));
    assert.deepEqual(parts(), []);
  });
});

Deno.test("where it cannot unpack it says why, in one line", async () => {
  await withCache(async (executable, cache) => {
    const file = `${cache}/file`;
    await Deno.writeTextFile(file, "");
    const cases: [Record<string, string>, RegExp][] = [
      [
        { XDG_CACHE_HOME: file },
        /^chronogo: cannot make .*; set XDG_CACHE_HOME to a folder that can be written\n$/,
      ],
      [{}, /^chronogo: no folder to unpack into: neither HOME nor XDG_CACHE_HOME is set\n$/],
    ];
    for (const [env, expected] of cases) {
      const finished = await run(executable, ["--version"], env);
      assert.equal(finished.code, 1);
      assert.match(finished.stderr, expected);
    }
    // The home folder is the usual place.
    assertVersion(await run(executable, ["--version"], { HOME: cache }));
    assert.ok(Deno.statSync(`${cache}/.cache/chronogo`).isDirectory);
  });
});

Deno.test("an executable that was cut off or changed runs nothing", async () => {
  await withCache(async (executable, cache) => {
    const folder = await Deno.makeTempDir({ prefix: "chronogo-executable-" });
    const copy = `${folder}/chronogo`;
    const env = { XDG_CACHE_HOME: cache };
    await Deno.copyFile(executable, copy);
    overwriteByte(copy, 1_000_000);
    const changed = await run(copy, ["--version"], env);
    assert.deepEqual([changed.code, changed.stdout], [1, ""]);
    assert.match(changed.stderr, /^chronogo: .* is damaged: chronogo has the wrong checksum\n$/);
    await Deno.truncate(copy, 2_000_000);
    const cut = await run(copy, ["--version"], env);
    assert.deepEqual([cut.code, cut.stdout], [1, ""]);
    assert.match(cut.stderr, /^chronogo: cannot unpack chronogo .*cut off\n$/);
    await Deno.remove(folder, { recursive: true });
  });
});
