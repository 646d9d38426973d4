/** The server as a process: start, banner, signals, exit codes, what goes wrong at start. */
import assert from "node:assert/strict";
import { ServerDidNotStart, startCommand, startServerProcess } from "../support/server_process.ts";
import { WireClient } from "../support/wire_client.ts";

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program with the flags of `start` until it ends by itself. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const [program = "", ...first] = startCommand();
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...first, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Starts a server that must not become ready. */
async function startFailure(options: Parameters<typeof startServerProcess>[0]): Promise<ServerDidNotStart> {
  try {
    await using server = await startServerProcess(options);
    return assert.fail(`started: ${server.stdout()}`);
  } catch (error) {
    if (error instanceof ServerDidNotStart) return error;
    throw error;
  }
}

/** One line for the person at the terminal, the last; before it there may be lines of the log, but no error. */
function assertOneLine(stderr: string, expected: RegExp): void {
  const lines = stderr.trimEnd().split("\n");
  assert.match(lines.pop() ?? "", new RegExp(`^chronogo: .*${expected.source}`));
  for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\S+ (debug|info|warn) /);
}

Deno.test("--version and --help answer on stdout", async () => {
  const version = await run(["--version"]);
  assert.deepEqual([version.code, version.stderr], [0, ""]);
  assert.match(version.stdout, /^chronogo \d+\.\d+\.\d+\n$/);
  const help = await run(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^ChronoGo .*\n[\s\S]*--data-dir DIR/);
});

Deno.test("wrong usage ends with 2 and one line", async () => {
  const flag = await run(["--mongo-adr", ":1"]);
  assert.equal(flag.code, 2);
  assertOneLine(flag.stderr, /unknown flag --mongo-adr; did you mean --mongo-addr\?/);
  const variable = await run([], { CHRONOGO_LOG_LEVEL: "loud" });
  assert.equal(variable.code, 2);
  assertOneLine(variable.stderr, /CHRONOGO_LOG_LEVEL "loud": expected debug, info, warn or error/);
});

Deno.test("an unreadable config file and a cluster of a later version end with 1 and one line", async () => {
  const config = await run(["--config", "/nowhere/chronogo.yaml"]);
  assert.equal(config.code, 1);
  assertOneLine(config.stderr, /cannot read config file \/nowhere\/chronogo\.yaml: /);
  const cluster = await run([], { CHRONOGO_MNODE_LIST: "10.0.0.1:27018" });
  assert.equal(cluster.code, 1);
  assertOneLine(cluster.stderr, /clusters come in a later version/);
});

Deno.test("a server says where it serves, is healthy, and stops cleanly on SIGTERM and on SIGINT", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await using server = await startServerProcess();
    assert.match(server.stdout(), /^ChronoGo \d/);
    assert.match(server.stdout(), /found: +0 databases, 0 collections, 0 series, 0 rows/);
    assert.match(server.stdout(), /recovery: +\d+ ms/);
    assert.ok(server.stdout().includes(`connect:       mongosh "${server.uri}"`));
    const response = await fetch(`http://127.0.0.1:${server.httpPort}/health`);
    assert.deepEqual([response.status, (await response.json()).status], [200, "ok"]);
    // A terminal and the runners above send the same signal several times: that is one wish.
    server.signal(signal);
    server.signal(signal);
    assert.equal(await server.ended, 0);
    assert.match(server.stderr(), new RegExp(`chronogo: ${signal}: stopping`));
  }
});

Deno.test("parameters hold from the start on, and a value that is none ends with 2 and one line", async () => {
  const args = ["--set-parameter", "enableTestCommands=1", "--set-parameter", "ttlMonitorSleepSecs=5"];
  await using server = await startServerProcess({ args });
  const client = await WireClient.connect(server.port);
  const shown = await client.must({ getParameter: 1, enableTestCommands: 1, ttlMonitorSleepSecs: 1 });
  assert.deepEqual([shown["enableTestCommands"], Number(shown["ttlMonitorSleepSecs"])], [true, 5]);
  await client.must({ configureFailPoint: "failCommand", mode: "off" });
  client.close();
  const { exitCode, stderr } = await startFailure({ args: ["--set-parameter", "ttlMonitorSleepSecs=0"] });
  assert.equal(exitCode, 2);
  assertOneLine(stderr, /--set-parameter: .* 0 is not greater than 0/);
});

Deno.test("a second signal stops at once", async () => {
  for (const [second, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await using server = await startServerProcess();
    // Half a request keeps the clean stop waiting for its grace time.
    const peer = await Deno.connect({ hostname: "127.0.0.1", port: server.httpPort });
    await peer.write(
      new TextEncoder().encode("POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"),
    );
    await (await fetch(`http://127.0.0.1:${server.httpPort}/health`)).body?.cancel();
    server.signal(second === "SIGINT" ? "SIGTERM" : "SIGINT");
    while (!server.stderr().includes("stopping")) await new Promise((resolve) => setTimeout(resolve, 5));
    server.signal(second);
    assert.equal(await server.ended, code);
    peer.close();
  }
});

Deno.test("a data folder that is in use, is no folder, or is of another program: one line, 1", async () => {
  await using server = await startServerProcess();
  const locked = await startFailure({ dataDir: server.dataDir });
  assert.equal(locked.exitCode, 1);
  assertOneLine(locked.stderr, /cannot serve \/.*: the data folder is in use by another ChronoGo/);
  assert.equal(
    (await fetch(`http://127.0.0.1:${server.httpPort}/health`).then((r) => r.json())).status,
    "ok",
  );

  const file = await Deno.makeTempFile({ prefix: "chronogo-test-" });
  const noFolder = await startFailure({ dataDir: file });
  assert.equal(noFolder.exitCode, 1);
  assertOneLine(noFolder.stderr, /cannot use data folder .*: it is a file, not a folder/);
  await Deno.remove(file);

  const folder = await Deno.makeTempDir({ prefix: "chronogo-test-" });
  await Deno.writeTextFile(`${folder}/thesis.txt`, "precious");
  const strange = await startFailure({ dataDir: folder });
  assert.equal(strange.exitCode, 1);
  assertOneLine(strange.stderr, /holds no ChronoGo data \(found "thesis\.txt"\)/);
  await Deno.writeTextFile(`${folder}/format.json`, '{"format": 999, "nodeUuid": "x"}');
  const future = await startFailure({ dataDir: folder });
  assert.equal(future.exitCode, 1);
  assertOneLine(future.stderr, /has format 999, this version of ChronoGo reads format/);
  await Deno.writeTextFile(`${folder}/format.json`, "\0\0\0");
  assertOneLine(
    (await startFailure({ dataDir: folder })).stderr,
    /cannot serve \/.*: .*format\.json is damaged/,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("damaged data: one line that names the file, 1", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-test-" });
  const dataDir = `${folder}/data`;
  {
    await using server = await startServerProcess({ dataDir });
    assert.equal(await server.stop(), 0);
  }
  await Deno.writeTextFile(`${dataDir}/mnode/catalog`, "rotten");
  const damaged = await startFailure({ dataDir });
  assert.equal(damaged.exitCode, 1);
  assertOneLine(damaged.stderr, /cannot serve \/.*: "mnode\/catalog" is damaged at byte \d+: /);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a port in use: one line that names the flag, 1, and the data folder is free again", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    for (const flag of ["--mongo-addr", "--http-addr"]) {
      const failure = await startFailure({ args: [flag, `127.0.0.1:${taken.addr.port}`] });
      assert.equal(failure.exitCode, 1);
      assertOneLine(
        failure.stderr,
        new RegExp(`cannot listen on .*:${taken.addr.port} \\(${flag}\\): another program`),
      );
    }
  } finally {
    taken.close();
  }
});

Deno.test("kill -9 leaves a folder that starts again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-test-" });
  try {
    for (let round = 0; round < 2; round++) {
      await using server = await startServerProcess({ dataDir: `${folder}/data` });
      await server.kill9();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("shells get the banner's warning as a line of JSON, the only form that mongosh shows", async () => {
  await using server = await startServerProcess({ args: ["--mongo-addr", ":0", "--http-addr", ":0"] });
  const client = await WireClient.connect(server.port);
  try {
    const { log } = await client.must({ getLog: "startupWarnings" });
    assert.equal(log.length, 1);
    const { t, s, msg } = JSON.parse(log[0]);
    assert.ok(Date.parse(t.$date) <= Date.now());
    assert.deepEqual([s, server.stdout().includes(msg)], ["W", true]);
  } finally {
    client.close();
  }
});

Deno.test("all interfaces: IPv4 and IPv6 of this machine are served, and the banner warns", async () => {
  await using server = await startServerProcess({ args: ["--mongo-addr", ":0", "--http-addr", ":0"] });
  assert.match(server.stdout(), /\(all interfaces\)/);
  assert.match(server.stdout(), /WARNING: +protected mode/);
  assert.equal(
    (await fetch(`http://127.0.0.1:${server.httpPort}/health`).then((r) => r.json())).status,
    "ok",
  );
  if (server.stdout().includes("HTTP:          [::]")) {
    assert.equal((await fetch(`http://[::1]:${server.httpPort}/health`).then((r) => r.json())).status, "ok");
  }
});
