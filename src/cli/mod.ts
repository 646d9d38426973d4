/**
 * The command line: the composition root.
 *
 * The isolate that starts the server must not load it: each isolate has its own copy of what it loads, some 30 MB here.
 * What needs the server's rooms is imported when it is asked for.
 */
import type { EmbeddedServer, EmbedOptions } from "./embed.ts";
import { helpText } from "./help.ts";
import { firstLine } from "./listen.ts";
import { readRequest, type Request } from "./settings.ts";
import { runServer } from "./start.ts";
import { StartError } from "./start_error.ts";
import { subcommandHelp } from "./subcommand.ts";
import { VERSION } from "./version.ts";

export type { EmbeddedServer, EmbedOptions };

/** As `openServer` of embed.ts. */
export async function openServer(options: EmbedOptions): Promise<EmbeddedServer> {
  const embed = await import("./embed.ts");
  return await embed.openServer(options);
}

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

async function run(args: readonly string[]): Promise<number> {
  const request: Request = readRequest(args, {
    variable: (name) => Deno.env.get(name),
    readTextFile: (path) => Deno.readTextFileSync(path),
  });
  switch (request.kind) {
    case "start":
      return await runServer(request.settings, args);
    case "check": {
      const { runCheck } = await import("./check.ts");
      return await runCheck(request.path, console.log);
    }
    case "inspect": {
      const { runInspect } = await import("./inspect.ts");
      return runInspect(request.path, console.log);
    }
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
