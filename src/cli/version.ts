import manifest from "../../deno.json" with { type: "json" };

/** ChronoGo's own version; `deno.json` has it. */
export const VERSION: string = manifest.version;
