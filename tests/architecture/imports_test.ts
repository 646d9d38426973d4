/** The import graph and the text of the whole project against the rules; then the rules against sources that break them. */
import assert from "node:assert/strict";
import {
  cycleViolations,
  importViolations,
  lengthViolations,
  MAX_FILE_LINES,
  platformViolations,
  textViolations,
} from "./rules.ts";
import { importsOf, readTree, resolvePath, type SourceFile } from "./source_tree.ts";

const ROOT = new URL("../../", import.meta.url);
const sources = () => readTree(ROOT, [".ts"]).filter((file) => file.path.startsWith("src/"));

function assertNone(violations: readonly string[]): void {
  assert.equal(violations.length, 0, `\n${violations.join("\n")}\n`);
}

Deno.test("rooms import only what the design lets them, through doors", () => {
  const files = sources();
  assert.ok(files.length > 20, "the sources are found");
  assertNone(importViolations(files));
});

Deno.test("no file imports itself by a circle", () => assertNone(cycleViolations(sources())));

Deno.test("only io and cli know the platform", () => assertNone(platformViolations(sources())));

Deno.test("no file is too long to read", () => assertNone(lengthViolations(sources())));

Deno.test("no unfinished places, no traces of a machine", () => {
  const files = readTree(ROOT, [
    ".ts",
    ".md",
    ".json",
    ".sh",
    ".py",
    ".mjs",
    ".js",
    ".yaml",
    ".yml",
    ".lock",
    "run",
  ]);
  assert.ok(
    files.some((file) => file.path === "README.md") && files.some((file) => file.path === "deno.lock"),
  );
  assertNone(textViolations(files));
});

/** A source file of the room's own. */
function file(path: string, ...lines: string[]): SourceFile {
  return { path, text: lines.join("\n") };
}

Deno.test("the reader of imports sees every form, and no comment", () => {
  const found = importsOf(
    [
      "/** import { a } from './comment.ts'; */",
      "// export * from './comment.ts';",
      "import whole from './default.ts';",
      "import * as all from '../all.ts';",
      "import {",
      "  a,",
      "  type B as C,",
      "} from './braces.ts';",
      "import type { D } from './type.ts';",
      "import { type E, type F } from './types.ts';",
      "import whole2, { type G } from './both.ts';",
      "import './effect.ts';",
      "export * from './star.ts';",
      "export { h } from './export.ts';",
      "export type { I } from './export_type.ts';",
      "export const from = 'x.ts';",
      "type J = import('./import_type.ts').J;",
      "const k = await import('./dynamic.ts');",
      "const l = await import(name);",
    ].join("\n").replaceAll("'", '"'),
  );
  assert.deepEqual(found.map(({ specifier, typeOnly }) => [specifier, typeOnly]), [
    ["./default.ts", false],
    ["../all.ts", false],
    ["./braces.ts", false],
    ["./type.ts", true],
    ["./types.ts", true],
    ["./both.ts", false],
    ["./star.ts", false],
    ["./export.ts", false],
    ["./export_type.ts", true],
    ["./effect.ts", false],
    ["./import_type.ts", false],
    ["./dynamic.ts", false],
    [undefined, false],
  ]);
  assert.deepEqual(found[2]?.names, ["a", "B"]);
  assert.equal(resolvePath("src/a/b/c.ts", "../../d/mod.ts"), "src/d/mod.ts");
});

Deno.test("a wrong arrow between rooms is found", () => {
  const cases: [path: string, line: string, expected: RegExp | undefined][] = [
    ["src/query/plan.ts", 'import { a } from "../bson/mod.ts";', undefined],
    ["src/query/plan.ts", 'import { a } from "./stage.ts";', undefined],
    ["src/query/plan.ts", 'import { a } from "../storage/mod.ts";', /query must not import storage/],
    ["src/query/plan.ts", 'import type { A } from "../storage/mod.ts";', /query must not import storage/],
    ["src/storage/log.ts", 'export { a } from "../cluster/mod.ts";', /storage must not import cluster/],
    ["src/storage/log.ts", 'const a = await import("../command/mod.ts");', /storage must not import command/],
    ["src/storage/log.ts", 'type A = import("../query/mod.ts").A;', /storage must not import query/],
    ["src/storage/x/log.ts", 'import { a } from "../../bson/raw.ts";', /through its mod.ts only/],
    ["src/base/assert.ts", 'import { a } from "../io/mod.ts";', /base must not import io/],
    ["src/cluster/node.ts", 'import { a } from "../wire/mod.ts";', /cluster must not import wire/],
    ["src/server/listener.ts", 'import { a } from "../query/mod.ts";', /server must not import query/],
    ["src/command/insert.ts", 'import { type Clock } from "../io/mod.ts";', undefined],
    ["src/command/insert.ts", 'import type { Disk } from "../io/mod.ts";', /io's clock only, not Disk/],
    ["src/command/insert.ts", 'import * as io from "../io/mod.ts";', /io's clock only/],
    ["src/command/insert_test.ts", 'import { MemoryDisk } from "../io/mod.ts";', undefined],
    ["src/storage/log.ts", 'import * as fs from "node:fs";', /only io and cli may import node:fs/],
    ["src/io/deno_disk.ts", 'import * as fs from "node:fs";', undefined],
    [
      "src/query/plan.ts",
      'import { DatabaseSync } from "node:sqlite";',
      /only storage may import node:sqlite/,
    ],
    ["src/bson/value.ts", 'import { Long } from "npm:bson@7";', /named in deno.json/],
    ["src/bson/value.ts", 'import { Long } from "bson";', undefined],
    ["src/bson/value.ts", 'import { a } from "../../tests/support/a.ts";', /outside the rooms/],
    ["src/bson/value_test.ts", 'import { a } from "../../tests/support/a.ts";', undefined],
    ["src/helpers/a.ts", "", /"helpers" is no room/],
    ["src/query/plan.ts", "const a = await import(name);", /computed name/],
  ];
  for (const [path, line, expected] of cases) {
    const violations = importViolations([file(path, line)]);
    if (expected === undefined) assertNone(violations);
    else assert.match(violations.join("\n"), expected, `${path}: ${line}`);
  }
});

Deno.test("an import cycle is found, one of types only is none", () => {
  const a = file("src/base/a.ts", 'import { b } from "./b.ts";');
  const b = file("src/base/b.ts", 'export * from "./c.ts";');
  const back = file("src/base/c.ts", 'import { a } from "./a.ts";');
  const typesBack = file("src/base/c.ts", 'import { type A } from "./a.ts";');
  assert.deepEqual(cycleViolations([a, b, back]), [
    "import cycle: src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts",
  ]);
  assert.deepEqual(cycleViolations([a, b, typesBack]), []);
});

Deno.test("a use of the platform is found, in a comment it is none", () => {
  assert.deepEqual(
    platformViolations([
      file("src/storage/a.ts", "// Deno.open", "/** Deno */", "const a = Deno.pid;"),
      file("src/io/a.ts", "Deno.pid;"),
      file("src/storage/a_test.ts", "Deno.test();"),
      file("src/server/a.ts", "const { pid } = globalThis.Deno;"),
    ]),
    ["src/storage/a.ts:3: only io and cli may use Deno", "src/server/a.ts:1: only io and cli may use Deno"],
  );
});

Deno.test("long files, unfinished places and machine traces are found", () => {
  assert.equal(lengthViolations([file("a.ts", ...Array<string>(MAX_FILE_LINES + 1).fill(""))]).length, 1);
  assert.equal(lengthViolations([file("a.ts", ...Array<string>(MAX_FILE_LINES).fill(""))]).length, 0);
  const lines = [
    "// TO" + "DO: later",
    "FIX" + "ME",
    'open("/wo' + 'rk/main/x")',
    "https://registry.npm" + "js.org/x",
    "a framework/network of registry.get(x), pages of /var/lib",
  ];
  assert.deepEqual(textViolations([file("a.md", ...lines)]), [
    "a.md:1: an unfinished place",
    "a.md:2: an unfinished place",
    "a.md:3: a machine's path",
    "a.md:4: a registry's address",
  ]);
});
