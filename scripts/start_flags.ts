/** The flags that the server runs with. `deno.json` has them once, in the task `start`. */
import manifest from "../deno.json" with { type: "json" };

/** The flags of `deno run`, without quotes: permissions, engine flags, unstable parts. */
export function startFlags(): readonly string[] {
  const [deno, run, ...rest] = manifest.tasks.start.command.split(" ").map((word) =>
    word.replaceAll("'", "")
  );
  if (deno !== "deno" || run !== "run" || rest.at(-1) !== "main.ts") {
    throw new Error(`task "start" is no "deno run … main.ts": ${manifest.tasks.start.command}`);
  }
  return rest.slice(0, -1);
}

/** ChronoGo's version. */
export const VERSION: string = manifest.version;
