/** The server: `deno task start [flags]`. */
import { main } from "./src/cli/mod.ts";

await main(Deno.args);
