/** `deno task assembly`: makes a WebAssembly module of each AssemblyScript file in `src`, beside it. */
import { main } from "assemblyscript/asc";

const REPOSITORY = new URL("../", import.meta.url);

/** The AssemblyScript files in `src`, from the repository's root. */
export const SOURCES = ["src/column/codec/rans_decoder.as"];

/** The module of a source: asked for twice, the same bytes. @throws Error with what the compiler says */
export async function compile(source: string): Promise<Uint8Array> {
  let module: Uint8Array | undefined;
  const { error, stderr } = await main(
    ["module.ts", "--outFile", "module.wasm", ...OPTIONS],
    {
      readFile: (path) => path === "module.ts" ? Deno.readTextFileSync(new URL(source, REPOSITORY)) : null,
      writeFile: (path, content) => {
        if (path === "module.wasm" && typeof content !== "string") module = content;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || module === undefined) {
    throw new Error(`cannot compile ${source}:\n${stderr.toString()}`);
  }
  return module;
}

/** The smallest and fastest: no collector, no run-time checks, which a checksum makes needless; memory grows as asked. */
const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--initialMemory", "2"];

/** Where the module of a source is. */
export function moduleOf(source: string): URL {
  return new URL(source.replace(/\.as$/, ".wasm"), REPOSITORY);
}

if (import.meta.main) {
  for (const source of SOURCES) {
    const module = await compile(source);
    await Deno.writeFile(moduleOf(source), module);
    console.log(`${source}: ${module.length} bytes`);
  }
}
