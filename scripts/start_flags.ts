/**
 * What the server runs with: environment and flags. `deno.json` has them once, in the task `start`.
 *
 * `MALLOC_ARENA_MAX=1`: glibc gives each thread a pool of memory of its own. What the threads that load a program have
 * given back would be no use to the one that serves; in one pool it is.
 * `MALLOC_MMAP_THRESHOLD_`: buffers from 1 MB on come from the system and go back to it. By default glibc raises the
 * limit to the largest that was freed so far, and buffers of megabytes leave holes among small ones. Smaller ones, the usual
 * message among them, are worth keeping: new ones cost a quarter of the processor time of an insert.
 */
import manifest from "../deno.json" with { type: "json" };

/** Of a `deno.json` what is read here. */
interface Manifest {
  readonly tasks: { readonly start: { readonly command: string } };
}

/** The flags of `deno run`, without quotes: permissions, engine flags, unstable parts. */
export function startFlags(of: Manifest = manifest): readonly string[] {
  return startWords(of).flags;
}

/** Environment variables and their values. */
export function startEnvironment(of: Manifest = manifest): Readonly<Record<string, string>> {
  return Object.fromEntries(startWords(of).assignments.map((word) => word.split("=")));
}

function startWords(
  of: Manifest,
): { readonly assignments: readonly string[]; readonly flags: readonly string[] } {
  const { command } = of.tasks.start;
  const words = command.split(" ").map((word) => word.replaceAll("'", ""));
  const program = words.indexOf("deno");
  const assignments = words.slice(0, program);
  const [run, ...rest] = words.slice(program + 1);
  const isKnown = assignments.every((word) => /^[A-Z_]+=[^=]+$/.test(word)) && run === "run" &&
    rest.at(-1) === "main.ts";
  if (!isKnown) {
    throw new Error(
      `task "start" is no "NAME=VALUE … deno run … main.ts": ${command}`,
    );
  }
  return { assignments, flags: rest.slice(0, -1) };
}

/** ChronoGo's version. */
export const VERSION: string = manifest.version;
