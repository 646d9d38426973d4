/** The command line: the composition root. */
import { runCheck } from "./check.ts";
import { helpText } from "./help.ts";
import { runInspect } from "./inspect.ts";
import { firstLine } from "./listen.ts";
import { readRequest, type Request } from "./settings.ts";
import { runServer } from "./start.ts";
import { StartError } from "./start_error.ts";
import { subcommandHelp } from "./subcommand.ts";
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
  switch (request.kind) {
    case "start":
      return runServer(request.settings, args);
    case "check":
      return runCheck(request.path, console.log);
    case "inspect":
      return runInspect(request.path, console.log);
    case "subcommand-help":
      return told(subcommandHelp(request.name));
    case "help":
      return told(helpText());
    case "version":
      return told(`chronogo ${VERSION}`);
  }
}

function told(text: string): number {
  console.log(text);
  return 0;
}
