import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { compile, filesIn, moduleOf } from "../../scripts/assembly.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("each module is what its AssemblyScript compiles to", async () => {
  const sources = filesIn(".as");
  assert.ok(sources.length > 0, "the sources are found");
  assert.deepEqual(filesIn(".wasm"), sources.map(moduleOf));
  for (const source of sources) {
    const module = await Deno.readFile(new URL(moduleOf(source), ROOT));
    assert.ok(
      Buffer.from(module).equals(await compile(source)),
      `${source} has changed since; "deno task assembly" makes its module anew`,
    );
  }
});
