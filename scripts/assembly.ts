/**
 * `deno task assembly`: makes a WebAssembly module of each AssemblyScript file in `src`, beside it. The compiler is the npm
 * package assemblyscript, installed once into a folder that git does not see and run by Node: the product does without it.
 */
import { readdirSync } from "node:fs";
import { installPackages, run } from "./installed_packages.ts";

const PACKAGE = "assemblyscript@0.28.20";
const REPOSITORY = new URL("../", import.meta.url);
const FOLDER = new URL("./.installed/", import.meta.url).pathname;
const COMPILER = `${FOLDER}node_modules/assemblyscript/bin/asc.js`;
/** The smallest and fastest: no collector, no run-time checks, which checksums make needless; memory grows as asked. */
const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--initialMemory", "2"];

/** All files in `src` with an ending, from the repository's root. */
export function filesIn(ending: string): string[] {
  return readdirSync(new URL("src/", REPOSITORY), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending)).map((path) => `src/${path}`).sort();
}

/** The module of a source: asked for twice, the same bytes. @throws Error with what npm or the compiler says */
export async function compile(source: string): Promise<Uint8Array> {
  await installPackages({ folder: FOLDER, npm: [PACKAGE], name: "AssemblyScript (60 MB)" });
  const folder = await Deno.makeTempDir({ prefix: "chronogo-assembly-" });
  try {
    // The compiler takes its own files by this ending only, and the names of files are in none of the modules.
    await Deno.copyFile(new URL(source, REPOSITORY), `${folder}/module.ts`);
    await run("node", [COMPILER, "module.ts", "--outFile", "module.wasm", ...OPTIONS], folder);
    return await Deno.readFile(`${folder}/module.wasm`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The module's path. */
export function moduleOf(source: string): string {
  return source.replace(/\.as$/, ".wasm");
}

if (import.meta.main) {
  for (const source of filesIn(".as")) {
    const module = await compile(source);
    await Deno.writeFile(new URL(moduleOf(source), REPOSITORY), module);
    console.log(`${source}: ${module.length} bytes`);
  }
}
