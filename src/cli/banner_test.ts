import assert from "node:assert/strict";
import { bannerLines } from "./banner.ts";
import { helpText } from "./help.ts";
import { OPTION_LIST, variableOf } from "./options.ts";
import type { Started } from "./message.ts";
import type { Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

const SETTINGS: Settings = {
  dataDir: "/var/lib/chronogo",
  mongo: { hostname: "", port: 27017 },
  http: { hostname: "127.0.0.1", port: 8080 },
  insecure: false,
  durability: "commit",
  blockCompressor: "zstd",
  memoryLimitBytes: 1024 ** 3,
  logRetention: { bytes: 2 ** 26, ms: 3_600_000 },
  replicaSet: undefined,
  advertise: undefined,
  parameters: {},
  logLevel: "info",
  nodeId: undefined,
  clusterId: undefined,
};
const STARTED: Started = {
  mongo: { hostname: "::", port: 27017 },
  http: { hostname: "127.0.0.1", port: 8080 },
  found: { databases: 2, collections: 1, series: 100, rows: 864000, recoveryMs: 41.6 },
};

Deno.test("the banner tells where it serves, what it found and how to connect", () => {
  assert.deepEqual(bannerLines(SETTINGS, STARTED), [
    `ChronoGo ${VERSION}`,
    "  MongoDB wire:  [::]:27017 (all interfaces)",
    "  HTTP:          127.0.0.1:8080",
    "  data folder:   /var/lib/chronogo",
    "  found:         2 databases, 1 collection, 100 series, 864,000 rows",
    "  recovery:      42 ms",
    "  durability:    commit (on disk before it is acknowledged)",
    "  WARNING:       protected mode: only this machine is served, until --insecure lifts that",
    '  connect:       mongosh "mongodb://127.0.0.1:27017"',
    "ready",
  ]);
});

Deno.test("the banner warns of --insecure, and not at all on loopback", () => {
  const warnings = (settings: Settings, started: Started) =>
    bannerLines(settings, started).filter((line) => line.includes("WARNING"));
  assert.match(warnings({ ...SETTINGS, insecure: true }, STARTED).join(), /everybody who can reach/);
  const local = { ...STARTED, mongo: { hostname: "::1", port: 27017 } };
  assert.deepEqual(warnings(SETTINGS, local), []);
  assert.deepEqual(warnings({ ...SETTINGS, insecure: true }, local), []);
});

Deno.test("the help names every option, its default and its variable, in 110 columns", () => {
  const help = helpText();
  for (const option of OPTION_LIST) {
    assert.ok(help.includes(`--${option.name}`), option.name);
    if (option.flagOnly !== true) assert.ok(help.includes(variableOf(option.name)), option.name);
    if (option.defaultText !== undefined) {
      assert.ok(help.includes(`default ${option.defaultText}`), option.name);
    }
  }
  assert.match(help, /mongosh "mongodb:\/\/127\.0\.0\.1:27017"/);
  for (const line of help.split("\n")) assert.ok(line.length <= 110, line);
});
