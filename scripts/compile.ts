/**
 * `deno task compile`: makes `./chronogo`, one file with the permissions of `deno task start`.
 *
 * `deno compile` needs its base runtime, which it downloads or takes from DENORT_BIN. Where neither works, the file is
 * a self-extracting one (see self_extracting.ts).
 */
import { writeSelfExtracting } from "./self_extracting.ts";
import { startFlags } from "./start_flags.ts";

const OUTPUT = "chronogo";
const REPOSITORY = new URL("../", import.meta.url);

const refusal = await compile();
if (refusal === undefined) {
  console.log(`wrote ./${OUTPUT} with deno compile`);
} else if (Deno.env.get("DENORT_BIN") !== undefined) {
  console.error(`deno compile failed with the base runtime that DENORT_BIN names:\n${refusal}`);
  Deno.exit(1);
} else {
  console.log(
    "deno compile cannot get its base runtime here (DENORT_BIN may name one); making a self-extracting file",
  );
  await writeSelfExtracting(new URL(OUTPUT, REPOSITORY).pathname);
  console.log(`wrote ./${OUTPUT}, self-extracting`);
}

/** Tries `deno compile`; what it said when it failed. */
async function compile(): Promise<string | undefined> {
  const worker = "src/cli/server_worker.ts";
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", "--quiet", ...startFlags(), "--include", worker, "--output", OUTPUT, "main.ts"],
    cwd: REPOSITORY,
    stdin: "null",
  }).output();
  return success ? undefined : new TextDecoder().decode(stderr);
}
