/** The command line: the composition root. */
import { helpText } from "./help.ts";
import { firstLine } from "./listen.ts";
import { readRequest, type Request } from "./settings.ts";
import { runServer } from "./start.ts";
import { StartError } from "./start_error.ts";
import { VERSION } from "./version.ts";

export { type EmbeddedServer, type EmbedOptions, openServer } from "./embed.ts";

/** Does what a command line asks for and leaves the process with the exit code. */
export async function main(args: readonly string[]): Promise<never> {
  try {
    Deno.exit(await run(args));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(`chronogo: ${firstLine(error.message)}`);
    Deno.exit(error.exitCode);
  }
}

function run(args: readonly string[]): Promise<number> | number {
  const request: Request = readRequest(args, {
    variable: (name) => Deno.env.get(name),
    readTextFile: (path) => Deno.readTextFileSync(path),
  });
  if (request.kind === "start") return runServer(request.settings, args);
  console.log(request.kind === "help" ? helpText() : `chronogo ${VERSION}`);
  return 0;
}
