import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync } from "node:fs";
import { compile, moduleOf, SOURCES } from "../../scripts/assembly.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("each module is what its AssemblyScript compiles to", async () => {
  const found = readdirSync(new URL("src/", ROOT), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(as|wasm)$/.test(path)).map((path) => `src/${path}`);
  assert.deepEqual(
    found.sort(),
    SOURCES.flatMap((source) => [source, source.replace(/\.as$/, ".wasm")]).sort(),
  );
  for (const source of SOURCES) {
    const module = await Deno.readFile(moduleOf(source));
    assert.ok(
      Buffer.from(module).equals(await compile(source)),
      `${source} has changed since; "deno task assembly" makes its module anew`,
    );
  }
});
