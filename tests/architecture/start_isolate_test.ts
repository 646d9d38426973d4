/** What the isolate that starts the server loads: each isolate has its own copy, and this one never uses the rooms. */
import assert from "node:assert/strict";

interface Dependency {
  readonly isDynamic?: boolean;
  readonly code?: { readonly specifier?: string };
}

interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly { readonly specifier: string; readonly dependencies?: readonly Dependency[] }[];
}

Deno.test("the isolate that starts the server loads the command line and the base only", async () => {
  const rooms = new Set<string>();
  for (const specifier of await loadedBy("main.ts")) {
    const room = /\/src\/(\w+)\//.exec(specifier)?.[1];
    if (room !== undefined) rooms.add(room);
  }
  assert.deepEqual([...rooms].sort(), ["base", "cli"]);
});

/** The modules that a module imports at once, and they in turn; those that are imported when asked for are left out. */
async function loadedBy(entry: string): Promise<Set<string>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: new URL("../../", import.meta.url).pathname,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { roots, modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const dependencies = new Map(modules.map((module) => [module.specifier, module.dependencies ?? []]));
  const loaded = new Set(roots);
  for (const specifier of loaded) {
    for (const { isDynamic, code } of dependencies.get(specifier) ?? []) {
      if (isDynamic !== true && code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  return loaded;
}
