import assert from "node:assert/strict";
import { DEFAULT_LOG_RETENTION } from "../base/mod.ts";
import { variableOf } from "./options.ts";
import { readRequest, type Settings, type Surroundings } from "./settings.ts";
import { StartError } from "./start_error.ts";

interface Around {
  readonly variables?: Record<string, string>;
  readonly files?: Record<string, string>;
}

function around({ variables = {}, files = {} }: Around): Surroundings {
  return {
    variable: (name) => variables[name],
    readTextFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error("No such file or directory (os error 2)");
      return text;
    },
  };
}

function settingsOf(args: string[], outside: Around = {}): Settings {
  const request = readRequest(args, around(outside));
  assert.equal(request.kind, "start");
  return request.kind === "start" ? request.settings : assert.fail();
}

function failureOf(args: string[], outside: Around = {}): StartError {
  try {
    readRequest(args, around(outside));
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    assert.doesNotMatch(error.message, /\n/, "one line");
    return error;
  }
  return assert.fail(`no error for ${args.join(" ")}`);
}

Deno.test("without anything the defaults hold", () => {
  assert.deepEqual(settingsOf([]), {
    dataDir: "./data",
    mongo: { hostname: "", port: 27017 },
    http: { hostname: "", port: 8080 },
    insecure: false,
    durability: "commit",
    blockCompressor: "zstd",
    memoryLimitBytes: 1024 ** 3,
    logRetention: DEFAULT_LOG_RETENTION,
    replicaSet: undefined,
    advertise: undefined,
    parameters: {},
    logLevel: "info",
    nodeId: undefined,
    clusterId: undefined,
  });
});

Deno.test("a flag wins over a variable, that over the config file, that over the default", () => {
  const outside = {
    variables: { CHRONOGO_DATA_DIR: "/env", CHRONOGO_LOG_LEVEL: "warn", CHRONOGO_CONFIG: "c.yaml" },
    files: { "c.yaml": "data-dir: /file\nlog-level: error\ndurability: interval\n" },
  };
  const settings = settingsOf(["--data-dir", "/flag"], outside);
  assert.equal(settings.dataDir, "/flag");
  assert.equal(settings.logLevel, "warn");
  assert.equal(settings.durability, "interval");
  assert.equal(settings.http.port, 8080);
});

Deno.test("every option with a value can come from flag, variable, YAML and JSON alike", () => {
  const cases: [name: string, text: string, read: (settings: Settings) => unknown, expected: unknown][] = [
    ["data-dir", "/x", (s) => s.dataDir, "/x"],
    ["mongo-addr", "127.0.0.1:1", (s) => s.mongo, { hostname: "127.0.0.1", port: 1 }],
    ["http-addr", "[::1]:2", (s) => s.http, { hostname: "::1", port: 2 }],
    ["insecure", "true", (s) => s.insecure, true],
    ["durability", "interval", (s) => s.durability, "interval"],
    ["block-compressor", "lz4", (s) => s.blockCompressor, "lz4"],
    ["memory-limit", "256MB", (s) => s.memoryLimitBytes, 2 ** 28],
    ["log-retention", "2GB,7d", (s) => s.logRetention, { bytes: 2 ** 31, ms: 604_800_000 }],
    ["replica-set", "rs0", (s) => s.replicaSet, "rs0"],
    ["set-parameter", "enableTestCommands=1", (s) => s.parameters, { enableTestCommands: 1 }],
    ["log-level", "debug", (s) => s.logLevel, "debug"],
    ["node-id", "node-1", (s) => s.nodeId, "node-1"],
    [
      "cluster-id",
      "6F1C2A9E-1B7D-4C53-9A55-0C6E0F5A7D21",
      (s) => s.clusterId,
      "6f1c2a9e-1b7d-4c53-9a55-0c6e0f5a7d21",
    ],
    ["cluster-role", "all", (s) => s.durability, "commit"],
  ];
  for (const [name, text, read, expected] of cases) {
    const sources: [string[], Around][] = [
      [[`--${name}=${text}`], {}],
      [[], { variables: { [variableOf(name)]: text } }],
      [["--config", "c"], { files: { c: `${name}: "${text}"\n` } }],
      [["--config", "c"], { files: { c: JSON.stringify({ [name]: text }) } }],
    ];
    for (const [args, outside] of sources) {
      assert.deepEqual(
        read(settingsOf(args, outside)),
        expected,
        `${name} ${JSON.stringify([args, outside])}`,
      );
    }
  }
});

Deno.test("a switch can be turned off again by a flag", () => {
  const outside = { variables: { CHRONOGO_INSECURE: "1" } };
  assert.equal(settingsOf([], outside).insecure, true);
  assert.equal(settingsOf(["--insecure=false"], outside).insecure, false);
});

Deno.test("an empty config file and native YAML values are fine", () => {
  assert.equal(settingsOf(["--config", "c"], { files: { c: "# nothing yet\n" } }).dataDir, "./data");
  assert.equal(settingsOf(["--config", "c"], { files: { c: "" } }).dataDir, "./data");
  assert.equal(settingsOf(["--config", "c"], { files: { c: "insecure: true" } }).insecure, true);
});

Deno.test("wrong usage is one line that says what would be right, exit code 2", () => {
  const cases: [string[], Around, RegExp][] = [
    [["--data-dri", "x"], {}, /^unknown flag --data-dri; did you mean --data-dir\?$/],
    [["--hlep"], {}, /did you mean --help\?/],
    [["--quite-something-else"], {}, /^unknown flag --quite-something-else; see --help$/],
    [["-d", "x"], {}, /^unknown flag -d/],
    [["--port", "27018"], {}, /^unknown flag --port; ChronoGo has --mongo-addr :PORT for it$/],
    [["--dbpath=x"], {}, /ChronoGo has --data-dir DIR for it$/],
    [["--constructor"], {}, /^unknown flag --constructor; see --help$/],
    [
      ["serve"],
      {},
      /^unexpected argument "serve"; options start with --, only check or inspect may stand first; see --help$/,
    ],
    [["--data-dir"], {}, /^--data-dir needs a value: --data-dir DIR$/],
    [["--data-dir", "--insecure"], {}, /^--data-dir needs a value/],
    [["--advertise", "db:27017"], {}, /^--advertise is for the clients of a replica set/],
    [["--replica-set", "rs0", "--advertise", ":27017"], {}, /with the host that clients connect to$/],
    [["--mongo-addr", "27017"], {}, /^--mongo-addr "27017": expected host:port or :port/],
    [["--mongo-addr", ":65536"], {}, /port up to 65535/],
    [["--mongo-addr", "::1:5"], {}, /expected host:port/],
    [["--http-addr", ":27017"], {}, /both have port 27017/],
    [["--log-level", "loud"], {}, /^--log-level "loud": expected debug, info, warn or error$/],
    [["--durability", "never"], {}, /expected commit or interval/],
    [["--set-parameter", "ttl"], {}, /expected NAME=VALUE/],
    [["--set-parameter", "maxBSONDepth=1"], {}, /no parameter maxBSONDepth that can be set at the start$/],
    [["--set-parameter", "enableTestCommands=x"], {}, /expected a number, true or false/],
    [["--insecure=perhaps"], {}, /^--insecure "perhaps": expected true or false$/],
    [["--node-id", "a b"], {}, /letters, digits/],
    [["--cluster-id", "7"], {}, /a UUID such as/],
    [["--cluster-role", "king"], {}, /expected all, mnode or dnode/],
    [["--mnode-list", "a:1,b"], {}, /expected host:port/],
    [[], { variables: { CHRONOGO_LOG_LEVEL: "loud" } }, /^CHRONOGO_LOG_LEVEL "loud": expected debug/],
    [["--config", "c"], { files: { c: "log-level: loud" } }, /^config file c: log-level "loud": expected/],
    [
      ["--config", "c"],
      { files: { c: "dataDir: x" } },
      /^config file c: unknown option "dataDir"; did you mean "data-dir"\?$/,
    ],
    [["--config", "c"], { files: { c: "data-dir: {a: 1}" } }, /"data-dir" must be one value/],
    [["--config", "c"], { files: { c: "help: true" } }, /unknown option "help"/],
  ];
  for (const [args, outside, expected] of cases) {
    const failure = failureOf(args, outside);
    assert.match(failure.message, expected);
    assert.equal(failure.exitCode, 2, failure.message);
  }
});

Deno.test("what is wrong outside, or is for a later version, has exit code 1", () => {
  const cases: [string[], Around, RegExp][] = [
    [["--config", "gone.yaml"], {}, /^cannot read config file gone\.yaml: No such file/],
    [["--config", "c"], { files: { c: "a: [1\nb" } }, /^config file c is neither YAML nor JSON: /],
    [["--config", "c"], { files: { c: "data-dir: a\n---\ndata-dir: b" } }, /expected one document/],
    [["--config", "c"], { files: { c: "- a\n- b" } }, /expected a map of options/],
    [["--mnode-list", "10.0.0.1:27018"], {}, /^--mnode-list: clusters come in a later version/],
    [["--config", "c"], { files: { c: "mnode-list: [a:1, b:2]" } }, /clusters come in a later version/],
    [["--cluster-role", "dnode"], {}, /clusters come in a later version/],
  ];
  for (const [args, outside, expected] of cases) {
    const failure = failureOf(args, outside);
    assert.match(failure.message, expected);
    assert.equal(failure.exitCode, 1, failure.message);
  }
});

Deno.test("help and version win over all else on the line", () => {
  assert.equal(readRequest(["--config", "gone", "--help"], around({})).kind, "help");
  assert.equal(readRequest(["-h"], around({})).kind, "help");
  assert.equal(readRequest(["--version", "--log-level", "loud"], around({})).kind, "version");
});

Deno.test("a memory limit is bytes or a size, and no less than the server can run in", () => {
  const sizes = ["268435456", "268435456B", "256MB", "256M", "256mib", "0.25GB", "262144 KB"];
  for (const size of sizes) {
    assert.equal(settingsOf(["--memory-limit", size]).memoryLimitBytes, 2 ** 28, size);
  }
  assert.match(failureOf(["--memory-limit", "lots"]).message, /expected a size such as 256MB/);
  assert.match(failureOf(["--memory-limit", "100MB"]).message, /less than the server can run in, 192MB/);
});

Deno.test("parameters may be given one by one", () => {
  const args = ["--set-parameter", "enableTestCommands=true", "--set-parameter", "ttlMonitorSleepSecs=5"];
  assert.deepEqual(settingsOf(args).parameters, { enableTestCommands: true, ttlMonitorSleepSecs: 5 });
});

Deno.test("a retention of the log is a size and a time", () => {
  const cases: [text: string, bytes: number, ms: number][] = [
    ["64MB,1h", 2 ** 26, 3_600_000],
    ["1000, 30m", 1000, 1_800_000],
    ["1.5GiB,90S", 1.5 * 2 ** 30, 90_000],
    ["0,0", 0, 0],
  ];
  for (const [text, bytes, ms] of cases) {
    assert.deepEqual(settingsOf(["--log-retention", text]).logRetention, { bytes, ms }, text);
  }
  assert.deepEqual(settingsOf([]).logRetention, DEFAULT_LOG_RETENTION);
  for (const text of ["64MB", "1h", "1h,64MB", "64MB,1", "64MB,1h,1h", ",", "-1,1h"]) {
    assert.match(
      failureOf([`--log-retention=${text}`]).message,
      /expected a size and a time, such as 64MB,1h/,
      text,
    );
  }
});
